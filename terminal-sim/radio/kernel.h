#pragma once
#include <map>
#include <memory>
#include <queue>

#include "protocol/mesh/node.h"
#include "terminal-sim/radio/channel.h"
#include "terminal-sim/radio/radio_field.h"
#include "terminal-sim/radio/radio_module.h"

namespace wattmesh::sim {

/// Chance for one station: octets of a keyed counter.
class StationRandom final : public Random {
public:
    StationRandom(std::uint64_t seed, std::uint64_t station) : key_(keyed(seed, 100, station)) {}
    void fill(std::span<std::uint8_t> out) override {
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (i % 8 == 0) word_ = mixed(key_ + ++drawn_);
            out[i] = static_cast<std::uint8_t>(word_ >> (i % 8 * 8));
        }
    }

private:
    std::uint64_t key_, drawn_ = 0, word_ = 0;
};

/// Radio front end of one station and whatever MAC stands behind it.
struct Station final : mesh::Transceiver {
    RadioField::Kernel* kernel = nullptr;
    std::size_t index = 0;
    DeviceNumber number;
    std::unique_ptr<StationRandom> random;
    std::unique_ptr<mesh::Node> node;     // a meter
    std::unique_ptr<RadioModule> module;  // or a concentrator's module
    Buffer state;                         // of a meter: kept over power cuts
    Key128 join_key;
    RadioField::Application application;
    bool alive = false;
    std::uint64_t generation = 0;

    bool transmitting = false;  // from the decision to send to the last bit
    Power signals = 0;          // everything on the air here
    std::int64_t locked = -1;   // transmission being received
    Power locked_power = 0;
    Mdb locked_mdbm = 0;
    Instant segment_from{};
    std::uint64_t loss_q32 = 0;
    Instant timer_at = never;
    std::uint64_t timer_token = 0;

    bool channel_busy() override;
    void transmit(Buffer psdu, Duration lead) override;
    Instant next_deadline() const;
    void tick(Instant now);
};

struct RadioField::Kernel : std::enable_shared_from_this<RadioField::Kernel> {
    Kernel(FieldSettings settings, const Layout& layout, std::vector<FieldMeter> meters,
           const std::vector<DeviceNumber>& concentrators, Ciphers& ciphers);

    enum class What : std::uint8_t { power_on, timer, begin, end, second, burst_begin, burst_end };
    struct Event {
        Instant at;
        std::uint64_t order;
        What what;
        std::size_t index;
        std::uint64_t token;
        bool operator>(const Event& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };
    struct Heard {
        std::size_t to;
        Power power;
        Mdb mdbm;
    };
    struct Transmission {
        std::size_t from = 0;
        std::uint64_t generation = 0;
        Buffer psdu;
        Instant begin{};
        std::vector<Heard> heard;
        bool busy = false;
    };

    void push(Instant at, What what, std::size_t index, std::uint64_t token = 0);
    /// False when it stopped early because a module has something for its host.
    bool run_until(Instant until);
    void handle(const Event& event);
    void power_on(Station& station);
    void power_off(Station& station);
    void schedule(Station& station);
    void pump(Station& station);
    void answer(std::size_t index, std::uint64_t generation, std::uint16_t ticket, Buffer payload);

    std::size_t reserve(Station& station, Buffer psdu);
    void begin(std::size_t slot);
    void end(std::size_t slot);
    void arrive(Station& station, std::size_t slot, const Heard& heard);
    void close_segment(Station& station);
    void look_for_burst(std::size_t second);
    void burst(std::size_t second, bool on);
    void trace(std::uint64_t a, std::uint64_t b) { trace_hash = mixed(trace_hash ^ a) ^ b; }
    Station* find(DeviceNumber number);
    bool usable(std::size_t a, std::size_t b) const;

    FieldSettings settings;
    Channel channel;
    Ciphers& ciphers;
    std::vector<std::unique_ptr<Station>> stations;  // meters, then modules
    std::size_t meter_count = 0;
    std::map<DeviceNumber, std::size_t> by_number;
    std::vector<std::vector<std::size_t>> reach;
    std::vector<Transmission> air;
    std::vector<std::size_t> air_free;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
    std::uint64_t orders = 0;
    Instant now{};
    bool host_called = false;
    FieldCounters counters;
    std::uint64_t trace_hash = 0;
};

}  // namespace wattmesh::sim
