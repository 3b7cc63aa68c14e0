#pragma once
#include <map>
#include <memory>
#include <queue>

#include "protocol/mesh/node.h"
#include "terminal-sim/radio/air.h"
#include "terminal-sim/radio/channel.h"
#include "terminal-sim/radio/duty_ledger.h"
#include "terminal-sim/radio/oracle.h"
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

/// A crystal that is a few millionths off: what the station takes for the time.
struct LocalClock {
    Instant origin{};
    std::int64_t parts_per_billion = 0;

    Instant at(Instant true_time) const {
        return true_time + (true_time - origin) * parts_per_billion / 1'000'000'000;
    }
    /// The first true instant at which it shows `local` or later.
    Instant when(Instant local) const {
        if (local == never) return never;
        Instant found = local - (local - origin) * parts_per_billion / 1'000'000'000;
        while (at(found) < local) found += Duration{1};
        while (at(found - Duration{1}) >= local) found -= Duration{1};
        return found;
    }
};

/// Radio front end of one station and whatever MAC stands behind it, which knows only the local time.
struct Station final : mesh::Transceiver {
    Station(RadioField::Kernel& field, std::size_t number_in_field, DeviceNumber device);

    RadioField::Kernel& kernel;
    std::size_t index;
    DeviceNumber number;
    StationRandom random;
    LocalClock clock;
    DutyLedger ledger;
    std::unique_ptr<mesh::Node> node;       // a meter
    std::unique_ptr<RadioModule> module;    // or a concentrator's module
    std::unique_ptr<RadioProgram> program;  // or, in place of either, something else
    ProgramMaker make_program;
    Buffer state;  // of a meter: kept over power cuts
    Key128 join_key;
    RadioField::Application application;
    mesh::ImageFlash* image_flash = nullptr;  // of a meter: kept over power cuts by its owner
    bool alive = false;
    std::uint64_t generation = 0;
    Instant timer_at = never;
    std::uint64_t timer_token = 0;

    bool channel_busy() override;
    void transmit(Buffer psdu, Duration lead) override;

    Instant next_deadline() const;
    void start(Instant now);
    void tick(Instant now);
    bool received(Bytes psdu, std::int8_t rssi_dbm, Instant now);  ///< false: nothing has changed
    void transmitted(Instant now);
};

struct RadioField::Kernel : std::enable_shared_from_this<RadioField::Kernel> {
    Kernel(FieldSettings settings, const Layout& layout, std::vector<FieldMeter> meters,
           const std::vector<DeviceNumber>& concentrators, Ciphers& ciphers);

    enum class What : std::uint8_t { power_on, spent, timer, begin, end, second, burst_begin, burst_end };
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
    /// From the decision to send to the last bit.
    struct Sending {
        std::size_t from = 0;
        std::uint64_t generation = 0;
        Buffer psdu;
        std::size_t transmission = 0;
        bool foreign = false;  // of a radio that is no station: nobody behind it is told
    };

    void push(Instant at, What what, std::size_t index, std::uint64_t token = 0);
    /// False when it stopped early because a module has something for its host.
    bool run_until(Instant until);
    void handle(const Event& event);
    void power_on(Station& station);
    void power_off(Station& station);
    void power_fails(Station& station);
    void schedule(Station& station);
    void pump(Station& station);
    void answer(std::size_t index, std::uint64_t generation, std::uint16_t ticket, Buffer payload);

    void send(Station& station, Buffer psdu, Duration lead, bool foreign = false);
    void begin(std::size_t slot);
    void end(std::size_t slot);
    void look_for_bursts(std::size_t second);
    void burst(std::size_t second, std::size_t which, bool on);
    void trace(std::uint64_t a, std::uint64_t b) { trace_hash = mixed(trace_hash ^ a) ^ b; }
    Station* find(DeviceNumber number);
    Oracle& oracle();

    FieldSettings settings;
    Channel channel;
    std::unique_ptr<Oracle> oracle_;  // made when first asked
    Ciphers& ciphers;
    std::vector<std::unique_ptr<Station>> stations;  // meters, then modules
    std::size_t meter_count = 0;
    std::map<DeviceNumber, std::size_t> by_number;
    Air air;
    std::vector<Sending> sendings;
    std::vector<std::size_t> sendings_free;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
    std::uint64_t orders = 0;
    Instant now{};
    bool host_called = false;
    std::vector<Air::Reception> intact;
    RadioField::Observer observer;
    FieldCounters counters;
    std::uint64_t trace_hash = 0;
};

}  // namespace wattmesh::sim
