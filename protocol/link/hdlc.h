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

    /// All stations: 7F, or 3FFF in four octets. Only UI frames go there, nobody answers.
    bool all_stations() const { return upper == (wide ? 0x3FFF : 0x7F); }
    /// All physical devices of this logical device, or the one that is asked directly (7E, 3FFE: "calling").
    bool any_device() const { return !lower || *lower >= (wide ? 0x3FFE : 0x7E); }
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

/// Control octets. Bit 4 is P (from the primary: answer!) or F (from the secondary: I have finished). UI
/// comes with and without it. Source: IEC 62056-46, 6.4.3; ISO/IEC 13239, 5.5.
namespace hdlc_control {
inline constexpr std::uint8_t snrm = 0x93, ua = 0x73, disc = 0x53, dm = 0x1F, frmr = 0x97, ui = 0x13,
                              poll = 0x10;
constexpr std::uint8_t numbered(unsigned kind, unsigned receive, bool poll_or_final) {
    return static_cast<std::uint8_t>((receive & 7U) << 5U | (poll_or_final ? poll : 0U) | kind);
}
constexpr std::uint8_t information(unsigned send, unsigned receive, bool poll_or_final = true) {
    return numbered((send & 7U) << 1U, receive, poll_or_final);
}
constexpr std::uint8_t receive_ready(unsigned receive, bool poll_or_final = true) {
    return numbered(0x01, receive, poll_or_final);
}
constexpr std::uint8_t receive_not_ready(unsigned receive, bool poll_or_final = true) {
    return numbered(0x05, receive, poll_or_final);
}
constexpr std::uint8_t reject(unsigned receive, bool poll_or_final = true) {
    return numbered(0x09, receive, poll_or_final);
}
constexpr bool is_information(std::uint8_t control) { return (control & 1U) == 0; }
constexpr bool is_receive_ready(std::uint8_t control) { return (control & 0x0FU) == 0x01; }
constexpr bool is_receive_not_ready(std::uint8_t control) { return (control & 0x0FU) == 0x05; }
constexpr bool is_reject(std::uint8_t control) { return (control & 0x0FU) == 0x09; }
constexpr bool is_polled(std::uint8_t control) { return (control & poll) != 0; }
/// One of the kinds without numbers (snrm .. ui), whatever its P/F bit says.
constexpr bool is_kind(std::uint8_t control, std::uint8_t kind) { return (control | poll) == kind; }
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
