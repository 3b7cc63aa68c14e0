#pragma once
#include <memory>

#include "protocol/dlms/server.h"
#include "terminal-sim/field/field_state.h"
#include "terminal-sim/field/population.h"
#include "terminal-sim/field/shipment.h"
#include "terminal-sim/meter/held_keys.h"
#include "terminal-sim/radio/radio_field.h"

namespace wattmesh::sim {

struct FieldOptions {
    Instant start{};         ///< simulated time at which the field begins
    Instant installed_at{};  ///< history begins here; a state folder remembers the first one
    mesh::PhyRate rate = mesh::PhyRate::kbit50;
    Duration power_on_spread{3'000'000};
    std::filesystem::path state_folder;  ///< empty: nothing outlives the object
    std::filesystem::path truth_file;    ///< empty: the truth is kept in memory only
    bool keep_truth_rows = true;         ///< queryable by truth().rows()
};

/// A radio field with a COSEM meter at every node and a host port per concentrator. Time passes only in
/// run_until(); the same class runs in virtual time (tests/fleet) and behind sockets (terminal-sim field).
/// One thread.
class Field {
public:
    /// `shipment` has the keys of every meter of the town. `ciphers` and `random` outlive it. Throws
    /// std::runtime_error naming the file or the meter that does not fit.
    Field(const Town& town, const Shipment& shipment, const FieldOptions& options, Ciphers& ciphers,
          Random& random);
    ~Field();
    Field(const Field&) = delete;
    Field& operator=(const Field&) = delete;

    void run_until(Instant now);
    Instant now() const { return radio_->now(); }
    /// When the field has something to do by itself; wait at most until then.
    Instant next_event() const { return radio_->next_event(); }

    /// Host side of concentrator `index`'s radio module: payloads of protocol/mesh/host_frame.h.
    std::size_t concentrators() const { return town_.concentrators.size(); }
    void feed(std::size_t concentrator, Bytes host_payload) { radio_->feed(concentrator, host_payload); }
    std::optional<Buffer> take(std::size_t concentrator) { return radio_->take(concentrator); }

    /// Meters lose their radio, concentrators their module; metering goes on. False for an unknown number.
    bool kill(const DeviceNumber& device) { return radio_->kill(device); }
    bool revive(const DeviceNumber& device) { return radio_->revive(device); }

    struct Status {
        std::size_t meters = 0, alive = 0, joined = 0, unreachable = 0;
        int hops_max = 0;  ///< of the shortest usable paths now
        FieldCounters radio;
        std::vector<DeviceNumber> dead;
    };
    Status status() const;

    const Town& town() const { return town_; }
    const Truth& truth() const { return truth_; }
    const Population& population() const { return *population_; }
    RadioField& radio() { return *radio_; }
    const dlms::ServerCounters& server_counters(std::size_t meter) const {
        return servers_[meter]->counters();
    }

    /// Writes what changed to the state folder; nothing to do without one. Also done by itself when something
    /// was done to a meter.
    void save();

private:
    void connect(std::size_t meter);
    std::size_t deeds_done() const;

    Town town_;
    std::filesystem::path state_file_;
    Instant installed_at_;
    Truth truth_;
    std::unique_ptr<CounterFile> counters_;
    KeyFile key_file_;
    std::vector<std::unique_ptr<HeldKeys>> held_keys_;
    std::unique_ptr<Population> population_;
    std::vector<std::shared_ptr<dlms::Server>> servers_;
    std::unique_ptr<RadioField> radio_;  ///< after what its callbacks use
    std::size_t deeds_saved_ = 0;
    Buffer saved_;
};

}  // namespace wattmesh::sim
