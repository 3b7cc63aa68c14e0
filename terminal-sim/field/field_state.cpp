#include "terminal-sim/field/field_state.h"

#include <fstream>
#include <iterator>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "terminal-sim/field/json_file.h"

namespace wattmesh::sim {
namespace {

constexpr std::uint32_t magic = 0x574D4631;             // "WMF1"
constexpr std::uint32_t magic_collectors = 0x574D4632;  // "WMF2": there are collectors
constexpr std::uint32_t node_size_max = 65'536;
constexpr std::uint32_t deed_content_size_max = 16'384;

bool has_content(Deed::Kind kind) { return kind == Deed::Kind::written || kind == Deed::Kind::called; }

FieldState::Device decode_device(Reader& in) {
    FieldState::Device device;
    for (std::uint32_t left = in.u32(); left > 0 && in.ok(); --left) {
        Deed deed;
        deed.kind = static_cast<Deed::Kind>(in.u8());
        deed.at = from_epoch_us(in.i64());
        deed.shown = from_epoch_us(in.i64());
        if (deed.kind > Deed::Kind::called) in.fail(Fault::bad_value);
        if (has_content(deed.kind)) {
            const std::uint32_t size = in.u32();
            if (size > deed_content_size_max) in.fail(Fault::too_long);
            deed.content = to_buffer(in.bytes(in.ok() ? size : 0));
        }
        device.deeds.push_back(std::move(deed));
    }
    const std::uint32_t size = in.u32();
    if (size > node_size_max) in.fail(Fault::too_long);
    device.node = to_buffer(in.bytes(size));
    return device;
}

void decode_collector(Reader& in, FieldState& state) {
    auto& collector = state.collectors[DeviceNumber{in.array<6>()}];
    const std::uint32_t size = in.u32();
    if (size > node_size_max) in.fail(Fault::too_long);
    collector.table = to_buffer(in.bytes(in.ok() ? size : 0));
    for (std::uint32_t left = in.u32(); left > 0 && in.ok(); --left)
        collector.meters.push_back({in.array<6>()});
}

}  // namespace

Buffer encode(const FieldState& state) {
    Writer out;
    out.u32(state.collectors.empty() ? magic : magic_collectors)
        .i64(epoch_us(state.installed_at))
        .u32(static_cast<std::uint32_t>(state.devices.size()));
    for (const auto& [number, device] : state.devices) {
        out.bytes(number.bcd).u32(static_cast<std::uint32_t>(device.deeds.size()));
        for (const auto& deed : device.deeds) {
            out.u8(static_cast<std::uint8_t>(deed.kind)).i64(epoch_us(deed.at)).i64(epoch_us(deed.shown));
            if (has_content(deed.kind))
                out.u32(static_cast<std::uint32_t>(deed.content.size())).bytes(deed.content);
        }
        out.u32(static_cast<std::uint32_t>(device.node.size())).bytes(device.node);
    }
    if (state.collectors.empty()) return out.take();
    out.u32(static_cast<std::uint32_t>(state.collectors.size()));
    for (const auto& [number, collector] : state.collectors) {
        out.bytes(number.bcd).u32(static_cast<std::uint32_t>(collector.table.size())).bytes(collector.table);
        out.u32(static_cast<std::uint32_t>(collector.meters.size()));
        for (const auto& meter : collector.meters) out.bytes(meter.bcd);
    }
    return out.take();
}

Result<FieldState> decode_field_state(Bytes bytes) {
    Reader in{bytes};
    const auto version = in.u32();
    if (version != magic && version != magic_collectors) in.fail_at(Fault::bad_version, 0);
    FieldState state;
    state.installed_at = from_epoch_us(in.i64());
    for (std::uint32_t left = in.u32(); left > 0 && in.ok(); --left) {
        const DeviceNumber number{in.array<6>()};
        state.devices[number] = decode_device(in);
    }
    for (std::uint32_t left = version == magic_collectors ? in.u32() : 0; left > 0 && in.ok(); --left)
        decode_collector(in, state);
    in.expect_end();
    if (in.error()) return *in.error();
    return state;
}

std::optional<FieldState> read_field_state(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    const Buffer content{std::istreambuf_iterator<char>{in}, {}};
    auto state = decode_field_state(content);
    if (!state)
        throw file_trouble(file, "is damaged (" + std::string{to_string(state.error().fault)} + " at octet " +
                                     std::to_string(state.error().offset) + "); give another --state folder");
    return std::move(*state);
}

}  // namespace wattmesh::sim
