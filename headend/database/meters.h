#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::headend::database {

/// Who may hold the reading client's keys (design: keys).
enum class ReadingKeys { separate, shared, local_only };

struct Meter {
    MeterId id;
    DeviceNumber number;
    TenantId tenant;
    AreaId area;
    std::string model;
    ReadingKeys reading_keys{};
    dcu::MeterRole role{};
    std::optional<ConcentratorId> concentrator;
    std::optional<DeviceNumber> concentrator_number;
    Instant installed{};
};

struct NewMeter {
    DeviceNumber number;
    std::string model = "WM-SIM-3";
    dcu::MeterRole role{};
    std::optional<ConcentratorId> concentrator;
    Instant installed{};
};

/// Table meter.
class Meters {
public:
    explicit Meters(Connection& connection) : connection_(connection) {}

    /// Adds the meter or brings model, role and concentrator of a known one up to date. True when the meter
    /// is new.
    bool put(const NewMeter& meter);
    std::optional<Meter> find(DeviceNumber number);
    std::vector<Meter> all();
    std::vector<Meter> of(ConcentratorId concentrator);
    /// The list a concentrator should have: ordered by number, version left 0.
    dcu::MeterList listed(ConcentratorId concentrator);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
