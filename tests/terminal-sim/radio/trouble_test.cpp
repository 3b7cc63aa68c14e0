#include <catch2/catch.hpp>

#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;
using test::Town;

namespace {

const LayoutRequest suburb{.kind = LayoutKind::suburban, .meters = 12, .seed = 3};

/// A radio that says one thing every second and counts what it hears.
class Parrot final : public RadioProgram {
public:
    explicit Parrot(mesh::Transceiver& radio) : radio_(radio) {}
    void start(Instant now) override { at_ = now + 1s; }
    bool received(Bytes psdu, std::int8_t, Instant) override {
        heard += psdu.size() == said.size() ? 1U : 0U;
        return true;
    }
    void transmitted(Instant) override { ++sent; }
    void tick(Instant now) override {
        if (now < at_) return;
        at_ = now + 1s;
        output = loud;
        if (!radio_.channel_busy()) radio_.transmit(said, 1ms);
    }
    Instant next_deadline() const override { return at_; }
    bool output_new() override { return std::exchange(output, false); }
    inline static const Buffer said = Buffer(37, 9);
    std::size_t heard = 0, sent = 0;
    bool output = false, loud = false;

private:
    mesh::Transceiver& radio_;
    Instant at_ = never;
};

}  // namespace

TEST_CASE("field: a jam makes its channel busy and swallows frames, on that channel and as long as it lasts",
          "[radio]") {
    const auto joined = [](const std::optional<Air::Jam>& jam) {
        Town town{suburb, {.seed = 3, .start = test::town_start}};
        if (jam) town.field->jam(*jam, true);
        town.run_for(120s);
        std::size_t count = 0;
        for (std::size_t i = 0; i < 12; ++i) count += town.field->joined(test::meter_number(i)) ? 1 : 0;
        if (!jam) return count;
        town.field->jam(*jam, false);
        town.run_for(240s);
        std::size_t later = 0;
        for (std::size_t i = 0; i < 12; ++i) later += town.field->joined(test::meter_number(i)) ? 1 : 0;
        CHECK(later == 12);
        return count;
    };
    Air::Jam jam{.channel = 0, .mdbm = -60'000, .x_cm = 0, .y_cm = 0, .radius_cm = 1'000'000};
    CHECK(joined(std::nullopt) == 12);
    CHECK(joined(jam) == 0);
    jam.channel = 4;
    CHECK(joined(jam) == 12);
    jam.channel = 0;
    jam.x_cm = 5'000'000;  // its circle ends far from here
    CHECK(joined(jam) == 12);
}

TEST_CASE("field: a stranger's radio is heard, keeps silent while others talk, and stays nobody's",
          "[radio]") {
    Town town{suburb, {.seed = 3, .start = test::town_start}};
    constexpr std::size_t place = 5;
    town.field->kill(test::meter_number(place));
    town.run_for(90s);
    const auto before = town.field->counters();
    std::size_t sent = 0, refused = 0;
    for (int i = 0; i < 50; ++i) {
        town.field->radiate(place, Buffer(60, 1)) ? ++sent : ++refused;
        refused += town.field->radiate(place, Buffer(60, 1)) ? 0 : 1;  // it talks itself
        town.run_for(200ms);
    }
    CHECK(sent > 25);
    CHECK(refused >= 50);
    CHECK(town.field->counters().frames_sent - before.frames_sent >= sent);
    CHECK(town.field->counters().frames_delivered > before.frames_delivered);
    CHECK_FALSE(town.field->alive(place));
    CHECK(town.read(0).answered);
}

TEST_CASE("field: a program takes the place of a meter and of a module from power-on", "[radio]") {
    Town town{suburb, {.seed = 3, .start = test::town_start}};
    town.roots[0].reset();
    for (std::size_t i = 0; i <= 12; ++i)
        town.field->set_program(
            i, [](mesh::Transceiver& radio, Random&) { return std::make_unique<Parrot>(radio); });
    town.field->run_until(test::town_start + 60s);
    std::size_t heard = 0, sent = 0;
    for (std::size_t i = 0; i <= 12; ++i)
        town.field->with_program(i, [&](RadioProgram& program, Instant) {
            heard += dynamic_cast<Parrot&>(program).heard;
            sent += dynamic_cast<Parrot&>(program).sent;
        });
    CHECK(sent > 13 * 40);
    CHECK(heard > sent);
    CHECK(town.field->node(0) == nullptr);
    const Instant now = town.field->now();
    town.field->with_program(
        12, [](RadioProgram& program, Instant) { dynamic_cast<Parrot&>(program).loud = true; });
    CHECK(town.field->run_until_output(now + 10s) < now + 10s);  // at what it says next
    town.field->kill(test::meter_number(0));
    bool called = false;
    town.field->with_program(0, [&](RadioProgram&, Instant) { called = true; });
    CHECK_FALSE(called);
}

TEST_CASE("channel: a still one is its long-run means, without bursts", "[radio]") {
    const Layout places = layout(suburb);
    const Channel still{places, 3, mesh::PhyRate::kbit50, true}, alive{places, 3, mesh::PhyRate::kbit50};
    int moved = 0, bursts = 0;
    for (std::int64_t second = 0; second < 200; ++second) {
        const Instant at = test::town_start + Duration{second * 7'000'000};
        CHECK(still.now_mdbm(0, 7, 2, at) == still.mean_mdbm(0, 7));
        CHECK(still.slow_mdbm(7, 0, at) == still.mean_mdbm(7, 0));
        CHECK(still.bursts(second).empty());
        moved += alive.now_mdbm(0, 7, 2, at) != alive.mean_mdbm(0, 7) ? 1 : 0;
        bursts += alive.bursts(second).empty() ? 0 : 1;
    }
    CHECK(still.mean_mdbm(0, 7) == alive.mean_mdbm(0, 7));
    CHECK(moved > 190);
    CHECK(bursts > 10);
}
