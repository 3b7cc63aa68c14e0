#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"

namespace wattmesh::headend::database {

using OnDemandId = Id<struct OnDemandTag, std::int64_t>;

struct OnDemandRecord {
    OnDemandId id;
    DeviceNumber meter;
    ObisCode object;
    int attribute = 2;
    std::string requested_by;
    Instant requested{};
    std::optional<Instant> finished;
    std::string outcome;  ///< "running", "done" or a stable fault word
    std::string value;    ///< as shown to the user
};

struct RegisterReading {
    MeterId meter;
    ObisCode register_;
    Instant at{};
    std::int64_t value = 0;
    int scaler = 0;
    int unit = 0;        ///< COSEM unit code (Blue Book 4.3.2)
    std::string source;  ///< "on_demand", "billing"
};

/// Tables on_demand and register_reading.
class OnDemandLog {
public:
    explicit OnDemandLog(Connection& connection) : connection_(connection) {}

    /// Nothing when the meter is unknown.
    std::optional<OnDemandId> begin(DeviceNumber meter, const ObisCode& object, int attribute,
                                    const std::string& requested_by, Instant now);
    void finish(OnDemandId id, Instant now, const std::string& outcome, const std::string& value);
    std::vector<OnDemandRecord> latest(int count);
    /// Stores once; the same (meter, register, at, source) again changes nothing.
    void put(const RegisterReading& reading);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
