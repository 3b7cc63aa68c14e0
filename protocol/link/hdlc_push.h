#pragma once
#include <deque>
#include <optional>

#include "protocol/base/time.h"
#include "protocol/link/hdlc.h"

namespace wattmesh::link {

/// An APDU that came or goes in UI frames, outside every connection (IEC 62056-46, 6.4.3.7; uplink fact sheet
/// 4).
struct HdlcPush {
    HdlcAddress destination{}, source{};
    Buffer apdu{};
    friend bool operator==(const HdlcPush&, const HdlcPush&) = default;
};

/// The frames of a push: LLC header in the first, control 03 with the segmentation bit in all but the last,
/// 13 in the last. `information_size` >= 4 octets.
std::vector<Buffer> encode_hdlc_push(const HdlcPush& push, bool to_client, std::size_t information_size);

/// Counted, never silent: what a line of pushes lost.
struct HdlcPushCounters {
    std::uint64_t refused_frames = 0;  ///< noise, wrong checksum, no UI frame, no LLC header
    std::uint64_t unconnected = 0;     ///< I frames without a connection (Kaifa MA304), taken or not
    std::uint64_t broken_sets = 0;     ///< segments whose first or last is missing, or that came too late
    std::uint64_t oversized = 0;       ///< sets beyond the bound
    std::uint64_t overflowed = 0;      ///< whole APDUs that nobody took in time
};

/// Puts UI frames together. A frame without LLC header is taken where it can be: as a further segment, or as
/// a block of general-block-transfer (Landis+Gyr E450 leaves the header out of all blocks but the first). UI
/// frames have no numbers: a middle segment that is lost shows in the APDU only.
class HdlcPushAssembler {
public:
    struct Config {
        std::size_t apdu_size_max = 65'536;
        /// I frames that come without a connection are pushes, too (Kaifa MA304: control 10).
        bool take_unconnected = false;
    };
    explicit HdlcPushAssembler(Config config) : config_(config) {}

    /// The whole APDU, when this frame ends one.
    std::optional<HdlcPush> add(const HdlcFrame& frame);
    /// A set is open.
    bool partial() const { return set_.has_value(); }
    /// Drops and counts the open set.
    void drop();
    const HdlcPushCounters& counters() const { return counters_; }

private:
    Config config_;
    std::optional<HdlcPush> set_;
    HdlcPushCounters counters_;
};

/// Receiver of a one-way line (a customer interface): whatever address the frames have.
class HdlcPushReceiver {
public:
    struct Config {
        HdlcPushAssembler::Config assembly{};
        Duration gap_max = std::chrono::seconds{2};  ///< between two segments of a set
        std::size_t waiting_max = 64;                ///< whole APDUs that nobody took yet
    };
    explicit HdlcPushReceiver(Config config) : config_(config), assembler_(config.assembly) {}

    void feed(Bytes bytes, Instant now);
    std::optional<HdlcPush> take();
    HdlcPushCounters counters() const;

private:
    Config config_;
    HdlcDecoder decoder_;
    HdlcPushAssembler assembler_;
    Instant last_at_{};
    std::deque<HdlcPush> waiting_;
    std::uint64_t overflowed_ = 0;
};

}  // namespace wattmesh::link
