#include "security/vending_request.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <sstream>

#include "protocol/sts/amount.h"

namespace wattmesh::security {
namespace {

using namespace sts;

std::string text_of(const MeterKeyName& key) {
    return std::string{key.meter.digits()} + " " + to_string(key.vending_key) + " " +
           std::to_string(key.tariff_index) + " " + std::to_string(static_cast<int>(key.algorithm));
}

std::optional<VendingKeyName> parse_name(const std::string& text) {
    unsigned group = 0, revision = 0;
    char more = 0;
    if (text.size() != 8 || std::sscanf(text.c_str(), "%6u/%1u%c", &group, &revision, &more) != 2)
        return std::nullopt;
    return VendingKeyName{{group}, static_cast<std::uint8_t>(revision)};
}

std::optional<MeterKeyName> parse_key(std::istream& in) {
    std::string pan, name;
    unsigned tariff_index = 0, algorithm = 0;
    in >> pan >> name >> tariff_index >> algorithm;
    const auto meter = MeterPan::parse(pan);
    const auto vending_key = parse_name(name);
    if (!in || !std::holds_alternative<MeterPan>(meter) || !vending_key || tariff_index > 99 ||
        (algorithm != 7 && algorithm != 11))
        return std::nullopt;
    return MeterKeyName{std::get<MeterPan>(meter), *vending_key, static_cast<std::uint8_t>(tariff_index),
                        static_cast<Algorithm>(algorithm)};
}

}  // namespace

std::string text_of(const SoftwareModule::Request& request) {
    if (const auto* to = std::get_if<MeterKeyName>(&request.wanted)) {
        return "change " + request.id + " " + text_of(request.key) + " " + to_string(to->vending_key) + " " +
               std::to_string(to->tariff_index);
    }
    const Block block = encode(std::get<Content>(request.wanted));
    char bits[32];
    std::snprintf(bits, sizeof bits, "%d %016llX", static_cast<int>(block.token_class),
                  static_cast<unsigned long long>(block.bits));
    return "token " + request.id + " " + text_of(request.key) + " " + bits;
}

std::optional<SoftwareModule::Request> parse_request(const std::string& text) {
    std::istringstream in{text};
    std::string kind, id, name;
    in >> kind >> id;
    const auto key = parse_key(in);
    if (!key || !is_request_id(id)) return std::nullopt;
    if (kind == "change") {
        unsigned tariff_index = 0;
        in >> name >> tariff_index;
        const auto to = parse_name(name);
        if (!in || !to || tariff_index > 99) return std::nullopt;
        return SoftwareModule::Request{
            id, *key, MeterKeyName{key->meter, *to, static_cast<std::uint8_t>(tariff_index), key->algorithm}};
    }
    unsigned token_class = 0;
    std::uint64_t bits = 0;
    in >> token_class >> std::hex >> bits;
    if (!in || kind != "token" || token_class > 3) return std::nullopt;
    auto content = decode(Block{static_cast<TokenClass>(token_class), bits});
    if (!std::holds_alternative<Content>(content)) return std::nullopt;
    return SoftwareModule::Request{id, *key, std::get<Content>(content)};
}

bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '.' || letter == ':' || letter == '-' ||
               letter == '_';
    });
}

bool is_issuable(const Content& content) {
    if (const auto* credit = std::get_if<Credit>(&content))
        return credit->random < 16 && credit->tid <= tid_last && credit->amount > 0;
    if (const auto* credit = std::get_if<CurrencyCredit>(&content))
        return credit->tid <= tid_last && credit->amount < 1u << 20;
    if (const auto* management = std::get_if<Management>(&content)) {
        return management->random < 16 && management->tid <= tid_last &&
               management->command != Command::tariff_rate && management->command != Command::water_factor;
    }
    return false;
}

std::optional<Value> value_of(const Content& content) {
    if (const auto* credit = std::get_if<Credit>(&content)) return Value{decode_units(credit->amount), 0};
    if (const auto* credit = std::get_if<CurrencyCredit>(&content)) {
        const CurrencyCount count = decode_currency(credit->amount);
        if (count > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
        return Value{0, count > 0 ? static_cast<std::uint64_t>(count) : 0};
    }
    return Value{};
}

}  // namespace wattmesh::security
