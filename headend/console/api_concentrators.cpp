#include <algorithm>

#include "headend/console/api.h"
#include "headend/console/live_topology.h"
#include "headend/console/mesh_shape.h"
#include "headend/console/network_json.h"
#include "headend/console/words.h"
#include "headend/database/collectors.h"
#include "headend/database/desired_states.h"
#include "headend/database/read_network.h"

namespace wattmesh::headend::console {
namespace {

database::ConcentratorLine wanted(database::Connection& connection, const Request& request) {
    const auto number = request.device("number");
    auto found = database::OverviewReader{connection}.concentrator(number);
    if (!found)
        throw Problem{
            404, "No such concentrator",
            "No concentrator " + to_string(number) + " is registered. 'headend enrol' registers one."};
    return std::move(*found);
}

std::string object_word(const ObisCode& object) {
    if (object == dcu::objects::meter_list) return "meter_list";
    if (object == dcu::objects::wrapped_keys) return "wrapped_keys";
    if (object == dcu::objects::reading_plan) return "reading_plan";
    if (object == dcu::objects::limits) return "limits";
    if (object == dcu::objects::backfill) return "backfill";
    return to_string(object);
}

Answer detail(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto line = wanted(*connection, request);
    const auto id = line.concentrator.id;
    const auto counted = database::CompletenessReader{*connection}.of_concentrator(
        id, interval_profile, context.today(), context.due());
    database::CompletenessCounts today;
    today.expected = counted.expected;
    today.received = counted.received;
    Json json;
    json.open_object();
    write(json, line, today);
    json.field("owner_epoch", line.concentrator.owner_epoch.value)
        .field("summary_meter", line.summary_meter)
        .key("certificate");
    auto certificates = database::Concentrators{*connection}.certificates(id);
    const auto newest = std::max_element(certificates.begin(), certificates.end(),
                                         [](const auto& a, const auto& b) { return a.issued < b.issued; });
    if (newest == certificates.end()) {
        json.null();
    } else {
        json.open_object()
            .field("serial", newest->serial)
            .field("issued", newest->issued)
            .field("expires", newest->expires);
        json.field("revoked", newest->revoked).close_object();
    }
    json.key("journals").open_array();
    for (const auto& journal : database::OverviewReader{*connection}.journals(id))
        json.open_object()
            .field("id", to_hex(journal.journal.octets))
            .field("acknowledged", static_cast<std::int64_t>(journal.sequence.value))
            .field("updated", journal.advanced)
            .close_object();
    json.close_array().key("objects").open_array();
    for (const auto& object : database::DesiredStates{*connection}.of(id))
        json.open_object()
            .field("object", object_word(object.object))
            .field("desired", static_cast<std::int64_t>(object.version))
            .field("confirmed", static_cast<std::int64_t>(object.confirmed_version))
            .field("confirmed_at", object.confirmed)
            .close_object();
    json.close_array().close_object();
    return {.body = json.take()};
}

void write_numbers(Json& json, std::string_view name, const std::vector<DeviceNumber>& numbers) {
    json.key(name).open_array();
    for (const auto& number : numbers) json.value(number);
    json.close_array();
}

void write_live(Json& json, const dcu::TopologyNode& node) {
    const bool placed = node.state == dcu::NodeState::joined || node.state == dcu::NodeState::suspect;
    json.field("state", dcu::to_string(node.state)).key("parent");
    if (placed && node.parent != DeviceNumber{})
        json.value(node.parent);
    else
        json.null();
    const bool wired = node.sub_address != 0;
    json.field("hops", static_cast<int>(node.hops));
    json.field("sub_address", wired ? std::optional{static_cast<int>(node.sub_address)} : std::nullopt);
    json.key("rssi_dbm");
    if (placed && !wired)
        json.value(static_cast<int>(node.rssi_dbm));
    else
        json.null();
    json.key("etx_percent");
    if (placed && !wired)
        json.value(static_cast<std::int64_t>(node.etx_percent));
    else
        json.null();
    json.key("last_heard");
    if (node.last_heard > Instant{})
        json.value(node.last_heard);
    else
        json.null();
    write_numbers(json, "route", node.route);
    write_numbers(json, "alternative", node.alternative);
}

void write_stored(Json& json, const database::MeterPlace& place, const std::vector<DeviceNumber>& route) {
    json.field("state", state_word(place)).field("parent", place.joined ? place.parent : std::nullopt);
    json.field("hops", place.hops)
        .field("sub_address", place.joined ? place.sub_address : std::nullopt)
        .key("rssi_dbm");
    if (place.rssi_dbm)
        json.value(*place.rssi_dbm);
    else
        json.null();
    json.key("etx_percent").null().key("last_heard");
    if (place.known)
        json.value(place.at);
    else
        json.null();
    write_numbers(json, "route", place.joined ? route : std::vector<DeviceNumber>{});
    write_numbers(json, "alternative", {});
}

Answer statistics(Context& context, const Request& request) {
    DeviceNumber number;
    {
        auto connection = context.lease(request);
        number = wanted(*connection, request).concentrator.number;
    }
    const auto counts = live_statistics(context, number);
    Json json;
    json.open_object().field("concentrator", number).field("live", counts.has_value());
    if (counts) {
        json.field("reads", static_cast<std::int64_t>(counts->reads))
            .field("reads_first_try", static_cast<std::int64_t>(counts->reads_first_try))
            .field("reads_alternative", static_cast<std::int64_t>(counts->reads_alternative))
            .field("reads_failed", static_cast<std::int64_t>(counts->reads_failed))
            .field("frames_sent", static_cast<std::int64_t>(counts->frames_sent))
            .field("frames_received", static_cast<std::int64_t>(counts->frames_received))
            .field("frames_refused", static_cast<std::int64_t>(counts->frames_refused));
    }
    json.close_object();
    return {.body = json.take()};
}

void write_cellular(Json& json, const dcu::CellularState& modem) {
    json.key("cellular")
        .open_object()
        .field("state", modem.state)
        .field("operator", modem.operator_name)
        .field("registration", dcu::to_string(modem.registration))
        .key("signal_dbm");
    if (modem.signal_dbm)
        json.value(static_cast<int>(*modem.signal_dbm));
    else
        json.null();
    json.field("redials", static_cast<std::int64_t>(modem.redials))
        .field("restarts", static_cast<std::int64_t>(modem.restarts))
        .field("resets", static_cast<std::int64_t>(modem.resets))
        .close_object();
}

Answer uplink(Context& context, const Request& request) {
    DeviceNumber number;
    {
        auto connection = context.lease(request);
        number = wanted(*connection, request).concentrator.number;
    }
    const auto state = live_uplink(context, number);
    Json json;
    json.open_object().field("concentrator", number).field("live", state.has_value());
    if (state) {
        json.field("current", static_cast<int>(state->current))
            .field("since", state->since)
            .field("moves", static_cast<std::int64_t>(state->moves))
            .field("returns", static_cast<std::int64_t>(state->returns))
            .key("ways")
            .open_array();
        for (const auto& way : state->ways) {
            json.open_object()
                .field("bearer", way.bearer)
                .field("address", way.address)
                .field("available", way.available)
                .field("calls", static_cast<std::int64_t>(way.calls))
                .field("sessions", static_cast<std::int64_t>(way.sessions))
                .field("failures", static_cast<std::int64_t>(way.failures))
                .field("probes", static_cast<std::int64_t>(way.probes))
                .field("probes_answered", static_cast<std::int64_t>(way.probes_answered))
                .field("last_failure", way.last_failure)
                .close_object();
        }
        json.close_array();
        if (state->cellular) write_cellular(json, *state->cellular);
    }
    json.close_object();
    return {.body = json.take()};
}

Answer topology(Context& context, const Request& request) {
    std::optional<database::ConcentratorLine> line;
    std::vector<database::MeterLine> meters;
    std::vector<database::CollectorLine> collectors;
    {
        auto connection = context.lease(request);
        line = wanted(*connection, request);
        collectors = database::Collectors{*connection}.lines(line->concentrator.id);
        meters = database::MeterReader{*connection}.of(line->concentrator.id, context.now());
    }
    std::optional<std::vector<dcu::TopologyNode>> live;
    if (line->concentrator.link == database::LinkState::online)
        live = live_nodes(context, line->concentrator.number);
    std::map<DeviceNumber, const dcu::TopologyNode*> seen;
    if (live)
        for (const auto& node : *live) seen[node.number] = &node;
    std::map<DeviceNumber, const database::MeterPlace*> known;
    for (const auto& meter : meters) known[meter.number] = &meter.place;
    for (const auto& collector : collectors) known[collector.number] = &collector.place;

    Json json;
    json.open_object()
        .field("concentrator", line->concentrator.number)
        .field("source", live ? "live" : "stored")
        .key("nodes")
        .open_array();
    const auto write_node = [&](const DeviceNumber& number, dcu::MeterRole role,
                                const database::MeterPlace& place) {
        json.open_object().field("number", number).field("role", role_word(role));
        const auto node = seen.find(number);
        if (node != seen.end())
            write_live(json, *node->second);
        else
            write_stored(json, place, route_of(known, place));
        json.close_object();
    };
    for (const auto& collector : collectors)
        write_node(collector.number, dcu::MeterRole::collector, collector.place);
    for (const auto& meter : meters) write_node(meter.number, meter.role, meter.place);
    json.close_array().close_object();
    return {.body = json.take()};
}

/// Of the transformer at which it stands.
Answer balance(Context& context, const Request& request) {
    const auto day = request.day("day", context.today());
    auto connection = context.lease(request);
    const auto line = wanted(*connection, request);
    const auto transformer = database::NetworkReader{*connection}.transformer_of(line.concentrator.id);
    if (!transformer)
        throw Problem{404, "No transformer",
                      "Nobody has said at which transformer concentrator " +
                          to_string(line.concentrator.number) +
                          " stands. A list of assets says it (Network, Import)."};
    return balance_of(context, *connection, *transformer, day);
}

}  // namespace

void add_concentrator_routes(std::vector<Route>& routes, Context& context) {
    routes.push_back({.method = "GET",
                      .pattern = "/api/concentrators/{number}",
                      .handle = [&](Request& request) { return detail(context, request); }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/concentrators/{number}/topology",
                      .handle = [&](Request& request) { return topology(context, request); }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/concentrators/{number}/statistics",
                      .handle = [&](Request& request) { return statistics(context, request); }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/concentrators/{number}/uplink",
                      .handle = [&](Request& request) { return uplink(context, request); }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/concentrators/{number}/balance",
                      .handle = [&](Request& request) { return balance(context, request); }});
}

}  // namespace wattmesh::headend::console
