#include <catch2/catch.hpp>

#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;

namespace {

/// Two concentrators 60 m apart in one suburb, in one PAN by mistake; every second meter is on either list.
struct TwoTowns {
    TwoTowns() : town{places(), {.seed = 3, .start = town_start}, {}} {
        town.same_pan = true;
        for (std::size_t k = 0; k < 2; ++k) town.start_root(k, mesh::PhyRate::kbit50, {});
    }
    static sim::Layout places() {
        auto layout = sim::layout({.kind = sim::LayoutKind::suburban, .meters = 60, .seed = 3});
        auto second = layout.concentrators.front();
        second.x_cm += 6'000;
        second.cluster = 2'000'000;
        layout.concentrators.push_back(second);
        for (std::size_t i = 0; i < layout.meters.size(); ++i)
            layout.meters[i].concentrator = static_cast<decltype(layout.meters[i].concentrator)>(i % 2);
        return layout;
    }
    void run(Duration span) {
        town.run_until(town.now() + span,
                       [&](std::size_t root, const concentrator::MeshEvent& event, Instant at) {
                           if (const auto* one = std::get_if<concentrator::MeshPanClash>(&event))
                               clashes.push_back({root, one->clash, at});
                       });
    }
    std::size_t members(std::size_t k) {
        std::size_t count = 0;
        for (std::size_t i = k; i < 60; i += 2) {
            const auto* node = town.field->node(i);
            count += node->attached() && node->state().pan == town.roots[k]->pan() ? 1 : 0;
        }
        return count;
    }
    struct Told {
        std::size_t root;
        dcu::PanClash clash;
        Instant at;
    };
    Town town;
    std::vector<Told> clashes;
};

}  // namespace

TEST_CASE("PAN clash: found within a minute, the higher number moves once with its meters, both are named",
          "[mesh][town]") {
    TwoTowns two;
    two.run(900s);
    REQUIRE_FALSE(two.clashes.empty());
    CHECK(two.clashes.front().at - town_start < 60s);
    std::size_t moves = 0;
    for (const auto& told : two.clashes) {
        CHECK(told.clash.other == concentrator_number(1 - told.root));
        moves += told.clash.moved_to != 0 ? 1 : 0;
    }
    CHECK(moves == 1);
    const auto pan = concentrator::pan_of(concentrator_number(0));
    CHECK(two.town.roots[0]->pan() == pan);
    CHECK(two.town.roots[1]->pan() != pan);
    CHECK(two.members(0) == 30);
    CHECK(two.members(1) == 30);
}

TEST_CASE("PAN clash: the PAN in use outlives a restart of the concentrator, and no meter joins again",
          "[mesh][town]") {
    TwoTowns two;
    two.run(900s);
    const auto pan = two.town.roots[1]->pan();
    const auto joins = two.town.field->node_counters().joins;
    const Buffer state = two.town.roots[1]->save_state();
    two.town.roots[1].reset();
    two.run(30s);
    two.town.start_root(1, mesh::PhyRate::kbit50, state);
    two.run(120s);
    CHECK(two.town.roots[1]->pan() == pan);
    CHECK(two.town.field->node_counters().joins == joins);
    CHECK(two.members(1) == 30);
}
