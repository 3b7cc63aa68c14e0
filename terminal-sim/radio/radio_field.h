#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/mesh/frame.h"
#include "protocol/mesh/node.h"
#include "terminal-sim/radio/air.h"
#include "terminal-sim/radio/duty_ledger.h"
#include "terminal-sim/radio/layout.h"
#include "terminal-sim/radio/radio_program.h"

namespace wattmesh::sim {

class Channel;

struct FieldSettings {
    std::uint64_t seed = 1;  ///< of fading, noise, back-off: everything that is chance
    Instant start{};         ///< simulated time at which the field begins
    mesh::PhyRate rate = mesh::PhyRate::kbit50;
    Duration power_on_spread{3'000'000};  ///< every meter comes up within U(0, this)
    DutyProfile duty = DutyProfile::none;
    bool still = false;  ///< nothing fades, blocks or disturbs: for comparing with what was computed
};
/// What the field knows about a meter besides its place.
struct FieldMeter {
    DeviceNumber number;
    Key128 join_key;
    Buffer state;  ///< from save_state(); empty: new from the factory
};
struct FieldCounters {
    std::uint64_t frames_sent = 0, frames_delivered = 0, frames_lost = 0, events = 0;
    std::int64_t airtime_us = 0;
    std::array<std::uint64_t, mesh::frame_types> sent_by_type{};  ///< by mesh::FrameType
    std::array<std::int64_t, mesh::frame_types> airtime_us_by_type{};
    std::uint64_t duty_waits = 0;  ///< assessments answered "busy" because an hour's airtime was spent
};

/// Discrete-event kernel: meters (mesh::Node), one radio module per concentrator, and the air between them.
/// Single-threaded; time passes only in run_until(). Same seed and same inputs: same trace.
class RadioField {
public:
    /// Answer of a meter's application: sap u8 | APDU. Call at most once, any time later, on the field's
    /// thread.
    using Reply = std::function<void(Buffer)>;
    using Application = std::function<void(Bytes payload, Instant now, Reply reply)>;

    /// `meters` and `concentrators` name what stands at the places of the layout, in the same order and
    /// number.
    RadioField(FieldSettings settings, const Layout& layout, std::vector<FieldMeter> meters,
               const std::vector<DeviceNumber>& concentrators, Ciphers& ciphers);
    ~RadioField();

    void set_application(DeviceNumber meter, Application application);
    /// By place: for two meters of one number.
    void set_application(std::size_t meter, Application application);
    /// Where the meter at this place keeps firmware images; outlives the field. From its next power-on;
    /// without one it refuses them.
    void set_image_flash(std::size_t meter, mesh::ImageFlash* flash);
    /// From its next power-on, this station (meters in layout order, then concentrators) runs `maker`'s
    /// program in place of a meter's or a module's.
    void set_program(std::size_t station, ProgramMaker maker);
    /// Calls into a living station's program with its local time; then its timer is set anew.
    void with_program(std::size_t station, const std::function<void(RadioProgram&, Instant local_now)>& call);
    /// Something the application of a node says unasked (mesh::Node::notify). False: unknown, off, or no way
    /// up.
    bool notify(DeviceNumber node, Buffer payload);
    /// Sees every frame as it leaves: station (meters in layout order, then concentrators), PSDU. Must change
    /// nothing.
    using Observer = std::function<void(std::size_t station, Bytes psdu, Instant now)>;
    void set_observer(Observer observer);

    /// Host side of concentrator `index`'s radio module: payloads of protocol/mesh/host_frame.h, not the
    /// stream around them.
    void feed(std::size_t concentrator, Bytes host_payload);
    std::optional<Buffer> take(std::size_t concentrator);

    /// A stranger's radio at the place of a meter that is off sends these octets: to replay, to forge. False:
    /// it heard somebody else just now and kept silent.
    bool radiate(std::size_t meter, Buffer psdu);
    void jam(const Air::Jam& jam, bool on);

    void run_until(Instant now);
    /// Like run_until(), but comes back early, at that instant, when a module has something for its host.
    /// Returns now().
    Instant run_until_output(Instant now);
    Instant now() const;
    Instant next_event() const;

    /// Power off: deaf and mute, volatile state gone. False for an unknown number. Concentrators' modules can
    /// be killed too.
    bool kill(DeviceNumber device);
    bool revive(DeviceNumber device);
    /// The mains fail: a meter says so with the energy of its capacitor (mesh::LastGasp) and is then off.
    bool darken(DeviceNumber device);
    bool alive(DeviceNumber device) const;
    bool alive(std::size_t station) const;
    bool joined(DeviceNumber meter) const;  ///< what the meter itself believes

    /// What a meter keeps in non-volatile memory (net key inside: store it like a key file).
    Buffer save_state(DeviceNumber meter) const;

    /// Hops of the cheapest true way of every meter to a living module now (Oracle), in layout order; 0 for
    /// unreachable. Looking changes nothing.
    std::vector<int> oracle_hops() const;

    FieldCounters counters() const;
    /// Sum over the meters that are alive.
    mesh::NodeCounters node_counters() const;
    /// The fullest hour of any meter, of any concentrator.
    struct Duty {
        Duration meter{}, concentrator{};
    };
    Duty fullest_hour() const;
    /// What a meter itself knows; nullptr while it is off. Good until time passes.
    const mesh::Node* node(std::size_t meter) const;
    const Channel& channel() const;
    /// Over every transmission and reception so far.
    std::uint64_t trace_hash() const;

    struct Kernel;  ///< kernel.h

private:
    std::shared_ptr<Kernel> kernel_;
};

}  // namespace wattmesh::sim
