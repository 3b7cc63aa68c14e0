#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/database/outages.h"
#include "headend/database/read_outages.h"
#include "headend/monitor/outage_inference.h"

namespace wattmesh::headend::console {
namespace {

void write(Json& json, const database::OutageLine& line) {
    json.open_object().field("concentrator", line.concentrator).field("at", line.at);
    json.field("received", line.received)
        .field("members", static_cast<int>(line.seen.members))
        .field("reported", static_cast<int>(line.seen.reported))
        .field("inferred", static_cast<int>(line.seen.inferred));
    json.field("ended", line.ended);
    json.field("back", line.end ? std::optional{static_cast<int>(line.end->back)} : std::nullopt);
    json.field("missing", line.end ? std::optional{static_cast<int>(line.end->missing)} : std::nullopt);
    json.close_object();
}

monitor::InferredOutage plain(const database::StoredOutage& stored) {
    monitor::InferredOutage outage;
    outage.from = stored.from;
    outage.to = stored.to;
    outage.customers = stored.customers;
    return outage;
}

/// What was concluded for transformers, and what it adds up to over the last days.
void write_transformers(Json& json, database::Connection& connection, Instant now, int days, int count_max) {
    database::Outages reader{connection};
    const Instant from = now - std::chrono::hours{24} * days;
    std::vector<monitor::InferredOutage> all;
    const auto stored = reader.since(from);
    all.reserve(stored.size());
    for (const auto& outage : stored) all.push_back(plain(outage));
    const auto indices = monitor::indices_of({}, all, reader.customers(now), from, now);
    json.key("indices").open_object().field("days", days).field("customers", indices.customers);
    json.field("saidi_min", indices.saidi_min)
        .field("saifi", indices.saifi)
        .field("caidi_min", indices.caidi_min)
        .field("customer_minutes", indices.customer_minutes)
        .field("interrupted", indices.interrupted)
        .field("momentary", indices.momentary)
        .close_object();
    json.key("transformers").open_array();
    for (const auto& row : reader.list(from, count_max)) {
        const auto& outage = row.outage;
        json.open_object()
            .field("transformer", row.transformer)
            .field("name", row.transformer_name)
            .field("feeder", row.feeder);
        json.field("from", outage.from).field("to", outage.to).field("whole", outage.whole);
        json.field("customers", outage.customers)
            .field("reported", outage.reported)
            .field("inferred", outage.silent)
            .close_object();
    }
    json.close_array();
}

Answer outages(Context& context, const Request& request) {
    auto connection = context.lease(request);
    database::OutageReader reader{*connection};
    Json json;
    const int count_max = request.number("limit", 100, 1, 1000);
    json.open_object().field("open", reader.open());
    write_transformers(json, *connection, context.now(), request.number("days", 30, 1, 366), count_max);
    json.key("items").open_array();
    for (const auto& line : reader.list(count_max)) write(json, line);
    json.close_array().close_object();
    return {.body = json.take()};
}

std::string_view place_word(const database::PlaceAt& place) {
    switch (place.kind) {
        case dcu::EntryKind::meter_joined:
        case dcu::EntryKind::power_back:
            return "joined";
        case dcu::EntryKind::power_lost:
            return place.inferred ? "dark_inferred" : "dark";
        case dcu::EntryKind::meter_deleted:
            return "deleted";
        default:
            return "lost";
    }
}

/// How a meter was reached at an instant: the newest word of the mesh before it.
Answer route(Context& context, const Request& request) {
    const auto meter = request.device("number");
    const auto at = request.text("at").empty() ? context.now() : request.instant("at");
    auto connection = context.lease(request);
    const auto place = database::OutageReader{*connection}.place(meter, at);
    if (!place)
        throw Problem{
            404, "Nothing known",
            "The mesh had said nothing of meter " + to_string(meter) + " by then. Ask for a later 'at'."};
    Json json;
    json.open_object().field("meter", meter).field("at", at).field("state", place_word(*place));
    json.field("since", place->since).field("until", place->until).field("concentrator", place->concentrator);
    json.field("hops", place->hops)
        .field("sub_address", place->sub_address)
        .field("rssi_dbm", place->rssi_dbm);
    json.field("parent", place->parent).field("route_since", place->route_since).key("route");
    if (place->route) {
        json.open_array();
        for (const auto& relay : *place->route) json.value(relay);
        json.close_array();
    } else {
        json.null();
    }
    json.close_object();
    return {.body = json.take()};
}

}  // namespace

void add_outage_routes(std::vector<Route>& routes, Context& context) {
    routes.push_back({.method = "GET", .pattern = "/api/outages", .handle = [&](Request& request) {
                          return outages(context, request);
                      }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/meters/{number}/route",
                      .handle = [&](Request& request) { return route(context, request); }});
}

}  // namespace wattmesh::headend::console
