#include "protocol/modbus/bus_time.h"

#include <algorithm>
#include <cassert>

#include "protocol/modbus/rtu.h"

namespace wattmesh::modbus {

Duration character_time(const BusTiming& bus, std::size_t octets) {
    assert(bus.baud > 0);
    const auto bits = static_cast<std::int64_t>(octets) * bus.bits_per_character;
    return Duration{(bits * 1'000'000 + bus.baud - 1) / bus.baud};
}

Duration frame_gap(const BusTiming& bus) {
    if (bus.baud > 19'200) return std::chrono::microseconds{1'750};
    return (character_time(bus, 7) + Duration{1}) / 2;
}

Duration exchange_time(const BusTiming& bus, const Request& request) {
    constexpr std::size_t around = 3;  // unit and CRC
    return character_time(bus, around + encode(request).size()) + bus.turnaround +
           character_time(bus, around + response_size(request)) + std::max(bus.gap, frame_gap(bus));
}

Duration cycle_time(const BusTiming& bus, std::span<const Block> blocks, std::size_t units) {
    Duration one{};
    for (const Block& block : blocks) one += exchange_time(bus, block.read);
    return one * static_cast<std::int64_t>(units);
}

}  // namespace wattmesh::modbus
