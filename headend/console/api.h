#pragma once
#include <vector>

#include "headend/console/access.h"
#include "headend/console/context.h"
#include "headend/console/http.h"
#include "headend/console/json_body.h"

namespace wattmesh::headend::console {

/// A route that takes what handlers share. The reference is good until the next one is added.
inline Route& add_route(std::vector<Route>& routes, Context& context, const char* method, const char* pattern,
                        database::Right right, Answer (*handle)(Context&, const Request&)) {
    routes.push_back({.method = method,
                      .pattern = pattern,
                      .right = right,
                      .handle = [&context, handle](Request& request) { return handle(context, request); }});
    return routes.back();
}

/// Hash of the member 'password'. Throws a Problem when it is too short.
std::string new_password(const Context& context, const JsonBody& body);

/// Each adds its routes; all are described in openapi.yaml.
/// Signing in and out, and the own password: for everybody.
void add_session_routes(std::vector<Route>& routes, Context& context, Access& access);
void add_overview_routes(std::vector<Route>& routes, Context& context);
void add_concentrator_routes(std::vector<Route>& routes, Context& context);
void add_trace_routes(std::vector<Route>& routes, Context& context);
void add_mesh_routes(std::vector<Route>& routes, Context& context);
void add_completeness_routes(std::vector<Route>& routes, Context& context);
void add_network_routes(std::vector<Route>& routes, Context& context);
void add_search_routes(std::vector<Route>& routes, Context& context);
void add_validation_routes(std::vector<Route>& routes, Context& context);
void add_clock_routes(std::vector<Route>& routes, Context& context);
void add_parameter_routes(std::vector<Route>& routes, Context& context);
void add_firmware_routes(std::vector<Route>& routes, Context& context);
void add_prepayment_routes(std::vector<Route>& routes, Context& context);
void add_partner_routes(std::vector<Route>& routes, Context& context);
void add_meter_routes(std::vector<Route>& routes, Context& context);
void add_alarm_routes(std::vector<Route>& routes, Context& context);
/// /metrics is open: it looks at who asks by itself.
void add_metrics_routes(std::vector<Route>& routes, Context& context, Access& access);
void add_outage_routes(std::vector<Route>& routes, Context& context);
void add_read_routes(std::vector<Route>& routes, Context& context);
void add_account_routes(std::vector<Route>& routes, Context& context);
/// The own tokens for programs: for everybody, since they carry no more than the rights of their owner.
void add_token_routes(std::vector<Route>& routes, Context& context, Access& access);
void add_audit_routes(std::vector<Route>& routes, Context& context);
/// Before the jobs' routes, some of which take any verb.
void add_relay_routes(std::vector<Route>& routes, Context& context);
void add_job_routes(std::vector<Route>& routes, Context& context);

}  // namespace wattmesh::headend::console
