#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/mesh/frame.h"
#include "protocol/mesh/hop_security.h"

namespace wattmesh::mesh {

/// Relay commands; and below the five priorities of packets, blocks of a firmware image.
inline constexpr std::uint8_t priority_control = 0, priority_bulk = 5;

/// The radio chip: what the MAC asks of it.
class Transceiver {
public:
    virtual ~Transceiver() = default;
    /// Clear channel assessment now: energy, somebody's preamble, or our own transmission.
    virtual bool channel_busy() = 0;
    /// Sends after `lead` from now; MediumAccess::transmitted() follows when the last bit left.
    virtual void transmit(Buffer psdu, Duration lead) = 0;
};

/// One frame that arrived for us or for everybody.
struct Arrival {
    const MacFrame& frame;
    std::int8_t rssi_dbm = 0;
    bool verified = false;  ///< secured and its MIC is right
};
/// What became of one frame that was to be sent.
struct Departure {
    std::uint32_t tag = 0;
    std::uint16_t destination = 0;
    FrameType type{};
    TxOutcome outcome{};
    std::uint8_t tries = 0;  ///< transmissions, link evidence; 0 when the channel was never free
    std::int8_t rssi_dbm = 0;
};
class MacListener {
public:
    virtual ~MacListener() = default;
    /// Decides what the ACK says; must not block. `arrival` is only good during the call.
    virtual Acceptance received(const Arrival& arrival, Instant now) = 0;
    virtual void sent(const Departure& departure, Instant now) = 0;
    virtual std::uint8_t hops() const = 0;  ///< for the ACK
    /// A beacon of another PAN than ours. Nobody can check it.
    virtual void foreign_beacon(const MacFrame&, std::int8_t /*rssi_dbm*/, Instant /*now*/) {}
    /// A beacon of another PAN under a net key of ours: our network has moved, or somebody replays. True: we
    /// follow.
    virtual bool own_beacon_elsewhere(const Arrival&, Instant /*now*/) { return false; }
    /// A beacon of our PAN under a key that is not ours. Nobody can check it.
    virtual void rival_beacon(const MacFrame&, std::int8_t /*rssi_dbm*/, Instant /*now*/) {}
};

struct MacCounters {
    std::uint32_t sent = 0, received = 0, not_authentic = 0, replayed = 0, malformed = 0;
    std::uint32_t root_too_old = 0;  ///< authentic frames of a root that counts from an older state
    std::uint32_t heard = 0;         ///< intact PSDUs, other people's too: how full the air is
};

/// MAC of meter and radio module alike: CSMA with exponential back-off, four tries per hop spaced over a
/// fading period, ACK with the strength heard, hop MIC and replay window. Control overtakes a frame
/// that is not on the air yet, bulk is overtaken by all. Sans-IO: the owner calls tick() at
/// next_deadline(), received() and transmitted().
class MediumAccess {
public:
    struct Settings {
        PhyRate rate = PhyRate::kbit50;
        std::size_t queue_max = 16;
        std::size_t senders_max = 256;
    };
    struct Outgoing {
        std::uint16_t destination = 0;
        FrameType type{};
        bool secured = true;
        std::uint8_t priority = 3;
        Duration delay{};              ///< not before
        Duration lifetime{8'000'000};  ///< given up after this
        std::uint8_t tries_max = 4;
        std::uint32_t tag = 0;
        Buffer body;
        bool every_pan = false;  ///< a solicit to whatever network there is
    };

    MediumAccess(Settings settings, Ciphers& ciphers, Random& random, Transceiver& transceiver,
                 MacListener& listener);

    void set_address(std::optional<std::uint16_t> pan, std::uint16_t address);
    /// A PAN that our network has left: whoever still looks for it there is heard.
    void set_former_pan(std::optional<std::uint16_t> pan) { former_pan_ = pan; }
    HopSecurity& security() { return security_; }
    const HopSecurity& security() const { return security_; }
    const MacCounters& counters() const { return counters_; }
    std::size_t queued() const { return queue_.size(); }
    bool full() const { return queue_.size() >= settings_.queue_max; }

    /// False when the queue is full; otherwise MacListener::sent() follows for this tag.
    bool send(Outgoing outgoing, Instant now);
    /// Drops everything queued without telling.
    void reset();
    /// False: frames are heard as ever but not acknowledged, for whom every frame is dear.
    void set_acknowledging(bool on) { acknowledging_ = on; }

    /// False for a PSDU that received() would only count: an ACK nobody waits for, a frame for somebody else.
    bool concerns(Bytes psdu) const;
    void overheard() { ++counters_.heard; }
    /// A PSDU without bit errors was heard at `rssi_dbm`.
    void received(Bytes psdu, std::int8_t rssi_dbm, Instant now);
    void transmitted(Instant now);
    void tick(Instant now);
    Instant next_deadline() const;

    Duration acknowledge_airtime() const { return airtime(ack_size, settings_.rate); }
    Duration turnaround() const { return Duration{settings_.rate == PhyRate::kbit10 ? 2'000 : 1'000}; }
    std::uint32_t chance();

private:
    struct Entry {
        Outgoing out;
        Instant not_before{}, expires{};
        std::uint64_t order = 0;
        std::uint8_t tries = 0, busy = 0, crowded = 0;
        bool sealed = false;
        MacFrame frame{};  // body not set: the PSDU holds it
        Mic mic{};
        Buffer psdu;
    };
    enum class Phase : std::uint8_t { idle, backoff, on_air, wait_ack };

    void received_ack(Bytes psdu, Instant now);
    void received_elsewhere(const ReceivedFrame& received, std::int8_t rssi_dbm, Instant now);
    void acknowledge(const ReceivedFrame& received, Acceptance acceptance, std::int8_t rssi_dbm);
    bool pick(Instant now);
    bool overtaken(Instant now);
    void assess(Instant now);
    void draw_backoff(Instant now);
    void launch(Instant now);
    void try_failed(Instant now);
    void finish_current(TxOutcome outcome, std::int8_t rssi_dbm, Instant now);
    void expire(Instant now);
    Duration bits(std::int64_t count) const {
        return Duration{count * 1'000'000 / bits_per_second(settings_.rate)};
    }
    /// Time constants below are for 50 kbit/s and scale with the length of a frame.
    Duration scaled(std::int64_t us) const { return Duration{us * 50'000 / bits_per_second(settings_.rate)}; }

    Settings settings_;
    Random& random_;
    Transceiver& transceiver_;
    MacListener& listener_;
    HopSecurity security_;
    MacCounters counters_;
    std::optional<std::uint16_t> pan_, former_pan_;
    std::uint16_t address_ = broadcast_address;
    std::vector<Entry> queue_;
    std::uint64_t orders_ = 0;
    std::uint64_t current_ = 0;  // order of the entry being sent
    Phase phase_ = Phase::idle;
    bool sending_ack_ = false, clear_once_ = false, acknowledging_ = true;
    std::uint8_t sequence_ = 0;
    int exponent_ = 3, assessments_ = 0;
    Instant due_{};  // of back-off end or ACK
    Entry* current();
};

}  // namespace wattmesh::mesh
