#pragma once
#include <cstdint>
#include <span>

#include "protocol/base/time.h"
#include "protocol/modbus/register_map.h"

/// What a serial bus allows. Source: MODBUS over Serial Line V1.02, 2.5.1.1 and 2.5.2.1.
namespace wattmesh::modbus {

struct BusTiming {
    std::uint32_t baud = 19'200;
    std::uint8_t bits_per_character = 11;                 ///< 8E1 and 8N2; 10 for 8N1
    Duration turnaround = std::chrono::milliseconds{50};  ///< of the slave, from request to answer
    Duration gap = std::chrono::milliseconds{
        50};  ///< from an answer to the next request, if that is longer than 3.5 characters
};
Duration character_time(const BusTiming& bus, std::size_t octets);
/// Silence that ends a frame: 3.5 characters, above 19 200 baud 1.75 ms.
Duration frame_gap(const BusTiming& bus);
/// From the first octet of the request to the moment when the next one may begin.
Duration exchange_time(const BusTiming& bus, const Request& request);
/// Of one round over `units` meters with the same blocks, nobody mute.
Duration cycle_time(const BusTiming& bus, std::span<const Block> blocks, std::size_t units);

}  // namespace wattmesh::modbus
