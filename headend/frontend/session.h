#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headend/frontend/association.h"
#include "headend/frontend/configurator.h"
#include "headend/frontend/image_supply.h"
#include "headend/frontend/relay.h"
#include "headend/frontend/replication.h"
#include "headend/frontend/session_life.h"
#include "headend/frontend/tunnels.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::headend::frontend {

/// What TLS proved about the other end.
struct Peer {
    std::string common_name;          ///< of the client certificate: the concentrator's number
    std::optional<Instant> renew_at;  ///< when its certificate should be replaced
};

struct SessionSettings {
    Duration login_deadline = std::chrono::seconds{60};    ///< from accept to the hello
    Duration partial_deadline = std::chrono::seconds{60};  ///< from a frame's first octets to its last
    Duration answer_timeout = std::chrono::seconds{120};  ///< an open request without any octet of its answer
    Duration heartbeat = std::chrono::seconds{60};        ///< as the limits object tells the concentrator
    Duration standing_retry = std::chrono::seconds{60};   ///< a quarantined number is looked up again
    std::size_t payload_size_max = 65'535;
    Duration silence_max() const { return 3 * heartbeat + std::chrono::seconds{30}; }
};

struct SessionCounters {
    std::uint64_t frames = 0, octets = 0, hellos = 0, heartbeats = 0, bad_checksums = 0;
    std::uint64_t malformed = 0, foreign = 0, early = 0, identity_mismatches = 0, notifications = 0;
};

/// Everything a session borrows; outlives it.
struct SessionWorld {
    Store& store;
    DesiredState& desired;
    Renewals& renewals;
    Ciphers& ciphers;
    Random& random;
    const SessionSettings& settings;
    const ReplicationSettings& replication;
    const ConfiguratorSettings& configuration;
    const RelaySettings& relay;
    const Instant& now;
    const ImageSupplySettings& image_supply;
    Images* images = nullptr;         ///< none: no firmware goes to concentrators
    MachineDoor* machines = nullptr;  ///< none: their tunnels are refused
};

/// One concentrator's link, from accept to close, as sans-IO state. Hello and heartbeat are answered before
/// any database work. Replication, configuration, relay and tunnels of machines run side by side on it, told
/// apart by wPort and gateway prefix.
class Session : private life::Actions {
public:
    Session(const SessionWorld& world, Peer peer);
    ~Session() override;

    void receive(Bytes bytes);
    void tick();
    /// Ends the session; `reason` is for the operator.
    void end(const std::string& reason);
    /// Octets to send, in order.
    std::vector<Buffer> take_output();

    Phase phase() const { return life_.phase; }
    /// Known as soon as the hello was believed.
    const std::optional<DeviceNumber>& number() const { return number_; }
    OwnerEpoch epoch() const { return epoch_; }
    const Peer& peer() const { return peer_; }
    const std::string& end_reason() const { return end_reason_; }
    Instant since() const { return since_; }
    Instant last_frame() const { return last_frame_; }
    const SessionCounters& counters() const { return counters_; }
    const ReplicationCounters* replicated() const {
        return replication_ ? &replication_->counters() : nullptr;
    }
    const ConfiguratorCounters* configured() const {
        return configurator_ ? &configurator_->counters() : nullptr;
    }

    const TunnelCounters* tunnelled() const { return tunnels_ ? &tunnels_->counters() : nullptr; }

    /// Nothing unless the phase is ready.
    Tunnels* tunnels() { return phase() == Phase::ready ? tunnels_.get() : nullptr; }
    Relay* relay() { return phase() == Phase::ready ? relay_.get() : nullptr; }
    Association* configuration() { return phase() == Phase::ready ? configuration_.get() : nullptr; }
    /// The desired state changed: look soon.
    void configure();

private:
    void ask_standing() override;
    void start_work(OwnerEpoch epoch) override;
    void stop(const std::string& reason) override;

    void on_frame(const link::WrapperFrame& frame);
    void on_hello(const link::WrapperFrame& frame);
    void on_gateway(const link::WrapperFrame& frame);
    void on_tunnel(Bytes payload);
    void on_standing(const std::optional<SessionOpened>& opened);
    void watch_deadlines();
    void send(Sap own, Buffer payload);
    void collect_output();

    const SessionWorld& world_;
    Peer peer_;
    life::Life life_;
    link::WrapperDecoder decoder_;
    std::vector<Buffer> output_;
    std::optional<DeviceNumber> number_;
    OwnerEpoch epoch_;
    std::string end_reason_;
    Instant since_, last_frame_;
    std::optional<Instant> partial_since_, ask_at_;
    Guard standing_guard_;
    Backoff standing_backoff_;
    SessionCounters counters_;
    std::unique_ptr<Association> configuration_, journal_;
    std::unique_ptr<Replication> replication_;
    std::unique_ptr<Configurator> configurator_;
    std::unique_ptr<ImageSupply> image_supply_;
    std::unique_ptr<Relay> relay_;
    std::unique_ptr<Tunnels> tunnels_;
};

}  // namespace wattmesh::headend::frontend
