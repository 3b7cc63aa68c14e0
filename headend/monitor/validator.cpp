#include "headend/monitor/validator.h"

#include <algorithm>

#include "headend/database/validation_days.h"

namespace wattmesh::headend::monitor {

int validate_days(database::Connection& connection, int count_max, Instant now, Duration settle) {
    int done = 0;
    database::ValidationDays days{connection};
    for (const auto& due : days.due(count_max)) {
        const auto local = days.local_days(due);
        // Oldest first: when one is not over, none after it is.
        if (std::ranges::any_of(local, [&](const auto& day) { return day.to + settle > now; })) continue;
        database::Transaction transaction{connection};
        for (const auto& day : local)
            for (const auto& meter : days.load(due, day))
                days.store(meter.meter, meter.day, validation::validate(meter.day, meter.limits), now);
        days.done(due);
        transaction.commit();
        ++done;
    }
    return done;
}

}  // namespace wattmesh::headend::monitor
