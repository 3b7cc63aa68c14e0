#include "protocol/dlms/data.h"

#include <bit>
#include <cassert>
#include <limits>

namespace wattmesh::dlms {

namespace {

/// Tags of the Data CHOICE. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.5; Blue Book ed. 14, 4.1.5.
enum Tag : std::uint8_t {
    tag_null = 0x00,
    tag_array = 0x01,
    tag_structure = 0x02,
    tag_boolean = 0x03,
    tag_bit_string = 0x04,
    tag_int32 = 0x05,
    tag_uint32 = 0x06,
    tag_octet_string = 0x09,
    tag_visible_string = 0x0A,
    tag_utf8_string = 0x0C,
    tag_bcd = 0x0D,
    tag_int8 = 0x0F,
    tag_int16 = 0x10,
    tag_uint8 = 0x11,
    tag_uint16 = 0x12,
    tag_compact_array = 0x13,
    tag_int64 = 0x14,
    tag_uint64 = 0x15,
    tag_enum = 0x16,
    tag_float32 = 0x17,
    tag_float64 = 0x18,
    tag_date_time = 0x19,
    tag_date = 0x1A,
    tag_time = 0x1B,
    tag_delta_first = 0x1C,
    tag_delta_last = 0x21,
    tag_dont_care = 0xFF,
};

/// One decode of a possibly nested value: depth and the elements still allowed in all of it.
struct Decoding {
    Reader& in;
    std::size_t elements_left;

    Buffer sized_octets() { return to_buffer(in.bytes(decode_length(in))); }
    std::string sized_text() {
        const Bytes octets = in.bytes(decode_length(in));
        return {octets.begin(), octets.end()};
    }
    BitString bit_string() {
        const std::size_t bits = decode_length(in);
        const Bytes octets = in.bytes((bits + 7) / 8);
        return in.ok() ? BitString{bits, to_buffer(octets)} : BitString{};
    }

    std::vector<Data> elements(std::size_t depth_left, std::size_t start) {
        std::vector<Data> values;
        if (depth_left == 0) {
            in.fail_at(Fault::too_deep, start);
            return values;
        }
        const std::size_t count = decode_length(in);
        // Every element takes an octet at least: a count above what is left never reaches the allocator.
        if (in.ok() && count > in.remaining()) in.fail(Fault::truncated);
        if (in.ok() && count > elements_left) in.fail_at(Fault::too_long, start);
        if (!in.ok()) return values;
        elements_left -= count;
        values.reserve(count);
        for (std::size_t i = 0; i < count && in.ok(); ++i) values.push_back(value(depth_left - 1));
        return values;
    }

    Data value(std::size_t depth_left) {
        const std::size_t start = in.position();
        const std::uint8_t tag = in.u8();
        switch (tag) {
            case tag_null:
                return Null{};
            case tag_array:
                return Array{elements(depth_left, start)};
            case tag_structure:
                return Structure{elements(depth_left, start)};
            case tag_boolean:
                return in.u8() != 0;
            case tag_bit_string:
                return bit_string();
            case tag_int32:
                return in.i32();
            case tag_uint32:
                return in.u32();
            case tag_octet_string:
                return OctetString{sized_octets()};
            case tag_visible_string:
                return VisibleString{sized_text()};
            case tag_utf8_string:
                return Utf8String{sized_text()};
            case tag_bcd:
                return Bcd{in.u8()};
            case tag_int8:
                return in.i8();
            case tag_int16:
                return in.i16();
            case tag_uint8:
                return in.u8();
            case tag_uint16:
                return in.u16();
            case tag_int64:
                return in.i64();
            case tag_uint64:
                return in.u64();
            case tag_enum:
                return Enum{in.u8()};
            case tag_float32:
                return std::bit_cast<float>(in.u32());
            case tag_float64:
                return std::bit_cast<double>(in.u64());
            case tag_date_time:
                return RawDateTime{in.array<12>()};
            case tag_date:
                return RawDate{in.array<5>()};
            case tag_time:
                return RawTime{in.array<4>()};
            case tag_dont_care:
                return DontCare{};
            default:
                return refuse(tag, start);
        }
    }

    // Compact arrays and deltas are legal but not decoded (not in our conformance): another fault than a
    // wrong tag.
    Data refuse(std::uint8_t tag, std::size_t start) {
        const bool known = tag == tag_compact_array || (tag >= tag_delta_first && tag <= tag_delta_last);
        in.fail_at(known ? Fault::unsupported : Fault::bad_tag, start);
        return Null{};
    }
};

struct Encoding {
    Writer& out;

    void sized(std::uint8_t tag, std::size_t length, Bytes octets) {
        out.u8(tag);
        encode_length(out, length);
        out.bytes(octets);
    }
    void elements(std::uint8_t tag, const std::vector<Data>& values) {
        out.u8(tag);
        encode_length(out, values.size());
        for (const Data& value : values) encode_data(out, value);
    }

    void operator()(const Null&) { out.u8(tag_null); }
    void operator()(const DontCare&) { out.u8(tag_dont_care); }
    void operator()(const Array& v) { elements(tag_array, v.elements); }
    void operator()(const Structure& v) { elements(tag_structure, v.elements); }
    void operator()(bool v) { out.u8(tag_boolean).u8(v ? 1 : 0); }
    void operator()(const BitString& v) {
        assert(v.octets.size() == (v.bits + 7) / 8);
        sized(tag_bit_string, v.bits, v.octets);
    }
    void operator()(std::int8_t v) { out.u8(tag_int8).i8(v); }
    void operator()(std::int16_t v) { out.u8(tag_int16).i16(v); }
    void operator()(std::int32_t v) { out.u8(tag_int32).i32(v); }
    void operator()(std::int64_t v) { out.u8(tag_int64).i64(v); }
    void operator()(std::uint8_t v) { out.u8(tag_uint8).u8(v); }
    void operator()(std::uint16_t v) { out.u8(tag_uint16).u16(v); }
    void operator()(std::uint32_t v) { out.u8(tag_uint32).u32(v); }
    void operator()(std::uint64_t v) { out.u8(tag_uint64).u64(v); }
    void operator()(const OctetString& v) { sized(tag_octet_string, v.octets.size(), v.octets); }
    void operator()(const VisibleString& v) { sized(tag_visible_string, v.text.size(), as_bytes(v.text)); }
    void operator()(const Utf8String& v) { sized(tag_utf8_string, v.text.size(), as_bytes(v.text)); }
    void operator()(const Bcd& v) { out.u8(tag_bcd).u8(v.value); }
    void operator()(const Enum& v) { out.u8(tag_enum).u8(v.value); }
    void operator()(float v) { out.u8(tag_float32).u32(std::bit_cast<std::uint32_t>(v)); }
    void operator()(double v) { out.u8(tag_float64).u64(std::bit_cast<std::uint64_t>(v)); }
    void operator()(const RawDateTime& v) { out.u8(tag_date_time).bytes(v.octets); }
    void operator()(const RawDate& v) { out.u8(tag_date).bytes(v.octets); }
    void operator()(const RawTime& v) { out.u8(tag_time).bytes(v.octets); }
};

}  // namespace

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
    return Decoding{in, limits.elements_max}.value(limits.depth_max);
}

Result<Data> decode_data(Bytes bytes, const DataLimits& limits) {
    Reader in{bytes};
    Data data = decode_data(in, limits);
    in.expect_end();
    if (in.error()) return *in.error();
    return data;
}

void encode_data(Writer& out, const Data& data) { std::visit(Encoding{out}, data.value); }

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
