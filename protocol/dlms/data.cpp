#include "protocol/dlms/data.h"

#include <bit>
#include <cassert>
#include <limits>

#include "protocol/dlms/data_codec.h"
#include "protocol/dlms/data_tag.h"

namespace wattmesh::dlms {

namespace {

struct Tagging {
    std::uint8_t operator()(const Null&) { return tag::null; }
    std::uint8_t operator()(const DontCare&) { return tag::dont_care; }
    std::uint8_t operator()(const Array&) { return tag::array; }
    std::uint8_t operator()(const Structure&) { return tag::structure; }
    std::uint8_t operator()(const CompactArray&) { return tag::compact_array; }
    std::uint8_t operator()(bool) { return tag::boolean; }
    std::uint8_t operator()(const BitString&) { return tag::bit_string; }
    std::uint8_t operator()(std::int8_t) { return tag::int8; }
    std::uint8_t operator()(std::int16_t) { return tag::int16; }
    std::uint8_t operator()(std::int32_t) { return tag::int32; }
    std::uint8_t operator()(std::int64_t) { return tag::int64; }
    std::uint8_t operator()(std::uint8_t) { return tag::uint8; }
    std::uint8_t operator()(std::uint16_t) { return tag::uint16; }
    std::uint8_t operator()(std::uint32_t) { return tag::uint32; }
    std::uint8_t operator()(std::uint64_t) { return tag::uint64; }
    std::uint8_t operator()(const OctetString&) { return tag::octet_string; }
    std::uint8_t operator()(const VisibleString&) { return tag::visible_string; }
    std::uint8_t operator()(const Utf8String&) { return tag::utf8_string; }
    std::uint8_t operator()(const Bcd&) { return tag::bcd; }
    std::uint8_t operator()(const Enum&) { return tag::enumeration; }
    std::uint8_t operator()(float) { return tag::float32; }
    std::uint8_t operator()(double) { return tag::float64; }
    std::uint8_t operator()(const RawDateTime&) { return tag::date_time; }
    std::uint8_t operator()(const RawDate&) { return tag::date; }
    std::uint8_t operator()(const RawTime&) { return tag::time; }
    std::uint8_t operator()(Delta<std::int8_t>) { return tag::delta_int8; }
    std::uint8_t operator()(Delta<std::int16_t>) { return tag::delta_int16; }
    std::uint8_t operator()(Delta<std::int32_t>) { return tag::delta_int32; }
    std::uint8_t operator()(Delta<std::uint8_t>) { return tag::delta_uint8; }
    std::uint8_t operator()(Delta<std::uint16_t>) { return tag::delta_uint16; }
    std::uint8_t operator()(Delta<std::uint32_t>) { return tag::delta_uint32; }
};

/// What follows the tag.
struct Content {
    Writer& out;

    void sized(std::size_t length, Bytes octets) {
        encode_length(out, length);
        out.bytes(octets);
    }
    void elements(const std::vector<Data>& values) {
        encode_length(out, values.size());
        for (const Data& value : values) encode_data(out, value);
    }

    void operator()(const Null&) {}
    void operator()(const DontCare&) {}
    void operator()(const Array& v) { elements(v.elements); }
    void operator()(const Structure& v) { elements(v.elements); }
    void operator()(const CompactArray& v) { detail::encode_compact_array(out, v); }
    void operator()(bool v) { out.u8(v ? 1 : 0); }
    void operator()(const BitString& v) {
        assert(v.octets.size() == (v.bits + 7) / 8);
        sized(v.bits, v.octets);
    }
    void operator()(std::int8_t v) { out.i8(v); }
    void operator()(std::int16_t v) { out.i16(v); }
    void operator()(std::int32_t v) { out.i32(v); }
    void operator()(std::int64_t v) { out.i64(v); }
    void operator()(std::uint8_t v) { out.u8(v); }
    void operator()(std::uint16_t v) { out.u16(v); }
    void operator()(std::uint32_t v) { out.u32(v); }
    void operator()(std::uint64_t v) { out.u64(v); }
    void operator()(const OctetString& v) { sized(v.octets.size(), v.octets); }
    void operator()(const VisibleString& v) { sized(v.text.size(), as_bytes(v.text)); }
    void operator()(const Utf8String& v) { sized(v.text.size(), as_bytes(v.text)); }
    void operator()(const Bcd& v) { out.u8(v.value); }
    void operator()(const Enum& v) { out.u8(v.value); }
    void operator()(float v) { out.u32(std::bit_cast<std::uint32_t>(v)); }
    void operator()(double v) { out.u64(std::bit_cast<std::uint64_t>(v)); }
    void operator()(const RawDateTime& v) { out.bytes(v.octets); }
    void operator()(const RawDate& v) { out.bytes(v.octets); }
    void operator()(const RawTime& v) { out.bytes(v.octets); }
    template <class T>
    void operator()(Delta<T> v) {
        (*this)(v.value);
    }
};

Buffer sized_octets(Reader& in) { return to_buffer(in.bytes(decode_length(in))); }
std::string sized_text(Reader& in) {
    const Bytes octets = in.bytes(decode_length(in));
    return {octets.begin(), octets.end()};
}
BitString bit_string(Reader& in) {
    const std::size_t bits = decode_length(in);
    const Bytes octets = in.bytes((bits + 7) / 8);
    return in.ok() ? BitString{bits, to_buffer(octets)} : BitString{};
}

}  // namespace

namespace detail {

bool Decoding::charge(std::size_t count, std::size_t start) {
    if (count > elements_left) in.fail_at(Fault::too_long, start);
    if (!in.ok()) return false;
    elements_left -= count;
    return true;
}

std::vector<Data> Decoding::elements(std::size_t depth_left, std::size_t start) {
    std::vector<Data> values;
    if (depth_left == 0) {
        in.fail_at(Fault::too_deep, start);
        return values;
    }
    const std::size_t count = decode_length(in);
    // Every element takes an octet at least: a count above what is left never reaches the allocator.
    if (in.ok() && count > in.remaining()) in.fail(Fault::truncated);
    if (!charge(count, start)) return values;
    values.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) values.push_back(value(depth_left - 1));
    return values;
}

Data Decoding::value(std::size_t depth_left) {
    const std::size_t start = in.position();
    const std::uint8_t tag = in.u8();
    if (!in.ok()) return Null{};
    switch (tag) {
        case tag::array:
            return Array{elements(depth_left, start)};
        case tag::structure:
            return Structure{elements(depth_left, start)};
        case tag::compact_array:
            return compact_array(depth_left, start);
        default:
            return content(tag, start);
    }
}

Data Decoding::content(std::uint8_t tag, std::size_t start) {
    switch (tag) {
        case tag::null:
            return Null{};
        case tag::boolean:
            return in.u8() != 0;
        case tag::bit_string:
            return bit_string(in);
        case tag::int32:
            return in.i32();
        case tag::uint32:
            return in.u32();
        case tag::octet_string:
            return OctetString{sized_octets(in)};
        case tag::visible_string:
            return VisibleString{sized_text(in)};
        case tag::utf8_string:
            return Utf8String{sized_text(in)};
        case tag::bcd:
            return Bcd{in.u8()};
        case tag::int8:
            return in.i8();
        case tag::int16:
            return in.i16();
        case tag::uint8:
            return in.u8();
        case tag::uint16:
            return in.u16();
        case tag::int64:
            return in.i64();
        case tag::uint64:
            return in.u64();
        case tag::enumeration:
            return Enum{in.u8()};
        case tag::float32:
            return std::bit_cast<float>(in.u32());
        case tag::float64:
            return std::bit_cast<double>(in.u64());
        case tag::date_time:
            return RawDateTime{in.array<12>()};
        case tag::date:
            return RawDate{in.array<5>()};
        case tag::time:
            return RawTime{in.array<4>()};
        case tag::delta_int8:
            return Delta<std::int8_t>{in.i8()};
        case tag::delta_int16:
            return Delta<std::int16_t>{in.i16()};
        case tag::delta_int32:
            return Delta<std::int32_t>{in.i32()};
        case tag::delta_uint8:
            return Delta<std::uint8_t>{in.u8()};
        case tag::delta_uint16:
            return Delta<std::uint16_t>{in.u16()};
        case tag::delta_uint32:
            return Delta<std::uint32_t>{in.u32()};
        case tag::dont_care:
            return DontCare{};
        default:
            in.fail_at(Fault::bad_tag, start);
            return Null{};
    }
}

void encode_content(Writer& out, const Data& data) {
    assert(data.elements() == nullptr && !data.as<CompactArray>());
    std::visit(Content{out}, data.value);
}

}  // namespace detail

std::uint8_t tag_of(const Data& data) { return std::visit(Tagging{}, data.value); }

bool operator==(const Array& a, const Array& b) { return a.elements == b.elements; }
bool operator==(const Structure& a, const Structure& b) { return a.elements == b.elements; }

std::optional<std::int64_t> Data::integer() const {
    return std::visit(
        []<class T>(const T& v) -> std::optional<std::int64_t> {
            if constexpr (std::is_same_v<T, std::uint64_t>) {
                if (v > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
                    return std::nullopt;
                return static_cast<std::int64_t>(v);
            } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
                return v;
            } else if constexpr (std::is_same_v<T, Enum> || std::is_same_v<T, Bcd>) {
                return v.value;
            } else {
                return std::nullopt;
            }
        },
        value);
}

const std::vector<Data>* Data::elements() const {
    if (const auto* array = as<Array>()) return &array->elements;
    if (const auto* structure = as<Structure>()) return &structure->elements;
    return nullptr;
}

Bytes Data::octets() const {
    const auto* string = as<OctetString>();
    return string ? Bytes{string->octets} : Bytes{};
}

Data decode_data(Reader& in, const DataLimits& limits) {
    return detail::Decoding{in, limits.elements_max}.value(limits.depth_max);
}

Result<Data> decode_data(Bytes bytes, const DataLimits& limits) {
    Reader in{bytes};
    Data data = decode_data(in, limits);
    in.expect_end();
    if (in.error()) return *in.error();
    return data;
}

void encode_data(Writer& out, const Data& data) {
    out.u8(tag_of(data));
    std::visit(Content{out}, data.value);
}

Buffer encode_data(const Data& data) {
    Writer out;
    encode_data(out, data);
    return out.take();
}

void encode_length(Writer& out, std::size_t length) {
    assert(length <= 0xFFFF'FFFF);
    const auto value = static_cast<std::uint32_t>(length);
    if (value < 0x80)
        out.u8(static_cast<std::uint8_t>(value));
    else if (value <= 0xFF)
        out.u8(0x81).u8(static_cast<std::uint8_t>(value));
    else if (value <= 0xFFFF)
        out.u8(0x82).u16(static_cast<std::uint16_t>(value));
    else if (value <= 0xFF'FFFF)
        out.u8(0x83).u24(value);
    else
        out.u8(0x84).u32(value);
}

std::size_t decode_length(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t first = in.u8();
    switch (first) {
        case 0x81:
            return in.u8();
        case 0x82:
            return in.u16();
        case 0x83:
            return in.u24();
        case 0x84:
            return in.u32();
        default:
            break;
    }
    if (first >= 0x80) {  // 0x80 is BER's indefinite form, 0x85 and above do not fit any message of ours
        in.fail_at(first == 0x80 ? Fault::bad_value : Fault::too_long, start);
        return 0;
    }
    return first;
}

}  // namespace wattmesh::dlms
