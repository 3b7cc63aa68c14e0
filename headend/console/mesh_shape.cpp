#include "headend/console/mesh_shape.h"

#include <algorithm>

namespace wattmesh::headend::console {
namespace {

using Graph = std::map<DeviceNumber, std::set<DeviceNumber>>;

Graph graph_of(const std::vector<database::LinkSeen>& links) {
    Graph graph;
    for (const auto& link : links) {
        graph[link.meter].insert(link.parent);
        graph[link.parent].insert(link.meter);
    }
    return graph;
}

/// Those of `cut_off` that are linked with `from`, over one another.
std::vector<DeviceNumber> gained(const Graph& graph, const std::set<DeviceNumber>& cut_off,
                                 const DeviceNumber& from) {
    std::set<DeviceNumber> seen;
    std::vector<DeviceNumber> open{from};
    while (!open.empty()) {
        const auto at = open.back();
        open.pop_back();
        if (cut_off.contains(at)) seen.insert(at);
        const auto next = graph.find(at);
        if (next == graph.end()) continue;
        for (const auto& neighbour : next->second)
            if (cut_off.contains(neighbour) && !seen.contains(neighbour)) open.push_back(neighbour);
    }
    return {seen.begin(), seen.end()};
}

}  // namespace

std::vector<DeviceNumber> route_of(const std::map<DeviceNumber, const database::MeterPlace*>& places,
                                   const database::MeterPlace& place) {
    std::vector<DeviceNumber> route;
    for (auto parent = place.parent; parent && route.size() < 32;) {
        route.push_back(*parent);
        const auto next = places.find(*parent);
        if (next == places.end()) break;
        parent = next->second->parent;
    }
    std::reverse(route.begin(), route.end());
    return route;
}

std::vector<Relay> relays_of(const std::vector<ShapeNode>& nodes) {
    std::map<DeviceNumber, std::vector<DeviceNumber>> below;
    for (const auto& node : nodes)
        if (node.reached)
            for (const auto& relay : node.route) below[relay].push_back(node.number);
    std::vector<Relay> relays;
    relays.reserve(below.size());
    for (auto& [number, under] : below) relays.push_back({number, std::move(under)});
    std::stable_sort(relays.begin(), relays.end(),
                     [](const Relay& a, const Relay& b) { return a.below.size() > b.below.size(); });
    return relays;
}

std::vector<RepeaterSite> repeater_sites(const std::vector<ShapeNode>& nodes,
                                         const std::vector<database::LinkSeen>& links,
                                         std::size_t count_max) {
    std::set<DeviceNumber> reached{DeviceNumber{}}, cut_off;
    for (const auto& node : nodes) (node.reached ? reached : cut_off).insert(node.number);
    const auto graph = graph_of(links);
    std::vector<RepeaterSite> sites;
    for (const auto& [place, neighbours] : graph) {
        if (place == DeviceNumber{}) continue;  // there is a radio already
        const bool in_mesh = reached.contains(place);
        const bool linked = in_mesh || std::any_of(neighbours.begin(), neighbours.end(),
                                                   [&](const auto& n) { return reached.contains(n); });
        if (!linked) continue;
        auto gains = gained(graph, cut_off, place);
        if (!gains.empty()) sites.push_back({place, in_mesh, std::move(gains)});
    }
    // Where the device is gone, the place is what is missing; next to one in the mesh, most likely the link
    // is.
    std::stable_sort(sites.begin(), sites.end(), [](const RepeaterSite& a, const RepeaterSite& b) {
        return std::pair{b.gains.size(), a.reached} < std::pair{a.gains.size(), b.reached};
    });
    if (sites.size() > count_max) sites.resize(count_max);
    return sites;
}

}  // namespace wattmesh::headend::console
