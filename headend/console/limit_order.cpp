#include "headend/console/limit_order.h"

#include "headend/console/relay_gate.h"
#include "headend/monitor/parameter_job.h"

namespace wattmesh::headend::console {

using database::Parameters;

std::string desire(database::Connection& connection, const database::ParameterTemplate& wanted,
                   const std::vector<std::string>& subjects, const std::string& by, Instant now) {
    const auto numbers = numbers_of(subjects);
    Parameters parameters{connection};
    auto before = parameters.held(wanted.kind, numbers);
    parameters.desire(wanted.id, numbers, by, now);
    return before;
}

std::string desire_approved(database::Connection& connection, const database::Job& job, Instant now) {
    const auto order = monitor::ParameterOrder::from_json(job.parameters);
    const auto wanted = order.mark ? Parameters{connection}.find(order.mark->id) : std::nullopt;
    if (!wanted || monitor::mark_of(*wanted) != *order.mark)
        throw Problem{409, "Superseded",
                      "The template was changed after this was ordered. Cancel the order and place it anew."};
    std::vector<std::string> subjects;
    for (const auto& item :
         database::Jobs{connection}.items(job.id, std::nullopt, 1, database::Jobs::items_max))
        subjects.push_back(item.subject);
    return desire(connection, *wanted, subjects, job.requested_by, now);
}

}  // namespace wattmesh::headend::console
