#pragma once
#include <span>
#include <vector>

#include "protocol/sts/content.h"
#include "protocol/sts/keys.h"

/// Key change tokens: two of a 64-bit key, four of a 128-bit key. Source: IEC 62055-41, 6.2.7 to 6.2.9;
/// edition 3 for four.
namespace wattmesh::sts {

/// The sections in the order in which people enter them: 2/3, 2/4, and of a long key 2/8, 2/9. `to` describes
/// the new key; its base date is not in the tokens: `rollover` makes the meter forget its identifiers, and is
/// set exactly when the base date changes.
std::vector<KeySection> key_change(const KeyAttributes& to, const DecoderKey& key, bool rollover);

/// What a complete set brings. The supply group is in sets of four only.
struct NewKey {
    DecoderKey key;
    std::uint8_t revision = 0;
    KeyType type{};
    std::uint8_t tariff_index = 0;
    KeyExpiry expiry = 0;
    std::optional<SupplyGroup> supply_group;
    bool rollover = false;
};
/// What section 1 says of the rest; the others leave it at zero.
struct SectionFlags {
    std::uint8_t revision = 0;
    KeyType type{};
    bool rollover = false, three_tokens = false;
};
SectionFlags flags_of(const KeySection& first);

/// The key that the sections make. Nothing while one is missing or twice there, or when revision or tariff
/// index is out of range. `sections`: those of an EA07 meter are 1 and 2, of an EA11 meter 1 to 4, in any
/// order.
std::optional<NewKey> assemble(std::span<const KeySection> sections, Algorithm algorithm);

/// Whether a meter with a keypad that holds a key of one type takes one of the other.
bool may_change(KeyType from, KeyType to);

}  // namespace wattmesh::sts
