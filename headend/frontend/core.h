#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "headend/frontend/presence.h"
#include "headend/frontend/session.h"
#include "headend/frontend/tap.h"

namespace wattmesh::headend::frontend {

struct SendBytes {
    LinkId link;
    Buffer bytes;
};
/// The owner closes the connection once everything before was sent, and then says on_closed.
struct CloseLink {
    LinkId link;
    std::string reason;
};
using Action = std::variant<SendBytes, CloseLink>;

struct CoreSettings {
    SessionSettings session;
    ReplicationSettings replication;
    ConfiguratorSettings configuration;
    RelaySettings relay;
    ImageSupplySettings image_supply;
    Duration report_every = std::chrono::seconds{15};  ///< presence goes to the store in this rhythm
};

/// A live link as boards show it.
struct SessionView {
    LinkId link;
    std::string number;  ///< of the hello; before it, of the certificate
    Phase phase{};
    OwnerEpoch epoch;
    Instant since{}, last_frame{};
    SessionCounters counters;
    std::optional<ReplicationCounters> replicated;
    std::optional<ConfiguratorCounters> configured;
    std::optional<TunnelCounters> tunnelled;
};

struct CoreCounters {
    std::uint64_t accepted = 0, closed = 0, takeovers = 0, identity_mismatches = 0, malformed = 0,
                  superseded = 0, went_offline = 0;
};

/// The front-end without sockets, clock or database: all sessions of one process on one thread. The owner
/// reports what happens on links, ticks (at least four times per simulated second of the shortest interval
/// that matters) and performs the actions.
class Core {
public:
    Core(CoreSettings settings, Store& store, DesiredState& desired, Renewals& renewals, Ciphers& ciphers,
         Random& random);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    void on_accepted(LinkId link, Peer peer, Instant now);
    void on_bytes(LinkId link, Bytes bytes, Instant now);
    void on_closed(LinkId link, Instant now);
    void tick(Instant now);
    /// Everything that is to be done, also what completions of the ports brought about; looks at every
    /// session.
    std::vector<Action> take_actions();
    /// What the event just reported brought about.
    std::vector<Action> take_ready_actions() { return std::exchange(actions_, {}); }

    /// A concentrator that was online when an earlier process stopped: it goes offline by silence if it does
    /// not come back.
    void expect(DeviceNumber concentrator, OwnerEpoch epoch, Instant last_seen);

    /// One APDU to a meter behind this concentrator, one answer. `done` may run before this returns.
    void relay(DeviceNumber concentrator, DeviceNumber meter, Buffer apdu, Relay::Done done,
               Sap client = management_client);
    /// Reads an attribute of the concentrator itself (topology, statistics). Nothing: no session, or it
    /// broke.
    void read(DeviceNumber concentrator, const dlms::AttributeId& id, Association::ReadDone done);
    /// The desired state changed.
    void configure(DeviceNumber concentrator);
    /// Ends its session, for example because it was revoked.
    void disconnect(DeviceNumber concentrator, const std::string& reason);

    /// Where images for concentrators come from; before the first session, outlives the core.
    void supply_images(Images& images) { world_.images = &images; }

    /// Who connects vending machines at concentrators; outlives the sessions that log in from now on. Null:
    /// they are refused.
    void serve_machines(MachineDoor* door) { world_.machines = door; }
    /// What the door has to say; then take_actions().
    void tunnel_opened(const TunnelKey& key, Instant now);
    void tunnel_came(const TunnelKey& key, Bytes octets, Instant now);
    void tunnel_closed(const TunnelKey& key, link::TunnelReason reason, Instant now);

    /// Who listens in; outlives the core or is taken away with null.
    void listen_in(Tap* tap) { tap_ = tap; }

    std::vector<SessionView> sessions() const;
    const CoreCounters& counters() const { return counters_; }

private:
    Session* session_of(DeviceNumber concentrator);
    Tunnels* tunnels_of(const TunnelKey& key, Instant now);
    void evict_others(LinkId newest, DeviceNumber number);
    void note_presence(const Session& session);
    void settle();
    bool settle(LinkId link, Session& session);

    Instant now_{};
    CoreSettings settings_;
    SessionWorld world_;
    std::map<LinkId, std::unique_ptr<Session>> sessions_;
    std::map<DeviceNumber, LinkId> owners_;  ///< the newest log-in of each number
    Presence presence_;
    std::vector<Action> actions_;
    CoreCounters counters_;
    Tap* tap_ = nullptr;
};

}  // namespace wattmesh::headend::frontend
