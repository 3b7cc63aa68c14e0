#include "headend/console/api.h"
#include "headend/console/json.h"

namespace wattmesh::headend::console {
namespace {

Answer list_audit_records(Context& context, const Request& request) {
    database::AuditQuery query;
    query.actor = request.text("actor");
    query.action = request.text("action");
    query.subject = request.text("subject");
    if (!request.text("from").empty()) query.from = request.instant("from");
    if (!request.text("to").empty()) query.to = request.instant("to");
    query.count = request.number("limit", 100, 1, 1000);
    if (const auto below = request.text("below"); !below.empty()) {
        query.below = parse_id(below);
        if (!query.below) throw Problem{400, "Bad request", "'below' must be an id of an earlier answer."};
    }
    query.tenant = request.caller->user.tenant;
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& record : database::AuditLog{*connection}.find(query)) {
        json.open_object().field("id", record.id).key("number");
        record.number > 0 ? json.value(record.number) : json.null();
        json.field("at", record.at).field("actor", record.actor).field("action", record.action);
        json.field("subject", record.subject).field("detail", record.detail).field("reason", record.reason);
        json.field("before", record.before).field("after", record.after).close_object();
    }
    json.close_array().close_object();
    return {.body = json.take()};
}

/// Checks the whole chain, which takes a second for a hundred thousand records.
Answer verify(Context& context, const Request& request) {
    auto connection = context.lease(request);
    database::AuditLog log{*connection};
    const auto head = log.head();
    const auto broken = log.first_broken();
    const auto [waiting, oldest] = log.waiting();
    Json json;
    json.open_object().field("whole", !broken).field("sealed", head.number).field("waiting", waiting);
    json.field("oldest_waiting", oldest).key("first_broken");
    broken ? json.value(*broken) : json.null();
    return {.body = json.close_object().take()};
}

}  // namespace

void add_audit_routes(std::vector<Route>& routes, Context& context) {
    using database::Right;
    add_route(routes, context, "GET", "/api/audit", Right::audit, list_audit_records);
    add_route(routes, context, "GET", "/api/audit/verify", Right::audit, verify);
}

}  // namespace wattmesh::headend::console
