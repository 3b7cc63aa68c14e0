#pragma once
#include <array>
#include <map>
#include <memory>
#include <set>
#include <variant>
#include <vector>

#include "headend/frontend/caller_session.h"
#include "headend/frontend/core.h"
#include "headend/frontend/damping.h"
#include "headend/frontend/presence.h"
#include "headend/frontend/quarantine.h"
#include "headend/frontend/tap.h"

namespace wattmesh::headend::frontend {

struct CallerCoreSettings {
    CallerSettings session;
    DampingSettings damping;
    Duration report_every = std::chrono::seconds{15};  ///< presence goes to the store in this rhythm
    Duration watch_every = std::chrono::seconds{1};    ///< and is looked at in this one
    std::size_t sessions_max = 20'000;
    std::size_t unidentified_max = 1'000;
};

/// Something about a link that a person may want to know; the owner adds the peer's address.
struct TellLink {
    LinkId link;
    std::string text;
    bool warning = false;
};
using CallerAction = std::variant<SendBytes, CloseLink, TellLink>;

/// A live link of a device of another make as boards show it.
struct CallerView {
    LinkId link;
    std::string identity, profile;  ///< empty until known
    Phase phase{};
    OwnerEpoch epoch;
    Instant since{}, last_frame{};
    CallerCounters counters;
    std::uint64_t late_answers = 0, timeouts = 0;
};

struct CallerCoreCounters {
    std::uint64_t accepted = 0, refused_full = 0, takeovers = 0, held = 0, quarantined = 0, went_offline = 0,
                  bad_checksums = 0;
    std::array<std::uint64_t, caller_end_count> ended{};  ///< by CallerEnd
    std::uint64_t of(CallerEnd end) const { return ended[static_cast<std::size_t>(end)]; }
};

/// Sessions of devices of other makes of one process, without sockets, clock or database; the owner reports
/// and performs as for Core.
class CallerCore {
public:
    CallerCore(CallerCoreSettings settings, CallerDirectory& directory, Store& store, CallerWork& work,
               Ciphers& ciphers, Random& random);
    ~CallerCore();
    CallerCore(const CallerCore&) = delete;
    CallerCore& operator=(const CallerCore&) = delete;

    /// `port` outlives the link. False: too many are there already, the owner closes it.
    bool on_accepted(LinkId link, const CallerPort& port, Instant now);
    /// A link that we opened to a device whose number is known from where we called.
    bool on_dialled(LinkId link, const CallerPort& port, DeviceNumber device, Instant now);
    void on_bytes(LinkId link, Bytes bytes, Instant now);
    void on_closed(LinkId link, Instant now);
    void tick(Instant now);
    /// Everything that is to be done; looks at the sessions that something moved.
    std::vector<CallerAction> take_actions();
    /// What the event just reported brought about.
    std::vector<CallerAction> take_ready_actions() { return std::exchange(actions_, {}); }

    /// A device that was online when an earlier process stopped.
    void expect(DeviceNumber device, OwnerEpoch epoch, Instant last_seen);
    /// Whether its newest session is here.
    bool has(DeviceNumber device) const { return owners_.contains(device); }
    /// One APDU to the device itself, one answer (a bus: a Modbus PDU to the unit `client`). `done` may run
    /// before this returns.
    void carry(DeviceNumber device, Sap client, Buffer apdu, Relay::Done done);
    void disconnect(DeviceNumber device, const std::string& reason);
    /// The store says that a newer session owns the device.
    void superseded(DeviceNumber device, OwnerEpoch epoch);

    /// Who listens in; outlives the core or is taken away with null.
    void listen_in(Tap* tap) { tap_ = tap; }

    std::vector<CallerView> sessions() const;
    const Quarantine& quarantine() const { return quarantine_; }
    const CallerCoreCounters& counters() const { return counters_; }

private:
    struct Entry {
        std::unique_ptr<CallerSession> session;
        const CallerPort* port = nullptr;
        Phase told = Phase::accepted;  ///< last phase that was told
        Instant due = never;           ///< as in due_
    };
    using Sessions = std::map<LinkId, Entry>;
    CallerSession* session_of(DeviceNumber device);
    void take_over(LinkId newest, Entry& entry);
    void tell_phase(LinkId link, Entry& entry);
    bool settle(LinkId link, Entry& entry);
    void look_at(LinkId link, Entry& entry);
    Sessions::iterator drop(Sessions::iterator at);
    /// Looks at one session and performs what follows; true when it ended and is gone.
    bool attend(LinkId link);

    Instant now_{}, swept_{}, watched_{};
    CallerCoreSettings settings_;
    CallerWork& work_;
    CallerWorld world_;
    Sessions sessions_;
    std::set<std::pair<Instant, LinkId>> due_;  ///< who has something to do when, whatever their number
    std::set<LinkId> moved_;
    std::map<DeviceNumber, LinkId> owners_;  ///< the newest log-in of each number
    std::size_t unidentified_ = 0;
    Presence presence_;
    Damping damping_;
    Quarantine quarantine_;
    std::vector<CallerAction> actions_;
    CallerCoreCounters counters_;
    Tap* tap_ = nullptr;
};

}  // namespace wattmesh::headend::frontend
