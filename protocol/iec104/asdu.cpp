#include "protocol/iec104/asdu.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "protocol/base/reader.h"

namespace wattmesh::iec104 {
namespace {

constexpr std::uint8_t count_mask = 0x7F, sequence_flag = 0x80;
constexpr std::uint8_t cause_mask = 0x3F, negative_flag = 0x40, test_flag = 0x80;
constexpr std::uint8_t select_flag = 0x80;
constexpr std::size_t objects_max = 127, time_size = 7;

std::uint32_t u32_le(Reader& in) {
    const std::uint32_t low = in.u16_le();
    return low | static_cast<std::uint32_t>(in.u16_le()) << 16;
}
std::uint32_t u24_le(Reader& in) {
    const std::uint32_t low = in.u16_le();
    return low | static_cast<std::uint32_t>(in.u8()) << 16;
}
void put_le(Buffer& out, std::uint32_t value, int octets) {
    for (int shift = 0; shift < octets * 8; shift += 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

Quality quality_from(std::uint8_t octet) {
    return {(octet & 0x01) != 0, (octet & 0x10) != 0, (octet & 0x20) != 0, (octet & 0x40) != 0,
            (octet & 0x80) != 0};
}
/// With a point, bit 0 is part of the value.
Quality point_quality_from(std::uint8_t octet) { return quality_from(octet & 0xF0); }
unsigned point_octet_of(const Quality& quality) {
    return (quality.blocked ? 0x10U : 0U) | (quality.substituted ? 0x20U : 0U) |
           (quality.not_topical ? 0x40U : 0U) | (quality.invalid ? 0x80U : 0U);
}
unsigned octet_of(const Quality& quality) { return point_octet_of(quality) | (quality.overflow ? 1U : 0U); }

/// Reads the value behind the address; one overload each.
struct ElementReader {
    Reader& in;
    Quality& quality;

    void operator()(SinglePoint& point) {
        const auto octet = in.u8();
        point.on = (octet & 1) != 0;
        quality = point_quality_from(octet);
    }
    void operator()(DoublePoint& point) {
        const auto octet = in.u8();
        point.state = static_cast<DoubleState>(octet & 3);
        quality = point_quality_from(octet);
    }
    void operator()(Bitstring& value) {
        value.bits = u32_le(in);
        quality = quality_from(in.u8());
    }
    void operator()(Normalized& value) {
        value.raw = static_cast<std::int16_t>(in.u16_le());
        quality = quality_from(in.u8());
    }
    void operator()(Scaled& value) {
        value.value = static_cast<std::int16_t>(in.u16_le());
        quality = quality_from(in.u8());
    }
    void operator()(Float& value) {
        value.value = std::bit_cast<float>(u32_le(in));
        quality = quality_from(in.u8());
    }
    void operator()(Counter& counter) {
        counter.value = static_cast<std::int32_t>(u32_le(in));
        const auto octet = in.u8();
        counter.sequence = octet & 0x1F;
        counter.carry = (octet & 0x20) != 0;
        counter.adjusted = (octet & 0x40) != 0;
        counter.invalid = (octet & 0x80) != 0;
    }
    void operator()(EndOfInitialisation& end) { end.cause = in.u8(); }
    void operator()(SingleCommand& command) {
        const auto octet = in.u8();
        command = {(octet & 1) != 0, static_cast<std::uint8_t>(octet >> 2 & 0x1F),
                   (octet & select_flag) != 0};
    }
    void operator()(DoubleCommand& command) {
        const auto octet = in.u8();
        command = {static_cast<DoubleState>(octet & 3), static_cast<std::uint8_t>(octet >> 2 & 0x1F),
                   (octet & select_flag) != 0};
    }
    void operator()(FloatSetpoint& point) {
        point.value = std::bit_cast<float>(u32_le(in));
        const auto octet = in.u8();
        point.qualifier = octet & 0x7F;
        point.select = (octet & select_flag) != 0;
    }
    void operator()(Interrogation& request) { request.qualifier = in.u8(); }
    void operator()(CounterInterrogation& request) {
        const auto octet = in.u8();
        request.request = octet & 0x3F;
        request.freeze = static_cast<Freeze>(octet >> 6);
    }
    void operator()(ReadRequest&) {}
    void operator()(ClockSync&) {}
    void operator()(ResetProcess& request) { request.qualifier = in.u8(); }
    void operator()(TestCommand& test) { test.pattern = in.u16_le(); }
};

struct ElementWriter {
    Buffer& out;
    const Quality& quality;

    void put(unsigned octet) { out.push_back(static_cast<std::uint8_t>(octet)); }
    void operator()(const SinglePoint& point) { put((point.on ? 1U : 0U) | point_octet_of(quality)); }
    void operator()(const DoublePoint& point) {
        put(static_cast<unsigned>(point.state) | point_octet_of(quality));
    }
    void operator()(const Bitstring& value) {
        put_le(out, value.bits, 4);
        put(octet_of(quality));
    }
    void operator()(const Normalized& value) {
        put_le(out, static_cast<std::uint16_t>(value.raw), 2);
        put(octet_of(quality));
    }
    void operator()(const Scaled& value) {
        put_le(out, static_cast<std::uint16_t>(value.value), 2);
        put(octet_of(quality));
    }
    void operator()(const Float& value) {
        put_le(out, std::bit_cast<std::uint32_t>(value.value), 4);
        put(octet_of(quality));
    }
    void operator()(const Counter& counter) {
        put_le(out, static_cast<std::uint32_t>(counter.value), 4);
        put((counter.sequence & 0x1FU) | (counter.carry ? 0x20U : 0U) | (counter.adjusted ? 0x40U : 0U) |
            (counter.invalid ? 0x80U : 0U));
    }
    void operator()(const EndOfInitialisation& end) { put(end.cause); }
    void operator()(const SingleCommand& command) {
        put((command.on ? 1U : 0U) | (command.qualifier & 0x1FU) << 2 | (command.select ? select_flag : 0U));
    }
    void operator()(const DoubleCommand& command) {
        put(static_cast<unsigned>(command.state) | (command.qualifier & 0x1FU) << 2 |
            (command.select ? select_flag : 0U));
    }
    void operator()(const FloatSetpoint& point) {
        put_le(out, std::bit_cast<std::uint32_t>(point.value), 4);
        put((point.qualifier & 0x7FU) | (point.select ? select_flag : 0U));
    }
    void operator()(const Interrogation& request) { put(request.qualifier); }
    void operator()(const CounterInterrogation& request) {
        put((request.request & 0x3FU) | static_cast<unsigned>(request.freeze) << 6);
    }
    void operator()(const ReadRequest&) {}
    void operator()(const ClockSync&) {}
    void operator()(const ResetProcess& request) { put(request.qualifier); }
    void operator()(const TestCommand& test) { put_le(out, test.pattern, 2); }
};

struct Start {
    Header header;
    std::uint8_t type = 0;
    std::size_t count = 0;
    bool sequence = false;
};

Start read_start(Reader& in) {
    Start start;
    start.type = in.u8();
    const auto structure = in.u8();
    start.count = structure & count_mask;
    start.sequence = (structure & sequence_flag) != 0;
    const auto cause = in.u8();
    start.header.type = static_cast<Type>(start.type);
    start.header.cause = static_cast<Cause>(cause & cause_mask);
    start.header.negative = (cause & negative_flag) != 0;
    start.header.test = (cause & test_flag) != 0;
    start.header.originator = in.u8();
    start.header.common_address = in.u16_le();
    return start;
}

}  // namespace

Value value_of(Type type) {
    switch (without_time(type)) {
        case Type::single_point:
            return SinglePoint{};
        case Type::double_point:
            return DoublePoint{};
        case Type::bitstring:
            return Bitstring{};
        case Type::normalized:
            return Normalized{};
        case Type::scaled:
            return Scaled{};
        case Type::short_float:
            return Float{};
        case Type::integrated_total:
            return Counter{};
        case Type::single_command:
            return SingleCommand{};
        case Type::double_command:
            return DoubleCommand{};
        case Type::float_setpoint:
            return FloatSetpoint{};
        case Type::end_of_initialisation:
            return EndOfInitialisation{};
        case Type::interrogation:
            return Interrogation{};
        case Type::counter_interrogation:
            return CounterInterrogation{};
        case Type::clock_sync:
            return ClockSync{};
        case Type::reset_process:
            return ResetProcess{};
        case Type::test_time:
            return TestCommand{};
        default:
            return ReadRequest{};
    }
}

Result<Header> decode_header(Bytes asdu) {
    Reader in{asdu};
    const auto start = read_start(in);
    if (in.error()) return *in.error();
    return start.header;
}

Result<Asdu> decode_asdu(Bytes asdu) {
    Reader in{asdu};
    const auto start = read_start(in);
    if (in.error()) return *in.error();
    const auto* form = form_of(start.type);
    if (form == nullptr) return Error{Fault::unsupported, 0};
    if (asdu.size() > asdu_size_max) return Error{Fault::too_long, asdu_size_max};
    const bool plural = start.count != 1 || start.sequence;
    if (start.count == 0 || (start.sequence && !form->may_be_sequence) || (form->is_command && plural))
        return Error{Fault::bad_value, 1};
    const auto size =
        start.sequence ? address_size + start.count * form->size : start.count * (address_size + form->size);
    if (in.remaining() < size) return Error{Fault::truncated, asdu.size()};
    if (in.remaining() > size) return Error{Fault::trailing, asdu_header_size + size};

    Asdu decoded{start.header, start.sequence, {}};
    decoded.objects.reserve(start.count);
    std::uint32_t address = 0;
    for (std::size_t i = 0; i < start.count; ++i) {
        address = i == 0 || !start.sequence ? u24_le(in) : address + 1;
        if (address > object_address_max) return Error{Fault::bad_value, asdu_header_size};
        auto& object = decoded.objects.emplace_back(Object{address, value_of(form->type), {}, {}});
        std::visit(ElementReader{in, object.quality}, object.value);
        if (!form->has_time) continue;
        const auto at = in.position();
        const auto time = decode_time(in.bytes(time_size));
        if (!time) return Error{time.error().fault, at + time.error().offset};
        object.time = *time;
    }
    return decoded;
}

Buffer encode(const Asdu& asdu) {
    AsduBuilder builder{asdu.header, asdu.sequence};
    for (const auto& object : asdu.objects) builder.add(object);
    return builder.take();
}

AsduBuilder::AsduBuilder(const Header& header, bool sequence)
    : form_(*form_of(static_cast<std::uint8_t>(header.type))),
      sequence_(sequence),
      room_(room(header.type, sequence)) {
    assert(!sequence || form_.may_be_sequence);
    out_.reserve(asdu_size_max);
    out_.push_back(static_cast<std::uint8_t>(header.type));
    out_.push_back(sequence ? sequence_flag : std::uint8_t{0});
    out_.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(header.cause) |
                                             (header.negative ? negative_flag : 0U) |
                                             (header.test ? test_flag : 0U)));
    out_.push_back(header.originator);
    put_le(out_, header.common_address, 2);
}

std::size_t AsduBuilder::room(Type type, bool sequence) {
    const auto* form = form_of(static_cast<std::uint8_t>(type));
    assert(form != nullptr);
    if (form->is_command) return 1;
    const auto octets = asdu_size_max - asdu_header_size;
    return std::min(objects_max,
                    sequence ? (octets - address_size) / form->size : octets / (address_size + form->size));
}

void AsduBuilder::add(const Object& object) {
    assert(!full() && object.address <= object_address_max);
    if (count_ == 0 || !sequence_)
        put_le(out_, object.address, 3);
    else
        assert(object.address == last_ + 1);
    [[maybe_unused]] const auto before = out_.size();
    std::visit(ElementWriter{out_, object.quality}, object.value);
    if (form_.has_time) encode_time(object.time, out_);
    assert(out_.size() - before == form_.size);
    last_ = object.address;
    ++count_;
}

Buffer AsduBuilder::take() {
    assert(count_ > 0);
    out_[1] = static_cast<std::uint8_t>(out_[1] | count_);
    return std::move(out_);
}

}  // namespace wattmesh::iec104
