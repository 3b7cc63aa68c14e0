#include "headend/console/api.h"
#include "headend/console/words.h"
#include "headend/database/alarms.h"
#include "headend/database/read_outages.h"
#include "headend/database/read_quarantine.h"

namespace wattmesh::headend::console {
namespace {

std::map<DeviceNumber, database::CompletenessCell> today_of(Context& context,
                                                            database::Connection& connection) {
    std::map<DeviceNumber, database::CompletenessCell> found;
    for (const auto& cell :
         database::CompletenessReader{connection}.board(interval_profile, context.today(), context.today()))
        found[cell.number] = cell;
    return found;
}

Answer overview(Context& context, const Request& request) {
    auto connection = context.lease(request);
    database::OverviewReader reader{*connection};
    const auto lines = reader.concentrators();
    const auto today = today_of(context, *connection);
    const auto counts = reader.store_counts();

    int online = 0, meters = 0, joined = 0;
    database::CompletenessCounts all;
    database::MissingCounts missing{};
    Json items;
    items.open_array();
    for (const auto& line : lines) {
        const auto found = today.find(line.concentrator.number);
        const auto cell = found == today.end() ? database::CompletenessCell{} : found->second;
        items.open_object();
        write(items, line, cell);
        items.close_object();
        online += line.concentrator.link == database::LinkState::online;
        meters += line.meters;
        joined += line.joined;
        all.expected += cell.expected;
        all.received += cell.received;
        for (std::size_t reason = 0; reason < missing.size(); ++reason)
            missing[reason] += cell.missing[reason];
    }
    items.close_array();

    Json json;
    json.open_object().field("now", context.now()).field("day", iso_day(context.today()));
    json.key("concentrators")
        .open_object()
        .field("known", static_cast<int>(lines.size()))
        .field("online", online)
        .close_object();
    json.key("meters").open_object().field("known", meters).field("joined", joined).close_object();
    json.key("completeness")
        .open_object()
        .field("expected", all.expected)
        .field("received", all.received)
        .key("missing");
    write(json, missing);
    json.close_object();
    json.key("store").open_object().field("rows", counts.rows).field("rows_duplicate", counts.duplicates);
    json.field("entries", counts.entries).field("entries_replayed", counts.replayed).close_object();
    json.field("conflicts", counts.conflicts).field("rejected", counts.rejected);
    json.field("quarantine", database::QuarantineReader{*connection}.devices());
    json.field("outages", database::OutageReader{*connection}.open());
    const auto alarms = database::Alarms{*connection}.counts();
    json.key("alarms").open_object().field("high", alarms.unacked[0]).field("medium", alarms.unacked[1]);
    json.field("low", alarms.unacked[2])
        .field("acked", alarms.acked[0] + alarms.acked[1] + alarms.acked[2])
        .close_object();
    json.key("hops").open_array();
    for (const auto& ring : reader.hops())
        json.open_object().field("hops", ring.hops).field("meters", ring.meters).close_object();
    json.close_array().key("items").raw(items.text()).close_object();
    return {.body = json.take()};
}

Answer quarantine(Context& context, const Request& request) {
    std::optional<database::QuarantineKind> only;
    const auto kind = request.text("kind");
    if (kind == "concentrator" || kind == "device")
        only = database::QuarantineKind::device;
    else if (kind == "entry")
        only = database::QuarantineKind::entry;
    else if (kind == "conflict")
        only = database::QuarantineKind::conflict;
    else if (!kind.empty())
        throw Problem{400, "Bad request", "'kind' must be device, entry or conflict."};

    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& item :
         database::QuarantineReader{*connection}.list(only, request.number("limit", 200, 1, 1000))) {
        constexpr const char* words[] = {"device", "entry", "conflict"};
        json.open_object().field("kind", words[static_cast<int>(item.kind)]).field("at", item.at);
        json.field("concentrator", item.concentrator).field("meter", item.meter);
        json.field("reason", item.reason).field("detail", item.detail).close_object();
    }
    json.close_array().close_object();
    return {.body = json.take()};
}

Answer concentrators(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto today = today_of(context, *connection);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& line : database::OverviewReader{*connection}.concentrators()) {
        const auto found = today.find(line.concentrator.number);
        json.open_object();
        write(json, line, found == today.end() ? database::CompletenessCell{} : found->second);
        json.close_object();
    }
    json.close_array().close_object();
    return {.body = json.take()};
}

}  // namespace

void add_overview_routes(std::vector<Route>& routes, Context& context) {
    routes.push_back({.method = "GET", .pattern = "/api/overview", .handle = [&](Request& request) {
                          return overview(context, request);
                      }});
    routes.push_back({.method = "GET", .pattern = "/api/concentrators", .handle = [&](Request& request) {
                          return concentrators(context, request);
                      }});
    routes.push_back({.method = "GET", .pattern = "/api/quarantine", .handle = [&](Request& request) {
                          return quarantine(context, request);
                      }});
}

}  // namespace wattmesh::headend::console
