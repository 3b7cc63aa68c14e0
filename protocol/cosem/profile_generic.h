#pragma once
#include "protocol/cosem/parts.h"

/// Profile generic, class 7: a table of captured values. Source: Blue Book ed. 14, 4.3.6.
namespace wattmesh::cosem::profile_generic {

enum class SortMethod : std::uint8_t {
    fifo = 1,
    lifo = 2,
    largest = 3,
    smallest = 4,
    nearest_to_zero = 5,
    farthest_from_zero = 6,
};
constexpr SortMethod last_of(SortMethod) { return SortMethod::farthest_from_zero; }

inline constexpr ClassName owner{7, "profile_generic"};
/// Read through dlms::RangeSelection or EntrySelection; rows are structures or compact arrays of them.
inline constexpr Attribute<dlms::Data> buffer{owner, 2, "buffer", Change::dynamic,
                                              Types{Type::array, Type::compact_array}};
inline constexpr Attribute<std::vector<dlms::CaptureObject>> capture_objects{owner, 3, "capture_objects",
                                                                             Change::fixed};
/// Seconds; 0: captured by something else.
inline constexpr Attribute<std::uint32_t> capture_period{owner, 4, "capture_period", Change::fixed};
inline constexpr Attribute<SortMethod> sort_method{owner, 5, "sort_method", Change::fixed};
inline constexpr Attribute<dlms::CaptureObject> sort_object{owner, 6, "sort_object", Change::fixed};
inline constexpr Attribute<std::uint32_t> entries_in_use{owner, 7, "entries_in_use", Change::dynamic};
inline constexpr Attribute<std::uint32_t> profile_entries{owner, 8, "profile_entries", Change::fixed};
inline constexpr Method<> reset{owner, 1, "reset", Need::optional};
inline constexpr Method<> capture{owner, 2, "capture", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name, buffer,      capture_objects, capture_period,
                                            sort_method,  sort_object, entries_in_use,  profile_entries};
inline constexpr MethodSpec methods[]{reset, capture};
inline constexpr ClassSpec spec{owner.id, 1, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::profile_generic
