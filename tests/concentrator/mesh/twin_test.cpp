#include <catch2/catch.hpp>

#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;

namespace {

/// The last meter has the number and the key of the first one.
struct Street {
    static constexpr std::size_t meters = 20, original = 0, twin = meters - 1;
    Street() : town{places(), {.seed = 6, .start = town_start}, numbers()} { list(join_key(6, original)); }
    static sim::Layout places() {
        return sim::layout({.kind = sim::LayoutKind::rural, .meters = meters, .seed = 6});
    }
    static std::vector<sim::FieldMeter> numbers() {
        std::vector<sim::FieldMeter> all;
        for (std::size_t i = 0; i < meters; ++i)
            all.push_back(
                {meter_number(i == twin ? original : i), join_key(6, i == twin ? original : i), {}});
        return all;
    }
    void list(const Key128& key) {
        std::vector<std::pair<DeviceNumber, Key128>> members;
        for (std::size_t i = 0; i < twin; ++i)
            members.emplace_back(meter_number(i), i == original ? key : join_key(6, i));
        town.roots[0]->set_meters(members);
    }
    void run(Duration span) {
        town.run_until(town.now() + span, [&](std::size_t, const concentrator::MeshEvent& event, Instant) {
            if (const auto* one = std::get_if<concentrator::MeshCloned>(&event)) cloned.push_back(one->meter);
            impostors += std::holds_alternative<concentrator::MeshImpostor>(event) ? 1 : 0;
        });
    }
    Town town;
    std::vector<DeviceNumber> cloned;
    std::size_t impostors = 0;
};

}  // namespace

TEST_CASE("twin: two devices with one number and key are found, told of, and neither is read",
          "[mesh][town]") {
    Street street;
    for (int i = 0; i < 20; ++i) {
        street.town.roots[0]->send(meter_number(Street::original), {1, 2, 3}, 2, street.town.now(), 10s);
        street.run(30s);
    }
    REQUIRE(street.cloned == std::vector{meter_number(Street::original)});
    CHECK_FALSE(street.town.read(Street::original).answered);
    CHECK(street.town.read(5).answered);
    street.run(1'800s);
    CHECK(street.cloned.size() == 1);
    CHECK_FALSE(street.town.read(Street::original).answered);
    // The number gets another key, which neither of the two has: now they are impostors.
    street.list(join_key(6, 77));
    street.run(900s);
    CHECK(street.impostors > 0);
    CHECK(street.cloned.size() == 1);
}

TEST_CASE("mesh root: a clock that is put right by a month makes nobody lost, and reading goes on",
          "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::rural, .meters = 20, .seed = 6}, {.seed = 6, .start = town_start}};
    REQUIRE(form(town, 600s).size() == 20);
    std::size_t lost = 0;
    for (const Duration step : {Duration{30 * 24h}, Duration{-60 * 24h}, Duration{3'600s}}) {
        town.root_clock += step;
        town.run_until(town.now() + 120s, [&](std::size_t, const concentrator::MeshEvent& event, Instant) {
            lost += std::holds_alternative<concentrator::MeshLost>(event) ||
                            std::holds_alternative<concentrator::MeshDeleted>(event)
                        ? 1
                        : 0;
        });
        for (std::size_t i = 0; i < 20; i += 4) CHECK(town.read(i).answered);
    }
    CHECK(lost == 0);
}
