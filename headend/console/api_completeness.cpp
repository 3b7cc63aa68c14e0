#include "headend/console/api.h"
#include "headend/console/words.h"

namespace wattmesh::headend::console {
namespace {

constexpr std::chrono::days span_max{62};

std::map<ConcentratorId, bool> links(database::Connection& connection) {
    std::map<ConcentratorId, bool> online;
    for (const auto& concentrator : database::Concentrators{connection}.all())
        online[concentrator.id] = concentrator.link == database::LinkState::online;
    return online;
}

Answer board(Context& context, const Request& request) {
    const auto last = request.day("to", context.today());
    const auto first = request.day("from", last - std::chrono::days{13});
    if (first > last) throw Problem{400, "Bad request", "'from' must not be after 'to'."};
    if (last - first >= span_max)
        throw Problem{400, "Bad request", "'from' and 'to' may lie at most 61 days apart."};
    auto connection = context.lease(request);
    const auto online = links(*connection);
    database::Completeness completeness{*connection};
    Json json;
    json.open_object().field("from", iso_day(first)).field("to", iso_day(last)).key("items").open_array();
    for (const auto& cell :
         database::CompletenessReader{*connection}.board(interval_profile, first, last, context.due())) {
        json.open_object().field("concentrator", cell.number).field("day", iso_day(cell.day));
        json.field("expected", cell.expected).field("received", cell.received);
        json.field("meters", cell.meters).field("meters_complete", cell.meters_complete).key("missing");
        ReasonCounts counts;
        if (cell.received < cell.expected)
            counts = reasons(
                completeness.missing(cell.concentrator, interval_profile, database::start_of(cell.day),
                                     std::min(database::end_of(cell.day), context.due()), ranges_max),
                online.at(cell.concentrator));
        write(json, counts);
        json.close_object();
    }
    json.close_array().close_object();
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
    Completed whole;
    for (const auto& cell : reader.board(interval_profile, day, day, context.due()))
        if (cell.concentrator == concentrator->id) whole = {cell.expected, cell.received};

    std::map<DeviceNumber, std::vector<database::MissingRange>> ranges;
    for (auto& range : database::Completeness{*connection}.missing(
             concentrator->id, interval_profile, database::start_of(day),
             std::min(database::end_of(day), context.due()), ranges_max))
        ranges[range.number].push_back(std::move(range));
    const bool online = concentrator->link == database::LinkState::online;
    Json json;
    json.open_object().field("concentrator", number).field("day", iso_day(day));
    json.field("expected", whole.expected).field("received", whole.received).key("meters").open_array();
    for (const auto& meter : reader.missing(concentrator->id, interval_profile, day, context.due())) {
        const auto& missing = ranges[meter.number];
        const auto counts = reasons(missing, online);
        json.open_object().field("meter", meter.number).field("role", role_word(meter.role));
        json.field("expected", meter.expected).field("received", meter.received);
        json.field("reason", counts.empty() ? std::string{"not_read"} : counts.front().first)
            .key("first_missing");
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
                .field("reason", reason_of(range, online))
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
                      .pattern = "/api/completeness/{concentrator}/{day}",
                      .handle = [&](Request& request) { return day(context, request); }});
}

}  // namespace wattmesh::headend::console
