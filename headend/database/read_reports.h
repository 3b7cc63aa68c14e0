#pragma once
#include <functional>
#include <string>

#include "headend/database/read_completeness.h"

namespace wattmesh::headend::database {

/// One meter's energy of one local day, as the aggregates have it.
struct EnergyDay {
    DeviceNumber meter;
    std::string area;
    std::optional<DeviceNumber> concentrator;
    UtcDay day{};                           ///< the utility's own calendar day
    std::int64_t import_wh = 0;             ///< channel 1
    std::optional<std::int64_t> export_wh;  ///< channel 2, where the meter has one
    int readings = 0, expected = 0, doubtful = 0;
};

/// Rows of reports, one by one: a report may be longer than memory should hold. Read only.
class ReportReader {
public:
    explicit ReportReader(Connection& connection) : connection_(connection) {}

    /// Days [first, last], ordered by meter and day; days without any reading are left out.
    void energy_days(const ObisCode& profile, UtcDay first, UtcDay last,
                     const std::function<void(const EnergyDay&)>& row);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
