#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/mesh/exchange_cache.h"
#include "protocol/mesh/image_receiver.h"
#include "protocol/mesh/join_candidates.h"
#include "protocol/mesh/last_gasp.h"
#include "protocol/mesh/medium_access.h"
#include "protocol/mesh/neighbour_table.h"
#include "protocol/mesh/node_state.h"
#include "protocol/mesh/trickle.h"

namespace wattmesh::mesh {

struct NodeSettings {
    DeviceNumber number;
    Key128 join_key;
    PhyRate rate = PhyRate::kbit50;
};
struct NodeCounters {
    std::uint32_t join_requests = 0, joins = 0, beacons = 0, reports = 0, forwarded_up = 0,
                  forwarded_down = 0, detours = 0;
    std::uint32_t route_errors = 0, loops_refused = 0, parent_changes = 0, orphaned = 0, dropped_up = 0;
    std::uint32_t repeated_requests = 0, join_tokens_refused = 0, roamed = 0, moved = 0, requests_refused = 0;
    NodeCounters& operator+=(const NodeCounters& other);
};

inline constexpr Duration join_window_min{1'000'000};  ///< of a joiner's first try

/// Meter side of the mesh: finds a parent, joins, passes packets on, hands requests to the application.
/// Sans-IO: the owner calls tick() at next_deadline(), received() for every intact PSDU, transmitted() at the
/// end of every transmission.
class Node final : public MacListener {
public:
    /// What the application is asked; answer() with the same ticket.
    struct Request {
        std::uint16_t ticket = 0;
        Buffer payload;
    };

    Node(const NodeSettings& settings, NodeState state, Ciphers& ciphers, Random& random,
         Transceiver& transceiver);

    /// Before start(); outlives the node. Without one every image is refused, and blocks are only passed on.
    void set_image_flash(ImageFlash* flash) { images_.set_flash(flash); }
    void start(Instant now);
    /// False: not for this node, and nothing about it has changed.
    bool received_psdu(Bytes psdu, std::int8_t rssi_dbm, Instant now) {
        if (!mac_.concerns(psdu)) {
            mac_.overheard();
            return false;
        }
        mac_.received(psdu, rssi_dbm, now);
        after(now);
        return true;
    }
    void transmitted(Instant now) {
        mac_.transmitted(now);
        after(now);
    }
    void tick(Instant now);
    Instant next_deadline() const;

    std::optional<Request> take_request();
    /// `payload` <= answer_size_max. An unknown ticket is ignored: the request is too old.
    void answer(std::uint16_t ticket, Buffer payload, Instant now);
    /// Something nobody asked for. Every node on the way keeps it for a minute at most, until the next one
    /// has it; nobody says whether it arrived. False: too much is waiting already. `payload` as above.
    bool notify(Buffer payload, Instant now);
    /// The mains have failed: from now on nothing but last gasps, LastGasp::frames_max at most, and no
    /// acknowledgement. The owner takes the energy away after LastGasp::lasts.
    void power_lost(Instant now);
    /// They came back before that.
    void power_restored(Instant now);
    bool gasping() const { return gasp_.under_way(); }
    static constexpr std::size_t answer_size_max = 208;  ///< octets; with two links a full frame less two

    const NodeState& state() const { return state_; }
    bool state_dirty() const { return state_dirty_; }
    void state_saved() { state_dirty_ = false; }

    bool joined() const { return state_.net_key.has_value(); }
    bool attached() const { return joined() && rank_ != rank_infinite; }
    std::uint16_t rank() const { return rank_; }
    std::uint8_t hops() const override { return hops_; }
    std::uint16_t parent() const { return parent_; }
    const NeighbourTable& neighbours() const { return neighbours_; }
    const MacCounters& mac_counters() const { return mac_.counters(); }
    const NodeCounters& counters() const { return counters_; }
    const ImageReceiver& images() const { return images_; }

private:
    struct PendingUp {
        FrameType type{};
        UpPacket packet;
        std::vector<std::uint16_t> tried;
        Instant expires{};
        int rounds = 0;  ///< how often all neighbours were tried
    };
    /// What nobody will ask for again: kept until somebody nearer has it, for a while.
    struct Held {
        PendingUp pending;
        Instant at{};
    };
    struct PendingDown {
        FrameType type{};
        DownPacket packet;
    };
    /// A block of an image that was heard lately; the same one from others is counted.
    struct Flood {
        std::uint32_t image = 0;
        std::uint16_t index = 0;
        std::uint8_t pass = 0;
        int copies = 0;
        Instant heard{}, send_at = never;
        Buffer body{};  ///< to be passed on; empty once it was, or when it is not
    };

    // node.cpp
    Acceptance received(const Arrival& arrival, Instant now) override;
    void sent(const Departure& departure, Instant now) override;
    void after(Instant now);
    void root_was_heard(Instant now);
    Instant root_lost_at() const;
    /// Frames of our PAN from a root, or from people who follow one, that is not the one we know.
    std::uint32_t foreign() const { return mac_.counters().not_authentic + mac_.counters().root_too_old; }
    void beacon_heard(const Arrival& arrival, const Beacon& beacon, Instant now);
    void send_beacon(Instant now);
    void send_solicit(Instant now);
    void keep_counter_ahead();
    Duration join_window(Instant now) const;
    int stretch() const;

    // node_parent.cpp
    void choose_parent(Instant now);
    bool worth_switching(int rank_through_parent, int rank_through_other, Instant now);
    void follow_rank(const Neighbour& parent);
    void set_parent(std::uint16_t address, Instant now);
    void orphaned(Instant now);
    void send_report(Instant now);
    void schedule_report(Instant at, bool reattached);

    // node_roam.cpp
    void foreign_beacon(const MacFrame& frame, std::int8_t rssi_dbm, Instant now) override;
    bool own_beacon_elsewhere(const Arrival& arrival, Instant now) override;
    void rival_beacon(const MacFrame& frame, std::int8_t rssi_dbm, Instant now) override;
    void know_version(std::uint16_t version);
    void roam(Instant now);
    bool cut_off(Instant now) const;

    // node_join.cpp
    void join_tick(Instant now);
    void choose_proxy(Instant now);
    bool air_is_busy(Instant now);
    Duration spread(Duration window);
    void ask_to_join(Instant now);
    void accept_heard(const Arrival& arrival, Instant now);
    void adopt(const JoinAccept& accept, const Key128& net_key, Instant now);
    void request_sent(const Departure& departure, Instant now);
    void leave(Instant now);
    Acceptance join_request_heard(const Arrival& arrival, Instant now);

    // node_forward.cpp
    bool send_up(FrameType type, std::uint16_t sequence, std::uint8_t attempt, std::uint8_t priority,
                 Buffer body, Instant now);
    bool pass_up(PendingUp pending, Instant now);
    std::optional<std::uint16_t> next_hop_up(PendingUp& pending, Instant now);
    Acceptance up_heard(const Arrival& arrival, Instant now);
    void up_sent(PendingUp pending, const Departure& departure, Instant now);
    bool hold(PendingUp pending, Instant now);
    void release_held(Instant now);
    Instant held_until() const;
    Acceptance down_heard(const Arrival& arrival, Instant now);
    void pass_down(PendingDown pending, std::uint16_t next_hop, Instant now);
    void down_sent(PendingDown pending, const Departure& departure, Instant now);
    void deliver(FrameType type, const DownPacket& packet, Instant now);
    void send_answer(const AnswerCache::Row& row, Instant now);
    bool takes(std::uint16_t sequence);
    void refuse_old(const NetworkHeader& header, Instant now);

    // node_key.cpp
    void start_keys(Instant now);
    bool learn_key(Bytes body);
    void switch_key(Instant now);
    void forget_other_key();
    bool needs_key() const;
    void key_tick(Instant now);

    // node_image.cpp
    void image_block_heard(const Arrival& arrival, Instant now);
    void pass_blocks_on(Instant now);
    Instant pass_on_at() const;
    std::optional<Buffer> image_asked(Bytes body);

    // node_outage.cpp
    void gasp_tick(Instant now);
    void gasp_heard(const Arrival& arrival, Instant now);
    void dark_known_heard(const MacFrame& frame);
    void report_dark(Instant now);

    NodeSettings settings_;
    NodeState state_;
    bool state_dirty_ = false;
    Ciphers& ciphers_;
    MediumAccess mac_;
    NodeCounters counters_;

    NeighbourTable neighbours_;
    Trickle trickle_;
    DeviceNumber concentrator_;
    std::uint16_t version_ = 0;
    bool version_known_ = false;
    std::uint16_t rank_ = rank_infinite, rank_beaconed_ = rank_infinite;
    std::uint8_t hops_ = 63;
    std::uint16_t parent_ = broadcast_address;
    Instant better_since_ = never, switched_at_{};
    bool back_with_others_ = false;  // started with keys: after a power cut, most likely
    Instant loop_told_at_{};
    int rank_low_ = 0;  // lowest since we hang on somebody, of the last ten minutes
    Instant rank_low_at_{};
    Instant poisoned_at_{};  // beacons heard before this may come from our own children

    // Other networks than ours.
    struct Elsewhere {
        JoinCandidate offer;
        Instant since = never;  ///< it has been much better than ours
        int times = 0;
    };
    std::optional<Elsewhere> elsewhere_;
    Instant detached_at_{};  ///< on nobody since then
    std::optional<Instant> roamed_at_;
    // Our own in another PAN, and another one in ours.
    Instant former_until_ = never, rival_answered_at_{}, rival_told_at_{};
    std::optional<DeviceNumber> rival_;

    Instant solicit_at_ = never;
    std::uint8_t solicits_ = 0;
    std::uint32_t not_authentic_seen_ = 0;
    Instant verified_at_{};
    Instant answered_at_{};  ///< last ACK of anybody
    int unanswered_ = 0;     ///< exchanges since then
    /// Last frame that can only come from a root with our net key.
    Instant root_heard_{};
    /// As last heard from somebody nearer to the root, and when.
    Duration join_window_{};
    Instant join_window_at_{};
    std::uint32_t foreign_at_root_ = 0;

    Instant report_at_ = never, report_sent_{};
    bool report_reattached_ = false;
    int reports_unconfirmed_ = 0;
    std::size_t report_turn_ = 0;
    std::uint16_t sequence_ = 0;

    JoinCandidates candidates_;
    Instant collect_until_ = never, ask_at_ = never, answer_until_ = never;
    int join_attempts_ = 0;
    Instant candidate_since_ = never;
    Instant ask_before_{};
    std::uint32_t heard_before_ = 0;
    std::uint16_t temporary_address_ = broadcast_address, joining_pan_ = 0, joining_over_ = broadcast_address;
    std::optional<JoinRequest> join_request_;
    std::int64_t join_tokens_q10_ = 0;
    Instant join_tokens_at_{};

    Instant key_forget_at_ = never;      ///< the key before the one in use
    Duration key_overlap_{600'000'000};  ///< as the root said with the next one
    bool key_asked_ = false;

    LastGasp gasp_;
    struct DarkPassed {
        std::uint16_t address = 0;
        Instant at{};
    };
    std::vector<std::uint16_t> dark_heard_;  ///< to be passed up
    std::vector<DarkPassed> dark_passed_;    ///< no more than once a minute each
    Instant dark_report_at_ = never;

    ImageReceiver images_;
    std::vector<Flood> floods_;

    DuplicateCache passed_;
    WayBack ways_back_;
    AnswerCache answers_;
    std::optional<std::uint16_t> sequence_top_;  ///< of the requests executed, or that may have been
    bool floor_untold_ = false;
    Instant refused_old_at_{};
    std::vector<Request> requests_;
    std::uint32_t tags_ = 0;
    std::map<std::uint32_t, PendingUp> up_;
    std::vector<Held> held_;
    std::map<std::uint32_t, PendingDown> down_;
};

}  // namespace wattmesh::mesh
