#include <algorithm>

#include "headend/console/api.h"
#include "headend/console/job_json.h"
#include "headend/jobs/read_job.h"
#include "headend/jobs/report_job.h"
#include "protocol/cosem/obis_names.h"

namespace wattmesh::headend::console {
namespace {

using database::Job;
constexpr int days_max = 400;

Answer order_reads(Context& context, const Request& request) {
    const JsonBody body{request.body};
    const auto code = ObisCode::parse(body.text("obis", 32));
    if (!code) throw Problem{400, "Bad request", "'obis' must be a code like 1-0:1.8.0 or 1-0:1.8.0*255."};
    const dlms::AttributeId attribute{
        .class_id = static_cast<std::uint16_t>(body.number_or("class", 1, 65535, cosem::usual_class(*code))),
        .object = *code,
        .attribute = static_cast<std::int8_t>(body.number_or("attribute", 1, 127, 2))};
    Job job;
    job.kind = "read";
    job.reason = body.text("reason", 200);
    job.parameters = jobs::ReadOrder{attribute}.to_json();
    auto connection = context.lease(request);
    const auto subjects = subjects_of(*connection, body);
    job.title = "Read " + cosem::obis_name_or_code(*code) + " of " + std::to_string(subjects.size()) +
                (subjects.size() == 1 ? " meter" : " meters");
    return order_job(context, *connection, request, job, subjects);
}

Answer order_report(Context& context, const Request& request) {
    const JsonBody body{request.body};
    const auto kind = jobs::parse_report(body.text("report", 32));
    if (!kind) throw Problem{400, "Bad request", "'report' must be energy or completeness."};
    const auto format = jobs::parse_table_format(body.text_or("format", 8, "xlsx"));
    if (!format) throw Problem{400, "Bad request", "'format' must be csv, xlsx or pdf."};
    const auto first = parse_day(body.text("from", 10)), last = parse_day(body.text("to", 10));
    if (!first || !last || *first > *last || (*last - *first).count() >= days_max)
        throw Problem{400, "Bad request",
                      "'from' and 'to' must be days like 2026-03-10, at most 400 of them."};
    Job job;
    job.kind = "report";
    job.reason = body.text_or("reason", 200, "report");
    job.parameters = jobs::ReportOrder{*kind, *first, *last, *format}.to_json();
    job.title = std::string{*kind == jobs::ReportOrder::Kind::energy ? "Daily energies" : "Completeness"} +
                ", " + iso_day(*first) + " to " + iso_day(*last);
    auto connection = context.lease(request);
    return order_job(context, *connection, request, job, {std::string{to_string(*kind)}});
}

/// Everybody's jobs are for who may look at the whole utility; others see their own.
bool sees_all(const Request& request) {
    const auto& user = request.caller->user;
    return user.scope(database::Right::look) == database::Scope::of(user.tenant);
}

Answer list_jobs(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& job :
         database::Jobs{*connection}.list(database::Scope::of(request.caller->user.tenant), sees_all(request),
                                          request.caller->name(), request.number("limit", 50, 1, 500)))
        write(json, job);
    json.close_array().close_object();
    return {.body = json.take()};
}

Answer one_job(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Json json;
    write(json, wanted_job(*connection, request));
    return {.body = json.take()};
}

Answer items(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto job = wanted_job(*connection, request);
    std::optional<database::ItemState> state;
    if (const auto word = request.text("state"); !word.empty()) {
        state = database::parse_item_state(word);
        if (!state)
            throw Problem{400, "Bad request", "'state' must be waiting, working, done, failed or cancelled."};
    }
    const int count = request.number("limit", 200, 1, 1000);
    const auto found =
        database::Jobs{*connection}.items(job.id, state, request.number("from", 1, 1, 1'000'000), count);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& item : found) {
        json.open_object()
            .field("place", item.place)
            .field("subject", item.subject)
            .field("state", to_string(item.state));
        json.field("detail", item.detail)
            .field("attempts", item.attempts)
            .field("finished", item.finished)
            .close_object();
    }
    json.close_array().key("next");
    static_cast<int>(found.size()) == count ? json.value(found.back().place + 1) : json.null();
    return {.body = json.close_object().take()};
}

Answer file(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto job = wanted_job(*connection, request);
    const auto found = database::Jobs{*connection}.file(job.id);
    if (!found)
        throw Problem{404, "No file", job.open() ? "The job is not done yet." : "The job made no file."};
    return {.body = {found->content.begin(), found->content.end()},
            .type = found->media_type,
            .headers = {{"Content-Disposition", "attachment; filename=\"" + found->name + "\""}}};
}

Answer steer(Context& context, const Request& request) {
    const auto& verb = request.captured.at("verb");
    auto connection = context.lease(request);
    const auto before = wanted_job(*connection, request);
    if (before.requested_by != request.caller->name() && !request.caller->may(database::Right::accounts))
        throw Problem{403, "Not allowed",
                      "Only " + before.requested_by + " or an administrator steers this job."};
    database::Transaction transaction{*connection};
    database::Jobs jobs{*connection};
    bool moved = false;
    if (verb == "pause")
        moved = jobs.pause(before.id);
    else if (verb == "resume")
        moved = jobs.resume(before.id);
    else if (verb == "cancel")
        moved = jobs.cancel(before.id, context.now());
    else
        throw Problem{404, "Not found", "A job takes pause, resume and cancel."};
    if (!moved)
        throw Problem{409, "Not now",
                      "The job is " + std::string{to_string(before.state)} + ": it cannot " + verb + "."};
    const auto after = jobs.find(before.id);
    database::AuditRecord record{
        {}, request.caller->name(), "job " + verb, "job " + std::to_string(before.id.value)};
    record.before = to_string(before.state);
    record.after = to_string(after->state);
    record.tenant = request.caller->user.tenant;
    context.audit(*connection, record);
    transaction.commit();
    Json json;
    write(json, *after);
    return {.body = json.take()};
}

}  // namespace

void add_job_routes(std::vector<Route>& routes, Context& context) {
    using database::Right;
    add_route(routes, context, "GET", "/api/jobs", Right::look, list_jobs);
    add_route(routes, context, "POST", "/api/jobs/reads", Right::read, order_reads).body_size_max =
        256 * 1024;  // ten thousand numbers
    add_route(routes, context, "POST", "/api/jobs/reports", Right::look, order_report);
    add_route(routes, context, "GET", "/api/jobs/{id}", Right::look, one_job);
    add_route(routes, context, "GET", "/api/jobs/{id}/items", Right::look, items);
    add_route(routes, context, "GET", "/api/jobs/{id}/file", Right::look, file);
    add_route(routes, context, "POST", "/api/jobs/{id}/{verb}", Right::look, steer);
}

}  // namespace wattmesh::headend::console
