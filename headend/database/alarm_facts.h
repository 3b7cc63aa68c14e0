#pragma once
#include <vector>

#include "headend/database/alarms.h"

namespace wattmesh::headend::database {

/// Something that stands in the database now and that an alarm may be made of.
struct AlarmFact {
    std::string rule;  ///< word of an alarm rule
    std::optional<TenantId> tenant;
    std::optional<AreaId> area;
    AlarmObject object;
    Instant since{};
    std::string text;
    std::optional<double> value;
    int members = 1;
    std::vector<AlarmObject> places;  ///< what it hangs on, nearest first
};

/// Reads what stands. What happens once (an entry that was rejected) stands for an hour.
class AlarmFacts {
public:
    explicit AlarmFacts(Connection& connection) : connection_(connection) {}
    std::vector<AlarmFact> all(Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
