#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/obis.h"
#include "protocol/base/reader.h"
#include "protocol/base/result.h"
#include "protocol/base/writer.h"
#include "protocol/dlms/compact_array.h"

namespace wattmesh::dlms {

/// A value of the A-XDR Data CHOICE (Green Book ed. 10, 9.5; tags in Blue Book ed. 14, 4.1.5).
struct Data;
struct Null {
    friend bool operator==(const Null&, const Null&) = default;
};
struct DontCare {
    friend bool operator==(const DontCare&, const DontCare&) = default;
};
struct Array {
    std::vector<Data> elements;
    friend bool operator==(const Array&, const Array&);
};
struct Structure {
    std::vector<Data> elements;
    friend bool operator==(const Structure&, const Structure&);
};
/// `bits` bits, the first one is the most significant of the first octet.
struct BitString {
    std::size_t bits = 0;
    Buffer octets;
    friend bool operator==(const BitString&, const BitString&) = default;
};
struct OctetString {
    Buffer octets;
    friend bool operator==(const OctetString&, const OctetString&) = default;
};
struct VisibleString {
    std::string text;
    friend bool operator==(const VisibleString&, const VisibleString&) = default;
};
struct Utf8String {
    std::string text;
    friend bool operator==(const Utf8String&, const Utf8String&) = default;
};
struct Bcd {
    std::uint8_t value = 0;
    friend bool operator==(const Bcd&, const Bcd&) = default;
};
struct Enum {
    std::uint8_t value = 0;
    friend bool operator==(const Enum&, const Enum&) = default;
};
/// date-time 12, date 5 and time 4 octets as on the wire; DateTime in date_time.h gives them meaning.
struct RawDateTime {
    std::array<std::uint8_t, 12> octets{};
    friend bool operator==(const RawDateTime&, const RawDateTime&) = default;
};
struct RawDate {
    std::array<std::uint8_t, 5> octets{};
    friend bool operator==(const RawDate&, const RawDate&) = default;
};
struct RawTime {
    std::array<std::uint8_t, 4> octets{};
    friend bool operator==(const RawTime&, const RawTime&) = default;
};
/// A difference to the value before (Blue Book ed. 14, 4.3.6, delta value encoding), no value by itself. T is
/// one of std::int8_t to std::int32_t and std::uint8_t to std::uint32_t: tags 1C to 21.
template <class T>
struct Delta {
    T value = 0;
    friend bool operator==(const Delta&, const Delta&) = default;
};

struct Data {
    using Choice =
        std::variant<Null, Array, Structure, bool, BitString, std::int8_t, std::int16_t, std::int32_t,
                     std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, OctetString,
                     VisibleString, Utf8String, Bcd, Enum, float, double, RawDateTime, RawDate, RawTime,
                     DontCare, CompactArray, Delta<std::int8_t>, Delta<std::int16_t>, Delta<std::int32_t>,
                     Delta<std::uint8_t>, Delta<std::uint16_t>, Delta<std::uint32_t>>;
    Choice value;

    Data() = default;
    template <class T>
        requires std::is_constructible_v<Choice, T> && (!std::is_same_v<std::remove_cvref_t<T>, Data>)
    Data(T&& v) : value(std::forward<T>(v)) {}

    template <class T>
    const T* as() const {
        return std::get_if<T>(&value);
    }
    /// Any of the integer types, Enum and Bcd widened; nothing for another type, a delta (it is no value) or
    /// a uint64 above int64's range.
    std::optional<std::int64_t> integer() const;
    /// The elements of an Array or a Structure; nullptr for another type.
    const std::vector<Data>* elements() const;
    /// The octets of an OctetString; empty view for another type.
    Bytes octets() const;

    friend bool operator==(const Data&, const Data&) = default;
};

/// Bounds kept while decoding, before anything is allocated. Elements of arrays and structures of all levels
/// count together, rows of compact arrays and their elements too; nothing decodes to more octets than it has.
struct DataLimits {
    std::size_t depth_max = 16;
    std::size_t elements_max = 65'536;
};

/// Decodes one value at the reader's position; the fault stays in the reader. Faults: bad_tag, truncated,
/// too_deep, too_long (elements or length), bad_value (a compact array whose type has no octets).
Data decode_data(Reader& in, const DataLimits& limits = {});
/// The whole of `bytes` is one value.
Result<Data> decode_data(Bytes bytes, const DataLimits& limits = {});
void encode_data(Writer& out, const Data& data);
Buffer encode_data(const Data& data);
/// The tag that `data` is encoded with.
std::uint8_t tag_of(const Data& data);
/// A-XDR length: one octet below 0x80, else 0x81..0x84 and the length (IEC 61334-6).
void encode_length(Writer& out, std::size_t length);
std::size_t decode_length(Reader& in);

inline Data octet_string(Bytes octets) { return OctetString{to_buffer(octets)}; }
inline Data octet_string(const ObisCode& code) {
    return OctetString{{code.groups.begin(), code.groups.end()}};
}
inline Data structure(std::vector<Data> elements) { return Structure{std::move(elements)}; }
inline Data array(std::vector<Data> elements) { return Array{std::move(elements)}; }

}  // namespace wattmesh::dlms
