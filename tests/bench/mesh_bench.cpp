#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "tests/bench/mesh_plots.h"
#include "tests/bench/mesh_run.h"

/// One JSON line per seed, then {"median":{...},"worst":{...}}; what the names mean stands in
/// terminal-sim/radio/README.md. Text for people on stderr.
namespace {

using namespace wattmesh;
using namespace wattmesh::bench;

constexpr const char* usage =
    "usage: ops/bench mesh [--layout U|S|R|Q|H] [--nodes N] [--hardness DB] [--rate 10k|50k|100k]\n"
    "                      [--seeds A-B] [--hours H]\n"
    "                      [--protocol ours|minhop|rpl-lite|central-rssi|reactive] [--plots DIR]\n"
    "Forms a mesh, reads every meter every quarter of an hour for H hours, kills relays, cuts the power.\n"
    "  --layout    urban, suburban, rural, sparse rural, high-rise (U)\n"
    "  --nodes     customer meters (500)\n"
    "  --hardness  dB added to every link between houses (6)\n"
    "  --rate      of the radio (50k)\n"
    "  --seeds     one run each (101-103); tune on 101-110 only\n"
    "  --hours     (1)\n"
    "  --protocol  whose mesh it is (ours); the others: tests/bench/baseline/README.md\n"
    "  --plots     runs the first seed for the other protocols too (two rounds) and writes map.svg, "
    "join.svg,\n"
    "              reads.svg and comparison.svg into this directory\n";

void print_value(const std::optional<double>& value) {
    if (value)
        std::printf("%.6g", *value);
    else
        std::printf("null");
}

void print_all(const std::array<std::optional<double>, metrics>& of) {
    for (std::size_t i = 0; i < metrics; ++i) {
        std::printf("%s\"%s\":", i == 0 ? "" : ",", metric_name(i).name);
        print_value(of[i]);
    }
}

void print_seed(int seed, const Outcome& outcome) {
    std::printf("{\"seed\":%d,\"reachable\":%zu,\"joined\":%zu,", seed, outcome.reachable, outcome.joined);
    print_all(outcome.of);
    std::printf(",\"tree_cost_ratio\":");
    print_value(outcome.tree_cost_ratio);
    std::printf(",\"trace\":\"%016llx\"}\n", static_cast<unsigned long long>(outcome.trace));
    std::fflush(stdout);
}

/// Of all seeds, a value that was never reached being the worst of all.
std::optional<double> ranked(const std::vector<Outcome>& all, std::size_t metric, double share) {
    std::vector<std::optional<double>> values;
    for (const auto& outcome : all) values.push_back(outcome.of[metric]);
    std::sort(values.begin(), values.end(), [&](const auto& a, const auto& b) {
        if (!a || !b) return a.has_value() && !b.has_value();
        return metric_name(metric).high_is_bad ? *a < *b : *a > *b;
    });
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

void print_summary(const std::vector<Outcome>& all) {
    for (const auto& [name, share] : {std::pair{"median", 0.5}, std::pair{"worst", 1.0}}) {
        std::array<std::optional<double>, metrics> of;
        for (std::size_t i = 0; i < metrics; ++i) of[i] = ranked(all, i, share);
        std::printf("%s\"%s\":{", share < 1 ? "{" : ",", name);
        print_all(of);
        std::printf("}");
    }
    std::printf("}\n");
}

bool parse(int argc, char** argv, Options& options, std::string& plots) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string key = argv[i], value = argv[i + 1];
        if (key == "--layout" && sim::layout_kind(value))
            options.request.kind = *sim::layout_kind(value);
        else if (key == "--nodes")
            options.request.meters = static_cast<std::size_t>(std::max(0, std::atoi(value.c_str())));
        else if (key == "--hardness")
            options.request.hardness_db = std::atoi(value.c_str());
        else if (key == "--hours")
            options.hours = std::atof(value.c_str());
        else if (key == "--rate" && (value == "10k" || value == "50k" || value == "100k"))
            options.rate = value == "10k"   ? mesh::PhyRate::kbit10
                           : value == "50k" ? mesh::PhyRate::kbit50
                                            : mesh::PhyRate::kbit100;
        else if (key == "--seeds") {
            const auto dash = value.find('-');
            options.seed_first = std::atoi(value.c_str());
            options.seed_last =
                dash == std::string::npos ? options.seed_first : std::atoi(value.c_str() + dash + 1);
        } else if (key == "--plots" && !value.empty()) {
            plots = value;
        } else if (key == "--protocol" && (value == "ours" || rival_of(value))) {
            options.rival = rival_of(value);
        } else {
            return false;
        }
    }
    return argc % 2 == 1 && options.request.meters > 0 && options.seed_last >= options.seed_first &&
           options.hours > 0;
}

std::string name_of_protocol(const std::optional<Rival>& rival) { return rival ? name_of(*rival) : "ours"; }

/// The seed that was run, and everybody else's.
void plot(Options options, const std::string& directory, const Outcome& first, const Exchange& exchange) {
    std::vector<Plotted> all{{name_of_protocol(options.rival), first}};
    options.hours = 0.5;
    const auto asked = options.rival;
    for (const std::optional<Rival> rival :
         {std::optional<Rival>{}, std::optional{Rival::minhop}, std::optional{Rival::rpl_lite},
          std::optional{Rival::central_rssi}, std::optional{Rival::reactive}}) {
        if (rival == asked) continue;
        options.rival = rival;
        all.push_back({name_of_protocol(rival), run(options, options.seed_first, exchange)});
    }
    const auto rate = std::to_string(mesh::bits_per_second(options.rate) / 1'000) + " kbit/s";
    write_plots(directory,
                std::string(1, static_cast<char>(options.request.kind)) +
                    std::to_string(options.request.meters) + ", D " +
                    std::to_string(options.request.hardness_db) + ", " + rate + ", seed " +
                    std::to_string(options.seed_first),
                all);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    std::string plots;
    if (!parse(argc, argv, options, plots)) {
        std::fputs(usage, stderr);
        return 2;
    }
    try {
        const Exchange exchange = real_exchange();
        std::vector<Outcome> all;
        for (int seed = options.seed_first; seed <= options.seed_last; ++seed) {
            all.push_back(run(options, seed, exchange));
            print_seed(seed, all.back());
        }
        print_summary(all);
        if (!plots.empty()) plot(options, plots, all.front(), exchange);
    } catch (const std::exception& trouble) {
        std::fprintf(stderr, "bench mesh: %s\n", trouble.what());
        return 1;
    }
    return 0;
}
