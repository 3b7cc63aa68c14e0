// Polled meters: what is stored is compared with what the simulated meters really showed when they were
// asked.
#include "headend/monitor/modbus_reading.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "protocol/modbus/maps.h"
#include "terminal-sim/device/modbus_meter.h"
#include "tests/headend/frontend/memory_store.h"

namespace wattmesh::headend::monitor {
namespace {

using namespace std::chrono_literals;
using frontend::RelayStatus;

const DeviceNumber bus = DeviceNumber::parse("548000000001").value();
constexpr Instant start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 2} + 8h + 7min;
constexpr ObisCode polled{{1, 0, 99, 2, 0, 255}}, energy{{1, 0, 1, 8, 0, 255}}, power{{1, 0, 16, 7, 0, 255}},
    volts{{1, 0, 32, 7, 0, 255}};

DeviceNumber meter_number(int unit) {
    return DeviceNumber::parse("54800000010" + std::to_string(unit)).value();
}

struct Simulated {
    explicit Simulated(int unit, const modbus::RegisterMap& its_map)
        : map(its_map),
          load(3, meter_number(unit), sim::LoadKind::factory, false),
          meter(settings(unit), load, nullptr, nullptr) {}
    static sim::MeterSettings settings(int unit) {
        sim::MeterSettings made{.number = meter_number(unit), .kind = sim::LoadKind::factory, .seed = 3};
        made.installed_at = start - 24h;
        return made;
    }
    modbus::RegisterMap map;
    sim::CustomerLoad load;
    sim::Meter meter;
    bool dead = false;
    int asked = 0;
    std::map<std::int64_t, std::int64_t> counter_at;  ///< by quarter hour: when it was first asked for
};

struct Site {
    Site() {
        add(1, modbus::maps::em6400ng);
        add(2, modbus::maps::em1200);
        make_reading();
    }
    void add(int unit, const modbus::RegisterMap& map) {
        units.emplace(unit, std::make_unique<Simulated>(unit, map));
        database::BusMeter known{.number = meter_number(unit),
                                 .place = {.unit = unit, .order = {}, .base = {}},
                                 .map = std::string{map.name},
                                 .interval = {{1, energy, 0, 30}},
                                 .polled = {{1, energy, 0, 30}, {2, power, 0, 27}, {3, volts, -1, 35}},
                                 .last = {},
                                 .daily = {},
                                 .curve = {}};
        registered.push_back(known);
    }
    void make_reading() {
        reading.emplace(
            ModbusReadingSettings{},
            ModbusReading::Ports{
                .meters =
                    [this](DeviceNumber whose, auto done) {
                        CHECK(whose == bus);
                        loads.push_back([this, done] { down ? done(std::nullopt) : done(registered); });
                    },
                .carry =
                    [this](DeviceNumber, std::uint8_t unit, Buffer pdu, frontend::Relay::Done done) {
                        carried.push_back({unit, std::move(pdu), std::move(done)});
                        CHECK(carried.size() == 1);
                    },
                .store = store,
                .superseded = [this](DeviceNumber, OwnerEpoch other) { newer = other; },
                .moved = [] {},
                .log = [this](const std::string& line) { lines.push_back(line); },
                .now = [this] { return now; }});
    }
    void admit() {
        store.epochs[bus].value = ++epoch;
        reading->admitted(bus, OwnerEpoch{epoch}, link::Carried::modbus_rtu);
    }
    struct Carried {
        std::uint8_t unit;
        Buffer pdu;
        frontend::Relay::Done done;
    };
    void settle() {
        reading->tick(now);
        for (bool moved = true; moved;) {
            moved = store.complete();
            for (auto& load : std::exchange(loads, {})) {
                moved = true;
                load();
            }
            for (auto& one : std::exchange(carried, {})) {
                moved = true;
                answer(one);
            }
            reading->tick(now);
        }
    }
    void answer(Carried& one) {
        Simulated& unit = *units.at(one.unit);
        ++unit.asked;
        if (unit.dead) {
            now += 6s;
            return one.done({RelayStatus::timed_out, {}});
        }
        now += 60ms;
        unit.meter.advance(now);
        const auto request = modbus::decode_request(one.pdu).value();
        const sim::ModbusMeter slave{unit.meter, unit.map};
        const auto response = slave.answer(request, now);
        const auto quarter = epoch_us(now) / 900'000'000;
        const auto wh = static_cast<std::int64_t>(std::llround(slave.truth(energy, now).value()));
        const auto& read = std::get<modbus::Read>(request);
        const int at = unit.map.name == "em6400ng" ? 3203 : 3202;
        if (read.start <= at && at < read.start + read.count) unit.counter_at.try_emplace(quarter, wh);
        one.done({RelayStatus::answered, modbus::encode(response, request)});
    }
    void pass(Duration duration) {
        for (const Instant end = now + duration; now < end;) {
            now += 1s;
            settle();
        }
    }
    std::vector<dcu::IntervalRow> rows(int unit, const ObisCode& profile) const {
        std::vector<dcu::IntervalRow> found;
        for (const auto& batch : store.batches)
            for (const auto& source : batch.intervals)
                if (source.meter == meter_number(unit) && source.profile == profile) {
                    CHECK(batch.concentrator == bus);
                    found.insert(found.end(), source.rows.begin(), source.rows.end());
                }
        return found;
    }

    Instant now = start;
    std::map<int, std::unique_ptr<Simulated>> units;
    std::vector<database::BusMeter> registered;
    frontend::MemoryStore store;
    std::vector<std::function<void()>> loads;
    std::vector<Carried> carried;
    bool down = false;
    std::int64_t epoch = 0;
    OwnerEpoch newer;
    std::vector<std::string> lines;
    std::optional<ModbusReading> reading;
};

}  // namespace

TEST_CASE("modbus reading: each quarter hour has the counter as it was, and the load profile its rise",
          "[monitor]") {
    Site site;
    site.admit();
    site.pass(2h);
    for (const int unit : {1, 2}) {
        const auto polled_rows = site.rows(unit, polled);
        REQUIRE(polled_rows.size() == 8);  // 08:15 to 10:00; nothing of 08:00, it was asked for too late
        for (const auto& row : polled_rows) {
            CHECK(epoch_us(row.at) % 900'000'000 == 0);
            CHECK(row.values[0] == site.units.at(unit)->counter_at.at(epoch_us(row.at) / 900'000'000));
            CHECK(row.values[1].value() > 0);
            CHECK((row.values[2].value() > 2'200 && row.values[2].value() < 2'400));  // tenths of a volt
        }
        const auto intervals = site.rows(unit, obis::load_profile);
        REQUIRE(intervals.size() == 7);
        std::int64_t sum = 0;
        for (const auto& row : intervals) sum += row.values[0].value();
        CHECK(sum == polled_rows.back().values[0].value() - polled_rows.front().values[0].value());
    }
    CHECK(site.lines.empty());
}

TEST_CASE("modbus reading: a restart goes on from the stored row, and a hole in time is not filled in",
          "[monitor]") {
    Site site;
    site.admit();
    site.pass(40min);
    for (auto& known : site.registered) known.last = site.rows(known.place.unit, polled).back();
    const bool long_pause = GENERATE(false, true);
    DYNAMIC_SECTION((long_pause ? "over a quarter hour" : "within one")) {
        site.reading->ended(bus);
        if (long_pause) site.now += 20min;
        site.make_reading();
        site.admit();
        site.pass(30min);
        const auto polled_rows = site.rows(1, polled);
        const auto intervals = site.rows(1, obis::load_profile);
        // 08:15, 08:30, 08:45 and on; with the pause 09:00 is missing, and what it would have been subtracted
        // from
        CHECK(polled_rows.size() == (long_pause ? 5 : 5));
        CHECK(intervals.size() == polled_rows.size() - (long_pause ? 2 : 1));
        std::set<Instant> stamps;
        for (const auto& row : polled_rows) CHECK(stamps.insert(row.at).second);
    }
}

TEST_CASE("modbus reading: a dead unit is told once and does not stall its bus", "[monitor]") {
    Site site;
    site.units.at(2)->dead = true;
    site.admit();
    site.pass(1h);
    CHECK(site.rows(1, polled).size() == 4);
    CHECK(site.rows(2, polled).empty());
    CHECK(site.units.at(2)->asked < 25);   // four at first, then one or two each five minutes
    CHECK(site.units.at(1)->asked > 100);  // every half minute
    int told = 0;
    for (const auto& batch : site.store.batches)
        for (const auto& event : batch.events) {
            CHECK(event.entry.meter == meter_number(2));
            CHECK(event.entry.kind == dcu::EntryKind::read_failed);
            CHECK(dcu::decode_read_failure(event.entry.payload).value().fault == dcu::ReadFault::no_answer);
            ++told;
        }
    CHECK(told == 1);
    site.admit();  // the DTU calls in again: it is not told again
    site.pass(5min);
    CHECK(site.lines.size() == 1);
    site.units.at(2)->dead = false;
    site.pass(20min);
    CHECK_FALSE(site.rows(2, polled).empty());
    CHECK(site.lines.back() == "meter 548000000102: answers again");
}

TEST_CASE("modbus reading: swapped words are told and nothing is stored, unless they are configured",
          "[monitor]") {
    const bool configured = GENERATE(false, true);
    DYNAMIC_SECTION((configured ? "configured" : "not configured")) {
        Site site;
        site.units.at(2)->map.order = modbus::WordOrder::abcd;  // the map says cdab
        if (configured) site.registered[1].place.order = "abcd";
        site.admit();
        site.pass(30min);
        CHECK(site.rows(1, polled).size() == 2);
        CHECK(site.rows(2, polled).size() == (configured ? 2 : 0));
        std::vector<frontend::RejectedEntry> rejected;
        for (const auto& batch : site.store.batches)
            rejected.insert(rejected.end(), batch.rejected.begin(), batch.rejected.end());
        REQUIRE(rejected.size() == (configured ? 0 : 1));
        if (configured) return;
        CHECK(rejected[0].meter == meter_number(2));
        CHECK_THAT(rejected[0].reason, Catch::Contains("cdab; abcd or "));
        CHECK(rejected[0].raw.size() > 50);
    }
}

TEST_CASE("modbus reading: rows wait while the store is away and then come in order, once", "[monitor]") {
    Site site;
    site.admit();
    site.settle();
    site.store.down = true;
    site.pass(50min);
    CHECK(site.store.batches.empty());
    site.store.down = false;
    site.pass(10min);
    const auto rows = site.rows(1, polled);
    REQUIRE(rows.size() == 4);
    for (std::size_t i = 1; i < rows.size(); ++i) CHECK(rows[i].at - rows[i - 1].at == 15min);
    // a newer session elsewhere: this one stops
    site.store.epochs[bus].value += 1;
    site.pass(20min);
    CHECK(site.newer == OwnerEpoch{site.epoch});
}

}  // namespace wattmesh::headend::monitor
