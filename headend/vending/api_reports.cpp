#include "headend/vending/api.h"
#include "headend/vending/reports.h"

namespace wattmesh::headend::vending {
namespace {

using console::Answer;
using console::Json;
using console::Problem;
using console::Request;
constexpr int report_days_max = 400;

struct CellJson {
    Json& json;
    void operator()(std::monostate) const { json.null(); }
    void operator()(const std::string& text) const { json.value(text); }
    void operator()(std::int64_t number) const { json.value(number); }
    void operator()(const jobs::Decimal& decimal) const { json.value(jobs::to_string(decimal)); }
    void operator()(jobs::Tenths tenths) const {
        json.value(jobs::to_string(jobs::Decimal{tenths.value, 1}));
    }
    void operator()(Instant at) const { json.value(at); }
};

Answer report_json(const ReportTable& table, const database::SalesSpan& span) {
    Json json;
    json.open_object().field("title", table.heading.title);
    json.field("from", console::iso_day(span.first)).field("to", console::iso_day(span.last));
    json.key("notes").open_array();
    for (const auto& note : table.heading.notes) json.value(note);
    json.close_array().key("columns").open_array();
    for (const auto& column : table.heading.columns) json.value(column.name);
    json.close_array().key("rows").open_array();
    for (const auto& row : table.rows) {
        json.open_array();
        for (const auto& cell : row) std::visit(CellJson{json}, cell);
        json.close_array();
    }
    return {.body = json.close_array().close_object().take()};
}

/// Sales have the days of the utility's own calendar.
database::SalesSpan span_of(const Request& request, database::Connection& connection, Instant now) {
    const auto tenant = request.caller->user.tenant;
    const auto last = request.day("to", database::SalesReader{connection}.local_day(tenant, now));
    const database::SalesSpan span{
        .tenant = tenant, .first = request.day("from", last - std::chrono::days{6}), .last = last};
    if (span.first > span.last || (span.last - span.first).count() >= report_days_max)
        throw Problem{400, "Bad request",
                      "'from' and 'to' must be days like 2026-03-10, at most 400 of them."};
    return span;
}

/// As JSON for a page, or as a file; a file is written down, since it leaves the house.
Answer report(Counter& counter, Request& request) {
    const auto kind = parse_sales_report(request.captured.at("report"));
    if (!kind) throw Problem{404, "No such report", "There are sales, tax, debt, free_units and anomalies."};
    const auto word = request.text("format", "json");
    const auto format = jobs::parse_table_format(word);
    if (!format && word != "json")
        throw Problem{400, "Bad request", "'format' must be json, csv, xlsx or pdf."};
    auto connection = counter.context.pool.lease();
    const auto span = span_of(request, *connection, counter.context.now());
    try {
        auto table = sales_report(*connection, *kind, span, counter.front);
        if (!format) return report_json(table, span);
        const auto name = std::string{to_string(*kind)} + "-" + console::iso_day(span.first) + "-" +
                          console::iso_day(span.last) + "." + std::string{jobs::extension(*format)};
        table.heading.notes.push_back("Made " + jobs::minute_text(counter.context.now()) + " UTC for " +
                                      request.caller->name());
        const auto writer = jobs::table_writer(*format, table.heading);
        for (const auto& row : table.rows) writer->row(row);
        const auto file = writer->finish();
        database::AuditRecord record{{}, request.caller->name(), "vend report", name};
        record.detail = std::to_string(table.rows.size()) + " rows";
        record.tenant = span.tenant;
        counter.context.audit(*connection, record);
        return {.body = {file.begin(), file.end()},
                .type = std::string{jobs::media_type(*format)},
                .headers = {{"Content-Disposition", "attachment; filename=\"" + name + "\""}}};
    } catch (const std::length_error& error) {
        throw Problem{422, "Too long", error.what()};
    }
}

}  // namespace

void add_report_routes(std::vector<console::Route>& routes, Counter& counter) {
    add_route(routes, counter, "GET", "/api/vend/reports/{report}", database::Right::vend_manage, report);
}

}  // namespace wattmesh::headend::vending
