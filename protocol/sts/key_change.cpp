#include "protocol/sts/key_change.h"

#include <cassert>

namespace wattmesh::sts {
namespace {

/// The 32-bit words of a key travel as first, fourth, second, third: the ends of a long key are where a short
/// one has its two halves.
constexpr std::size_t word_of_section[] = {0, 3, 1, 2};

Secret<4> word(const DecoderKey& key, std::size_t index) {
    return *Secret<4>::from(key.reveal().subspan(4 * index, 4));
}

}  // namespace

std::vector<KeySection> key_change(const KeyAttributes& to, const DecoderKey& key, bool rollover) {
    assert(to.revision >= 1 && to.revision <= 9 && to.tariff_index <= 99 &&
           to.supply_group <= supply_group_last);
    const auto attributes = [](unsigned value) { return static_cast<std::uint16_t>(value); };
    const unsigned first = unsigned{to.expiry} >> 4 << 8 | unsigned{to.revision} << 4 | (rollover ? 8u : 0u) |
                           static_cast<unsigned>(to.type);
    const unsigned second = (to.expiry & 15u) << 8 | to.tariff_index;
    if (algorithm_of(key) == Algorithm::ea07)
        return {{1, attributes(first), word(key, 0)}, {2, attributes(second), word(key, 1)}};
    const std::uint32_t group = to.supply_group.value;
    return {{1, attributes(first), word(key, word_of_section[0])},
            {2, attributes(second), word(key, word_of_section[1])},
            {3, attributes(group & 0xFFF), word(key, word_of_section[2])},
            {4, attributes(group >> 12), word(key, word_of_section[3])}};
}

SectionFlags flags_of(const KeySection& first) {
    if (first.number != 1) return {};
    return {static_cast<std::uint8_t>(first.attributes >> 4 & 15), static_cast<KeyType>(first.attributes & 3),
            (first.attributes & 8) != 0, (first.attributes & 4) != 0};
}

std::optional<NewKey> assemble(std::span<const KeySection> sections, Algorithm algorithm) {
    const std::size_t count = algorithm == Algorithm::ea07 ? 2 : 4;
    if (sections.size() != count) return std::nullopt;
    std::array<const KeySection*, 4> found{};
    for (const KeySection& section : sections) {
        if (section.number < 1 || section.number > count || found[section.number - 1u] != nullptr)
            return std::nullopt;
        found[section.number - 1u] = &section;
    }
    std::array<std::uint8_t, 16> octets{};
    for (std::size_t i = 0; i < count; ++i) {
        const Bytes part = found[i]->key_part.reveal();
        const std::size_t at = count == 2 ? i : word_of_section[i];
        std::copy(part.begin(), part.end(), octets.begin() + static_cast<std::ptrdiff_t>(4 * at));
    }
    const Key128 wiped{octets};
    octets = {};
    const SectionFlags flags = flags_of(*found[0]);
    NewKey key{*DecoderKey::from(wiped.reveal().first(4 * count)),
               flags.revision,
               flags.type,
               static_cast<std::uint8_t>(found[1]->attributes),
               static_cast<KeyExpiry>((found[0]->attributes >> 8) << 4 | found[1]->attributes >> 8),
               std::nullopt,
               flags.rollover};
    if (count == 4)
        key.supply_group = SupplyGroup{std::uint32_t{found[3]->attributes} << 12 | found[2]->attributes};
    const bool in_range = key.revision >= 1 && key.revision <= 9 && key.tariff_index <= 99 &&
                          (!key.supply_group || *key.supply_group <= supply_group_last);
    if (!in_range) return std::nullopt;
    return key;
}

bool may_change(KeyType from, KeyType to) {
    if (to == KeyType::common || to == KeyType::initialisation) return false;  // cards; the factory
    return from != KeyType::common || to == KeyType::normal;
}

}  // namespace wattmesh::sts
