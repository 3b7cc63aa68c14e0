#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"

namespace wattmesh::headend::database {

struct KnownMeter {
    MeterId id;
    TenantId tenant;
    AreaId area;
    ConcentratorId concentrator;  ///< its own, 0 when it has none
    Instant looked_up{};
};
struct KnownBank {
    std::int16_t id = 0;
    int channels = 0;
};
struct KnownConcentrator {
    ConcentratorId id;
    TenantId tenant;
    AreaId area;
};

/// What the writers remember between batches: who is who, which day has a partition, and how far each meter's
/// rows reach. Thread safe.
class IngestCatalog {
public:
    /// Looks up those that are unknown or were looked up more than a minute (of `now`) ago.
    std::map<DeviceNumber, KnownMeter> meters(Connection& connection, const std::set<DeviceNumber>& numbers,
                                              Instant now);
    std::optional<KnownBank> bank(Connection& connection, const ObisCode& profile);
    std::optional<KnownConcentrator> concentrator(Connection& connection, DeviceNumber number);
    /// Makes the partitions of these UTC days where this process has not seen them yet. Not inside a
    /// transaction.
    void need_days(Connection& connection, const std::set<std::int32_t>& days);

    /// Newest row of (meter, bank) that this process knows of; Instant::min() when none.
    Instant mark(MeterId meter, std::int16_t bank) const;
    /// After the commit.
    void raise(MeterId meter, std::int16_t bank, Instant at);
    /// Something here proved stale.
    void forget();

private:
    mutable std::mutex mutex_;
    std::map<DeviceNumber, KnownMeter> meters_;
    std::map<ObisCode, KnownBank> banks_;
    std::map<DeviceNumber, KnownConcentrator> concentrators_;
    std::set<std::int32_t> days_;
    std::map<std::pair<MeterId, std::int16_t>, Instant> marks_;
};

}  // namespace wattmesh::headend::database
