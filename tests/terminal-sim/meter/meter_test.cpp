#include <catch2/catch.hpp>

#include "protocol/dlms/date_time.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;

namespace {

MeterSettings settings(Instant installed_at, Duration offset = {}, std::int32_t drift_ppm = 0) {
    MeterSettings made{.number = customer_number(0), .seed = 5, .installed_at = installed_at};
    made.clock_offset = offset;
    made.drift_ppm = drift_ppm;
    return made;
}

ReadOutcome read(Meter& meter, const AttributeId& id, Sap client, Instant now,
                 const Selection& selection = {}) {
    std::optional<ReadOutcome> outcome;
    meter.get(id, selection, client, now, [&](ReadOutcome result) { outcome = std::move(result); });
    return outcome.value();
}

std::vector<Data> rows(Meter& meter, const ObisCode& profile, Instant now, const Selection& selection = {}) {
    return *std::get<Data>(read(meter, {7, profile, 2}, management_client, now, selection)).elements();
}

std::int64_t cell(const Data& row, std::size_t column) { return (*row.elements())[column].integer().value(); }
Instant stamp(const Data& row) { return date_time(row.elements()->front()).value().at; }

std::int64_t shown(Meter& meter, std::uint8_t channel, std::uint8_t tariff, Instant now) {
    return std::get<Data>(read(meter, {3, {{1, 0, channel, 8, tariff, 255}}, 2}, reading_client, now))
        .integer()
        .value();
}

void set_clock(Meter& meter, Instant now, Instant to) {
    std::optional<AccessResult> result;
    meter.set({8, obis::clock, 2}, date_time_octets({.at = to}), management_client, now,
              [&](AccessResult r) { result = r; });
    REQUIRE(result == AccessResult::success);
}

RangeSelection clock_range(Instant from, Instant to) {
    return {{8, obis::clock, 2, 0}, date_time_octets({.at = from}), date_time_octets({.at = to}), {}};
}

}  // namespace

TEST_CASE("meter: registers and load profile agree to the Wh, over days, drift, clock settings and cuts",
          "[sim]") {
    Street street{5};
    const auto drift = GENERATE(-200, 0, 20, 300);
    CAPTURE(drift);
    auto with_breaker = settings(monday + 7min + 13s, 2s, drift);
    Meter meter{with_breaker, *street.customers[1], &street.customers[1]->supply(), nullptr};
    const Instant begin = with_breaker.installed_at;
    std::array<std::int64_t, 5> start{};
    for (std::uint8_t channel = 1; channel <= 4; ++channel) start[channel] = shown(meter, channel, 0, begin);

    set_clock(meter, monday + 30h + 100s, monday + 30h + 220s);  // forward inside a quarter hour
    set_clock(meter, monday + 40h + 100s, monday + 41h + 220s);  // forward over several
    set_clock(meter, monday + 50h + 100s, monday + 49h + 100s);  // and back over several
    meter.act({70, obis::disconnect_control, 1}, Data{std::int8_t{0}}, management_client, monday + 60h + 77s,
              [](auto) {});
    meter.act({70, obis::disconnect_control, 2}, Data{std::int8_t{0}}, management_client, monday + 62h + 99s,
              [](auto) {});

    const Instant end = monday + 24h * 5 + 11min;
    const auto captured = rows(meter, obis::load_profile, end);
    REQUIRE(captured.size() > 450);
    std::array<std::int64_t, 5> sum{};
    Instant before{};
    for (const auto& row : captured) {
        REQUIRE(stamp(row) > before);
        REQUIRE(epoch_us(stamp(row)) % 900'000'000 == 0);
        before = stamp(row);
        for (std::uint8_t channel = 1; channel <= 4; ++channel) sum[channel] += cell(row, channel + 1U);
    }
    // the last row was captured when the meter's clock showed its stamp: that true instant is found by
    // looking at the clock
    Instant last = end;
    while (meter.shown_time(last) > before) last -= 1s;
    while (meter.shown_time(last) < before) last += Duration{1};
    for (std::uint8_t channel = 1; channel <= 4; ++channel) {
        const auto registers = meter.registers(last).total().channels[channel - 1U];
        CHECK(sum[channel] == registers - start[channel]);
        CHECK(shown(meter, channel, 0, end) >= registers);
        CHECK(shown(meter, channel, 0, end) == shown(meter, channel, 1, end) + shown(meter, channel, 2, end));
    }
    CHECK(sum[1] > 10'000);
    CHECK(sum[2] > 0);  // this one has a solar roof
}

TEST_CASE("meter: a register is start value, whole intervals and part of the current one", "[sim]") {
    Street street{5};
    Meter meter{settings(monday), *street.customers[0], &street.customers[0]->supply(), nullptr};
    const auto at_start = shown(meter, 1, 0, monday);
    const auto first = street.customers[0]->nominal(quarter(monday)).channels[0];
    const auto second = street.customers[0]->nominal(quarter(monday) + 1).channels[0];
    CHECK(shown(meter, 1, 0, monday + 900s) == at_start + first);
    CHECK(shown(meter, 1, 0, monday + 900s + 300s) == at_start + first + second / 3);
    CHECK(cell(rows(meter, obis::load_profile, monday + 900s).front(), 2) == first);
}

TEST_CASE("meter: rows carry the meter's own quarter hours, late or early by its clock", "[sim]") {
    Street street{5};
    Meter slow{settings(monday, -5s, -100), *street.customers[0], nullptr, nullptr};
    Meter fast{settings(monday, 5s, 100), *street.customers[0], nullptr, nullptr};
    // 100 ppm are 8.64 s a day: at the third midnight 26 s and the 5 s it began with
    CHECK(slow.shown_time(monday + 72h) == monday + 72h - 30s - 920ms);
    CHECK(fast.shown_time(monday + 72h) == monday + 72h + 30s + 920ms);
    CHECK(stamp(rows(slow, obis::load_profile, monday + 72h + 30s).back()) == monday + 72h - 15min);
    CHECK(stamp(rows(slow, obis::load_profile, monday + 72h + 31s).back()) == monday + 72h);
    CHECK(stamp(rows(fast, obis::load_profile, monday + 72h - 31s).back()) == monday + 72h - 15min);
    CHECK(stamp(rows(fast, obis::load_profile, monday + 72h - 30s).back()) == monday + 72h);
    CHECK(fast.next_capture() > monday + 72h);
}

TEST_CASE("meter: a clock setting marks its row, is logged, and survives by replay", "[sim]") {
    Street street{5};
    Meter meter{settings(monday), *street.customers[0], &street.customers[0]->supply(), nullptr};
    set_clock(meter, monday + 10h + 100s, monday + 10h + 130s);
    meter.act({70, obis::disconnect_control, 1}, Data{std::int8_t{0}}, management_client, monday + 11h,
              [](auto) {});
    CHECK(read(meter, {70, obis::disconnect_control, 2}, management_client, monday + 11h) ==
          ReadOutcome{Data{false}});
    const auto captured =
        rows(meter, obis::load_profile, monday + 12h, clock_range(monday + 10h, monday + 12h));
    REQUIRE(captured.size() == 9);
    CHECK(cell(captured[0], 1) == 0);
    CHECK(cell(captured[1], 1) == profile_status_bit::clock_was_set);
    CHECK(cell(captured[8], 1) == profile_status_bit::disconnected);
    CHECK(cell(captured[8], 2) == 0);
    const auto events = rows(meter, obis::event_log, monday + 12h);
    REQUIRE(events.size() >= 4);
    CHECK(cell(events.front(), 1) == 2);

    Street again{5};
    Meter restarted{settings(monday), *again.customers[0], &again.customers[0]->supply(), nullptr};
    restarted.replay(meter.deeds());
    const Instant later = monday + 24h;
    CHECK(rows(restarted, obis::load_profile, later) == rows(meter, obis::load_profile, later));
    CHECK(rows(restarted, obis::event_log, later) == rows(meter, obis::event_log, later));
    CHECK(restarted.registers(later).total() == meter.registers(later).total());
    CHECK(restarted.shown_time(later) == later + 30s);
}

TEST_CASE("meter: daily snapshots are the registers at the meter's midnight", "[sim]") {
    Street street{5};
    Meter meter{settings(monday + 5h), *street.customers[0], nullptr, nullptr};
    const auto snapshots = rows(meter, obis::daily_profile, monday + 24h * 4 + 1h);
    REQUIRE(snapshots.size() == 4);
    for (int day = 1; day <= 4; ++day) {
        const auto& row = snapshots[static_cast<std::size_t>(day) - 1];
        CHECK(stamp(row) == monday + 24h * day);
        const Registers then = meter.registers(monday + 24h * day);
        CHECK(cell(row, 2) == then.total().channels[0]);
        CHECK(cell(row, 6) + cell(row, 7) == cell(row, 2));
        CHECK(cell(row, 7) == then.night.channels[0]);
    }
}

TEST_CASE("profile: selects by range and by entry, rows and columns", "[sim]") {
    Street street{5};
    Meter meter{settings(monday), *street.customers[0], nullptr, nullptr};
    const Instant now = monday + 6h;
    const auto all = rows(meter, obis::load_profile, now);
    REQUIRE(all.size() == 24);
    const auto two = rows(meter, obis::load_profile, now, clock_range(monday + 1h, monday + 1h + 15min));
    REQUIRE(two.size() == 2);
    CHECK(two[0] == all[3]);
    CHECK(two[1] == all[4]);
    CHECK(rows(meter, obis::load_profile, now, clock_range(monday + 1h + 1s, monday + 1h + 2s)).empty());
    CHECK(rows(meter, obis::load_profile, now, clock_range(monday + 5h, monday)).empty());
    CHECK(rows(meter, obis::load_profile, now, clock_range(monday - 24h, monday + 240h)).size() == 24);

    auto columns = clock_range(monday + 1h, monday + 1h);
    columns.columns = {{3, obis::active_import_total, 2, 0}};
    const auto one_cell = rows(meter, obis::load_profile, now, columns);
    REQUIRE(one_cell.size() == 1);
    CHECK(one_cell[0] == structure({(*all[3].elements())[2]}));
    columns.columns = {{3, obis::clock, 2, 0}};
    CHECK(read(meter, {7, obis::load_profile, 2}, reading_client, now, columns) ==
          ReadOutcome{AccessResult::object_undefined});

    const auto entries = rows(meter, obis::load_profile, now, EntrySelection{3, 4, 1, 2});
    REQUIRE(entries.size() == 2);
    CHECK(entries[0] == structure({(*all[2].elements())[0], (*all[2].elements())[1]}));
    CHECK(rows(meter, obis::load_profile, now, EntrySelection{23, 0, 1, 0}).size() == 2);
    CHECK(rows(meter, obis::load_profile, now, EntrySelection{25, 30, 1, 0}).empty());
    CHECK(read(meter, {7, obis::load_profile, 2}, reading_client, now, EntrySelection{0, 0, 1, 0}) ==
          ReadOutcome{AccessResult::type_unmatched});
    CHECK(read(meter, {7, obis::load_profile, 7}, reading_client, now) ==
          ReadOutcome{Data{std::uint32_t{24}}});
    CHECK(read(meter, {7, obis::load_profile, 4}, reading_client, now) ==
          ReadOutcome{Data{std::uint32_t{900}}});
}

TEST_CASE("profile: keeps 35 days and drops the oldest", "[sim]") {
    Street street{5};
    Meter meter{settings(monday), *street.customers[0], nullptr, nullptr};
    const auto captured = rows(meter, obis::load_profile, monday + 24h * 40);
    CHECK(captured.size() == 35 * 96);
    CHECK(stamp(captured.back()) == monday + 24h * 40);
    CHECK(read(meter, {7, obis::load_profile, 8}, reading_client, monday + 24h * 40) ==
          ReadOutcome{Data{std::uint32_t{35 * 96}}});
}

TEST_CASE("object list: what a client sees there it can read, and the others are refused", "[sim]") {
    Street street{5};
    struct Row {
        Sap client;
        std::size_t objects_min;
    };
    const auto row =
        GENERATE(values<Row>({{public_client, 5}, {reading_client, 25}, {management_client, 26}}));
    auto made = settings(monday);
    made.kind = GENERATE(LoadKind::household, LoadKind::factory);
    CAPTURE(row.client.value, to_string(made.kind));
    Meter meter{made, *street.customers[0], &street.customers[0]->supply(), nullptr};
    const Instant now = monday + 6h;
    const auto list = std::get<Data>(read(meter, {15, obis::current_association, 2}, row.client, now));
    REQUIRE(list.elements()->size() >= row.objects_min);
    for (const auto& entry : *list.elements()) {
        const auto& fields = *entry.elements();
        const auto class_id = static_cast<std::uint16_t>(fields[0].integer().value());
        ObisCode name;
        std::copy_n(fields[2].octets().begin(), 6, name.groups.begin());
        CAPTURE(to_string(name));
        for (const auto& item : *fields[3].elements()->front().elements()) {
            const auto attribute = static_cast<std::int8_t>((*item.elements())[0].integer().value());
            const bool readable = ((*item.elements())[1].integer().value() & 1) != 0;
            CAPTURE(int{attribute});
            const auto outcome = read(meter, {class_id, name, attribute}, row.client, now);
            CHECK(std::holds_alternative<Data>(outcome) == readable);
            if (attribute == 1) CHECK(std::get<Data>(outcome) == octet_string(name));
        }
        const bool open_to_all = class_id == 8 || class_id == 15 || class_id == 17 ||
                                 name == obis::logical_device_name ||
                                 (name.groups[2] == 43 && name.groups[3] == 1);
        if (row.client == public_client) CHECK(open_to_all);
        if (!open_to_all)
            CHECK(read(meter, {class_id, name, 2}, public_client, now) ==
                  ReadOutcome{AccessResult::read_write_denied});
        CHECK(read(meter, {class_id, name, 2}, Sap{77}, now) == ReadOutcome{AccessResult::read_write_denied});
        CHECK(read(meter, {static_cast<std::uint16_t>(class_id + 1), name, 2}, row.client, now) ==
              ReadOutcome{AccessResult::class_inconsistent});
    }
}

TEST_CASE("meter: only the management client sets the clock or works the breaker", "[sim]") {
    Street street{5};
    Meter meter{settings(monday), *street.customers[0], &street.customers[0]->supply(), nullptr};
    for (const Sap client : {public_client, reading_client, Sap{77}}) {
        std::optional<AccessResult> result;
        meter.set({8, obis::clock, 2}, date_time_octets({.at = monday}), client, monday + 1h,
                  [&](AccessResult r) { result = r; });
        CHECK(result == AccessResult::read_write_denied);
        std::optional<ActionOutcome> outcome;
        meter.act({70, obis::disconnect_control, 1}, {}, client, monday + 1h,
                  [&](ActionOutcome o) { outcome = std::move(o); });
        CHECK(outcome->result == AccessResult::read_write_denied);
        CHECK(read(meter, {70, obis::disconnect_control, 2}, client, monday) ==
              ReadOutcome{AccessResult::read_write_denied});
    }
    std::optional<AccessResult> result;
    meter.set({8, obis::clock, 2}, Data{std::uint8_t{1}}, management_client, monday + 1h,
              [&](AccessResult r) { result = r; });
    CHECK(result == AccessResult::type_unmatched);
    meter.set({3, obis::active_import_total, 2}, Data{std::uint32_t{0}}, management_client, monday + 1h,
              [&](AccessResult r) { result = r; });
    CHECK(result == AccessResult::read_write_denied);
    CHECK(meter.deeds().empty());
}

TEST_CASE("meter: voltage, current and power fit each other", "[sim]") {
    Street street{5};
    auto made = settings(monday);
    made.kind = LoadKind::factory;
    Meter meter{made, *street.customers.back(), nullptr, nullptr};
    const auto value = [&](std::uint8_t group) {
        return std::get<Data>(read(meter, {3, {{1, 0, group, 7, 0, 255}}, 2}, reading_client, monday + 10h))
            .integer()
            .value();
    };
    std::int64_t volt_amperes = 0;
    for (const int phase : {0, 20, 40}) {
        const auto volts = value(static_cast<std::uint8_t>(32 + phase)),
                   amperes = value(static_cast<std::uint8_t>(31 + phase));
        CHECK(volts >= 2'275);
        CHECK(volts <= 2'335);
        volt_amperes += volts * amperes / 1000;
    }
    CHECK(value(1) > 5'000);
    CHECK(value(2) == 0);
    CHECK(volt_amperes > value(1));
    CHECK(volt_amperes < value(1) * 13 / 10);
}
