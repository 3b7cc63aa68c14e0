#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/collector/message.h"

namespace wattmesh::collector {

/// A meter on the wire.
struct Attached {
    std::uint8_t sub = 0;
    std::uint16_t address = 0;  ///< physical (lower) HDLC address
    DeviceNumber meter;
    std::optional<Instant> heard;  ///< nothing: not since we started
    int misses = 0;                ///< checks and reads in a row without an answer
    Instant check_at{};
};

/// Who hangs on the bus, and under which sub-address the concentrator knows it. A meter keeps its sub-address
/// as long as it is there, over power cuts too, and gets the same one when it comes back before somebody else
/// needed it; of the free ones that goes out next which has been free the longest.
class AttachedTable {
public:
    explicit AttachedTable(std::uint16_t generation = 0);

    /// The meter, new or at its new address; nullptr when all places are taken. Whoever was known at this
    /// address is gone.
    Attached* put(const DeviceNumber& meter, std::uint16_t address);
    void remove(std::uint8_t sub);

    Attached* find(std::uint8_t sub);
    Attached* at_address(std::uint16_t address);
    std::vector<Attached>& all() { return rows_; }  ///< ascending sub-addresses
    const std::vector<Attached>& all() const { return rows_; }
    std::uint16_t generation() const { return generation_; }

private:
    friend Buffer encode(const AttachedTable& table);
    friend Result<AttachedTable> decode_attached_table(Bytes bytes);
    Attached* insert(std::uint8_t sub, const DeviceNumber& meter, std::uint16_t address);

    std::vector<Attached> rows_;
    std::deque<std::uint8_t> free_;  // longest free first
    std::array<DeviceNumber, attached_max + 1> last_{};
    std::uint16_t generation_;
};

/// What outlives a power cut: generation, sub-addresses, addresses, meters.
Buffer encode(const AttachedTable& table);
Result<AttachedTable> decode_attached_table(Bytes bytes);

}  // namespace wattmesh::collector
