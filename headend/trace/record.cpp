#include "headend/trace/record.h"

#include <algorithm>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::headend::trace {
namespace {

constexpr std::array<std::uint8_t, 6> unknown_device{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

bool is_kind(std::uint8_t octet) {
    return octet >= static_cast<std::uint8_t>(Record::Kind::opened) &&
           octet <= static_cast<std::uint8_t>(Record::Kind::closed);
}

}  // namespace

std::string_view to_string(Record::Kind kind) {
    switch (kind) {
        case Record::Kind::opened:
            return "opened";
        case Record::Kind::received:
            return "received";
        case Record::Kind::sent:
            return "sent";
        case Record::Kind::closed:
            return "closed";
    }
    return "?";
}

Buffer encode(const Record& record) {
    const Bytes content = Bytes{record.content}.first(std::min(record.content.size(), content_max));
    Writer out;
    out.reserve(size_field + record_head + content.size());
    out.u32(static_cast<std::uint32_t>(record_head + content.size()));
    out.u8(static_cast<std::uint8_t>(record.kind)).u8(static_cast<std::uint8_t>(record.carries));
    out.u64(record.link).bytes(record.device ? record.device->bcd : unknown_device);
    out.i64(epoch_us(record.at)).u32(static_cast<std::uint32_t>(record.size)).bytes(content);
    return out.take();
}

Decoded decode_record(Bytes octets) {
    using Verdict = Decoded::Verdict;
    Reader in{octets};
    const std::size_t size = in.u32();
    if (!in.ok()) return {Verdict::unfinished, 0, {}};
    if (size < record_head || size > record_head + content_max) return {Verdict::damaged, 0, {}};
    if (in.remaining() < size) return {Verdict::unfinished, 0, {}};
    Decoded decoded{Verdict::whole, size_field + size, {}};
    Record& record = decoded.record;
    const std::uint8_t kind = in.u8(), carries = in.u8();
    record.link = in.u64();
    const auto device = in.array<6>();
    record.at = from_epoch_us(in.i64());
    record.size = in.u32();
    record.content = to_buffer(in.bytes(size - record_head));
    if (!is_kind(kind) || carries > static_cast<std::uint8_t>(link::Carried::gdw376))
        return {Verdict::damaged, 0, {}};
    record.kind = static_cast<Record::Kind>(kind);
    record.carries = static_cast<link::Carried>(carries);
    if (device != unknown_device) record.device = DeviceNumber{device};
    return decoded;
}

}  // namespace wattmesh::headend::trace
