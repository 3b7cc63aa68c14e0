#pragma once
#include "protocol/decode/walk.h"
#include "protocol/decode/words.h"

/// What several messages are made of.
namespace wattmesh::decode {

/// The object code of a descriptor.
inline ObisCode read_object(Reader& in) { return {in.array<6>()}; }

/// Reads cosem-attribute-descriptor: its words.
inline std::string read_attribute(Walk& walk) {
    const std::uint16_t class_id = walk.in.u16();
    const ObisCode object = read_object(walk.in);
    return attribute_words(class_id, object, walk.in.i8());
}
inline std::string read_method(Walk& walk) {
    const std::uint16_t class_id = walk.in.u16();
    const ObisCode object = read_object(walk.in);
    return method_words(class_id, object, walk.in.i8());
}

/// OPTIONAL: 00 absent, 01 present.
inline bool read_presence(Walk& walk, std::string_view what) {
    const std::size_t at = walk.here();
    const std::uint8_t octet = walk.in.u8();
    if (octet > 1)
        walk.fail(Fault::bad_value, at, fmt::format("{:02X} is neither 00 nor 01 ({})", octet, what));
    return walk.in.ok() && octet == 1;
}

/// SEQUENCE OF: a line with the count, then `element(number)` for each, deeper. Returns the count.
template <class Element>
std::size_t sequence_lines(Walk& walk, std::string_view name, Element element) {
    const std::size_t at = walk.here();
    const std::size_t count = walk.length();
    walk.line(at, "{}: {}", name, count);
    ++walk.depth;
    for (std::size_t i = 1; i <= count && walk.in.ok(); ++i) element(i);
    --walk.depth;
    return count;
}

/// Prints "name-choice" of an APDU with its invoke octet and names the walk after it. The tag and the choice
/// are read; false when the choice is none of `choices` (the first is choice 1).
template <std::size_t N>
std::uint8_t service_title(Walk& walk, const char* service, const std::string_view (&choices)[N]) {
    const std::size_t at = walk.here();
    walk.where = service;
    walk.in.skip(1);
    const std::uint8_t choice = walk.in.u8();
    if (walk.in.ok() && (choice == 0 || choice > N)) {
        walk.line(at, "{}", service);
        walk.fail(Fault::bad_tag, at + 1, fmt::format("{:02X} is no kind of {}", choice, service));
        return 0;
    }
    if (!walk.in.ok()) return 0;
    walk.where = fmt::format("{}-{}", service, choices[choice - 1]);
    const std::uint8_t invoke = walk.in.u8();
    walk.title(at, "{} {}", walk.where, invoke_words(invoke));
    walk.invoke = invoke & 0x0FU;
    return walk.in.ok() ? choice : std::uint8_t{0};
}

}  // namespace wattmesh::decode
