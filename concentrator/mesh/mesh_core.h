#pragma once
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "concentrator/mesh/link_database.h"
#include "concentrator/mesh/membership.h"
#include "concentrator/mesh/mesh_root.h"
#include "concentrator/mesh/route_engine.h"
#include "concentrator/mesh/wired_meters.h"
#include "protocol/mesh/host_frame.h"
#include "protocol/mesh/last_gasp.h"
#include "protocol/mesh/link_estimator.h"
#include "protocol/mesh/trickle.h"

namespace wattmesh::concentrator {

/// Inside of MeshRoot; its parts are in mesh_core.cpp, mesh_join.cpp, mesh_read.cpp, mesh_wired.cpp,
/// mesh_outage.cpp, mesh_silence.cpp, mesh_key.cpp,
/// mesh_conduct.cpp, mesh_twin.cpp, mesh_pan.cpp, mesh_image.cpp and mesh_state.cpp.
struct MeshRoot::Core {
    Core(RootSettings settings, Ciphers& ciphers, Random& random);

    static constexpr int attempts_max = 8;
    struct Transaction {
        std::uint32_t handle = 0;
        DeviceNumber meter;
        Buffer payload;
        int priority = 3;
        Instant deadline{}, answer_by = never;
        Instant quiet_at{};  // when its frames should be off the air: then others may talk, answered or not
        bool flying = false, probe = false;
        bool key = false;        // a key_update, not data
        bool image = false;      // an image_request
        bool routeless = false;  // it waited in vain for a route
        std::uint16_t sequence = 0;
        int attempts = 0;
        bool alternative_used = false;
        int rests = 0;  // attempts are numbered 0 to 7; then a pause, and from 0 again
        bool resting = false;
        Route route;
        std::array<Instant, attempts_max> sent{};
        /// Where the attempts went; lost: the first hop took it, and nobody said anything since.
        struct Tried {
            std::vector<std::uint16_t> relays{};
            bool lost = false;
        };
        std::vector<Tried> tried;
        bool taken = false;  // by the first hop, the last attempt
        bool trial = false;  // of a relay: one attempt over the route given
    };
    enum class Loss : std::uint8_t {
        silent,     ///< nothing came back in time
        first_hop,  ///< the module could not hand it over
        told        ///< a relay says where it ended
    };
    enum class Purpose : std::uint8_t { plain, read, image };
    struct Sending {
        Purpose purpose{};
        std::uint16_t destination = 0;
        std::uint32_t handle = 0;
        int attempt = 0;
    };

    // mesh_core.cpp
    void tick(Instant now);
    Instant next_deadline() const;
    void receive(Bytes payload, Instant now);
    void connected(Instant now);
    void memory_was_lost(std::uint16_t seen, Instant now);
    void jump_counter();
    void transmit(std::uint16_t destination, mesh::FrameType type, bool secured, Buffer body,
                  Sending sending);
    void status_received(const mesh::host::Status& status, Instant now);
    void result_received(const mesh::host::TxResult& result, Instant now);
    void frame_received(const mesh::host::Rx& rx, Instant now);
    void send_beacon();
    std::uint8_t join_window_half_s() const;
    std::uint32_t chance();
    void generate_key();

    // mesh_join.cpp
    void set_meters(const std::vector<std::pair<DeviceNumber, Key128>>& meters);
    void set_leases(const std::vector<MemberLease>& leases);
    void dismiss(std::uint16_t address);
    void join_received(Bytes request, std::uint16_t proxy, std::uint16_t temporary, std::int8_t rssi,
                       Instant now);
    void send_accept(const mesh::JoinRequest& request, const Member& member, std::uint16_t proxy,
                     std::uint16_t temporary, Instant now);
    void unknown_meter(DeviceNumber meter, Instant now);
    void impostor(DeviceNumber meter, Instant now);
    void report_received(const mesh::UpPacket& packet, Instant now);
    void stranger_heard(const mesh::UpPacket& packet, std::uint16_t parent, Instant now);
    void send_leave(std::uint16_t address, const std::vector<std::uint16_t>& relays);
    void member_heard(Member& member, Instant now);
    void tell_joined(Member& member, Instant now, bool always);
    void went_offline(Member& member, Instant now);
    void delete_member(Member& member);
    void watch_members(Instant now);

    // mesh_read.cpp
    std::uint32_t send(DeviceNumber meter, Buffer payload, int priority, Instant now, Duration deadline,
                       bool probe);
    void launch_waiting(Instant now);
    bool may_launch(const Transaction& transaction, Instant now) const;
    void attempt(Transaction& transaction, Instant now);
    void attempt_failed(Transaction& transaction, Loss loss, Instant now);
    void finish(std::uint32_t handle, std::optional<Buffer> answer, Instant now);
    void answer_received(const mesh::UpPacket& packet, Instant now);
    std::uint16_t next_sequence(Member& member);
    void ask_above(Transaction& transaction, Member& member, std::uint16_t floor, Instant now);
    void error_received(const mesh::UpPacket& packet, Instant now);
    void read_failed(Member& member, Instant now);
    Duration answer_time(const Member& member, std::size_t hops) const;
    Duration expected_time(const Member& member, std::size_t hops) const;
    void learn_round_trip(Member& member, Duration took, std::size_t hops);
    std::optional<Route> choose_route(const Transaction& transaction, const Member& member, Instant now);
    void refresh_routes(Instant now, bool must);
    int flying() const;

    // mesh_key.cpp
    void update_key(Instant now);
    void expel(Instant now);
    void work_key(Instant now);
    void give_key(Member& member, Instant now);
    void use_next_key(Instant now);
    void begin_key_anew();
    void tell_module_keys();
    void key_was_taken(DeviceNumber meter);
    bool waits_for_key(const Member& member) const;

    // mesh_conduct.cpp
    /// A relay is tried: probes to it, and through it to neighbours of whom it is known that they hear each
    /// other.
    struct Trial {
        DeviceNumber suspect;
        std::vector<std::uint16_t> targets{};
        int sent = 0, reached = 0, unreached = 0, passed = 0, lost = 0;
        std::uint32_t handle = 0;  ///< of the probe that is out; 0: none
        bool through = false;
        Instant next{};
    };
    void judge_relays(const Transaction& transaction, std::size_t answered, Instant now);
    void try_at(Member& member, Instant at);
    void undecided(Member& member, Instant now);
    void begin_trial(Member& member, Instant now);
    void work_trial(Instant now);
    void probe_trial(Member& suspect, Instant now);
    void trial_finished(const Transaction& transaction, bool answered, Instant now);
    void end_trial(Instant now);
    void evict(Member& member, Instant now);
    void put_on_probation(Member& member, Instant now);
    Instant trial_deadline() const;

    // mesh_twin.cpp
    /// The place of a member that has joined anew while it was there: is somebody still in it?
    struct Place {
        DeviceNumber meter;
        std::uint16_t address = 0, sequence = 0;
        std::vector<std::uint16_t> relays{};
        int asked = 0;
        Instant next{};
    };
    void look_for_twin(Member& member, Instant now);
    void work_twins(Instant now);
    bool twin_heard(const mesh::UpPacket& packet, Instant now);
    bool may_have_twin(DeviceNumber meter) const;
    Instant twin_deadline() const;

    // mesh_pan.cpp
    void rival_heard(DeviceNumber other, Instant now);
    void tell_clash(DeviceNumber other, std::uint16_t before);
    void move_pan(DeviceNumber other, Instant now);

    // mesh_image.cpp
    struct Distribution {
        mesh::ImageOffer offer;
        Buffer octets;
        ImageSender sender;
        Instant ends_at{}, next_at{};
        Instant held_since = never;      // by what comes first
        std::uint16_t block_handle = 0;  // of the block that the module has not sent yet; 0: none
    };
    bool distribute_image(ImageOrder order, Instant now);
    void stop_image();
    void work_image(Instant now);
    bool image_held_back(Instant now);
    ImageSender::Ways image_ways(Instant now);
    Duration block_gap() const;
    mesh::ImagePiece piece_of_image(std::uint16_t index) const;
    void ask_for_image(DeviceNumber meter, Buffer body, Instant now);
    void image_answered(DeviceNumber meter, const std::optional<Buffer>& answer, Instant now);

    // mesh_wired.cpp
    /// A request to a wired meter: it waits for a place in a group to its collector.
    struct WiredRequest {
        DeviceNumber meter;
        Buffer payload;
        int priority = 3;
        Instant deadline{}, not_before{};
        int asked = 0;           ///< times it was in a group
        bool under_way = false;  ///< in a group that has not come back
        bool hand_over = false;  ///< the collector has the answer, or soon will
    };
    /// A transaction with a collector, not with a meter.
    struct Errand {
        struct Item {
            std::uint32_t handle = 0;
            std::uint8_t sub = 0;
        };
        DeviceNumber collector;
        std::uint8_t table_from = 0;  ///< 0: a group
        std::vector<Item> items;
    };
    void set_collectors(const std::vector<DeviceNumber>& numbers);
    std::uint32_t send_wired(DeviceNumber meter, Buffer payload, int priority, Instant now,
                             Duration deadline);
    void notice_received(const mesh::UpPacket& packet, Instant now);
    void errand_finished(std::uint32_t handle, const std::optional<Buffer>& answer, Instant now);
    void group_finished(const Errand& errand, const std::optional<Buffer>& answer, Instant now);
    void item_finished(std::uint32_t handle, const collector::GroupAnswer::Item& item, Instant now);
    void table_finished(const Errand& errand, const std::optional<Buffer>& answer, Instant now);
    void wired_failed(std::uint32_t handle, bool again, Instant now);
    void work_wired(Instant now);
    void send_group(DeviceNumber collector, Instant now);
    void start_errand(Errand errand, Buffer payload, int priority, Duration deadline, Instant now);
    void move_to_radio(std::uint32_t handle, WiredRequest request, Instant now);
    void judge_wired(Instant now);
    void apply(const std::vector<WiredMeters::Change>& changes, Instant now);
    void tell_wired(Member& member, WiredPlace& place, Instant now);
    Instant wired_deadline() const;
    WiredMeters::Radio radio_of(DeviceNumber meter) const;
    void fill_wired(dcu::TopologyNode& node, const WiredPlace& place) const;

    // mesh_outage.cpp
    /// A power cut: last gasps are collected for a while, then it is told.
    struct PowerCut {
        Instant began = never, known_at = never, ask_at = never, close_at = never;
        bool news = false;  ///< since the dark were last told whom we know
        std::size_t members = 0, reported = 0, inferred = 0;
        std::size_t back = 0;
        Instant back_at = never;  ///< the last one that came back
        // Silence is being looked into.
        std::uint16_t branch =
            mesh::root_address;  ///< first relay; the root: everybody; broadcast: who has no route
        Instant witness_from{}, witness_until = never;
        std::vector<std::uint16_t> witnesses;
        bool collecting() const { return close_at != never; }
    };
    void begin_outage(Instant at);
    void ask_doubtful(Instant now);
    void dark_heard(const mesh::DarkList& list, Instant now);
    void went_dark(Member& member, Power power, Instant now);
    void alive(Member& member, bool sure, Instant now);
    void work_outage(Instant now);
    Instant outage_deadline() const;
    void tell_dark_known(Instant now);
    bool on_air(const Member& member) const;
    bool surely_dark(const Member& member) const;
    void close_outage(Instant now);
    void tell_outage();

    // mesh_silence.cpp
    void fell_silent(const Member& member, Instant now);
    std::vector<std::uint16_t> common_relays(Instant since) const;
    std::vector<std::uint16_t> border(Instant now) const;
    void ask_witnesses(std::vector<std::uint16_t> suspects, Instant now);
    bool usable(std::uint16_t from, std::uint16_t to, Instant now) const;
    std::vector<bool> reached_without(const std::vector<std::uint16_t>& mute, Instant now) const;
    void take_along(std::vector<std::uint16_t>& dark, Instant now) const;
    void judge_silence(Instant now);
    void infer_dark(std::uint16_t address, Instant now);
    void infer_around(Instant now);
    std::uint16_t branch_of(std::uint16_t address) const;
    bool in_branch(const Member& member) const;

    // mesh_state.cpp
    Buffer save() const;
    bool restore(Bytes state);
    std::vector<dcu::TopologyNode> topology() const;
    DeviceNumber number_of(std::uint16_t address) const;

    RootSettings settings;
    Ciphers& ciphers;
    Random& random;

    std::uint16_t pan;  ///< in use
    /// The network last heard in it that is not ours.
    struct Rival {
        DeviceNumber concentrator;
        Instant since{}, heard{};
        int times = 0;
    };
    std::optional<Rival> rival;
    std::optional<Instant> moved_at;
    Instant rival_answered_at{};

    Membership members;
    LinkDatabase links;
    RouteGraph graph;
    RouteTree tree;
    std::uint64_t tree_revision = ~std::uint64_t{0};
    Instant tree_at{};
    std::map<std::uint16_t, mesh::LinkEstimator> first_hops;

    std::optional<Key128> net_key;
    std::uint16_t key_number = 1;
    std::optional<Key128> key_next, key_before;
    bool key_expels = false, expel_again = false;
    std::optional<Trial> trial;
    std::vector<Place> left_places;
    Instant trial_due = never;
    Instant crowded_until{};  // many join, frames collide: what vanishes now is nobody's doing
    std::uint32_t key_next_counter = 1;
    Instant key_began = never, key_forget_at = never, key_work_at = never, key_told_at{};
    std::uint32_t counter_limit = 1, counter_start = 1;
    std::uint16_t version = 0;
    bool dirty = false;

    bool started = false, module_ready = false;
    Instant init_at = never, status_at = never;
    mesh::Trickle trickle;
    std::deque<Buffer> output;
    std::deque<MeshEvent> events;
    std::map<std::uint16_t, Sending> sendings;
    std::uint16_t sending_last = 0;

    std::map<std::uint32_t, Transaction> transactions;  // by handle: oldest first
    std::uint32_t handle_last = 0;
    int window_q4 = 2 * 16;
    std::int64_t hop_round_trip_us = 0;
    dcu::Statistics statistics;
    std::uint32_t module_refused = 0;

    WiredMeters wired;
    bool judge_due = false;                                // a distrust was taken back
    std::map<std::uint32_t, WiredRequest> wired_requests;  // by handle: oldest first
    std::map<std::uint32_t, Errand> errands;               // by handle of their transaction
    std::map<DeviceNumber, std::uint8_t> refused_told;     // by collector

    std::optional<Distribution> image;
    PowerCut outage;
    std::vector<std::pair<std::uint16_t, Instant>> silent_since;  // reads that failed, by address

    struct Stranger {
        DeviceNumber meter;
        Instant told{};
    };
    std::vector<Stranger> strangers, impostors, rivals;
    static bool told_lately(std::vector<Stranger>& list, DeviceNumber meter, Instant now);
    Instant watch_at = never;
    Instant clock{};  // of the last call that told the time
};

}  // namespace wattmesh::concentrator
