#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/contracts.h"
#include "protocol/base/obis.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::headend::database {

/// A meter as partners know it.
struct MasterMeter {
    DeviceNumber number;
    std::string serial;  ///< the manufacturer's, empty when not said
    std::string model, manufacturer;
    dcu::MeterRole role{};
    std::string area;
    Instant installed{};
    std::optional<std::string> usage_point;  ///< where it hangs now
    std::optional<std::string> transformer;  ///< of the usage point, or its own
};

/// A place where customers are supplied.
struct MasterUsagePoint {
    std::string number, name, area;
    std::optional<double> latitude, longitude;  ///< WGS 84, degrees
    std::optional<std::string> transformer;
    std::optional<DeviceNumber> meter;
    std::optional<Instant> since;  ///< of the meter
};

/// An event with its place in the order of time; the cursor of the next page.
struct MasterEvent {
    Instant at{}, received{};
    std::optional<DeviceNumber> meter;  ///< none: the concentrator itself
    std::int64_t journal = 0, sequence = 0;
    DeviceNumber concentrator;
    std::string name;
    std::optional<std::string> code;  ///< the partner's own or IEC 61968-9
    bool clock_doubtful = false;
};
struct EventCursor {
    Instant at{};
    std::int64_t device = 0, journal = 0, sequence = 0;
};

/// Master data and events of what a connection shows (limited.h). Read only.
class PartnerMaster {
public:
    explicit PartnerMaster(Connection& connection) : connection_(connection) {}

    /// By number, after `after`.
    std::vector<MasterMeter> meters(std::optional<DeviceNumber> after, int count_max, Instant now);
    std::optional<MasterMeter> meter(DeviceNumber number, Instant now);
    /// By number, after `after`.
    std::vector<MasterUsagePoint> usage_points(const std::string& after, int count_max, Instant now);
    /// At instants in (from, to], oldest first, after the cursor; of these meters, or of everything.
    std::vector<MasterEvent> events(ContractId contract, const std::vector<DeviceNumber>& meters,
                                    Instant from, Instant to, const std::optional<EventCursor>& after,
                                    int count_max);

private:
    std::vector<MasterMeter> where(const std::string& condition, int count_max, Instant now);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
