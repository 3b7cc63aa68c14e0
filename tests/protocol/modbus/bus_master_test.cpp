#include "protocol/modbus/bus_master.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "protocol/modbus/bus_time.h"
#include "protocol/modbus/maps.h"
#include "protocol/modbus/rtu.h"

using namespace wattmesh;
using namespace wattmesh::modbus;
using namespace std::chrono_literals;

namespace {

const Instant start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 10};

/// A wire with meters whose every octet takes its time, and a master at its end.
struct Wire {
    Wire(const BusTiming& bus, int count, const RegisterMap& map, BusPlan plan = {}) : timing(bus) {
        std::vector<BusUnit> units;
        for (int unit = 1; unit <= count; ++unit) units.push_back({static_cast<std::uint8_t>(unit), &map});
        master.emplace(units, plan);
    }

    void run_until(Instant end) {
        while (now < end) {
            if (const auto ask = master->next(now))
                exchange(*ask);
            else if (master->wake() <= now)
                FAIL("the master wakes for nothing");
            else
                now = std::min(end, master->wake());
            while (auto event = master->take_event()) note(*event);
        }
    }
    void exchange(const BusMaster::Ask& ask) {
        CHECK(now >= last_octet + frame_gap(timing));
        asked.emplace_back(now, ask.unit);
        const Instant sent = now + character_time(timing, 3 + encode(ask.request).size());
        if (mute.contains(ask.unit)) {
            now = last_octet = sent;
            now = master->wake();
            return master->expire(now);
        }
        // Through the frames themselves, so that their sizes are those of the wire.
        const auto& read = std::get<Read>(ask.request);
        Response answer = Registers{std::vector<std::uint16_t>(read.count, 0x4248)};  // 50.06...
        if (refusing.contains(ask.unit)) answer = Exception{ExceptionCode::illegal_data_address};
        const auto frame = encode_rtu(ask.unit, encode(answer, ask.request));
        RtuAnswerFinder finder;
        finder.open(ask.unit, ask.request);
        finder.feed(frame);
        now = last_octet = sent + timing.turnaround + character_time(timing, frame.size());
        if (garbled > 0) {
            --garbled;
            return master->answered(Error{Fault::bad_value, 0}, now);
        }
        master->answered(finder.next().value(), now);
    }
    void note(const BusEvent& event) {
        if (const auto* read = std::get_if<PointRead>(&event)) {
            reads[{read->unit, read->point->number}].push_back(read->at);
        } else if (const auto* silent = std::get_if<UnitSilent>(&event)) {
            said.push_back("silent " + std::to_string(silent->unit));
        } else if (const auto* back = std::get_if<UnitBack>(&event)) {
            said.push_back("back " + std::to_string(back->unit));
        } else if (const auto* refused = std::get_if<BlockRefused>(&event)) {
            said.push_back("refused " + std::to_string(refused->unit));
        }
    }
    std::size_t asked_of(std::uint8_t unit, Instant from) const {
        std::size_t count = 0;
        for (const auto& [at, whom] : asked) count += at >= from && whom == unit ? 1 : 0;
        return count;
    }

    BusTiming timing;
    std::optional<BusMaster> master;
    Instant now = start, last_octet = start - 1s;
    std::set<std::uint8_t> mute, refusing;
    int garbled = 0;
    std::map<std::pair<std::uint8_t, std::uint16_t>, std::vector<Instant>> reads;
    std::vector<std::pair<Instant, std::uint8_t>> asked;
    std::vector<std::string> said;
};

}  // namespace

// The site of issue 5: 79 meters on 4 buses. Their own bound is the physics of the bus.
TEST_CASE("modbus bus: twenty meters have their fast round in 5 s at 19200 and in 10 s at 9600 baud",
          "[modbus]") {
    const auto [baud, period] = GENERATE(table<std::uint32_t, Duration>({{19'200, 5s}, {9'600, 10s}}));
    BusTiming bus;
    bus.baud = baud;
    BusPlan plan;
    plan.fast_period = period;
    Wire wire{bus, 20, maps::em6400ng, plan};
    wire.run_until(start + 30min);
    REQUIRE(wire.master->fast_cycle());
    const auto fast = blocks(maps::em6400ng, Pace::fast);
    const auto bound = cycle_time(bus, fast, 20);
    CHECK(*wire.master->fast_cycle() <= period);
    CHECK(*wire.master->fast_cycle() <= bound * 105 / 100);
    CHECK(wire.master->counters().timeouts == 0);
    // Every fast point comes once in each period, but for the time that the slow ones take now and then.
    std::size_t fast_points = 0;
    for (const auto& point : maps::em6400ng.points) {
        if (point.pace != Pace::fast) continue;
        ++fast_points;
        for (std::uint8_t unit = 1; unit <= 20; ++unit) {
            const auto& times = wire.reads.at({unit, point.number});
            CHECK(times.size() + 3 >= static_cast<std::size_t>(30min / period));
        }
    }
    CHECK(fast_points > 0);
}

TEST_CASE("modbus bus: a dead unit stalls nobody, is asked ever more rarely, and comes back by itself",
          "[modbus]") {
    Wire wire{{}, 10, maps::em6400ng};
    wire.mute = {4};
    wire.run_until(start + 20min);
    CHECK(wire.said == std::vector<std::string>{"silent 4"});
    const auto early = wire.asked_of(4, start + 10min);
    CHECK(early >= 1);
    CHECK(early <= 3);  // a pause of five minutes, one try each
    const auto fast = maps::em6400ng.points[0].number;
    CHECK(wire.reads.at({5, fast}).size() >= 20 * 60 / 5 - 5);
    wire.mute.clear();
    wire.run_until(start + 30min);
    CHECK(wire.said == std::vector<std::string>{"silent 4", "back 4"});
    CHECK(wire.reads.at({4, fast}).size() >= 30);
}

TEST_CASE("modbus bus: too slow a bus goes round evenly instead of leaving the last ones out", "[modbus]") {
    BusTiming bus;
    bus.baud = 2'400;
    Wire wire{bus, 30, maps::em6400ng};
    wire.run_until(start + 20min);
    std::size_t least = 1'000, most = 0;
    for (std::uint8_t unit = 1; unit <= 30; ++unit) {
        const auto count = wire.reads.at({unit, maps::em6400ng.points[0].number}).size();
        least = std::min(least, count);
        most = std::max(most, count);
        CHECK_FALSE(wire.reads.at({unit, 3'204}).empty());  // slow ones are not starved
    }
    CHECK(least >= 20);
    CHECK(most - least <= 1);
}

TEST_CASE("modbus bus: a garbled answer is asked for again, a refused block is left alone for long",
          "[modbus]") {
    Wire wire{{}, 2, maps::em6400ng};
    wire.garbled = 1;
    wire.refusing = {2};
    wire.run_until(start + 10s);
    CHECK(wire.master->counters().malformed == 1);
    REQUIRE(wire.asked.size() > 1);
    CHECK(wire.asked[0].second == wire.asked[1].second);
    CHECK(wire.reads.count({1, maps::em6400ng.points[0].number}) == 1);
    const auto blocks_of_two = wire.said.size();
    CHECK(blocks_of_two >= 1);
    wire.run_until(start + 10min);
    CHECK(wire.said.size() == blocks_of_two);  // once in the slow period
    CHECK(wire.said[0] == "refused 2");
}

TEST_CASE("modbus bus: without anything due it sleeps, and what nobody asked for is not taken", "[modbus]") {
    BusMaster nobody{{}, {}};
    CHECK_FALSE(nobody.next(start));
    CHECK(nobody.wake() == never);
    const BusUnit one{1, &maps::em6400ng};
    BusMaster master{std::span{&one, 1}, {}};
    master.answered(Response{Registers{{1}}}, start);  // late, from a life before
    CHECK_FALSE(master.take_event());
    CHECK(master.next(start));
    CHECK_FALSE(master.next(start));
    CHECK(master.open());
    master.expire(start + 999ms);
    CHECK(master.open());
    CHECK(master.counters().timeouts == 0);
    master.expire(start + 1s);
    CHECK(master.counters().timeouts == 1);
    CHECK_FALSE(master.next(start + 1s));  // the gap
    CHECK(master.wake() == start + 1s + 50ms);
    CHECK(master.next(start + 1s + 50ms));
}

TEST_CASE("bus master: slow points are due when a quarter hour ends", "[protocol]") {
    BusPlan plan;
    plan.slow_on_the_clock = true;
    plan.fast_period = 10min;
    Wire wire{{}, 1, maps::em6400ng, plan};
    wire.now = start + 7min;
    wire.run_until(start + 61min);
    const auto& energy = wire.reads.at({1, 3204});
    REQUIRE(energy.size() == 5);  // at once, then at 15, 30, 45 and 60 minutes
    for (std::size_t i = 1; i < energy.size(); ++i) {
        const auto due = start + 15min * static_cast<int>(i);
        CHECK(energy[i] >= due);
        CHECK(energy[i] < due + 2s);
    }
}

TEST_CASE("bus master: a gateway that says nobody is there is silence of the unit", "[protocol]") {
    const BusUnit units[]{{1, &maps::em1200}};
    BusMaster master{units, {.dead_after = 1, .limits = {}}};
    Instant now = start;
    for (int round = 0; round < 2; ++round) {
        REQUIRE(master.next(now));
        master.answered(Response{Exception{ExceptionCode::gateway_target_no_response}}, now);
        now += 1s;
    }
    const auto event = master.take_event();
    REQUIRE(event);
    CHECK(std::get<UnitSilent>(*event).unit == 1);
    CHECK(master.counters().timeouts == 2);
    CHECK(master.counters().answers == 0);
}
