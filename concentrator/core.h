#pragma once
#include <map>
#include <memory>

#include "concentrator/core_store.h"
#include "concentrator/mesh/mesh_root.h"
#include "concentrator/reading/reading_engine.h"
#include "concentrator/uplink/logical_device.h"
#include "concentrator/uplink/uplink.h"
#include "protocol/dcu/uplink_state.h"
#include "protocol/mesh/host_stream.h"

namespace wattmesh::concentrator {

struct CoreSettings {
    DeviceNumber number;
    Key128 kek;         ///< unwraps the meters' reading and join keys
    RootSettings mesh;  ///< concentrator and pan are filled in when zero
    UplinkSettings uplink;
    EngineSettings engine;
    Duration erase_after = std::chrono::days{30};
    /// Renewal of the certificate (logical_device.h); without them the object answers that it cannot.
    std::function<Buffer()> certificate_request;
    std::function<void(Buffer, std::function<void(bool)>)> install_certificate;
};

/// The whole concentrator without sockets, files and clock. Every input carries `elapsed`: the time since the
/// program started, monotonic. After each input, and after each completion of the store (then call tick), the
/// owner performs all actions and asks for next_deadline(). Runs on one thread; `store`, `ciphers` and
/// `random` outlive it, completions of the store need not.
class Core {
public:
    Core(CoreSettings settings, JournalStore& store, const Recovered& recovered, Ciphers& ciphers,
         Random& random);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    void tick(Duration elapsed);
    void uplink_opened(Duration elapsed);
    void uplink_received(Bytes bytes, Duration elapsed);
    void uplink_closed(const std::string& reason, Duration elapsed);
    /// What became of a ProbeUplink.
    void uplink_probed(std::size_t way, bool answered, Duration elapsed);
    /// A bearer of `uplink.ways` can carry us or not; all can at the beginning.
    void uplink_bearer(const std::string& bearer, bool available, Duration elapsed);
    /// As the modem tells it; nothing where there is none.
    void uplink_cellular(std::optional<dcu::CellularState> state) { cellular_ = std::move(state); }
    /// Lines of vending machines (uplink/machines.h). `stays`: a serial one.
    void machine_opened(MachineLine line, bool stays, Duration elapsed);
    void machine_received(MachineLine line, Bytes bytes, Duration elapsed);
    void machine_closed(MachineLine line, Duration elapsed);
    void radio_connected(Duration elapsed);
    void radio_received(Bytes bytes, Duration elapsed);
    /// Gives the mesh another net key; by itself it does so long before a frame counter ends.
    void renew_net_key(Duration elapsed);

    std::optional<Action> take_action();
    /// On the scale of `elapsed`; Duration::max(): nothing is due.
    Duration next_deadline() const;

    bool logged_in() const { return uplink_->logged_in(); }
    const TrustedClock& clock() const { return clock_; }
    const ReadingCounts& reading_counts() const { return engine_->counts(); }
    const UplinkCounts& uplink_counts() const { return uplink_->counts(); }
    const MachineCounts& machine_counts() const { return uplink_->machines().counts(); }
    dcu::UplinkState uplink_state() const;
    const VersionedObjects& objects() const { return *objects_; }
    /// Whether it counts this meter as its own, and reads it.
    bool reads(DeviceNumber meter) const;
    std::vector<dcu::TopologyNode> topology() const;
    dcu::Statistics statistics() const { return mesh_->statistics(); }

private:
    struct Talk {
        DeviceNumber meter;
        bool relayed = false;
    };
    DevicePorts ports();
    void objects_changed(const ObisCode& code);
    void load_meters();
    void distribute_image();
    void set_leases();
    void choose_read();
    bool is_ours(const dcu::ListedMeter& listed) const;
    void at(Duration elapsed);
    void pump();
    void hold_wanted();
    bool pump_requests();
    bool pump_events();
    void on(const MeshAnswer& answer);
    void on(const MeshFailure& failure);
    void on(const MeshJoined& joined);
    void on(const MeshLost& lost);
    void on(const MeshUnknown& unknown);
    void on(const MeshImpostor& impostor);
    void on(const MeshDeleted& deleted);
    void on(const MeshPower& power);
    void on(const MeshOutage& outage);
    void on(const MeshRestored& restored);
    void on(const MeshPanClash& clash);
    void on(const MeshEvicted& evicted);
    void on(const MeshCloned& cloned);
    void on(const MeshImageNews& told);
    void on(const MeshImageEnded& ended);
    void on(const MeshContested& contested);
    void on(const MeshCollectorFull& full);
    void journal(const DeviceNumber& meter, dcu::EntryKind kind, Buffer payload);
    bool mesh_unsaved() const { return save_failed_ || mesh_->state_dirty(); }
    void save_mesh();
    void erase_old();

    CoreSettings settings_;
    Ciphers& ciphers_;
    Random& random_;
    TrustedClock clock_;
    Duration elapsed_{};
    Now now_;
    std::unique_ptr<MeshRoot> mesh_;
    mesh::host::StreamDecoder radio_;
    std::unique_ptr<VersionedObjects> objects_;
    std::unique_ptr<ImageShelf> images_;
    std::unique_ptr<ReadingEngine> engine_;
    std::unique_ptr<LogicalDevice> device_;
    std::unique_ptr<Uplink> uplink_;
    std::map<std::uint32_t, Talk> talks_;  ///< by the mesh's handle
    std::vector<KeyedMeter> meters_;       ///< of the list, without collectors
    /// A meter that is elsewhere by the list and came to us all the same. The head-end will hear of it.
    struct Claim {
        std::uint32_t term = 0;          ///< of the list then
        std::uint32_t join_counter = 0;  ///< 0: over a wire
    };
    std::map<DeviceNumber, Claim> claims_;
    bool started_ = false, saving_mesh_ = false, save_failed_ = false;
    Instant erase_at_{}, save_at_{};
    std::optional<dcu::CellularState> cellular_;
    std::deque<Action> actions_;
    CoreStore store_;  ///< last: the first to go, so that no completion finds a half-dead core
};

}  // namespace wattmesh::concentrator
