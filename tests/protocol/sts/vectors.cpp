#include "tests/protocol/sts/vectors.h"

#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "protocol/sts/amount.h"
#include "security/sts_ciphers.h"

namespace wattmesh::sts::test {

Row file(const std::string& name) {
    std::ifstream in{"tests/vectors/sts/" + name + ".json"};
    REQUIRE(in);
    return Poco::JSON::Parser{}.parse(in).extract<Row>();
}

std::vector<Row> rows(const std::string& name, const std::string& member) {
    const auto list = file(name)->getArray(member);
    std::vector<Row> all;
    for (unsigned i = 0; i < list->size(); ++i) all.push_back(list->getObject(i));
    return all;
}

std::string text(const Row& row, const char* member) { return row->getValue<std::string>(member); }
std::uint64_t hex(const Row& row, const char* member) { return std::stoull(text(row, member), nullptr, 16); }

Instant instant(const std::string& text) {
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0;
    REQUIRE(std::sscanf(text.c_str(), "%d-%u-%uT%u:%u", &year, &month, &day, &hour, &minute) == 5);
    return std::chrono::sys_days{std::chrono::year{year} / month / day} + std::chrono::hours{hour} +
           std::chrono::minutes{minute};
}

MeterPan pan(const std::string& digits) {
    auto parsed = MeterPan::parse(digits);
    REQUIRE(std::holds_alternative<MeterPan>(parsed));
    return std::get<MeterPan>(parsed);
}

KeyAttributes attributes(const Row& row) {
    return {.supply_group = {static_cast<std::uint32_t>(std::stoul(text(row, "sgc")))},
            .revision = row->getValue<std::uint8_t>("krn"),
            .type = static_cast<KeyType>(row->getValue<std::uint8_t>("kt")),
            .tariff_index = row->getValue<std::uint8_t>("ti"),
            .expiry = row->optValue<std::uint8_t>("ken", 255),
            .base = base_date(row->getValue<unsigned>("bdt")).value()};
}

Algorithm algorithm(const Row& row) { return static_cast<Algorithm>(row->getValue<std::uint8_t>("ea")); }

DecoderKey decoder_key(const std::string& hex) { return DecoderKey::from(from_hex(hex).value()).value(); }

DecoderKey derived(const Row& row) {
    security::OpensslDerivationCiphers ciphers;
    KeyDerivation derivation{static_cast<Derivation>(row->getValue<std::uint8_t>("dkga")),
                             VendingKey::from(from_hex(text(row, "vk")).value()).value(), ciphers};
    return std::get<DecoderKey>(derivation.derive(attributes(row), algorithm(row), pan(text(row, "pan"))));
}

namespace {

/// "25.6" as 256, with `decimals` places.
std::int64_t decimal(const std::string& text, std::size_t decimals) {
    const auto point = text.find('.');
    std::string digits = text.substr(0, point);
    const std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
    REQUIRE(fraction.size() <= decimals);
    digits += fraction + std::string(decimals - fraction.size(), '0');
    return std::stoll(digits);
}

}  // namespace

Content content(const Row& row) {
    const auto token_class = row->getValue<unsigned>("class"), subclass = row->getValue<unsigned>("subclass");
    if (token_class == 1) {
        return MeterTest{static_cast<MeterTest::Form>(subclass), hex(row, "control"),
                         row->getValue<std::uint16_t>("manufacturer")};
    }
    const Tid tid = ordinary(tid_at(attributes(row).base, instant(text(row, "at"))).value());
    if (row->has("tid")) REQUIRE(tid.value == row->getValue<std::uint32_t>("tid"));
    const auto random = row->optValue<std::uint8_t>("rnd", 0);
    if (token_class == 2) {
        const auto command = static_cast<Command>(subclass);
        const std::string written = text(row, "value");
        const std::uint64_t number = std::stoull(written, nullptr, 0);
        const bool watts = command == Command::power_limit || command == Command::phase_unbalance;
        return Management{command, random, tid,
                          watts ? encode_units(number).value() : static_cast<std::uint16_t>(number)};
    }
    if (subclass >= 4)
        return CurrencyCredit{static_cast<Commodity>(subclass - 4), tid,
                              static_cast<std::uint32_t>(hex(row, "field"))};
    const auto units = static_cast<std::uint64_t>(decimal(text(row, "amount"), 1));
    return Credit{static_cast<Commodity>(subclass), random, tid, encode_units(units).value()};
}

Token token(const std::string& digits) {
    const auto parsed = parse_token(digits);
    REQUIRE(parsed);
    return *parsed;
}

std::string words(const Content& content) {
    std::ostringstream out;
    out << static_cast<int>(class_of(content)) << '/' << int{subclass_of(content)};
    if (const auto tid = tid_of(content)) out << " tid " << tid->value;
    if (const auto* credit = std::get_if<Credit>(&content))
        out << " rnd " << int{credit->random} << " amount " << credit->amount;
    if (const auto* credit = std::get_if<CurrencyCredit>(&content)) out << " amount " << credit->amount;
    if (const auto* test = std::get_if<MeterTest>(&content))
        out << " control " << test->control << " make " << test->manufacturer;
    if (const auto* management = std::get_if<Management>(&content))
        out << " rnd " << int{management->random} << " value " << management->value;
    if (const auto* section = std::get_if<KeySection>(&content))
        out << " attributes " << section->attributes << " key " << to_hex(section->key_part.reveal());
    return out.str();
}

}  // namespace wattmesh::sts::test
