#pragma once
#include "protocol/dlms/data.h"

/// Inside of data.cpp and compact_array.cpp; no other file includes this.
namespace wattmesh::dlms::detail {

/// One decode of a possibly nested value: the reader, and the elements still allowed in all of it.
struct Decoding {
    Reader& in;
    std::size_t elements_left;

    /// A value with its tag.
    Data value(std::size_t depth_left);
    /// A value without its tag; not for arrays, structures and compact arrays, whose form depends on where
    /// they are. Null for a tag that is none of these, with the fault bad_tag at `start`.
    Data content(std::uint8_t tag, std::size_t start);
    /// A compact array behind its tag, which is at `start`.
    CompactArray compact_array(std::size_t depth_left, std::size_t start);
    /// Takes `count` elements from those still allowed; else the fault too_long at `start`.
    bool charge(std::size_t count, std::size_t start);

private:
    std::vector<Data> elements(std::size_t depth_left, std::size_t start);
    TypeDescription type_description(std::size_t depth_left);
    Data typed(const TypeDescription& type, std::size_t depth_left);
    void rows(CompactArray& array, std::size_t size_min, std::size_t depth_left);
};

/// A scalar without its tag; asserts on an array, structure or compact array.
void encode_content(Writer& out, const Data& data);
/// A compact array behind its tag; asserts that its rows fit its type.
void encode_compact_array(Writer& out, const CompactArray& array);

}  // namespace wattmesh::dlms::detail
