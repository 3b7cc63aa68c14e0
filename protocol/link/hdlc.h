#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

/// HDLC frames as DLMS uses them (IEC 62056-46, frame format type 3). Source: dlms fact sheet 3.
namespace wattmesh::link {

/// One, two or four octets on the wire: seven bits each, bit 0 set in the last one.
struct HdlcAddress {
    std::uint16_t upper = 0;               ///< client address, or logical device; <= 3FFF
    std::optional<std::uint16_t> lower{};  ///< physical device; present in two- and four-octet addresses
    bool wide = false;                     ///< four octets even when two would do
    friend bool operator==(const HdlcAddress&, const HdlcAddress&) = default;
};

/// One frame between two flags; checksums are the codec's business.
struct HdlcFrame {
    HdlcAddress destination{}, source{};
    std::uint8_t control = 0;
    bool segmented = false;  ///< more frames of the same message follow
    Buffer information{};    ///< <= hdlc_information_size_max
    friend bool operator==(const HdlcFrame&, const HdlcFrame&) = default;
};
inline constexpr std::size_t hdlc_information_size_max = 2'030;

/// Control octets. Bit 4 is P (from the primary) or F (from the secondary).
namespace hdlc_control {
inline constexpr std::uint8_t snrm = 0x93, ua = 0x73, disc = 0x53, dm = 0x1F, frmr = 0x97, ui = 0x13,
                              poll = 0x10;
constexpr std::uint8_t information(unsigned send, unsigned receive) {
    return static_cast<std::uint8_t>((receive & 7U) << 5U | poll | (send & 7U) << 1U);
}
constexpr std::uint8_t receive_ready(unsigned receive) {
    return static_cast<std::uint8_t>((receive & 7U) << 5U | poll | 1U);
}
constexpr bool is_information(std::uint8_t control) { return (control & 1U) == 0; }
constexpr bool is_receive_ready(std::uint8_t control) { return (control & 0x0FU) == 1; }
constexpr unsigned send_number(std::uint8_t control) { return control >> 1U & 7U; }
constexpr unsigned receive_number(std::uint8_t control) { return control >> 5U & 7U; }
}  // namespace hdlc_control

/// The whole frame with both flags.
Buffer encode_hdlc(const HdlcFrame& frame);
/// `bytes` begins and ends with a flag and holds exactly one frame.
Result<HdlcFrame> decode_hdlc(Bytes bytes);

/// Cuts a byte stream into frames by their length field: 7E inside a frame is legal, one flag may close a
/// frame and open the next. Noise and frames with a wrong checksum are skipped and counted.
class HdlcDecoder {
public:
    void feed(Bytes bytes);
    std::optional<HdlcFrame> next();
    /// Octets of an unfinished frame wait here (for the owner's partial-frame timer, which calls `reset`).
    bool partial() const;
    void reset() { buffer_.clear(); }
    std::uint64_t refused() const { return refused_; }

private:
    Buffer buffer_;
    std::uint64_t refused_ = 0;
    bool in_noise_ = false;  ///< this run of noise is counted already
};

}  // namespace wattmesh::link
