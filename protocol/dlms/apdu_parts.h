#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/dlms/apdu.h"

/// What several APDUs are made of. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.5.
namespace wattmesh::dlms::parts {

inline AttributeId attribute_id(Reader& in) {
    return {.class_id = in.u16(), .object = {in.array<6>()}, .attribute = in.i8()};
}
inline MethodId method_id(Reader& in) {
    return {.class_id = in.u16(), .object = {in.array<6>()}, .method = in.i8()};
}
inline void put(Writer& out, const AttributeId& id) {
    out.u16(id.class_id).bytes(id.object.groups).i8(id.attribute);
}
inline void put(Writer& out, const MethodId& id) {
    out.u16(id.class_id).bytes(id.object.groups).i8(id.method);
}

/// OPTIONAL: 00 absent, 01 present.
inline bool presence(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t octet = in.u8();
    if (octet > 1) in.fail_at(Fault::bad_value, start);
    return in.ok() && octet == 1;
}

/// SEQUENCE OF, at most list_size_max elements of `octets_min` octets or more each: bounded before anything
/// is allocated.
template <class T, class Decode>
std::vector<T> sequence(Reader& in, std::size_t octets_min, Decode decode) {
    std::vector<T> elements;
    const std::size_t start = in.position();
    const std::size_t count = decode_length(in);
    if (in.ok() && count > in.remaining() / octets_min) in.fail(Fault::truncated);
    if (in.ok() && count > list_size_max) in.fail_at(Fault::too_long, start);
    if (!in.ok()) return elements;
    elements.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) elements.push_back(decode(in));
    return elements;
}

}  // namespace wattmesh::dlms::parts
