#include "headend/console/api.h"
#include "headend/console/words.h"

namespace wattmesh::headend::console {
namespace {

constexpr std::chrono::days span_max{62};
constexpr int worst_max = 20, months_missed = 3;

std::pair<database::UtcDay, database::UtcDay> days_of(const Context& context, const Request& request) {
    const auto last = request.day("to", context.today());
    const auto first = request.day("from", last - std::chrono::days{13});
    if (first > last) throw Problem{400, "Bad request", "'from' must not be after 'to'."};
    if (last - first >= span_max)
        throw Problem{400, "Bad request", "'from' and 'to' may lie at most 61 days apart."};
    return {first, last};
}

/// Fields of counts; the caller has the object open.
void write_counts(Json& json, const database::CompletenessCounts& counts) {
    json.field("expected", counts.expected).field("received", counts.received);
    json.field("first_try", counts.first_try).field("meters", counts.meters);
    json.field("meters_complete", counts.meters_complete);
    const auto in_time = [&](const char* name, std::int64_t received, std::int64_t expected) {
        json.key(name).open_object();
        json.field("expected", expected).field("received", received).close_object();
    };
    in_time("by_8h", counts.by_8h, counts.expected_8h);
    in_time("by_24h", counts.by_24h, counts.expected_24h);
    in_time("by_72h", counts.by_72h, counts.expected_72h);
    json.key("missing");
    write(json, counts.missing);
}

Answer board(Context& context, const Request& request) {
    const auto [first, last] = days_of(context, request);
    auto connection = context.lease(request);
    Json json;
    json.open_object().field("from", iso_day(first)).field("to", iso_day(last)).key("items").open_array();
    for (const auto& cell : database::CompletenessReader{*connection}.board(interval_profile, first, last)) {
        json.open_object().field("concentrator", cell.number).field("day", iso_day(cell.day));
        write_counts(json, cell);
        json.close_object();
    }
    json.close_array().close_object();
    return {.body = json.take()};
}

void write_groups(Json& json, const char* name, const std::vector<database::CompletenessGroup>& groups) {
    json.key(name).open_array();
    for (const auto& group : groups) {
        json.open_object().field("name", group.name);
        write_counts(json, group);
        json.close_object();
    }
    json.close_array();
}

void write_meters(Json& json, const char* name, const std::vector<database::WorstMeter>& meters) {
    json.key(name).open_array();
    for (const auto& meter : meters) {
        json.open_object().field("meter", meter.number).field("concentrator", meter.concentrator);
        json.field("model", meter.model).field("days", meter.days).field("intervals", meter.intervals);
        json.key("missing");
        write(json, meter.missing);
        json.close_object();
    }
    json.close_array();
}

Answer summary(Context& context, const Request& request) {
    const auto [first, last] = days_of(context, request);
    auto connection = context.lease(request);
    database::CompletenessReader reader{*connection};
    Json json;
    json.open_object().field("from", iso_day(first)).field("to", iso_day(last));
    write_groups(json, "areas", reader.by_area(interval_profile, first, last));
    write_groups(json, "models", reader.by_model(interval_profile, first, last));
    write_meters(json, "worst", reader.worst(interval_profile, first, last, worst_max));
    write_meters(json, "repeated", reader.repeated(interval_profile, last, months_missed, worst_max));
    json.close_object();
    return {.body = json.take()};
}

Answer day(Context& context, const Request& request) {
    const auto number = request.device("concentrator");
    const auto day = request.day("day", context.today());
    auto connection = context.lease(request);
    const auto concentrator = database::Concentrators{*connection}.find(number);
    if (!concentrator)
        throw Problem{404, "No such concentrator",
                      "No concentrator " + to_string(number) + " is registered."};
    database::CompletenessReader reader{*connection};
    const auto whole = reader.of_concentrator(concentrator->id, interval_profile, day, context.due());
    std::map<DeviceNumber, std::vector<database::MissingRange>> ranges;
    for (auto& range : database::Completeness{*connection}.missing(
             concentrator->id, interval_profile, database::start_of(day),
             std::min(database::end_of(day), context.due()), ranges_max))
        ranges[range.number].push_back(range);
    Json json;
    json.open_object().field("concentrator", number).field("day", iso_day(day));
    json.field("expected", whole.expected).field("received", whole.received).key("meters").open_array();
    for (const auto& meter : reader.missing(concentrator->id, interval_profile, day, context.due())) {
        const auto& missing = ranges[meter.number];
        json.open_object().field("meter", meter.number).field("role", role_word(meter.role));
        json.field("expected", meter.expected).field("received", meter.received);
        json.field("reason", to_string(main_reason(counts_of(missing)))).key("first_missing");
        if (missing.empty())
            json.null();
        else
            json.value(missing.front().from);
        json.key("last_missing");
        if (missing.empty())
            json.null();
        else
            json.value(missing.back().to);
        json.key("ranges").open_array();
        for (const auto& range : missing)
            json.open_object()
                .field("from", range.from)
                .field("to", range.to)
                .field("reason", to_string(range.reason))
                .close_object();
        json.close_array().close_object();
    }
    json.close_array().close_object();
    return {.body = json.take()};
}

}  // namespace

void add_completeness_routes(std::vector<Route>& routes, Context& context) {
    routes.push_back({.method = "GET", .pattern = "/api/completeness", .handle = [&](Request& request) {
                          return board(context, request);
                      }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/completeness/summary",
                      .handle = [&](Request& request) { return summary(context, request); }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/completeness/{concentrator}/{day}",
                      .handle = [&](Request& request) { return day(context, request); }});
}

}  // namespace wattmesh::headend::console
