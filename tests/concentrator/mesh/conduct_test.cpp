#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/bench/faults/liar.h"
#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t meters = 100;

struct Suburb {
    Suburb() : town{request(), {.seed = 4, .start = town_start}} {
        form(town, 900s);
        read_all();
    }
    static sim::LayoutRequest request() {
        return {.kind = sim::LayoutKind::suburban, .meters = meters, .seed = 4, .hardness_db = 10};
    }
    std::vector<std::size_t> behind(std::size_t relay) const {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < meters; ++i)
            if (const auto route = town.roots[0]->route(meter_number(i));
                route && std::find(route->begin(), route->end(), meter_number(relay)) != route->end())
                found.push_back(i);
        return found;
    }
    std::size_t busiest() const {
        std::size_t best = 0;
        for (std::size_t i = 0; i < meters; ++i)
            if (behind(i).size() > behind(best).size()) best = i;
        return best;
    }
    /// Answered reads of everybody but one.
    std::size_t read_all(std::size_t without = meters) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < meters; ++i) count += i != without && town.read(i).answered ? 1 : 0;
        return count;
    }
    void run(Duration span) {
        town.run_until(town.now() + span, [&](std::size_t, const concentrator::MeshEvent& event, Instant) {
            if (const auto* one = std::get_if<concentrator::MeshEvicted>(&event))
                evicted.push_back(one->meter);
        });
    }
    Town town;
    std::vector<DeviceNumber> evicted;
};

}  // namespace

TEST_CASE("conduct: a relay that acknowledges and drops is put out, told of by name, and let in on probation",
          "[mesh][town]") {
    Suburb suburb;
    Town& town = suburb.town;
    const auto liar = suburb.busiest();
    REQUIRE(suburb.behind(liar).size() >= 5);
    const auto state = mesh::decode_node_state(town.field->save_state(meter_number(liar)));
    town.field->set_program(liar, [&](mesh::Transceiver& radio, Random& random) {
        return std::make_unique<bench::Liar>(
            mesh::NodeSettings{.number = meter_number(liar), .join_key = join_key(4, liar)}, *state,
            town.ciphers, random, radio, mesh::rank_per_transmission);
    });
    town.field->kill(meter_number(liar));
    town.field->revive(meter_number(liar));
    const auto below = suburb.behind(liar);
    for (int round = 0; round < 10 && suburb.evicted.empty(); ++round) {
        for (const auto meter : below) town.read(meter);
        suburb.run(150s);  // a way that lost a packet is out of favour for two minutes
    }
    REQUIRE(suburb.evicted == std::vector{meter_number(liar)});
    suburb.run(300s);
    CHECK(suburb.behind(liar).empty());
    for (std::size_t i = 0; i < meters; ++i) {
        if (i == liar) continue;
        const auto* node = town.field->node(i);
        CHECK(node->state().key_number == 2);  // which the evicted one never got
        CHECK(node->parent() != state->short_address);
    }
    CHECK(suburb.read_all(liar) >= meters - 2);
    // An hour later it may come back; tried before it is used, it is out again.
    suburb.run(2h);
    CHECK(suburb.evicted == std::vector{meter_number(liar), meter_number(liar)});
    CHECK(suburb.read_all(liar) >= meters - 2);
}

TEST_CASE("conduct: nobody honest is put out, though a fifth is hard to hear and frames collide",
          "[mesh][town]") {
    Suburb suburb;
    for (int round = 0; round < 4; ++round) {
        suburb.read_all();
        suburb.run(30s);
    }
    CHECK(suburb.evicted.empty());
}
