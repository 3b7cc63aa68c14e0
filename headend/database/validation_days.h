#pragma once
#include <map>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/read_completeness.h"
#include "headend/validation/rules.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// A UTC day of one concentrator's meters whose rows changed; concentrator 0: meters without one.
struct ValidationDue {
    int day = 0;
    std::int64_t concentrator = 0, mark = 0;
};
/// A local day, as the utility of the meters counts it.
struct LocalDay {
    TenantId tenant;
    Instant from{}, to{};
};
struct MeterToValidate {
    MeterId meter;
    validation::MeterClass limits;
    validation::MeterDay day;
};
/// What a page shows of a finding.
struct FindingLine {
    DeviceNumber meter;
    Instant day{}, first{}, last{};
    std::string rule, verdict, quality;
    std::int64_t value = 0, believed = 0;
};

/// Limits by the word of the class, as utilities changed them.
std::map<std::string, validation::MeterClass> validation_classes(Connection& connection);

/// Tables validation_due, validation_setting and validation_finding, and the rows that they are about.
class ValidationDays {
public:
    explicit ValidationDays(Connection& connection) : connection_(connection) {}

    std::vector<ValidationDue> due(int count_max);
    /// The local days that a UTC day touches.
    std::vector<LocalDay> local_days(const ValidationDue& due);
    /// Customers' and summary meters that were installed before the day. Breakers' states are not known here:
    /// nothing is said of usage behind an open one.
    std::vector<MeterToValidate> load(const ValidationDue& due, const LocalDay& day);
    /// Replaces what was found before.
    void store(MeterId meter, const validation::MeterDay& day,
               const std::vector<validation::Finding>& findings, Instant now);
    /// False when rows came meanwhile: then it stays due.
    bool done(const ValidationDue& due);

    /// Newest days first; `rule` empty: all.
    std::vector<FindingLine> list(const std::string& rule, std::optional<DeviceNumber> meter, int count_max);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
