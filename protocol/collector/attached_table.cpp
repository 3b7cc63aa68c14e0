#include "protocol/collector/attached_table.h"

#include <algorithm>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::collector {
namespace {
constexpr std::uint8_t state_version = 1;
}

AttachedTable::AttachedTable(std::uint16_t generation) : generation_(generation) {
    for (std::uint8_t sub = 1; sub <= attached_max; ++sub) free_.push_back(sub);
}

Attached* AttachedTable::find(std::uint8_t sub) {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Attached& row) { return row.sub == sub; });
    return found == rows_.end() ? nullptr : &*found;
}

Attached* AttachedTable::at_address(std::uint16_t address) {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Attached& row) { return row.address == address; });
    return found == rows_.end() ? nullptr : &*found;
}

Attached* AttachedTable::insert(std::uint8_t sub, const DeviceNumber& meter, std::uint16_t address) {
    std::erase(free_, sub);
    last_[sub] = meter;
    Attached row;
    row.sub = sub;
    row.address = address;
    row.meter = meter;
    const auto at = std::lower_bound(rows_.begin(), rows_.end(), sub,
                                     [](const Attached& a, std::uint8_t b) { return a.sub < b; });
    return &*rows_.insert(at, row);
}

Attached* AttachedTable::put(const DeviceNumber& meter, std::uint16_t address) {
    if (Attached* there = at_address(address); there != nullptr && there->meter != meter) remove(there->sub);
    const auto known =
        std::find_if(rows_.begin(), rows_.end(), [&](const Attached& row) { return row.meter == meter; });
    if (known != rows_.end()) {
        known->address = address;
        return &*known;
    }
    if (free_.empty()) return nullptr;
    const auto former =
        std::find_if(free_.begin(), free_.end(), [&](std::uint8_t sub) { return last_[sub] == meter; });
    ++generation_;
    return insert(former == free_.end() ? free_.front() : *former, meter, address);
}

void AttachedTable::remove(std::uint8_t sub) {
    if (std::erase_if(rows_, [&](const Attached& row) { return row.sub == sub; }) == 0) return;
    free_.push_back(sub);
    ++generation_;
}

Buffer encode(const AttachedTable& table) {
    Writer out;
    out.u8(state_version).u16(table.generation_).u8(static_cast<std::uint8_t>(table.rows_.size()));
    for (const auto& row : table.rows_) out.u8(row.sub).u16(row.address).bytes(row.meter.bcd);
    return out.take();
}

Result<AttachedTable> decode_attached_table(Bytes bytes) {
    Reader in{bytes};
    in.expect(state_version, Fault::bad_version);
    AttachedTable table{in.u16()};
    const std::size_t count = in.u8();
    if (count > attached_max) in.fail(Fault::too_long);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const auto sub = in.u8();
        const auto address = in.u16();
        const DeviceNumber meter{in.array<6>()};
        const bool sound = sub >= 1 && sub <= attached_max && table.find(sub) == nullptr &&
                           table.at_address(address) == nullptr;
        if (!sound) in.fail(Fault::bad_value);
        if (in.ok()) table.insert(sub, meter, address);
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return table;
}

}  // namespace wattmesh::collector
