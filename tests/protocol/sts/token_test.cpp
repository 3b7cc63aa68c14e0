#include <catch2/catch.hpp>

#include "protocol/sts/amount.h"
#include "protocol/sts/derivation.h"
#include "protocol/sts/mismatch.h"
#include "security/sts_ciphers.h"
#include "tests/protocol/sts/vectors.h"

using namespace wattmesh;
using namespace wattmesh::sts;
using namespace wattmesh::sts::test;
using namespace std::chrono_literals;

namespace {

const std::string t1_digits = "23716100501183194197";

KeyAttributes key_a() { return {.supply_group = {123456}}; }
HeldKey held_a(KeyAttributes attributes = key_a()) {
    return {attributes, BlockCipher{decoder_key("e653341f9d5bf36f")}};
}
PanFault fault_of(std::string_view digits) { return std::get<PanFault>(MeterPan::parse(digits)); }

}  // namespace

TEST_CASE("sts token: digits are refused that are not 20, or above 66 bits", "[protocol]") {
    CHECK(parse_token("73786976294838206463") == Token{3, ~std::uint64_t{0}});
    CHECK(to_string(Token{3, ~std::uint64_t{0}}) == "73786976294838206463");
    CHECK(parse_token("2371 6100 5011 8319 4197") == parse_token(t1_digits));
    CHECK(parse_token("2371-6100-5011-8319-4197") == parse_token(t1_digits));
    CHECK(grouped(*parse_token(t1_digits)) == "2371 6100 5011 8319 4197");
    const auto* wrong = GENERATE("", "73786976294838206464", "99999999999999999999", "2371610050118319419",
                                 "237161005011831941970", "2371610050118319419x", "+2371610050118319419");
    CHECK_FALSE(parse_token(wrong));
}

TEST_CASE("sts token: the decimal form agrees with long division at every border", "[protocol]") {
    // 2^64 = 18446744073709551616 and its multiples, worked out by hand.
    struct Border {
        Token token;
        const char* digits;
    };
    const auto border = GENERATE(values<Border>({{{0, 0}, "00000000000000000000"},
                                                 {{0, 9'999'999'999}, "00000000009999999999"},
                                                 {{0, 10'000'000'000}, "00000000010000000000"},
                                                 {{0, ~std::uint64_t{0}}, "18446744073709551615"},
                                                 {{1, 0}, "18446744073709551616"},
                                                 {{1, ~std::uint64_t{0}}, "36893488147419103231"},
                                                 {{2, 0}, "36893488147419103232"},
                                                 {{3, 0}, "55340232221128654848"},
                                                 {{3, 1}, "55340232221128654849"}}));
    CHECK(to_string(border.token) == border.digits);
    CHECK(parse_token(border.digits) == border.token);
}

TEST_CASE("sts token: one wrong digit is found, wherever it is", "[protocol]") {
    const HeldKey key = held_a();
    for (std::size_t at = 0; at < t1_digits.size(); ++at) {
        for (char digit = '0'; digit <= '9'; ++digit) {
            if (digit == t1_digits[at]) continue;
            std::string changed = t1_digits;
            changed[at] = digit;
            CAPTURE(changed);
            const auto parsed = parse_token(changed);
            if (!parsed) continue;  // above 66 bits
            CHECK_FALSE(open(*parsed, &key).content);
            CHECK(open(*parsed, &key).refusal != Refusal::none);
        }
    }
}

TEST_CASE("sts token: a refused token says why, and what it holds", "[protocol]") {
    const Token t1 = token(t1_digits);
    auto by_default = key_a(), expired = key_a();
    by_default.type = KeyType::normal;
    expired.expiry = 88;  // the token's TID 0x599863 has 0x59 = 89 on top
    const HeldKey good = held_a(), under_default = held_a(by_default), ended = held_a(expired);
    const HeldKey other{key_a(), BlockCipher{decoder_key("e94023262e9993c2")}};
    CHECK(open(t1, &good).refusal == Refusal::none);
    CHECK(open(t1, &under_default).refusal == Refusal::default_key);
    CHECK(open(t1, &ended).refusal == Refusal::key_expired);
    CHECK(open(t1, &ended).content);
    CHECK(open(t1, &other).refusal == Refusal::checksum);
    CHECK(open(t1, nullptr).refusal == Refusal::no_key);
    expired.expiry = 89;
    const HeldKey just = held_a(expired);
    CHECK(open(t1, &just).refusal == Refusal::none);
    // a management token is taken under a default key
    const Token clear = token("29511990995826640868");
    CHECK(open(clear, &under_default).refusal == Refusal::none);
    CHECK(open({1, 0x18000000}, &good).refusal == Refusal::function);  // class 3
    for (int i = 0; i <= static_cast<int>(Refusal::locked_out); ++i) {
        CHECK(to_string(static_cast<Refusal>(i)) != "?");
        CHECK(explain(static_cast<Refusal>(i)).size() > 10);
    }
}

TEST_CASE("sts token: a reserved subclass is not a wrong digit", "[protocol]") {
    // Made here, since nobody publishes them: 0/8, class 0 of a subclass that has no meaning.
    const HeldKey key = held_a();
    Block block = encode(Credit{Commodity::electricity, 5, {0x599863}, 1});
    block.bits = (block.bits & 0x0FFFFFFFFFFF0000u) | std::uint64_t{8} << 60;
    // CRC of 00 85 59 98 63 00 01, bit by bit
    unsigned crc = 0xFFFF;
    for (const unsigned octet : {0x00u, 0x85u, 0x59u, 0x98u, 0x63u, 0x00u, 0x01u}) {
        crc ^= octet;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xA001u : crc >> 1;
    }
    block.bits |= (crc & 0xFF) << 8 | crc >> 8;
    block.bits = key.cipher.encrypt(block.bits);
    CHECK(open(insert_class(block), &key).refusal == Refusal::function);
}

TEST_CASE("sts token: a checksum of one kind never passes for the other", "[protocol]") {
    const HeldKey key = held_a();
    const Token currency = seal(CurrencyCredit{Commodity::electricity, {0x599863}, 0x060AA}, key.cipher);
    CHECK(std::holds_alternative<CurrencyCredit>(open(currency, &key).content.value()));
    Block block = encode(CurrencyCredit{Commodity::gas, {0x599863}, 0x060AA});
    block.bits ^= std::uint64_t{4} << 60;  // 0/6 as 0/2: the plain checksum is another one
    block.bits = key.cipher.encrypt(block.bits);
    CHECK(open(insert_class(block), &key).refusal == Refusal::checksum);
}

TEST_CASE("sts verify: finds the key that a token was made under", "[protocol]") {
    auto old_attributes = key_a();
    old_attributes.tariff_index = 2;
    const std::vector<HeldKey> keys{{old_attributes, BlockCipher{decoder_key("060b8643c59a27f1")}}, held_a()};
    const auto found = verify(token(t1_digits), keys);
    CHECK(found.key == 1);
    CHECK(found.opening.refusal == Refusal::none);
    const auto unknown = verify(token("67206107716095682372"), keys);  // of another meter
    CHECK_FALSE(unknown.key);
    CHECK(unknown.opening.refusal == Refusal::checksum);
    CHECK(verify(token("56493153725450313471"), {}).opening.refusal == Refusal::none);
    CHECK(verify(token(t1_digits), {}).opening.refusal == Refusal::no_key);
}

TEST_CASE("sts meter number: wrong digits are refused, both lengths are taken", "[protocol]") {
    CHECK(pan("00000000000").digits() == "600727000000000009");
    CHECK(pan("0100000000008").digits() == "000001000000000082");
    CHECK(pan("600727111111111153").meter_number() == "11111111115");
    CHECK(pan("000001000000000082").meter_number() == "0100000000008");
    CHECK(fault_of("12345678904") == PanFault::wrong_meter_check);  // T11
    CHECK(fault_of("11111111113") == PanFault::wrong_meter_check);  // T11
    CHECK(fault_of("600727000000000008") == PanFault::wrong_pan_check);
    CHECK(fault_of("600727000000000109") == PanFault::wrong_meter_check);
    CHECK(fault_of("123456000000000009") == PanFault::unknown_issuer);
    CHECK(fault_of("1234567890") == PanFault::wrong_length);
    CHECK(fault_of("1234567890x") == PanFault::not_digits);
    CHECK(fault_of("") == PanFault::wrong_length);
    for (int i = 0; i <= static_cast<int>(PanFault::wrong_pan_check); ++i)
        CHECK(explain(static_cast<PanFault>(i)).size() > 10);
}

TEST_CASE("sts amounts: steps, borders and refusals", "[protocol]") {
    struct Step {
        std::uint64_t units;
        std::uint16_t field;
        std::uint32_t decoded;
    };
    // offsets of the exponents: 16384, 180224, 1818624; the greatest value 18201624
    const auto step = GENERATE(values<Step>({{0, 0x0000, 0},
                                             {1, 0x0001, 1},
                                             {16383, 0x3FFF, 16383},
                                             {16384, 0x4000, 16384},
                                             {16385, 0x4001, 16394},
                                             {180214, 0x7FFF, 180214},
                                             {180215, 0x8000, 180224},
                                             {180223, 0x8000, 180224},
                                             {180224, 0x8000, 180224},
                                             {180225, 0x8001, 180324},
                                             {1818623, 0xC000, 1818624},
                                             {18201624, 0xFFFF, 18201624}}));
    CAPTURE(step.units);
    CHECK(encode_units(step.units) == step.field);
    CHECK(decode_units(step.field) == step.decoded);
    CHECK_FALSE(encode_units(18'201'625));
    CHECK_FALSE(encode_units(~std::uint64_t{0}));
    CHECK(tenths_text(256) == "25.6");
}

TEST_CASE("sts amounts: every field decodes to a value that encodes to it, and nothing between gains more",
          "[protocol]") {
    std::uint32_t previous = 0;
    for (std::uint32_t field = 1; field <= 0xFFFF; ++field) {
        const std::uint32_t value = decode_units(static_cast<std::uint16_t>(field));
        if (encode_units(value) != field || encode_units(previous + 1) != field || value <= previous) {
            CAPTURE(field, value, previous);
            FAIL("the steps are not in order");
        }
        previous = value;
    }
    for (std::uint32_t field = 0; field < 1u << 20; field += 7) {
        if (field == 1u << 19) continue;  // minus nothing
        if (encode_currency(decode_currency(field)) != field) FAIL(field);
    }
    CHECK(currency_text(100'004) == "1.00004");
    CHECK(currency_text(-99'994) == "-0.99994");
    CHECK(currency_text(0) == "0.00000");
    CHECK_FALSE(encode_currency(decode_currency(0x7FFFF) + 1));
    CHECK_FALSE(encode_currency(-decode_currency(0x7FFFF) - 1));
}

TEST_CASE("sts time: identifiers are whole minutes of the base date", "[protocol]") {
    const auto last = instant_of(BaseDate::y1993, tid_last);
    CHECK(last == instant("2024-11-24T20:15"));
    CHECK(instant_of(BaseDate::y2014, tid_last) == instant("2045-11-24T20:15"));
    CHECK(instant_of(BaseDate::y2035, tid_last) == instant("2066-11-24T20:15"));
    CHECK(tid_at(BaseDate::y1993, last + 59s) == tid_last);
    CHECK_FALSE(tid_at(BaseDate::y1993, last + 60s));
    CHECK_FALSE(tid_at(BaseDate::y2014, instant("2013-12-31T23:59") + 59s));
    CHECK(tid_at(BaseDate::y2014, instant("2014-01-01T00:00")) == Tid{0});
    CHECK(ordinary({1440}) == Tid{1440});
    CHECK(ordinary({1441}) == Tid{1442});
    CHECK(reserved({1}));
    // KEN: sheet's dates of 85 and 170
    CHECK(std::chrono::floor<std::chrono::days>(end_of(BaseDate::y1993, 85)) ==
          std::chrono::sys_days{std::chrono::year{2003} / 9 / 19});
    CHECK(std::chrono::floor<std::chrono::days>(end_of(BaseDate::y2014, 85)) ==
          std::chrono::sys_days{std::chrono::year{2024} / 9 / 18});
    CHECK(std::chrono::floor<std::chrono::days>(end_of(BaseDate::y1993, 170)) ==
          std::chrono::sys_days{std::chrono::year{2014} / 4 / 23});
    CHECK(serves(85, {0x55FFFF}));
    CHECK_FALSE(serves(85, {0x560000}));
    CHECK(serves(255, tid_last));
}

TEST_CASE("sts time: tokens of one minute take the minutes behind it, but not without end", "[protocol]") {
    const Tid now{14'400};  // 00:00 of a day
    CHECK(next_tid(now, std::nullopt) == now);
    CHECK(next_tid(now, now) == Tid{14'402});  // 14'401 is reserved
    CHECK(next_tid(now, Tid{14'402}) == Tid{14'403});
    CHECK(next_tid(now, Tid{100}) == now);
    CHECK(next_tid({14'401}, std::nullopt) == Tid{14'402});
    CHECK(next_tid(now, Tid{14'459}) == Tid{14'460});
    CHECK_FALSE(next_tid(now, Tid{14'460}));
    CHECK_FALSE(next_tid(tid_last, tid_last));
}

TEST_CASE("sts derivation: what is obsolete, too short or for cards is refused", "[protocol]") {
    security::OpensslDerivationCiphers ciphers;
    const auto vk_a = VendingKey::from(Buffer(8, 0xAB)).value(),
               vk_b = VendingKey::from(Buffer(20, 1)).value();
    CHECK_FALSE(VendingKey::from(Buffer(16, 1)));
    CHECK_FALSE(DecoderKey::from(Buffer(20, 1)));
    const auto fault = [&](Derivation derivation, const VendingKey& key, KeyType type, Algorithm algorithm) {
        auto attributes = key_a();
        attributes.type = type;
        return std::get<DerivationFault>(
            KeyDerivation{derivation, key, ciphers}.derive(attributes, algorithm, pan("00000000000")));
    };
    CHECK(fault(Derivation::dkga01, vk_a, KeyType::unique, Algorithm::ea07) == DerivationFault::obsolete);
    CHECK(fault(Derivation::dkga03, vk_a, KeyType::unique, Algorithm::ea07) == DerivationFault::obsolete);
    CHECK(fault(Derivation::dkga02, vk_b, KeyType::unique, Algorithm::ea07) == DerivationFault::key_size);
    CHECK(fault(Derivation::dkga04, vk_a, KeyType::unique, Algorithm::ea11) == DerivationFault::key_size);
    CHECK(fault(Derivation::dkga02, vk_a, KeyType::unique, Algorithm::ea11) == DerivationFault::algorithm);
    CHECK(fault(Derivation::dkga04, vk_b, KeyType::common, Algorithm::ea11) == DerivationFault::common_key);
    for (int i = 0; i <= static_cast<int>(DerivationFault::common_key); ++i)
        CHECK(explain(static_cast<DerivationFault>(i)).size() > 10);
}

TEST_CASE("sts key change: an incomplete, doubled or impossible set makes no key", "[protocol]") {
    const auto key = decoder_key("f94b6ed353c3bfdb113e2d3a7ea3c41d");
    const KeyAttributes to{.supply_group = {201457}, .tariff_index = 99, .expiry = 0xA5};
    const auto set = key_change(to, key, true);
    REQUIRE(set.size() == 4);
    CHECK(assemble(set, Algorithm::ea11)->tariff_index == 99);
    CHECK(assemble(set, Algorithm::ea11)->expiry == 0xA5);
    CHECK_FALSE(assemble(set, Algorithm::ea07));
    CHECK_FALSE(assemble(std::span{set}.first(3), Algorithm::ea11));
    auto doubled = set;
    doubled[3] = doubled[2];
    CHECK_FALSE(assemble(doubled, Algorithm::ea11));
    auto no_revision = set;
    no_revision[0].attributes = static_cast<std::uint16_t>(no_revision[0].attributes & 0xF0F);
    CHECK_FALSE(assemble(no_revision, Algorithm::ea11));
    auto no_tariff = set;
    no_tariff[1].attributes = static_cast<std::uint16_t>(no_tariff[1].attributes | 0xFF);
    CHECK_FALSE(assemble(no_tariff, Algorithm::ea11));
    CHECK(may_change(KeyType::initialisation, KeyType::unique));
    CHECK(may_change(KeyType::normal, KeyType::unique));
    CHECK(may_change(KeyType::unique, KeyType::normal));
    CHECK(may_change(KeyType::common, KeyType::normal));
    CHECK_FALSE(may_change(KeyType::common, KeyType::unique));
    CHECK_FALSE(may_change(KeyType::unique, KeyType::common));
    CHECK_FALSE(may_change(KeyType::unique, KeyType::initialisation));
}

TEST_CASE("sts mismatch: a token under another tariff index or revision says which", "[protocol]") {
    security::OpensslDerivationCiphers ciphers;
    KeyDerivation derivation{Derivation::dkga02, VendingKey::from(Buffer(8, 0xAB)).value(), ciphers};
    auto record = key_a();
    record.tariff_index = 7;
    const auto meter = pan("600727000000000009");
    const auto found = find_mismatch(token(t1_digits), record, Algorithm::ea07, meter, derivation);
    REQUIRE(found);
    CHECK(found->what == Mismatch::What::tariff_index);
    CHECK(found->attributes == key_a());
    record = key_a();
    record.revision = 3;
    CHECK(find_mismatch(token(t1_digits), record, Algorithm::ea07, meter, derivation)->what ==
          Mismatch::What::revision);
    // of another meter
    CHECK_FALSE(find_mismatch(token("67206107716095682372"), key_a(), Algorithm::ea07, meter, derivation));
    CHECK_FALSE(find_mismatch(token("56493153725450313471"), key_a(), Algorithm::ea07, meter, derivation));
}
