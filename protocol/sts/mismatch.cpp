#include "protocol/sts/mismatch.h"

#include <vector>

namespace wattmesh::sts {
namespace {

using What = Mismatch::What;

std::vector<Mismatch> neighbours(const KeyAttributes& attributes) {
    std::vector<Mismatch> all;
    const auto add = [&](What what, auto change) {
        Mismatch one{what, attributes};
        change(one.attributes);
        if (one.attributes != attributes) all.push_back(one);
    };
    for (std::uint8_t index = 0; index <= 99; ++index)
        add(What::tariff_index, [&](KeyAttributes& to) { to.tariff_index = index; });
    for (std::uint8_t revision = 1; revision <= 9; ++revision)
        add(What::revision, [&](KeyAttributes& to) { to.revision = revision; });
    for (const auto type : {KeyType::initialisation, KeyType::normal, KeyType::unique})
        add(What::key_type, [&](KeyAttributes& to) { to.type = type; });
    for (const auto base : {BaseDate::y1993, BaseDate::y2014, BaseDate::y2035})
        add(What::base_date, [&](KeyAttributes& to) { to.base = base; });
    return all;
}

}  // namespace

std::string_view to_string(Mismatch::What what) {
    switch (what) {
        case What::tariff_index:
            return "tariff index";
        case What::revision:
            return "key revision";
        case What::key_type:
            return "type of key";
        case What::base_date:
            return "base date";
    }
    return "?";
}

std::optional<Mismatch> find_mismatch(const Token& token, const KeyAttributes& attributes,
                                      Algorithm algorithm, const MeterPan& meter, KeyDerivation& derivation) {
    const bool encrypted = open(token, nullptr).refusal == Refusal::no_key;
    if (!encrypted) return std::nullopt;
    for (const Mismatch& one : neighbours(attributes)) {
        const auto key = derivation.derive(one.attributes, algorithm, meter);
        if (!std::holds_alternative<DecoderKey>(key)) return std::nullopt;
        const HeldKey held{one.attributes, BlockCipher{std::get<DecoderKey>(key)}};
        if (open(token, &held).content) return one;
    }
    return std::nullopt;
}

}  // namespace wattmesh::sts
