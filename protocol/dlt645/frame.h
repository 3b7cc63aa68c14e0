#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

/// Frames of DL/T 645-2007 (multi-function meter communication protocol), clause 5: [FE...] 68 | address, low
/// digits first | 68 | control | length | data, each octet + 33h | checksum | 16.
namespace wattmesh::dlt645 {

/// Twelve BCD digits, high ones first, as on the plate. Octets AA stand for any digits, 99 99 99 99 99 99 for
/// everybody, who then does not answer.
using Address = std::array<std::uint8_t, 6>;
inline constexpr Address any_address{0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA};
inline constexpr Address broadcast_address{0x99, 0x99, 0x99, 0x99, 0x99, 0x99};
/// Whether a meter with this number has to take a frame to `address`.
bool is_for(const Address& address, const DeviceNumber& meter);

enum class Function : std::uint8_t {
    broadcast_time = 0x08,
    read = 0x11,
    read_next = 0x12,
    read_address = 0x13,
    write = 0x14,
    write_address = 0x15,
    freeze = 0x16,
    change_baud = 0x17,
    change_password = 0x18,
    reset_demand = 0x19,
    clear_meter = 0x1A,
    clear_events = 0x1B,
    control_relay = 0x1C,
};
inline constexpr std::size_t data_size_max = 200;

struct Frame {
    Address address{};
    Function function{};
    bool from_meter = false;
    bool error = false;         ///< of an answer: the data are an error word
    bool more_follows = false;  ///< of an answer: ask with read_next
    Buffer data;                ///< without the 33h, <= data_size_max
    friend bool operator==(const Frame&, const Frame&) = default;
};
/// With `wake_up` octets FE in front (0 to 4). Asserts the limits.
Buffer encode(const Frame& frame, std::size_t wake_up = 4);

/// Cuts a stream. Octets that begin no frame, FE and noise alike, are skipped; a frame with a wrong checksum,
/// length or end costs its first octet only, so that the next one is found inside it.
class Decoder {
public:
    void feed(Bytes octets);
    std::optional<Frame> next();
    /// Nothing more came for longer than 500 ms (clause 4.4.5): what is unfinished will not become a frame.
    void silence();
    bool partial() const { return !buffer_.empty(); }
    /// Frames whose checksum, length or end was wrong.
    std::uint64_t refused() const { return refused_; }

private:
    Buffer buffer_;
    std::uint64_t refused_ = 0;
};

}  // namespace wattmesh::dlt645
