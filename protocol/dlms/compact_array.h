#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace wattmesh::dlms {

struct Data;

/// What every row of a compact array is made of. Source: Green Book ed. 10, 9.5 (TypeDescription): a tag of
/// the Data CHOICE other than compact-array; an array names how many elements of one type it has, a structure
/// the type of each.
struct TypeDescription {
    std::uint8_t tag = 0;
    std::uint16_t count = 0;                ///< elements of an array; 0 for any other type
    std::vector<TypeDescription> elements;  ///< one for an array, one per element for a structure
    friend bool operator==(const TypeDescription&, const TypeDescription&) = default;
};

/// Rows of one type whose tags travel once. Every row fits the type; a row takes an octet at least.
struct CompactArray {
    TypeDescription type;
    std::vector<Data> rows;
    friend bool operator==(const CompactArray&, const CompactArray&);
};

/// The compact array of `rows`; nothing when there is none: no row, rows of different types, a type without
/// octets, or one that a type description cannot name (arrays of mixed types, a compact array inside).
std::optional<CompactArray> compact_array(std::vector<Data> rows);
/// Whether `data` has exactly this type.
bool fits(const TypeDescription& type, const Data& data);

}  // namespace wattmesh::dlms
