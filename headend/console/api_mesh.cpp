#include <algorithm>

#include "headend/console/api.h"
#include "headend/console/live_topology.h"
#include "headend/console/mesh_shape.h"
#include "headend/console/words.h"
#include "headend/database/collectors.h"
#include "headend/database/read_overview.h"

namespace wattmesh::headend::console {
namespace {

constexpr std::chrono::days links_looked_back{30};
constexpr std::size_t sites_max = 5;
constexpr int signal_step_db = 10;

struct Known {
    DeviceNumber number;
    database::MeterPlace place;
};

/// What the database knows of a concentrator's mesh.
struct Stored {
    database::Concentrator concentrator;
    std::vector<Known> devices;
    std::vector<database::LinkSeen> links;
};

Stored stored(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto number = request.device("number");
    const auto line = database::OverviewReader{*connection}.concentrator(number);
    if (!line)
        throw Problem{
            404, "No such concentrator",
            "No concentrator " + to_string(number) + " is registered. 'headend enrol' registers one."};
    Stored out{.concentrator = line->concentrator, .devices = {}, .links = {}};
    for (const auto& box : database::Collectors{*connection}.lines(out.concentrator.id))
        out.devices.push_back({box.number, box.place});
    for (const auto& meter : database::MeterReader{*connection}.of(out.concentrator.id, context.now()))
        out.devices.push_back({meter.number, meter.place});
    out.links =
        database::MeshReader{*connection}.links(out.concentrator.id, context.now() - links_looked_back);
    return out;
}

ShapeNode shape_of(const dcu::TopologyNode& node) {
    const bool in = node.state == dcu::NodeState::joined || node.state == dcu::NodeState::suspect;
    return {.number = node.number,
            .reached = in && node.hops > 0,
            .state = std::string{dcu::to_string(node.state)},
            .hops = node.hops,
            .rssi_dbm = node.sub_address == 0 ? std::optional<int>{node.rssi_dbm} : std::nullopt,
            .route = node.route};
}

std::vector<ShapeNode> shape(const Stored& stored,
                             const std::optional<std::vector<dcu::TopologyNode>>& live) {
    std::map<DeviceNumber, const dcu::TopologyNode*> seen;
    if (live)
        for (const auto& node : *live) seen[node.number] = &node;
    std::map<DeviceNumber, const database::MeterPlace*> places;
    for (const auto& device : stored.devices) places[device.number] = &device.place;
    std::vector<ShapeNode> nodes;
    nodes.reserve(stored.devices.size());
    for (const auto& [number, place] : stored.devices) {
        const auto node = seen.find(number);
        if (node != seen.end()) {
            nodes.push_back(shape_of(*node->second));
            continue;
        }
        nodes.push_back({.number = number,
                         .reached = !live && place.joined && !place.dark,
                         .state = live ? "unseen" : std::string{state_word(place)},
                         .hops = place.hops,
                         .rssi_dbm = place.rssi_dbm,
                         .route = route_of(places, place)});
    }
    return nodes;
}

void write_hops(Json& json, const std::vector<ShapeNode>& nodes) {
    std::map<int, int> hops;
    for (const auto& node : nodes)
        if (node.reached) ++hops[node.hops];
    json.key("hops").open_array();
    for (const auto& [count, many] : hops)
        json.open_object().field("hops", count).field("nodes", many).close_object();
    json.close_array();
}

/// By steps of ten decibels, strongest first: -83 dBm is one of those of at least -90.
void write_signal(Json& json, const std::vector<ShapeNode>& nodes) {
    std::map<int, int, std::greater<>> steps;
    for (const auto& node : nodes) {
        if (!node.reached || !node.rssi_dbm) continue;
        const int below_zero = -std::min(*node.rssi_dbm, 0);
        ++steps[-((below_zero + signal_step_db - 1) / signal_step_db) * signal_step_db];
    }
    json.key("signal").open_array();
    for (const auto& [least, many] : steps)
        json.open_object().field("at_least_dbm", least).field("nodes", many).close_object();
    json.close_array();
}

void write_numbers(Json& json, std::string_view name, const std::vector<DeviceNumber>& numbers) {
    json.key(name).open_array();
    for (const auto& number : numbers) json.value(number);
    json.close_array();
}

void write_unreached(Json& json, const std::vector<ShapeNode>& nodes,
                     const std::vector<database::LinkSeen>& links) {
    json.key("unreached").open_array();
    for (const auto& node : nodes) {
        if (node.reached) continue;
        const database::LinkSeen* last = nullptr;
        for (const auto& link : links)
            if (link.meter == node.number && (last == nullptr || link.last > last->last)) last = &link;
        json.open_object().field("number", node.number).field("state", node.state);
        json.field("last_reached", last != nullptr ? std::optional{last->last} : std::nullopt);
        json.field("last_parent", last != nullptr && last->parent != DeviceNumber{}
                                      ? std::optional{last->parent}
                                      : std::nullopt);
        json.close_object();
    }
    json.close_array();
}

Answer mesh(Context& context, const Request& request) {
    const auto known = stored(context, request);
    std::optional<std::vector<dcu::TopologyNode>> live;
    if (known.concentrator.link == database::LinkState::online)
        live = live_nodes(context, known.concentrator.number);
    const auto nodes = shape(known, live);
    Json json;
    json.open_object()
        .field("concentrator", known.concentrator.number)
        .field("source", live ? "live" : "stored")
        .field("nodes", static_cast<std::int64_t>(nodes.size()));
    json.field("reached", static_cast<std::int64_t>(std::count_if(
                              nodes.begin(), nodes.end(), [](const auto& node) { return node.reached; })));
    write_hops(json, nodes);
    write_signal(json, nodes);
    json.key("relays").open_array();
    for (const auto& relay : relays_of(nodes)) {
        json.open_object().field("number", relay.number);
        write_numbers(json, "below", relay.below);
        json.close_object();
    }
    json.close_array();
    write_unreached(json, nodes, known.links);
    json.key("repeater").open_object().field("links", static_cast<std::int64_t>(known.links.size()));
    json.field("since", context.now() - links_looked_back).key("sites").open_array();
    for (const auto& site : repeater_sites(nodes, known.links, sites_max)) {
        json.open_object().field("near", site.near).field("reached", site.reached);
        write_numbers(json, "gains", site.gains);
        json.close_object();
    }
    json.close_array().close_object().close_object();
    return {.body = json.take()};
}

}  // namespace

void add_mesh_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/concentrators/{number}/mesh", database::Right::look, mesh);
}

}  // namespace wattmesh::headend::console
