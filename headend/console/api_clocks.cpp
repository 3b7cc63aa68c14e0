#include "headend/console/api.h"
#include "headend/console/job_json.h"
#include "headend/console/json.h"
#include "headend/database/clocks.h"

namespace wattmesh::headend::console {
namespace {

using database::ClockRule;
using database::Clocks;
using database::Right;
constexpr int clock_lines_max = 500, offenders_max = 200, corrections_max = 100, offset_s_max = 1'000'000'000;

std::int64_t milliseconds(Duration duration) { return duration.count() / 1'000; }

void write(Json& json, const database::ClockLine& line) {
    json.open_object().field("meter", line.meter).field("class", line.meter_class).field("fault", line.fault);
    json.field("measured", line.measured).field("offset_ms", line.offset_ms);
    json.field("uncertainty_ms", line.uncertainty_ms).field("drift_ppm", line.drift_ppm);
    json.field("corrections", line.corrections).field("corrected", line.corrected).close_object();
}

void write(Json& json, const ClockRule& rule) {
    json.open_object().field("class", rule.meter_class).field("check_every_s", rule.check_every_s);
    json.field("correct_from_s", rule.correct_from_s).field("correct_to_s", rule.correct_to_s);
    json.field("midnight_s", rule.midnight_s).field("edge_s", rule.edge_s);
    json.field("offender_count", rule.offender_count).field("offender_days", rule.offender_days);
    json.field("automatic", rule.automatic).close_object();
}

std::string text_of(const ClockRule& rule) {
    Json json;
    write(json, rule);
    return json.take();
}

Answer clock_board(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Clocks clocks{*connection};
    const auto totals = clocks.totals();
    Json json;
    json.open_object().field("meters", totals.meters).field("measured", totals.measured);
    json.key("buckets").open_array();
    for (const auto& bucket : totals.buckets)
        json.open_object()
            .field("from_s", bucket.from_s)
            .field("to_s", bucket.to_s)
            .field("meters", bucket.meters)
            .close_object();
    json.close_array().key("rules").open_array();
    for (const auto& rule : clocks.rules(request.caller->user.tenant)) write(json, rule);
    json.close_array().key("offenders").open_array();
    for (const auto& line : clocks.offenders(context.now(), offenders_max)) write(json, line);
    json.close_array().key("corrections").open_array();
    for (const auto& made : clocks.corrections(std::nullopt, corrections_max)) {
        json.open_object().field("meter", made.meter).field("at", made.at);
        json.field("before_ms", milliseconds(made.before)).field("shift_s", made.shift_s).key("after_ms");
        made.after ? json.value(milliseconds(*made.after)) : json.null();
        json.field("from", made.from).field("to", made.to).field("result", made.result);
        json.field("job", made.job.value).field("by", made.ordered_by).close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

std::optional<int> seconds_of(const Request& request, std::string_view name) {
    if (request.text(name).empty()) return std::nullopt;
    return request.number(name, 0, -offset_s_max, offset_s_max);
}

Answer list_clocks(Context& context, const Request& request) {
    const auto from_s = seconds_of(request, "from_s"), to_s = seconds_of(request, "to_s");
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& line : Clocks{*connection}.list(from_s, to_s, clock_lines_max)) write(json, line);
    return {.body = json.close_array().close_object().take()};
}

Answer order_clocks(Context& context, const Request& request) {
    const JsonBody body{request.body};
    database::Job job;
    job.kind = "clock";
    job.parameters = "{}";
    job.reason = body.text("reason", 200);
    auto connection = context.lease(request);
    const auto subjects = subjects_of(*connection, body);
    job.title =
        "Set clocks of " + std::to_string(subjects.size()) + (subjects.size() == 1 ? " meter" : " meters");
    return order_job(context, *connection, request, job, subjects);
}

/// Rules hold for the whole utility: so must the right.
Answer change_rule(Context& context, const Request& request) {
    if (request.scope != database::Scope::of(request.caller->user.tenant))
        throw Problem{403, "Not allowed",
                      "Rules hold for the whole utility: this needs the role engineer in it."};
    const JsonBody body{request.body};
    const auto reason = body.text("reason", 200);
    const TenantId tenant = request.caller->user.tenant;
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    Clocks clocks{*connection};
    std::optional<ClockRule> before;
    for (const auto& rule : clocks.rules(tenant))
        if (rule.meter_class == request.captured.at("class")) before = rule;
    if (!before) throw Problem{404, "Unknown class", "Classes are household, business and large."};
    auto rule = *before;
    rule.check_every_s = body.number_or("check_every_s", 900, 2'592'000, rule.check_every_s);
    rule.correct_from_s = body.number_or("correct_from_s", 10, 899, rule.correct_from_s);
    rule.correct_to_s = body.number_or("correct_to_s", 11, 900, rule.correct_to_s);
    rule.midnight_s = body.number_or("midnight_s", 0, 14'400, rule.midnight_s);
    rule.edge_s = body.number_or("edge_s", 0, 300, rule.edge_s);
    rule.offender_count = body.number_or("offender_count", 1, 100, rule.offender_count);
    rule.offender_days = body.number_or("offender_days", 1, 400, rule.offender_days);
    rule.automatic = body.flag_or("automatic", rule.automatic);
    if (rule.correct_from_s >= rule.correct_to_s)
        throw Problem{400, "Bad request", "'correct_from_s' must be less than 'correct_to_s'."};
    clocks.put(tenant, rule);
    database::AuditRecord record{{}, request.caller->name(), "clock rule", rule.meter_class};
    record.reason = reason;
    record.before = text_of(*before);
    record.after = text_of(rule);
    record.tenant = tenant;
    context.audit(*connection, record);
    transaction.commit();
    return {.body = text_of(rule)};
}

}  // namespace

void add_clock_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/clocks", Right::look, clock_board);
    add_route(routes, context, "GET", "/api/clocks/meters", Right::look, list_clocks);
    add_route(routes, context, "POST", "/api/clocks/orders", Right::configure, order_clocks).body_size_max =
        256 * 1024;  // ten thousand numbers
    add_route(routes, context, "POST", "/api/clocks/rules/{class}", Right::configure, change_rule);
}

}  // namespace wattmesh::headend::console
