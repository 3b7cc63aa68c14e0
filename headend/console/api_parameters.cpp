#include <stdexcept>

#include "headend/console/api.h"
#include "headend/console/job_json.h"
#include "headend/console/limit_order.h"
#include "headend/console/relay_gate.h"
#include "headend/database/parameters.h"
#include "headend/monitor/parameter_job.h"
#include "protocol/cosem/models/models.h"

namespace wattmesh::headend::console {
namespace {

using database::Parameters;
using database::ParameterTemplate;
using database::Right;
using monitor::ParameterKind;
constexpr int drift_lines_max = 500;
constexpr std::size_t template_size_max = 8'000;

void write(Json& json, const ParameterTemplate& made) {
    json.open_object().field("name", made.name).field("kind", made.kind).key("content").raw(made.content);
    json.field("version", made.version).field("changed", made.changed).field("changed_by", made.changed_by);
    json.field("meters", made.meters).field("same", made.same).field("differs", made.differs).close_object();
}

void write(Json& json, const database::ParameterLine& line) {
    json.open_object().field("meter", line.meter).field("kind", line.kind);
    json.field("template", line.template_name)
        .field("version", line.version)
        .field("compared", line.compared);
    json.field("state", line.state).field("trouble", line.trouble).key("members").raw(line.members);
    json.field("desired", line.desired).field("desired_by", line.desired_by);
    json.field("checked", line.checked).field("written", line.written).close_object();
}

ParameterKind kind_in(const JsonBody& body) {
    const auto kind = monitor::parse_parameter_kind(body.text("kind", 32));
    if (!kind)
        throw Problem{400, "Bad request", "'kind' must be tariff_calendar, special_days, limits or push."};
    return *kind;
}

Answer parameter_overview(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Parameters parameters{*connection};
    Json json;
    json.open_object().key("kinds").open_array();
    for (const auto& count : parameters.counts())
        json.open_object()
            .field("kind", count.kind)
            .field("same", count.same)
            .field("differs", count.differs)
            .field("unknown", count.unknown)
            .close_object();
    json.close_array().key("templates").open_array();
    for (const auto& made : parameters.templates(request.caller->user.tenant)) write(json, made);
    return {.body = json.close_array().close_object().take()};
}

Answer list_drift(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& line :
         Parameters{*connection}.list(request.text("kind"), request.text("state"), drift_lines_max))
        write(json, line);
    return {.body = json.close_array().close_object().take()};
}

Answer of_meter(Context& context, const Request& request) {
    const auto meter = request.device("number");
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& line : Parameters{*connection}.of(meter)) write(json, line);
    return {.body = json.close_array().close_object().take()};
}

/// Templates hold for the whole utility: so must the right. Those with limits are for who may cut off.
Answer keep_template(Context& context, const Request& request) {
    const auto& user = request.caller->user;
    if (request.scope != database::Scope::of(user.tenant))
        throw Problem{403, "Not allowed",
                      "Templates hold for the whole utility: this needs the role engineer in it."};
    const JsonBody body{request.body};
    ParameterTemplate wanted{.tenant = user.tenant,
                             .name = body.text("name", 60),
                             .kind = std::string{to_string(kind_in(body))},
                             .content = body.text("content", template_size_max),
                             .changed = context.now(),
                             .changed_by = request.caller->name()};
    try {
        wanted.content = monitor::canonical(wanted.content);
        monitor::members_of(kind_in(body), wanted.content, cosem::models::generic);
    } catch (const std::runtime_error& error) {
        throw Problem{400, "Not a template", error.what()};
    }
    const auto reason = body.text("reason", 200);
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    Parameters parameters{*connection};
    const auto before = parameters.find(user.tenant, wanted.name);
    const auto made = parameters.put(wanted);
    if (!made)
        throw Problem{409, "Another kind",
                      "'" + wanted.name + "' is a template of " + before->kind + ". Choose another name."};
    database::AuditRecord record{{}, request.caller->name(), "parameter template", wanted.name};
    record.detail = wanted.kind + ", version " + std::to_string(made->version);
    record.reason = reason;
    if (before) record.before = before->content;
    record.after = made->content;
    record.tenant = user.tenant;
    context.audit(*connection, record);
    transaction.commit();
    Json json;
    write(json, *made);
    return {.body = json.take()};
}

std::string title_of(const monitor::ParameterOrder& order, const std::string& name, std::size_t meters) {
    const std::string what = order.apply ? "Write " + name + " to " : "Compare " + name + " of ";
    return what + std::to_string(meters) + (meters == 1 ? " meter" : " meters");
}

/// From now on the meters should hold the template, and are told so.
Answer apply_template(Context& context, const Request& request, const JsonBody& body, ParameterKind only) {
    auto connection = context.lease(request);
    const auto wanted = Parameters{*connection}.find(request.caller->user.tenant, body.text("template", 60));
    if (!wanted)
        throw Problem{404, "Unknown template", "There is no template '" + body.text("template", 60) + "'."};
    const auto kind = monitor::parse_parameter_kind(wanted->kind).value();
    const bool limits = kind == ParameterKind::limits;
    if (limits != (only == ParameterKind::limits))
        throw Problem{409, "Not here",
                      limits ? "Limits open breakers: order them at /api/relay/limits."
                             : "'" + wanted->name + "' holds no limits: order it at /api/parameters/orders."};
    const monitor::ParameterOrder order{true, kind, monitor::mark_of(*wanted)};
    const auto subjects = subjects_of(*connection, body, limits);
    const auto numbers = numbers_of(subjects);
    const auto spared = limits ? database::RelayRules{*connection}.protected_among(numbers)
                               : std::vector<database::ProtectedMeter>{};
    if (limits && body.flag_or("dry_run", false)) return plan_of(context, *connection, subjects, spared);
    database::Job job;
    job.kind = limits ? "limits" : "parameters";
    job.parameters = order.to_json();
    job.reason = body.text("reason", 200);
    if (limits) {
        check_not_stopped(*connection, request);
        refuse_protected(spared);
        job.state = gated(context, subjects.size());
    }
    job.title = title_of(order, wanted->name, subjects.size());
    // What waits for a second person is desired by nobody yet.
    if (job.state == database::JobState::proposed)
        return order_job(context, *connection, request, job, subjects);
    return order_job(context, *connection, request, job, subjects, [&] {
        return desire(*connection, *wanted, subjects, request.caller->name(), context.now());
    });
}

Answer order_limits(Context& context, const Request& request) {
    return apply_template(context, request, JsonBody{request.body}, ParameterKind::limits);
}

/// "apply" a template, or "check": what is desired already is compared, and nothing is written.
Answer order_parameters(Context& context, const Request& request) {
    const JsonBody body{request.body};
    const auto verb = body.text("verb", 8);
    if (verb == "apply") return apply_template(context, request, body, ParameterKind::push);
    if (verb != "check") throw Problem{400, "Bad request", "'verb' must be apply or check."};
    const monitor::ParameterOrder order{false, kind_in(body)};
    database::Job job;
    job.kind = "parameters";
    job.parameters = order.to_json();
    job.reason = body.text("reason", 200);
    auto connection = context.lease(request);
    std::vector<std::string> subjects;
    for (const auto& meter : Parameters{*connection}.desiring(std::string{to_string(order.kind)},
                                                              numbers_of(subjects_of(*connection, body))))
        subjects.push_back(to_string(meter));
    if (subjects.empty())
        throw Problem{409, "Nothing to compare", "None of these meters should hold anything of this kind."};
    job.title = title_of(order, std::string{to_string(order.kind)}, subjects.size());
    return order_job(context, *connection, request, job, subjects);
}

}  // namespace

void add_parameter_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/parameters", Right::look, parameter_overview);
    add_route(routes, context, "GET", "/api/parameters/meters", Right::look, list_drift);
    add_route(routes, context, "GET", "/api/meters/{number}/parameters", Right::look, of_meter);
    add_route(routes, context, "POST", "/api/parameters/templates", Right::configure, keep_template);
    add_route(routes, context, "POST", "/api/parameters/orders", Right::configure, order_parameters)
        .body_size_max = 256 * 1024;  // ten thousand numbers
    add_route(routes, context, "POST", "/api/relay/limits", Right::relay, order_limits).body_size_max =
        256 * 1024;
}

}  // namespace wattmesh::headend::console
