#include "tests/bench/mesh_plots.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/bench/plot/chart.h"

namespace wattmesh::bench {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out{path, std::ios::binary};
    out << text;
    if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

void write_plots(const std::string& directory, const std::string& title, const std::vector<Plotted>& all) {
    const std::filesystem::path folder{directory};
    std::filesystem::create_directories(folder);
    std::vector<Series> joined, read;
    std::vector<std::string> names;
    double last_s = 1;
    for (const auto& [name, outcome] : all) {
        names.push_back(name);
        joined.push_back(distribution(name, outcome.curves.joined_s, outcome.reachable));
        read.push_back(distribution(name, outcome.curves.reads_s, outcome.curves.reads));
        for (const double s : outcome.curves.joined_s) last_s = std::max(last_s, s);
    }
    write(folder / "join.svg", line_chart({.title = "Joined and read once, from a common power-on: " + title,
                                           .x_label = "seconds",
                                           .y_label = "share of the reachable meters",
                                           .x_max = last_s * 1.02},
                                          joined));
    write(folder / "reads.svg", line_chart({.title = "First reads answered within: " + title,
                                            .x_label = "seconds from asking the mesh (logarithmic)",
                                            .y_label = "share of all first reads",
                                            .x_max = 30,
                                            .x_logarithmic = true,
                                            .x_min = 0.05},
                                           read));
    std::vector<Panel> panels;
    for (const auto& [metric, label] :
         {std::pair{Metric::join_t99_s, "99 % joined and read, s"},
          std::pair{Metric::warm_t95_s, "95 % back after a power cut, s"},
          std::pair{Metric::round_s, "a round of reading, s"},
          std::pair{Metric::first_read_success, "first reads answered, share"},
          std::pair{Metric::control_s_per_node_h, "control airtime per node and hour, s"},
          std::pair{Metric::stretch_mean, "airtime of the routes by the oracle's"},
          std::pair{Metric::repair_in_transaction, "read in spite of a dead relay, share"},
          std::pair{Metric::parent_changes_per_node_day, "changes of parent per node and day"}}) {
        Panel panel{.title = label, .values = {}};
        if (metric == Metric::parent_changes_per_node_day) panel.missing = "has no parents";
        for (const auto& one : all) panel.values.push_back(one.outcome.of[static_cast<std::size_t>(metric)]);
        panels.push_back(std::move(panel));
    }
    write(folder / "comparison.svg", bar_panels(title, names, panels));
    if (!all.empty())
        write(folder / "map.svg",
              route_map("Routes after forming, " + all.front().name + ": " + title,
                        all.front().outcome.curves.map,
                        {all.front().outcome.curves.root_x_m, all.front().outcome.curves.root_y_m}));
}

}  // namespace wattmesh::bench
