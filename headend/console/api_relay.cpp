#include "headend/console/api.h"
#include "headend/console/job_json.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"
#include "headend/console/limit_order.h"
#include "headend/console/relay_gate.h"
#include "headend/database/relay_rules.h"
#include "headend/monitor/relay_job.h"
#include "headend/monitor/relay_priority.h"

namespace wattmesh::headend::console {
namespace {

using database::Job;
using database::JobState;
using database::RelayRules;
using database::Right;

TenantId tenant_of(const Request& request) { return request.caller->user.tenant; }

Answer place(Context& context, database::Connection& connection, const Request& request,
             monitor::RelayVerb verb, const std::vector<std::string>& subjects, const std::string& reason,
             int priority) {
    Job job;
    job.kind = "relay";
    job.title =
        (verb == monitor::RelayVerb::disconnect ? "Disconnect " : "Reconnect ") +
        (subjects.size() == 1 ? "meter " + subjects.front() : std::to_string(subjects.size()) + " meters");
    job.parameters = monitor::RelayOrder{verb}.to_json();
    job.reason = reason;
    job.priority = priority;
    job.state = gated(context, subjects.size());
    return order_job(context, connection, request, job, subjects);
}

Answer order(Context& context, const Request& request) {
    const JsonBody body{request.body};
    const auto verb = monitor::parse_relay_verb(body.text("verb", 16));
    if (!verb) throw Problem{400, "Bad request", "'verb' must be disconnect or reconnect."};
    const bool only_plan = body.flag_or("dry_run", false);
    const auto reason = only_plan ? std::string{} : body.text("reason", 200);
    auto connection = context.lease(request);
    const auto subjects = subjects_of(*connection, body, true);
    const auto spared = *verb == monitor::RelayVerb::disconnect
                            ? RelayRules{*connection}.protected_among(numbers_of(subjects))
                            : std::vector<database::ProtectedMeter>{};
    if (only_plan) return plan_of(context, *connection, subjects, spared);
    check_not_stopped(*connection, request);
    refuse_protected(spared);
    return place(context, *connection, request, *verb, subjects, reason, monitor::priority_of(*verb));
}

bool is_firmware(const Job& job) { return job.kind.starts_with("firmware"); }

/// An order that the caller may approve or undo: every meter of it lies where the caller may switch.
Job wanted_order(database::Connection& connection, const Request& request, bool approves) {
    auto job = wanted_job(connection, request);
    const bool others = job.kind == "limits" || is_firmware(job);
    if (job.kind != "relay" && !(approves && others))
        throw Problem{409, "Not a relay order", "Only an order that disconnects or reconnects takes this."};
    if (!database::JobSubjects{connection}.sees_all(job.id))
        throw Problem{
            403, "Not allowed",
            "Meters of this order lie outside the areas where you may switch. Somebody who may switch "
            "in all of them must do it."};
    return job;
}

Answer approve(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto job = wanted_order(*connection, request, true);
    if (request.caller->token) throw Problem{403, "Not allowed", "A second person approves, not a program."};
    if (request.caller->is(job.requested_by))
        throw Problem{403, "Not allowed", "A second person approves: you ordered this yourself."};
    if (is_firmware(job)) {
        if (!request.caller->may(Right::configure))
            throw Problem{403, "Not allowed", "Approving firmware needs the role engineer."};
    } else {
        check_not_stopped(*connection, request);
    }
    database::Transaction transaction{*connection};
    database::Jobs jobs{*connection};
    if (!jobs.approve(job.id, request.caller->name()))
        throw Problem{409, "Not now",
                      "The order is " + std::string{to_string(job.state)} + ": there is nothing to approve."};
    database::AuditRecord record{
        {}, request.caller->name(), "job approve", "job " + std::to_string(job.id.value)};
    record.detail = job.title + ", ordered by " + job.requested_by;
    record.before = to_string(job.state);
    record.after = to_string(JobState::queued);
    if (job.kind == "limits") {
        record.before = desire_approved(*connection, job, context.now());
        record.after = job.parameters;
    }
    record.tenant = tenant_of(request);
    context.audit(*connection, record);
    const auto after = jobs.find(job.id);
    transaction.commit();
    Json json;
    write(json, *after);
    return {.body = json.take()};
}

/// Takes back what the order changed: the same meters, the other way round. What was so before stays.
Answer undo(Context& context, const Request& request) {
    const auto reason = JsonBody{request.body}.text("reason", 200);
    auto connection = context.lease(request);
    const auto job = wanted_order(*connection, request, false);
    check_not_stopped(*connection, request);
    if (job.open()) throw Problem{409, "Not now", "The order is not over. Cancel the rest first."};
    if (!job.over())
        throw Problem{409, "Not now",
                      "Meters of the order are being switched: " + std::to_string(job.working) +
                          " are in hand. Undo it when they have ended."};
    const auto verb = monitor::RelayOrder::from_json(job.parameters).verb == monitor::RelayVerb::disconnect
                          ? monitor::RelayVerb::reconnect
                          : monitor::RelayVerb::disconnect;
    const auto subjects = database::Jobs{*connection}.changed(job.id);
    if (subjects.empty()) throw Problem{409, "Nothing to undo", "The order changed no meter."};
    if (verb == monitor::RelayVerb::disconnect)
        refuse_protected(RelayRules{*connection}.protected_among(numbers_of(subjects)));
    return place(context, *connection, request, verb, subjects,
                 "undo of job " + std::to_string(job.id.value) + ": " + reason, monitor::priority_of_undo);
}

Answer state(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto stop = RelayRules{*connection}.stopped(tenant_of(request));
    Json json;
    json.open_object().field("stopped", stop.has_value()).key("since");
    stop ? json.value(stop->since) : json.null();
    json.key("by");
    stop ? json.value(stop->by) : json.null();
    json.key("reason");
    stop ? json.value(stop->reason) : json.null();
    json.field("second_person_above", context.settings.second_person_above);
    return {.body = json.close_object().take()};
}

/// One press: nothing more is switched, what was ordered is cancelled.
Answer stop(Context& context, const Request& request) {
    const auto reason = JsonBody{request.body}.text("reason", 200);
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    const bool fresh =
        RelayRules{*connection}.stop(tenant_of(request), {context.now(), request.caller->name(), reason});
    int cancelled = 0;
    for (const char* kind : {"relay", "limits"})
        cancelled += database::Jobs{*connection}.cancel_all(kind, tenant_of(request), context.now());
    database::AuditRecord record{{}, request.caller->name(), "relay stop", "all meters"};
    record.detail = (fresh ? "" : "again, ") + std::to_string(cancelled) + " orders cancelled";
    record.reason = reason;
    record.tenant = tenant_of(request);
    context.audit(*connection, record);
    transaction.commit();
    Json json;
    return {
        .body =
            json.open_object().field("stopped", true).field("cancelled", cancelled).close_object().take()};
}

/// Anybody who may switch may stop; a stop of the whole utility is released by who may switch in all of it.
Answer go_on(Context& context, const Request& request) {
    if (request.scope != database::Scope::of(tenant_of(request)))
        throw Problem{403, "Not allowed",
                      "The stop holds for the whole utility: releasing it needs the role operator in it."};
    const auto reason = JsonBody{request.body}.text("reason", 200);
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    if (!RelayRules{*connection}.go_on(tenant_of(request)))
        throw Problem{409, "Not stopped", "Switching was not stopped."};
    database::AuditRecord record{{}, request.caller->name(), "relay release", "all meters"};
    record.reason = reason;
    record.tenant = tenant_of(request);
    context.audit(*connection, record);
    transaction.commit();
    Json json;
    return {.body = json.open_object().field("stopped", false).close_object().take()};
}

Answer protect(Context& context, const Request& request) {
    const auto meter = request.device("number");
    const JsonBody body{request.body};
    const auto reason = body.text("reason", 200);
    const std::optional<std::string> why =
        body.has("why") ? std::optional{body.text("why", 200)} : std::nullopt;
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    RelayRules rules{*connection};
    const auto before = rules.protection(meter);
    if (!rules.protect(meter, why))
        throw Problem{404, "Unknown meter", "The head-end has no meter " + to_string(meter) + "."};
    database::AuditRecord record{{}, request.caller->name(), why ? "protect" : "unprotect", to_string(meter)};
    record.reason = reason;
    record.before = before;
    record.after = why;
    record.tenant = tenant_of(request);
    context.audit(*connection, record);
    transaction.commit();
    Json json;
    return {.body = json.open_object().field("meter", meter).field("protected", why).close_object().take()};
}

}  // namespace

void add_relay_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/relay", Right::look, state);
    add_route(routes, context, "POST", "/api/relay/orders", Right::relay, order).body_size_max =
        256 * 1024;  // ten thousand numbers
    add_route(routes, context, "POST", "/api/relay/stop", Right::relay, stop);
    add_route(routes, context, "POST", "/api/relay/release", Right::relay, go_on);
    add_route(routes, context, "POST", "/api/jobs/{id}/approve", Right::relay, approve);
    add_route(routes, context, "POST", "/api/jobs/{id}/undo", Right::relay, undo);
    add_route(routes, context, "POST", "/api/meters/{number}/protection", Right::configure, protect);
}

}  // namespace wattmesh::headend::console
