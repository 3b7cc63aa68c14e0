#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/frontend/store.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

enum class ConcentratorState {
    registered,
    enrolled,
    revoked
};  ///< registered: known, has no certificate yet
using frontend::LinkState;

/// How a row of concentrator reaches us.
enum class Road {
    concentrator,  ///< a concentrator of ours: TLS with its certificate
    direct,        ///< a meter that calls in by itself, under its own number
};

struct Concentrator {
    ConcentratorId id;
    DeviceNumber number;
    TenantId tenant;
    AreaId area;
    std::string name;
    ConcentratorState state{};
    LinkState link{};
    OwnerEpoch owner_epoch;
    std::optional<Instant> last_seen;
    Road road{};
};

struct SessionGrant {
    ConcentratorId id;
    ConcentratorState state{};
    OwnerEpoch epoch;
};

struct Certificate {
    std::string serial;  ///< upper-case hexadecimal, as in the certificate
    Instant issued{}, expires{};
    bool revoked = false;
};

/// When a session of a number was last heard, and whether that was all.
struct Sighting {
    DeviceNumber number;
    OwnerEpoch epoch;
    Instant last_seen{};
    LinkState link{};
};

/// Tables concentrator and concentrator_certificate.
class Concentrators {
public:
    explicit Concentrators(Connection& connection) : connection_(connection) {}

    /// Registers the number, or gives the id it has.
    ConcentratorId add(DeviceNumber number, const std::string& name, Instant now,
                       Road road = Road::concentrator);
    std::optional<Concentrator> find(DeviceNumber number);
    std::vector<Concentrator> all();

    /// A log-in: raises the owner epoch and marks the link online. Nothing for a number that is not
    /// registered with this road; a revoked one gets its state and no new epoch.
    std::optional<SessionGrant> open_session(DeviceNumber number, Instant now,
                                             Road road = Road::concentrator);
    /// The same of many numbers in one statement; those that are not registered with this road are missing.
    std::map<DeviceNumber, SessionGrant> open_sessions(const std::vector<DeviceNumber>& numbers, Instant now,
                                                       Road road);
    void seen(DeviceNumber number, Instant last_seen, LinkState link);
    /// Like `seen`, but only while `epoch` is still the owner: a session that was evicted cannot mark its
    /// successor offline.
    void seen(DeviceNumber number, OwnerEpoch epoch, Instant last_seen, LinkState link);
    /// Likewise, of many numbers in one statement; each number once.
    void seen(const std::vector<Sighting>& sightings);

    /// Remembers an issued certificate and makes the concentrator `enrolled`.
    void certify(ConcentratorId concentrator, const Certificate& certificate);
    std::vector<Certificate> certificates(ConcentratorId concentrator);
    /// True unless the serial is one of ours, is not revoked and neither is its concentrator.
    bool refused(DeviceNumber number, const std::string& serial);
    /// Revokes the concentrator and all its certificates; false when the number is unknown.
    bool revoke(DeviceNumber number, Instant now);
    /// Numbers revoked since `since`, so that live sessions can be closed.
    std::vector<DeviceNumber> revoked_since(Instant since);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
