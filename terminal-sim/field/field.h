#pragma once
#include <memory>
#include <set>

#include "protocol/dlms/server.h"
#include "terminal-sim/field/collector_box.h"
#include "terminal-sim/field/field_state.h"
#include "terminal-sim/field/mesh_flash.h"
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
    /// x || y on P-256: whose firmware the meters believe when it comes over the mesh. Empty: they take none.
    Buffer firmware_vendor{};
    bool keep_truth_rows = true;  ///< queryable by truth().rows()
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
    Instant next_event() const;

    /// Host side of concentrator `index`'s radio module: payloads of protocol/mesh/host_frame.h.
    std::size_t concentrators() const { return town_.concentrators.size(); }
    void feed(std::size_t concentrator, Bytes host_payload) { radio_->feed(concentrator, host_payload); }
    std::optional<Buffer> take(std::size_t concentrator) { return radio_->take(concentrator); }

    /// Meters lose their radio or fall silent on their wire, concentrators lose their module, collectors
    /// their power; metering goes on. False for an unknown number.
    bool kill(const DeviceNumber& device);
    bool revive(const DeviceNumber& device);
    /// The mains fail at a meter, a collector, or at everybody of a concentrator, whose own supply is
    /// another: what is on radio says so with its last energy, and is then as good as killed. revive() of the
    /// same number brings it all back.
    bool darken(const DeviceNumber& device);

    /// Takes a meter off its wire or its radio, and puts it on the wire of `collector` or, without one, on
    /// radio. What it has counted and what was done to it stay with it. False for an unknown number, a
    /// collector of another concentrator, or one without a free address.
    bool move(const DeviceNumber& meter, const std::optional<DeviceNumber>& collector);
    /// Off its wire or its radio, and on nothing.
    bool unplug(const DeviceNumber& meter);
    /// On whose wire it hangs.
    std::optional<DeviceNumber> collector_of(const DeviceNumber& meter) const;
    const CollectorBox& collector(std::size_t index) const { return *collectors_[index]; }

    /// A person at the keypad of a meter that sells by token (keypad.h): what its display says. Nothing for a
    /// meter without a keypad.
    std::optional<std::string> keypad(const DeviceNumber& meter, std::string_view line);

    struct Status {
        std::size_t meters = 0, alive = 0, joined = 0, unreachable = 0, wired = 0;
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
    void give_flashes(const FieldOptions& options, Ciphers& ciphers);
    void connect_collector(std::size_t index);
    void wire_up(const std::optional<FieldState>& state);
    std::optional<std::size_t> collector_index(const DeviceNumber& number) const;
    bool powered(const DeviceNumber& meter) const;
    std::vector<DeviceNumber> fed_with(const DeviceNumber& device) const;
    std::size_t deeds_done() const;

    Town town_;
    std::filesystem::path state_file_;
    Instant installed_at_;
    Truth truth_;
    std::unique_ptr<CounterFile> counters_;
    KeyFile key_file_;
    std::vector<std::unique_ptr<HeldKeys>> held_keys_;
    std::unique_ptr<Population> population_;
    std::vector<std::unique_ptr<MeshFlash>> flashes_;  ///< by meter; none: no vendor is known
    std::vector<std::shared_ptr<dlms::Server>> servers_;
    std::vector<std::unique_ptr<CollectorBox>> collectors_;
    std::set<DeviceNumber> dark_;                               ///< killed
    std::map<DeviceNumber, std::set<DeviceNumber>> dark_with_;  ///< by what darken() named
    std::unique_ptr<RadioField> radio_;                         ///< after what its callbacks use
    std::size_t deeds_saved_ = 0;
    Buffer saved_;
};

}  // namespace wattmesh::sim
