#include <catch2/catch.hpp>
#include <set>

#include "terminal-sim/radio/oracle.h"
#include "tests/bench/baseline/baseline.h"
#include "tests/bench/baseline/mrhof.h"
#include "tests/bench/baseline/strength_routes.h"
#include "tests/concentrator/mesh/town.h"
#include "tests/terminal-sim/radio/reference.h"

using namespace wattmesh;
using namespace wattmesh::bench;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = test::town_start;
using Relays = std::vector<std::uint16_t>;

struct Network {
    Network(Rival rival, const sim::LayoutRequest& request, bool still)
        : layout(sim::layout(request)),
          field({.seed = request.seed, .start = start, .still = still}, layout, meters(layout),
                {test::concentrator_number(0)}, ciphers),
          baseline(rival, field, layout.meters.size(), mesh::PhyRate::kbit50, 64, ciphers) {}
    static std::vector<sim::FieldMeter> meters(const sim::Layout& layout) {
        std::vector<sim::FieldMeter> list;
        for (std::size_t i = 0; i < layout.meters.size(); ++i)
            list.push_back({test::meter_number(i), test::join_key(1, i), {}});
        return list;
    }
    std::size_t joined() const {
        std::size_t count = 0;
        for (std::size_t i = 0; i < layout.meters.size(); ++i) count += baseline.joined(i) ? 1 : 0;
        return count;
    }
    void run_for(Duration span) { field.run_until(field.now() + span); }

    security::OpensslCiphers ciphers;
    sim::Layout layout;
    sim::RadioField field;
    Baseline baseline;
};

}  // namespace

TEST_CASE("mrhof: the cheapest parent, kept until another is 1.5 ETX better or better for ten minutes",
          "[bench]") {
    Mrhof choice;
    choice.heard(1, 256, start);
    choice.heard(2, 300, start);
    CHECK(choice.choose(std::nullopt, Mrhof::infinite, start) == 1);
    CHECK(choice.rank_through(1) == 256 + 256);  // a link never tried counts two transmissions
    choice.heard(2, 130, start);                 // 126 better: less than 192
    CHECK(choice.choose(1, 512, start) == 1);
    CHECK(choice.choose(1, 512, start + 599s) == 1);
    CHECK(choice.choose(1, 512, start + 600s) == 2);
    choice.heard(3, 0, start);  // 256 better
    CHECK(choice.choose(1, 512, start + 700s) == 3);
}

TEST_CASE("mrhof: silence costs twelve, above four a link is none; nobody as far as we are", "[bench]") {
    Mrhof choice;
    choice.heard(1, 128, start);
    choice.exchanged(1, false, 4, start);
    CHECK(choice.rank_through(1) == 128 + 256 + (1'536 - 256) * 25 / 100);
    choice.exchanged(1, false, 4, start);
    CHECK_FALSE(choice.choose(std::nullopt, Mrhof::infinite, start));
    for (int i = 0; i < 12; ++i) choice.exchanged(1, true, 1, start);
    CHECK(choice.choose(std::nullopt, Mrhof::infinite, start) == 1);
    CHECK_FALSE(choice.choose(std::nullopt, 128, start));
}

TEST_CASE("central ways: fewest hops, then strength; no weak link while there is a way around", "[bench]") {
    StrengthRoutes routes;
    routes.told(0, 1, -80);
    routes.told(0, 2, -70);
    routes.told(1, 3, -80);
    routes.told(2, 3, -75);
    routes.told(3, 4, -60);
    const std::set<std::uint16_t> all{1, 2, 3, 4};
    CHECK(routes.way(1, all) == Relays{});
    CHECK(routes.way(4, all) == Relays{2, 3});
    CHECK(routes.way(4, all, {2}) == Relays{1, 3});
    CHECK(routes.way(4, {1, 3}) == Relays{1, 3});
    CHECK_FALSE(routes.way(4, {1, 2}));
    routes.told(0, 4, -99);  // below the threshold: two hops more are better
    CHECK(routes.way(4, all) == Relays{2, 3});
    CHECK(routes.way(4, {}) == Relays{});  // and better than nothing
    routes.told(4, 3, -110);               // the weaker word counts
    CHECK(routes.way(4, all) == Relays{});
    routes.forget(4);
    CHECK_FALSE(routes.way(4, all));
}

TEST_CASE("min-hop: on a still channel its tree costs what the reference says of a first-heard tree",
          "[bench]") {
    struct Row {
        sim::LayoutKind kind;
        std::size_t meters;
    };
    const auto row = GENERATE(values<Row>({{sim::LayoutKind::rural, 150},
                                           {sim::LayoutKind::suburban, 300},
                                           {sim::LayoutKind::high_rise, 240}}));
    double ratio = 0, reference = 0;
    constexpr std::uint64_t seeds = 3;
    for (std::uint64_t seed = 101; seed < 101 + seeds; ++seed) {
        const sim::LayoutRequest request{.kind = row.kind, .meters = row.meters, .seed = seed};
        Network network{Rival::minhop, request, true};
        network.run_for(900s);
        sim::Oracle oracle{network.field.channel(), row.meters, mesh::PhyRate::kbit50, sim::reference_sizes};
        const auto tree = oracle.tree();
        double ours = 0, best = 0;
        for (std::size_t i = 0; i < row.meters; ++i) {
            const auto relays = network.baseline.route(i);
            if (!relays || !tree.reaches(i)) continue;
            auto from = row.meters;
            for (const auto relay : *relays) {
                ours += oracle.hop_cost_us(oracle.hop(from, relay));
                from = relay;
            }
            ours += oracle.hop_cost_us(oracle.hop(from, i));
            best += tree.cost_us[i];
        }
        CHECK(network.joined() >= row.meters * 95 / 100);
        ratio += ours / best / seeds;
        reference += test::measure(row.kind, row.meters, 0, seed, false).first_heard_ratio / seeds;
    }
    INFO(static_cast<char>(row.kind) << row.meters << ": " << ratio << ", reference " << reference);
    CHECK(ratio == Approx(reference).epsilon(0.15));
}

TEST_CASE("rivals: each of the four forms a small network and reads it", "[bench]") {
    const auto rival =
        GENERATE(values({Rival::minhop, Rival::rpl_lite, Rival::central_rssi, Rival::reactive}));
    INFO(name_of(rival));
    CHECK(rival_of(name_of(rival)) == rival);
    Network network{rival, {.kind = sim::LayoutKind::suburban, .meters = 30, .seed = 101}, true};
    network.run_for(600s);
    CHECK(network.joined() == 30);
    std::set<std::uint32_t> open;
    for (std::size_t i = 0; i < 30; ++i) open.insert(network.baseline.send(i, 84, 300s));
    network.run_for(310s);
    while (const auto event = network.baseline.take_event())
        if (const auto* answer = std::get_if<concentrator::MeshAnswer>(&*event)) open.erase(answer->handle);
    CHECK(open.empty());
}
