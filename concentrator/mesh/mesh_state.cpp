#include <algorithm>

#include "concentrator/mesh/mesh_core.h"
#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

/// What survives a restart, and what the head-end may look at.
namespace wattmesh::concentrator {
namespace {
// 1 had no octet for the power of a member; 1 and 2 knew one net key, the first; 1 to 3 neither a PAN but the
// settings' nor sequences
constexpr std::uint8_t state_version = 4;
constexpr std::size_t members_max = 8'192;
}  // namespace

Buffer MeshRoot::Core::save() const {
    Writer out;
    out.u8(state_version).u16(settings.pan).u16(version).u32(counter_limit).u8(net_key ? 1 : 0);
    if (net_key) out.bytes(net_key->reveal());
    std::vector<const Member*> kept;
    for (const auto& member : members.all())
        if (member.join_counter != 0 || member.address != 0) kept.push_back(&member);
    out.u16(static_cast<std::uint16_t>(std::min(kept.size(), members_max)));
    for (std::size_t i = 0; i < kept.size() && i < members_max; ++i)
        out.bytes(kept[i]->number.bcd)
            .u32(kept[i]->join_counter)
            .u16(kept[i]->address)
            .u8(static_cast<std::uint8_t>(kept[i]->power));
    out.u16(key_number).u8(static_cast<std::uint8_t>(key_next ? 1 : 0)).u32(key_next_counter);
    if (key_next) {
        out.bytes(key_next->reveal());
        for (std::size_t i = 0; i < kept.size() && i < members_max; ++i)
            out.u8(kept[i]->has_next_key ? 1 : 0);
    }
    out.u16(pan);
    for (std::size_t i = 0; i < kept.size() && i < members_max; ++i) out.u16(kept[i]->sequence_limit);
    return out.take();
}

bool MeshRoot::Core::restore(Bytes state) {
    Reader in{state};
    const auto format = in.u8();
    if (format < 1 || format > state_version) in.fail_at(Fault::bad_version, 0);
    const auto stored_pan = in.u16();
    const auto stored_version = in.u16();
    const auto stored_limit = in.u32();
    const auto has_key = in.u8();
    if (has_key > 1) in.fail(Fault::bad_value);
    std::optional<Key128> key;
    if (has_key == 1) key = Key128{in.array<16>()};
    const std::size_t count = in.u16();
    if (count > members_max) in.fail(Fault::too_long);
    struct Row {
        DeviceNumber number;
        std::uint32_t counter;
        std::uint16_t address;
        Power power;
        bool has_next_key = false;
        std::uint16_t sequence = 0;
    };
    std::vector<Row> rows;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const DeviceNumber number{in.array<6>()};
        const auto counter = in.u32();
        const auto address = in.u16();
        const std::uint8_t power = format < 2 ? std::uint8_t{0} : in.u8();
        if (power > static_cast<std::uint8_t>(Power::inferred)) in.fail(Fault::bad_value);
        rows.push_back({number, counter, address, static_cast<Power>(power)});
    }
    const std::uint16_t stored_number = format < 3 ? std::uint16_t{1} : in.u16();
    const std::uint8_t has_next = format < 3 ? std::uint8_t{0} : in.u8();
    if (has_next > 1) in.fail(Fault::bad_value);
    const std::uint32_t next_counter = format < 3 ? 1 : in.u32();
    std::optional<Key128> next;
    if (has_next == 1) {
        next = Key128{in.array<16>()};
        for (auto& row : rows) row.has_next_key = in.u8() == 1;
    }
    const auto pan_in_use = format < 4 ? stored_pan : in.u16();
    if (pan_in_use == mesh::no_pan) in.fail(Fault::bad_value);
    for (auto& row : rows) row.sequence = format < 4 ? std::uint16_t{0} : in.u16();
    in.expect_end();
    if (in.error() || started) return false;
    version = stored_version;
    counter_limit = stored_limit;
    // Another PAN is another network: keys and addresses of the old one mean nothing there, join counters do.
    const bool same = stored_pan == settings.pan;
    if (same) {
        pan = pan_in_use;
        net_key = key;
        key_number = stored_number;
        key_next = next;
        key_next_counter = next_counter;
        key_work_at = next ? Instant{} : never;
    }
    for (const auto& row : rows) {
        members.restore(row.number, row.counter, same ? row.address : std::uint16_t{0}, row.power);
        Member* member = members.find(row.number);
        if (member == nullptr) continue;
        member->has_next_key = row.has_next_key;
        member->sequence = member->sequence_limit = row.sequence;
    }
    return true;
}

DeviceNumber MeshRoot::Core::number_of(std::uint16_t address) const {
    if (address == mesh::root_address) return {};
    const Member* member = members.find(address);
    return member == nullptr ? DeviceNumber{} : member->number;
}

std::vector<dcu::TopologyNode> MeshRoot::Core::topology() const {
    std::vector<dcu::TopologyNode> nodes;
    for (const auto& member : members.all()) {
        if (!member.listed) continue;
        if (member.elsewhere && member.address == 0 && wired.place(member.number) == nullptr) continue;
        dcu::TopologyNode node;
        node.number = member.number;
        node.state = member.power == Power::on ? member.state : dcu::NodeState::dark;
        node.short_address = member.address;
        node.rssi_dbm = member.rssi_dbm;
        node.last_heard = member.heard;
        if (const WiredPlace* place = wired.place(member.number)) {
            fill_wired(node, *place);
        } else if (member.address != 0 && tree.reaches(member.address)) {
            const Route route = tree.route(member.address);
            node.hops = static_cast<std::uint8_t>(route.hops());
            const auto above = route.relays.empty() ? mesh::root_address : route.relays.back();
            node.parent = number_of(above);
            for (const auto relay : route.relays) node.route.push_back(number_of(relay));
            for (const auto relay : tree.alternative(member.address, route).relays)
                node.alternative.push_back(number_of(relay));
            node.etx_percent =
                std::max<std::uint32_t>(links.etx_q7(member.address, above, clock) * 100 / 128, 100);
            const Link* link = links.find(member.address, above);
            if (link != nullptr && link->rssi_dbm != 0) node.rssi_dbm = link->rssi_dbm;
        }
        nodes.push_back(std::move(node));
    }
    for (const auto& stranger : strangers) {
        dcu::TopologyNode node;
        node.number = stranger.meter;
        node.state = dcu::NodeState::parked;
        node.last_heard = stranger.told;
        nodes.push_back(std::move(node));
    }
    return nodes;
}

}  // namespace wattmesh::concentrator
