#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// Nothing is switched for this tenant, since when and why.
struct RelayStop {
    Instant since{};
    std::string by, reason;
};

/// A meter that no order may cut off: somebody said so, or it is a transformer's summary meter.
struct ProtectedMeter {
    DeviceNumber meter;
    std::string why;
};

/// How many meters of an order hang on one concentrator.
struct RelayShare {
    std::optional<DeviceNumber> concentrator;
    int meters = 0;
};

/// Table relay_stop and the column meter.protected_why.
class RelayRules {
public:
    explicit RelayRules(Connection& connection) : connection_(connection) {}

    std::optional<RelayStop> stopped(TenantId tenant);
    /// False when it was stopped already.
    bool stop(TenantId tenant, const RelayStop& stop);
    bool go_on(TenantId tenant);

    std::optional<std::string> protection(DeviceNumber meter);
    /// Nothing for `why` takes the protection away. False when there is no such meter.
    bool protect(DeviceNumber meter, const std::optional<std::string>& why);

    std::vector<ProtectedMeter> protected_among(const std::vector<DeviceNumber>& meters);
    /// Largest first.
    std::vector<RelayShare> shares(const std::vector<DeviceNumber>& meters);

    /// By the feeder's number, nothing for meters of which nobody knows the feeder. Largest first.
    std::vector<std::pair<std::optional<std::string>, int>> feeders(const std::vector<DeviceNumber>& meters);

    /// Why the meter must not be switched now: "stopped", "protected" (disconnections only), "unknown_meter";
    /// nothing when it may. Looked up at the moment of firing.
    std::optional<std::string> refusal(DeviceNumber meter, bool disconnects);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
