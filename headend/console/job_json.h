#pragma once
#include <string>
#include <vector>

#include "headend/console/context.h"
#include "headend/console/http.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"
#include "headend/database/jobs.h"

/// What the routes of jobs and of the command gate share.
namespace wattmesh::headend::console {

void write(Json& json, const database::Job& job);
/// Orders a job (kind, title, parameters, reason, state) in the caller's name and scope, for a day; audited.
/// 202 with the job. `also` is done in the same transaction.
Answer order_job(const Context& context, database::Connection& connection, const Request& request,
                 database::Job job, const std::vector<std::string>& subjects,
                 const std::function<std::string()>& also = {});
/// The job an address names. Everybody's jobs are for who may look at the whole utility; others see their
/// own. A Problem 404 otherwise.
database::Job wanted_job(database::Connection& connection, const Request& request);
/// The meters an order is about: `meters`, or all of `concentrator`. A Problem when one of them is not there.
/// `customers_only`: of a concentrator not the transformer's summary meter.
std::vector<std::string> subjects_of(database::Connection& connection, const JsonBody& body,
                                     bool customers_only = false);

}  // namespace wattmesh::headend::console
