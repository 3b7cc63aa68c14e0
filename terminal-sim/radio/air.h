#pragma once
#include <cstdint>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/mesh/frame.h"
#include "terminal-sim/radio/channel.h"

namespace wattmesh::sim {

/// The air between the radios: what is sent, on which channel, and what every receiver makes of it
/// (README.md: sensitivity, capture, half duplex, one channel heard at a time, interference by stretches).
/// Knows no protocol; the caller tells it the time, which never goes back.
class Air {
public:
    /// `channel` outlives this.
    Air(const Channel& channel, std::uint64_t seed, mesh::PhyRate rate, Instant start);

    /// A radio that is off hears nothing. It keeps its channel.
    void power(std::size_t node, bool on);
    bool powered(std::size_t node) const { return receivers_[node].on; }
    /// Listens and sends here from now on; a frame being received is lost.
    void tune(std::size_t node, int channel, Instant now);
    int channel_of(std::size_t node) const { return receivers_[node].channel; }
    /// Clear channel assessment: -92 dBm of energy, a frame being received, or own sending.
    bool busy(std::size_t node) const;
    /// From the decision to send on, a radio is deaf.
    void start_sending(std::size_t node) {
        receivers_[node].sending = true;
        receivers_[node].locked = -1;
    }
    void stop_sending(std::size_t node) { receivers_[node].sending = false; }

    /// The first bit leaves `from`. The number is good until end().
    std::size_t begin(std::size_t from, std::size_t psdu_size, Instant now);
    struct Reception {
        std::size_t node = 0;
        std::int8_t rssi_dbm = 0;
        bool intact = false;
    };
    /// The last bit has left; every receiver that was locked on it. `cut`: the sender fell silent before.
    const std::vector<Reception>& end(std::size_t transmission, bool cut, Instant now);

    void burst(const Channel::Burst& burst, bool on, Instant now);
    /// Energy that is no frame, the same at every receiver within a circle.
    struct Jam {
        int channel = 0;
        Mdb mdbm = 0;
        std::int32_t x_cm = 0, y_cm = 0, radius_cm = 0;
        friend bool operator==(const Jam&, const Jam&) = default;
    };
    /// Every jam that was turned on is turned off with the same values.
    void jam(const Jam& jam, bool on, Instant now);

    /// Who could ever hear `from`: others are left out of every computation.
    const std::vector<Link>& reach(std::size_t from) const { return reach_[from]; }

private:
    struct Heard {
        std::size_t to;
        Power power;
        Mdb mdbm;
    };
    struct Transmission {
        std::size_t from = 0, psdu_size = 0;
        int channel = 0;
        Instant begin{};
        std::vector<Heard> heard;
        bool on_air = false;
    };
    struct Receiver {
        bool on = false, sending = false;
        int channel = 0;
        Power signals = 0;         // everything on the air here
        std::int64_t locked = -1;  // transmission being received
        Power locked_power = 0;
        Mdb locked_mdbm = 0;
        Instant segment_from{};
        std::uint64_t loss_q32 = 0;
    };
    struct LiveJam {
        Jam jam;
        std::vector<std::size_t> near;
    };
    static Power leaking(Power power, int sent_on, int heard_on);
    void arrive(std::size_t transmission, const Heard& heard, Instant now);
    void close_segment(std::size_t node, Instant now);

    const Channel& channel_;
    std::uint64_t seed_;
    mesh::PhyRate rate_;
    std::vector<Receiver> receivers_;
    std::vector<std::vector<Link>> reach_;
    std::vector<Transmission> transmissions_;
    std::vector<std::size_t> free_;
    std::vector<LiveJam> jams_;
    std::vector<Reception> ended_;
};

}  // namespace wattmesh::sim
