#pragma once
#include "headend/console/http.h"
#include "headend/database/connection.h"
#include "headend/database/jobs.h"
#include "headend/database/parameters.h"

namespace wattmesh::headend::console {

/// From now on the subjects of `job` should hold the template. What they should hold so far, for the audit
/// log. Within the caller's transaction.
std::string desire(database::Connection& connection, const database::ParameterTemplate& wanted,
                   const std::vector<std::string>& subjects, const std::string& by, Instant now);
/// The same for an order that waited for a second person: nothing was desired until now. A Problem 409 when
/// the template has been changed since it was ordered.
std::string desire_approved(database::Connection& connection, const database::Job& job, Instant now);

}  // namespace wattmesh::headend::console
