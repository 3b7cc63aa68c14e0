// Meters behind a simulated Q/GDW 376.1 terminal: what is stored is compared with what the meters showed.
#include "headend/monitor/terminal_reading.h"

#include <catch2/catch.hpp>
#include <set>

#include "protocol/gdw376/terminal_number.h"
#include "terminal-sim/device/terminal.h"
#include "tests/headend/frontend/memory_store.h"

namespace wattmesh::headend::monitor {
namespace {

using namespace std::chrono_literals;
using frontend::RelayStatus;

constexpr gdw376::Address address{.area = 0x4403, .terminal = 0x1234};
const DeviceNumber terminal = gdw376::terminal_number(address).value();
constexpr Instant start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 2} + 8h + 7min;
constexpr ObisCode polled{{1, 0, 99, 2, 0, 255}}, daily{{1, 0, 98, 2, 0, 255}}, curves{{1, 0, 99, 3, 0, 255}},
    energy{{1, 0, 1, 8, 0, 255}}, returned{{1, 0, 2, 8, 0, 255}}, power{{1, 0, 16, 7, 0, 255}},
    power_1{{1, 0, 36, 7, 0, 255}}, volts{{1, 0, 32, 7, 0, 255}};
constexpr Duration zone = 8h;

DeviceNumber meter_number(int point) {
    return DeviceNumber::parse("54800000030" + std::to_string(point)).value();
}

struct Simulated {
    explicit Simulated(int point)
        : load(3, meter_number(point), sim::LoadKind::shop, false),
          meter(settings(point), load, nullptr, nullptr),
          dlt645(meter) {}
    static sim::MeterSettings settings(int point) {
        sim::MeterSettings made{.number = meter_number(point), .kind = sim::LoadKind::shop, .seed = 3};
        made.installed_at = start - 24h * 40;
        return made;
    }
    sim::CustomerLoad load;
    sim::Meter meter;
    sim::Dlt645Meter dlt645;
};

struct Site {
    explicit Site(sim::Terminal::Settings made = {}, int points = 3, std::set<int> dead = {}) {
        made.address = address;
        std::map<std::uint16_t, const sim::Dlt645Meter*> meters;
        for (int point = 1; point <= points; ++point) {
            units.emplace(point, std::make_unique<Simulated>(point));
            meters[static_cast<std::uint16_t>(point)] =
                dead.contains(point) ? nullptr : &units.at(point)->dlt645;
            registered.push_back({.number = meter_number(point),
                                  .place = {.unit = point, .order = {}, .base = {}},
                                  .map = {},
                                  .interval = {{1, energy, 0, 30}},
                                  .polled = {{1, energy, 0, 30}, {2, power, 0, 27}, {3, volts, -1, 35}},
                                  .last = {},
                                  .daily = {{1, energy, 0, 30}, {2, returned, 0, 30}},
                                  .curve = {{1, power, 0, 27}, {2, power_1, 0, 27}}});
        }
        device.emplace(made, meters, nullptr);
        reading.emplace(
            TerminalReadingSettings{.history = 24h * 3},
            TerminalReading::Ports{
                .meters = [this](DeviceNumber,
                                 auto done) { loads.push_back([this, done] { done(registered); }); },
                .carry =
                    [this](DeviceNumber, Buffer frame, frontend::Relay::Done done) {
                        if (offline) return done({RelayStatus::offline, {}});
                        carried.emplace_back(std::move(frame), std::move(done));
                        CHECK(carried.size() == 1);
                    },
                .store = store,
                .put = [this](DeviceNumber meter, const PushedValue& value, Instant at,
                              const char* source) { put.push_back({meter, value, at, source}); },
                .superseded = [this](DeviceNumber, OwnerEpoch epoch) { newer = epoch; },
                .log = [this](const std::string& line) { lines.push_back(line); },
                .now = [this] { return now; }});
        store.epochs[terminal].value = 1;
        reading->admitted(terminal, OwnerEpoch{1}, link::Carried::gdw376);
    }
    void settle() {
        reading->tick(now);
        for (bool moved = true; moved;) {
            moved = store.complete();
            for (auto& load : std::exchange(loads, {})) {
                moved = true;
                load();
            }
            for (auto& [octets, done] : std::exchange(carried, {})) {
                moved = true;
                carry(octets, done);
            }
        }
    }
    void carry(const Buffer& octets, const frontend::Relay::Done& done) {
        now += 250ms;
        gdw376::Decoder decoder;
        decoder.feed(octets);
        const auto asked = decoder.next().value();
        ++questions[asked.afn];
        if (mute) {
            now += 90s;
            return done({RelayStatus::timed_out, {}});
        }
        Buffer all;
        for (const auto& frame : device->answer(asked, now)) {
            if (frame.afn == gdw376::Afn::authenticate) {  // the session hands it on and denies it
                reading->pushed(terminal, OwnerEpoch{1}, gdw376::encode(frame), now);
                continue;
            }
            const auto part = gdw376::encode(frame);
            all.insert(all.end(), part.begin(), part.end());
        }
        done({RelayStatus::answered, all});
    }
    void pass(Duration duration, Duration step = 1s) {
        for (const Instant end = now + duration; now < end;) {
            now += step;
            settle();
        }
    }
    std::vector<dcu::IntervalRow> rows(int point, const ObisCode& profile) const {
        std::vector<dcu::IntervalRow> found;
        for (const auto& batch : store.batches)
            for (const auto& source : batch.intervals)
                if (source.meter == meter_number(point) && source.profile == profile)
                    found.insert(found.end(), source.rows.begin(), source.rows.end());
        return found;
    }
    std::vector<dcu::Entry> events() const {
        std::vector<dcu::Entry> found;
        for (const auto& batch : store.batches)
            for (const auto& event : batch.events) found.push_back(event.entry);
        return found;
    }
    std::int64_t shown(int point, const ObisCode& quantity, Instant at) const {
        return std::llround(units.at(point)->dlt645.shown(quantity, at).value());
    }
    bool told(const std::string& words) const {
        return std::ranges::any_of(lines, [&](const auto& line) { return line.find(words) != line.npos; });
    }

    Instant now = start;
    std::map<int, std::unique_ptr<Simulated>> units;
    std::optional<sim::Terminal> device;
    std::vector<database::BusMeter> registered;
    frontend::MemoryStore store;
    std::vector<std::function<void()>> loads;
    std::vector<std::pair<Buffer, frontend::Relay::Done>> carried;
    bool offline = false, mute = false;
    OwnerEpoch newer;
    std::vector<std::string> lines;
    std::map<gdw376::Afn, int> questions;
    struct Put {
        DeviceNumber meter;
        PushedValue value;
        Instant at;
        std::string source;
    };
    std::vector<Put> put;
    std::optional<TerminalReading> reading;
};

}  // namespace

TEST_CASE(
    "terminal reading: quarter hours, frozen days, curves and the last month are what the meters showed",
    "[monitor]") {
    Site site;
    site.pass(2h);
    for (const int point : {1, 2, 3}) {
        const auto rows = site.rows(point, polled);
        REQUIRE(rows.size() == 8);  // 08:15 to 10:00
        for (const auto& row : rows) {
            // asked within the first seconds of the quarter hour: ten watt-hours are a step of the display
            const auto counter = row.values[0].value();
            CHECK(counter % 10 == 0);
            CHECK(counter >= site.shown(point, energy, row.at));
            CHECK(counter <= site.shown(point, energy, row.at + 30s));
            CHECK(row.values[1].value() > 0);
            CHECK((row.values[2].value() > 2'200 && row.values[2].value() < 2'400));
        }
        const auto intervals = site.rows(point, obis::load_profile);
        REQUIRE(intervals.size() == 7);
        for (std::size_t i = 0; i < intervals.size(); ++i)
            CHECK(intervals[i].values[0] == *rows[i + 1].values[0] - *rows[i].values[0]);
        // three local midnights (16:00 UTC)
        const auto days = site.rows(point, daily);
        REQUIRE(days.size() == 3);
        for (const auto& row : days) {
            CHECK((row.at + zone).time_since_epoch() % 24h == 0h);
            CHECK(row.values[0] == site.shown(point, energy, row.at));
            CHECK(row.values[1] == site.shown(point, returned, row.at));
        }
        const auto curve = site.rows(point, curves);
        CHECK(curve.size() >= 3 * 96 + 4);
        std::set<Instant> stamps;
        for (const auto& row : curve) {
            CHECK(stamps.insert(row.at).second);
            CHECK(row.values[0] == site.shown(point, power, row.at));
            CHECK(row.values[1] == site.shown(point, power_1, row.at));
        }
    }
    REQUIRE(site.put.size() == 3);
    const Instant november = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} - zone;
    for (const auto& one : site.put) {
        CHECK(one.source == "billing");
        CHECK(one.at == november);
        CHECK(one.value.value == std::llround(site.units
                                                  .at(one.meter == meter_number(1)   ? 1
                                                      : one.meter == meter_number(2) ? 2
                                                                                     : 3)
                                                  ->dlt645.shown(energy, november)
                                                  .value()));
    }
}

TEST_CASE("terminal reading: the list of meters is written, read again, and its event stored once",
          "[monitor]") {
    Site site;
    site.pass(30min);
    CHECK(site.device->list().size() == 3);
    CHECK(site.questions[gdw376::Afn::set_parameters] == 1);
    CHECK(site.reading->counters().lists_written == 1);
    // ERC 3, parameters changed
    auto events = site.events();
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == dcu::EntryKind::reported);
    CHECK(events[0].payload.front() == 3);
    CHECK(events[0].sequence == Sequence{1});
    // a report makes it ask; calling in again does not bring it twice
    site.reading->pushed(terminal, OwnerEpoch{1}, gdw376::encode(site.device->happen(14, site.now, 5)),
                         site.now);
    site.pass(1min);
    site.reading->ended(terminal);
    site.reading->admitted(terminal, OwnerEpoch{1}, link::Carried::gdw376);
    site.pass(5min);
    events = site.events();
    REQUIRE(events.size() == 2);
    CHECK(events[1].payload.front() == 14);
    CHECK(events[1].time >= start + 30min - 1min);
    CHECK(site.questions[gdw376::Afn::set_parameters] == 1);  // nothing was wrong with it any more
}

TEST_CASE("terminal reading: a clock that is off is set, and its meters hear the time", "[monitor]") {
    sim::Terminal::Settings made;
    made.clock_off = 10min;
    Site site{made};
    site.pass(1min);
    CHECK(std::chrono::abs(site.device->shown_time(site.now) - site.now) < 2s);
    CHECK(site.reading->counters().clocks_set == 1);
    CHECK(site.reading->counters().broadcasts == 1);
    CHECK(site.told(" s off and is set"));
}

TEST_CASE(
    "terminal reading: a terminal that demands a security chip is read all the same, and it is said why "
    "nothing is set",
    "[monitor]") {
    sim::Terminal::Settings made;
    made.clock_off = -10min;
    made.demands_chip = true;
    Site strict{made};
    strict.pass(2h);
    CHECK(strict.reading->counters().clocks_set == 0);
    CHECK(strict.device->list().empty());
    CHECK(strict.told("denies setting its clock"));
    CHECK(
        strict.told("denies a change of its list of meters: it wants the proof of a security chip (AFN 06), "
                    "which is not here; reading goes on"));
    // it does not know its meters: they are asked through it, and the counter is the meter's own
    const auto rows = strict.rows(1, polled);
    REQUIRE(rows.size() >= 7);
    for (const auto& row : rows) CHECK(row.values[0].value() >= strict.shown(1, energy, row.at));
}

TEST_CASE("terminal reading: one point that the terminal denies does not cost its neighbours, and is relayed",
          "[monitor]") {
    sim::Terminal::Settings made;
    made.relay_only = {2};
    Site site{made};
    site.pass(1h);
    for (const int point : {1, 2, 3}) {
        const auto rows = site.rows(point, polled);
        REQUIRE(rows.size() == 4);
        for (const auto& row : rows) {
            CHECK(row.values[0].value() >= site.shown(point, energy, row.at));
            CHECK(row.values[0].value() <= site.shown(point, energy, row.at + 45s));
        }
    }
    CHECK(site.told("does not answer for it, it is asked itself"));
    CHECK(site.reading->counters().relayed >= 16);
}

TEST_CASE("terminal reading: no data is no value and is told once; a mute terminal stalls nobody",
          "[monitor]") {
    Site site{{}, 3, {3}};
    site.pass(1h);
    CHECK(site.rows(1, polled).size() == 4);
    CHECK(site.rows(3, polled).empty());
    CHECK(site.rows(3, daily).empty());
    int silent = 0;
    for (const auto& event : site.events())
        if (event.kind == dcu::EntryKind::read_failed) {
            CHECK(event.meter == meter_number(3));
            ++silent;
        }
    CHECK(silent == 1);
    site.mute = true;
    site.pass(30min, 30s);
    site.mute = false;
    site.pass(40min);
    CHECK(site.rows(1, polled).size() >= 6);
    site.offline = true;
    site.pass(5min);
    CHECK(site.reading->counters().unanswered > 0);
    CHECK(site.reading->counters().asked < 3'000);
}

TEST_CASE("terminal reading: on demand a meter is read through its terminal", "[monitor]") {
    Site site{{}, 3, {3}};
    site.pass(30s);
    std::vector<OnDemandResult> results;
    const auto take = [&](OnDemandResult result) { results.push_back(std::move(result)); };
    CHECK(site.reading->read(meter_number(2), {3, energy, 2}, take));
    CHECK(site.reading->read(meter_number(2), {3, volts, 2}, take));
    CHECK(site.reading->read(meter_number(3), {3, energy, 2}, take));
    CHECK(site.reading->read(meter_number(2), {8, obis::clock, 2}, take));
    CHECK_FALSE(site.reading->read(DeviceNumber::parse("540000000001").value(), {3, energy, 2}, take));
    site.settle();
    REQUIRE(results.size() == 4);
    CHECK(results[0].fault == "refused");  // at once: no register
    CHECK(results[1].ok());
    CHECK(results[1].scaler == 1);
    CHECK(results[1].unit == 30);
    CHECK(results[1].value.integer().value() * 10 == site.shown(2, energy, site.now));
    CHECK(results[2].scaler == -1);
    CHECK((results[2].value.integer().value() > 2'200 && results[2].value.integer().value() < 2'400));
    CHECK(results[3].fault == "no_answer");
    CHECK(site.reading->read(meter_number(2), {3, energy, 2}, take));
    site.reading->ended(terminal);
    CHECK(results.back().fault == "offline");
}

TEST_CASE("terminal reading: a newer session elsewhere ends this one's storing", "[monitor]") {
    Site site;
    site.pass(20min);
    site.store.epochs[terminal].value = 2;
    const auto before = site.store.batches.size();
    site.pass(20min);
    CHECK(site.newer == OwnerEpoch{1});
    CHECK(site.store.batches.size() == before);
}

}  // namespace wattmesh::headend::monitor
