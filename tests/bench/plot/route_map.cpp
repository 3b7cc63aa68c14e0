#include <algorithm>
#include <array>
#include <string>

#include "tests/bench/plot/chart.h"

namespace wattmesh::bench {
namespace {

// Near the root light, far from it dark.
constexpr std::array<const char*, 8> hop_colours{"#7fb8de", "#4a97cf", "#1f77b4", "#14609a",
                                                 "#5b3f99", "#7a2f8a", "#9c2a5c", "#b02418"};
constexpr double drawing = 720, margin = 40, legend = 150;

const char* colour_of_hops(std::size_t hops) { return hop_colours[std::min(hops, hop_colours.size()) - 1]; }

}  // namespace

std::string route_map(const std::string& title, const std::vector<Station>& stations, Point root_m) {
    double x_min = root_m.x, x_max = root_m.x, y_min = root_m.y, y_max = root_m.y;
    for (const auto& station : stations) {
        x_min = std::min(x_min, station.x_m);
        x_max = std::max(x_max, station.x_m);
        y_min = std::min(y_min, station.y_m);
        y_max = std::max(y_max, station.y_m);
    }
    const double span = std::max({x_max - x_min, y_max - y_min, 1.0}), scale = drawing / span;
    const double height = std::max((y_max - y_min) * scale, 220.0);
    Svg svg{2 * margin + drawing + legend, 2 * margin + height + 20};
    const auto at = [&](double x, double y) {
        return Point{margin + (x - x_min) * scale, margin + 20 + height - (y - y_min) * scale};
    };
    svg.text({margin, 28}, title, Svg::Anchor::start, "#111111", 15, true);
    std::size_t deepest = 0, lost = 0;
    for (const auto& station : stations) {
        if (!station.parent) continue;
        const bool direct = *station.parent >= stations.size();
        const Point from = direct ? at(root_m.x, root_m.y)
                                  : at(stations[*station.parent].x_m, stations[*station.parent].y_m);
        svg.line(from, at(station.x_m, station.y_m), colour_of_hops(station.hops), 1, 0.55);
    }
    for (const auto& station : stations) {
        deepest = std::max(deepest, station.hops);
        lost += station.hops == 0 ? 1 : 0;
        if (station.hops == 0)
            svg.circle(at(station.x_m, station.y_m), 3.5, "#ffffff", "#b00020");
        else
            svg.circle(at(station.x_m, station.y_m), 3, colour_of_hops(station.hops));
    }
    const Point root = at(root_m.x, root_m.y);
    svg.rectangle({root.x - 6, root.y - 6}, 12, 12, "#111111", 2);
    const double x = margin + drawing + 24;
    double y = margin + 34;
    svg.rectangle({x - 5, y - 9}, 10, 10, "#111111", 2);
    svg.text({x + 12, y}, "concentrator");
    for (std::size_t hops = 1; hops <= std::min(deepest, hop_colours.size()); ++hops) {
        y += 20;
        svg.circle({x, y - 4}, 4, colour_of_hops(hops));
        const bool more = hops == hop_colours.size() && deepest > hops;
        svg.text({x + 12, y}, std::to_string(hops) + (hops == 1 ? " hop"
                                                      : more    ? " hops and more"
                                                                : " hops"));
    }
    if (lost > 0) {
        y += 20;
        svg.circle({x, y - 4}, 4, "#ffffff", "#b00020");
        svg.text({x + 12, y}, "no route (" + std::to_string(lost) + ")");
    }
    // A scale: a tenth of a kilometre, or ten metres where that is too long.
    const double metres = span > 150 ? 100 : 10;
    svg.line({x, y + 24}, {x + metres * scale, y + 24}, "#111111", 2);
    svg.text({x, y + 42}, metres > 50 ? "100 m" : "10 m");
    return svg.finish();
}

}  // namespace wattmesh::bench
