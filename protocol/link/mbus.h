#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"

/// DLMS pushes on wired M-Bus, as the customer interface of Austrian meters sends them. Source: EN 13757-2
/// (frames), EN 13757-3 and DLMS UA 1000-2 ed. 8, 10.5 (CI 00..1F); uplink fact sheet 9.2.
namespace wattmesh::link {

/// One long frame: 68 L L 68 | C | A | CI | data | CS | 16. The short and the single-octet frames of polling
/// are not read.
struct MbusFrame {
    std::uint8_t control = 0, address = 0, ci = 0;
    Buffer data{};  ///< <= mbus_data_size_max
    friend bool operator==(const MbusFrame&, const MbusFrame&) = default;
};
inline constexpr std::size_t mbus_data_size_max = 252;

Buffer encode_mbus(const MbusFrame& frame);
/// `bytes` is exactly one frame.
Result<MbusFrame> decode_mbus(Bytes bytes);

/// Cuts an octet stream into long frames. Noise, other frames and wrong checksums are skipped and counted.
class MbusDecoder {
public:
    void feed(Bytes bytes);
    std::optional<MbusFrame> next();
    bool partial() const { return !buffer_.empty(); }
    void reset() { buffer_.clear(); }
    std::uint64_t refused() const { return refused_; }

private:
    Buffer buffer_;
    std::uint64_t refused_ = 0;
    bool in_noise_ = false;  ///< this run of noise is counted already
};

/// An APDU on M-Bus: source and destination transport service access point, mostly 01 and 67.
struct MbusPush {
    std::uint8_t source = 0x01, destination = 0x67;
    Buffer apdu{};
    friend bool operator==(const MbusPush&, const MbusPush&) = default;
};

/// The frames of a push: C 53, A FF, CI counts from 00, bit 4 marks the last. 1 <= `part_size` <= 250; at
/// most 16 parts.
std::vector<Buffer> encode_mbus_push(const MbusPush& push, std::size_t part_size);

/// Counted, never silent: what a line of pushes lost.
struct MbusCounters {
    std::uint64_t refused_frames = 0;  ///< noise, wrong checksum, no push (C, CI)
    std::uint64_t out_of_order = 0;    ///< segments that are not the next one; the set went with them
    std::uint64_t restarted = 0;       ///< sets that ended because a new one began
    std::uint64_t late = 0;            ///< sets that ended because nothing came
    std::uint64_t oversized = 0;       ///< sets beyond the bound
    std::uint64_t overflowed = 0;      ///< whole APDUs that nobody took in time
};

/// Receiver of a one-way line. Segments are put together by order alone: a gap in time, a segment that is not
/// the next one and a new first segment end an open set.
class MbusPushReceiver {
public:
    struct Config {
        std::size_t apdu_size_max = 4'000;           ///< octets; 16 segments of 250 are the most there can be
        Duration gap_max = std::chrono::seconds{1};  ///< between two deliveries of octets within a set
        std::size_t waiting_max = 64;                ///< whole APDUs that nobody took yet
    };
    explicit MbusPushReceiver(Config config) : config_(config) {}

    void feed(Bytes bytes, Instant now);
    std::optional<MbusPush> take();
    /// A set is open, or a frame has begun.
    bool partial() const { return set_.has_value() || decoder_.partial(); }
    MbusCounters counters() const;

private:
    void on_frame(const MbusFrame& frame);

    Config config_;
    MbusDecoder decoder_;
    std::optional<MbusPush> set_;
    std::uint8_t next_segment_ = 0;
    Instant last_at_{};
    std::deque<MbusPush> waiting_;
    MbusCounters counters_;
};

}  // namespace wattmesh::link
