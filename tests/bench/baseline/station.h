#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "concentrator/mesh/mesh_root.h"
#include "protocol/mesh/link_estimator.h"
#include "protocol/mesh/medium_access.h"
#include "protocol/mesh/network.h"
#include "terminal-sim/radio/radio_program.h"
#include "tests/bench/baseline/baseline.h"

namespace wattmesh::bench {

constexpr std::uint16_t address_of(std::size_t meter) { return static_cast<std::uint16_t>(meter + 1); }
constexpr std::size_t meter_at(std::uint16_t address) { return address - 1U; }

struct Book {
    Rival rival{};
    mesh::PhyRate rate{};
    std::size_t meters = 0, answer_size = 0;
    Ciphers* ciphers = nullptr;
    // For measuring.
    std::vector<std::uint32_t> boots;  ///< by address: frame counters go on over power cuts
    std::vector<bool> attached;        ///< by address: has a way up
    std::uint64_t parent_changes = 0;
    std::map<std::uint16_t, std::map<std::uint16_t, std::uint16_t>>
        forward;  ///< reactive: next hops, by address
    // Of the root.
    std::vector<bool> joined;  ///< by address
    std::deque<concentrator::MeshEvent> events;
    std::uint32_t handles = 0;

    std::int64_t slow() const { return rate == mesh::PhyRate::kbit10 ? 5 : 1; }
    Duration scaled(Duration span) const { return span * slow(); }
};

/// Sizes of our two-message join, for all: what a rival says in a registration has this length.
inline constexpr std::size_t registration_size = 43, acceptance_size = 57;
/// Body that begins with `words`, filled up to `size`.
Buffer words(const std::vector<std::uint16_t>& words, std::size_t size = 0);
std::uint16_t word(Bytes body, std::size_t index);

/// One radio of a rival: the product's MAC, timers, and passing on of packets. Net key and addresses are
/// there from the beginning.
class RivalStation : public sim::RadioProgram, public mesh::MacListener {
public:
    RivalStation(Book& book, std::uint16_t address, mesh::Transceiver& radio, Random& random);

    void start(Instant now) final;
    bool received(Bytes psdu, std::int8_t rssi_dbm, Instant now) final;
    void transmitted(Instant now) final;
    void tick(Instant now) final;
    Instant next_deadline() const final;

protected:
    using Done = std::function<void(bool acknowledged, int tries)>;
    struct Heard {
        std::uint16_t from = 0;
        std::int8_t rssi_dbm = 0;
        mesh::FrameType type{};
    };
    virtual void begin() = 0;
    /// beacon or solicit, to all or to us alone.
    virtual void control(const Heard& heard, Bytes body) = 0;
    /// Where a packet goes next; nothing: it ends here without having arrived.
    virtual std::optional<std::uint16_t> next_up(const mesh::UpPacket& packet) = 0;
    virtual std::optional<std::uint16_t> next_down(mesh::DownPacket& packet);
    virtual void passed_up(const mesh::UpPacket&, std::uint16_t /*from*/) {}
    virtual void passed_down(const mesh::DownPacket&, std::uint16_t /*from*/) {}
    /// Arrived: at the root up, at a meter down (not data_down, which is answered).
    virtual void arrived_up(mesh::FrameType, const mesh::UpPacket&, const Heard&) {}
    virtual void arrived_down(mesh::FrameType, const mesh::DownPacket&) {}
    /// A frame to a neighbour was or was not acknowledged.
    virtual void exchanged(std::uint16_t /*neighbour*/, bool /*acknowledged*/, int /*tries*/) {}
    virtual void stuck_down(const mesh::DownPacket&) {}
    /// False: this packet goes in a circle, it ends here.
    virtual bool may_pass_up(const mesh::UpPacket&) { return true; }
    virtual std::uint16_t rank() const { return 0; }

    void broadcast(mesh::FrameType type, Buffer body);
    void unicast(std::uint16_t to, mesh::FrameType type, Buffer body, int priority, Done done = {});
    bool send_up(mesh::FrameType type, mesh::UpPacket packet);
    void send_down(mesh::FrameType type, mesh::DownPacket packet, const Done& done = {});
    mesh::UpPacket to_root(Buffer body);
    mesh::DownPacket to_meter(std::uint16_t target, const std::vector<std::uint16_t>& relays, Buffer body);
    void after(Duration delay, std::function<void()> what);
    Duration within(Duration span);  ///< U(0, span)
    std::uint32_t chance() { return mac_.chance(); }

    Book& book_;
    const std::uint16_t address_;
    Instant now_{};

private:
    mesh::Acceptance received(const mesh::Arrival& arrival, Instant now) final;
    void sent(const mesh::Departure& departure, Instant now) final;
    std::uint8_t hops() const final { return 0; }
    void down_heard(mesh::DownPacket packet, const Heard& heard);
    void up_heard(mesh::UpPacket packet, const Heard& heard);

    mesh::MediumAccess mac_;
    std::multimap<Instant, std::function<void()>> timers_;
    std::map<std::uint32_t, Done> pending_;
    std::uint32_t tags_ = 0;
    std::uint16_t sequence_ = 0;
};

/// The root's reading engine, the same for all rivals: one request at a time, asked again when the answer's
/// time (0.9 s + 0.25 s a hop, as the product's shortest) is over.
class RivalRoot : public RivalStation {
public:
    using RivalStation::RivalStation;
    void ask(std::uint32_t handle, std::uint16_t meter, std::size_t request_size, Duration deadline);
    virtual std::optional<std::vector<std::uint16_t>> route(std::uint16_t meter) const = 0;
    bool output_new() final { return std::exchange(output_new_, false); }

protected:
    /// Of the n-th attempt; rivals with one route say the same again.
    virtual std::optional<std::vector<std::uint16_t>> route_for(std::uint16_t meter, int /*attempt*/) {
        return route(meter);
    }
    /// Somebody wants a meter that no route is known to.
    virtual void wanted(std::uint16_t /*meter*/) {}
    virtual void unanswered(std::uint16_t /*meter*/) {}
    virtual void registered(mesh::FrameType, const mesh::UpPacket&, const Heard&) = 0;
    void joined(std::uint16_t meter);
    void pump();
    void first_hop_failed();

    void arrived_up(mesh::FrameType type, const mesh::UpPacket& packet, const Heard& heard) final;
    std::optional<std::uint16_t> next_up(const mesh::UpPacket&) override { return std::nullopt; }

private:
    struct Read {
        std::uint32_t handle = 0;
        std::uint16_t meter = 0;
        std::size_t size = 0;
        Instant deadline{};
        int attempts = 0;
        std::uint16_t sequence = 0;
        std::uint64_t turn = 0;
    };
    void attempt();
    void finish(bool answered);
    void event(concentrator::MeshEvent event) {
        book_.events.push_back(std::move(event));
        output_new_ = true;
    }
    std::deque<Read> waiting_;
    std::optional<Read> flying_;
    std::uint16_t reads_ = 0;
    std::uint64_t turns_ = 0;
    bool output_new_ = false;
};

// One maker per rival.
std::unique_ptr<RivalStation> minhop_meter(Book&, std::uint16_t, mesh::Transceiver&, Random&);
std::unique_ptr<RivalRoot> minhop_root(Book&, mesh::Transceiver&, Random&);
std::unique_ptr<RivalStation> rpl_meter(Book&, std::uint16_t, mesh::Transceiver&, Random&);
std::unique_ptr<RivalRoot> rpl_root(Book&, mesh::Transceiver&, Random&);
std::unique_ptr<RivalStation> central_meter(Book&, std::uint16_t, mesh::Transceiver&, Random&);
std::unique_ptr<RivalRoot> central_root(Book&, mesh::Transceiver&, Random&);
std::unique_ptr<RivalStation> reactive_meter(Book&, std::uint16_t, mesh::Transceiver&, Random&);
std::unique_ptr<RivalRoot> reactive_root(Book&, mesh::Transceiver&, Random&);

}  // namespace wattmesh::bench
