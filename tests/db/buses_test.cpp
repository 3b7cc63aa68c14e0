// Meters on buses: how they are registered, and what a poller gets to know of them.
#include <catch2/catch.hpp>

#include "headend/database/bus_units.h"
#include "headend/database/shipment_import.h"
#include "headend/monitor/modbus_reading.h"
#include "headend/monitor/terminal_reading.h"
#include "security/ciphers.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const security::FileMasterKey master{security::Key256{std::array<std::uint8_t, 32>{7}}};
const DeviceNumber dtu = number("548000000001"), gateway = number("548000000002"),
                   panel = number("548000000101");
constexpr ObisCode polled{{1, 0, 99, 2, 0, 255}};

const std::string buses =
    "{\"device\":\"bus\",\"number\":\"548000000001\"}\n"
    "{\"device\":\"bus\",\"number\":\"548000000002\",\"address\":\"192.0.2.7:502\"}\n";
std::string panel_line(const std::string& more = {}, const std::string& at = "548000000101") {
    return "{\"number\":\"" + at + "\",\"model\":\"EM6400NG\",\"bus\":\"548000000001\",\"unit\":\"7\"" +
           more + "}\n";
}

ShipmentReport import(Town& town, const std::string& lines) {
    ShipmentOptions options;
    options.now = options.installed = midnight;
    options.keys.plain = true;
    options.actor = "tester";
    options.file = "test.jsonl";
    return ShipmentImport{town.admin, master}.run("{\"wattmesh\":\"shipment\",\"version\":2}\n" + lines,
                                                  options);
}

}  // namespace

TEST_CASE("buses: a meter on a bus has a unit and no keys; running the shipment again changes nothing",
          "[db]") {
    Town town{0};
    const auto first = import(town, buses + panel_line());
    CHECK(first.refused == 0);
    CHECK(first.meters_new == 1);
    CHECK(import(town, buses + panel_line()).unchanged == 3);
    CHECK(import(town, panel_line(",\"word_order\":\"cdab\"")).meters_changed == 1);
    const auto meter = Meters{town.monitor}.find(panel).value();
    CHECK(meter.concentrator_number == dtu);
    const auto place = BusUnits{town.monitor}.find(meter.id).value();
    CHECK(place == BusPlace{7, "cdab", std::nullopt});
    const auto called = BusUnits{town.frontend}.dialled();
    REQUIRE(called.size() == 1);
    CHECK(called[0] == DialledBus{gateway, "192.0.2.7:502"});
    // both open sessions like meters that call in, and neither is a concentrator of ours
    CHECK(Concentrators{town.frontend}.open_session(dtu, midnight, Road::direct));
    CHECK_FALSE(Concentrators{town.frontend}.open_session(dtu, midnight));
    CHECK(import(town, "{\"device\":\"bus\",\"number\":\"548000000002\"}\n").accepted == 1);
    CHECK(BusUnits{town.frontend}.dialled().empty());
}

TEST_CASE("buses: a wrong line is refused and says why", "[db]") {
    Town town{0};
    import(town, buses + panel_line());
    const auto why = [&](const std::string& text) { return import(town, text).lines.at(0).why; };
    CHECK(why(panel_line("", "548000000102")) == "meter 548000000101 is unit 7 of this bus");
    CHECK(why(panel_line(",\"ek_management\":\"00\"")) == "field \"ek_management\" is unknown");
    CHECK(why(panel_line(",\"word_order\":\"abdc\"")) ==
          "field \"word_order\" is none of abcd, cdab, badc and dcba");
    CHECK(
        why("{\"number\":\"548000000103\",\"model\":\"EM1200\",\"bus\":\"548000000009\",\"unit\":\"1\"}\n") ==
        "its bus is neither registered nor on an earlier line");
    CHECK(why("{\"number\":\"548000000103\",\"model\":\"EM1200\",\"bus\":\"548000000001\",\"unit\":\"248\"}"
              "\n") == "field \"unit\" is not a number from 1 to 247");
    CHECK(why("{\"number\":\"548000000103\",\"model\":\"WM-SIM-3\",\"bus\":\"548000000001\",\"unit\":\"1\"}"
              "\n") == "its model is not read over a bus");
    CHECK(why("{\"device\":\"bus\",\"number\":\"548000000003\",\"address\":\"192.0.2.7:70000\"}\n") ==
          "field \"address\" is not host:port");
    CHECK(why("{\"device\":\"bus\",\"number\":\"548000000101\"}\n") == "a meter has this number");
    CHECK(why("{\"device\":\"bus\",\"number\":\"" + to_string(unit) + "\"}\n") ==
          "a concentrator has this number");
}

TEST_CASE("buses: polled rows lie where all readings lie, and the newest is there after a restart", "[db]") {
    using headend::monitor::BusRows;
    Town town{0};
    import(town, buses + panel_line());
    const auto grant = Concentrators{town.frontend}.open_session(dtu, midnight, Road::direct).value();
    auto known = BusUnits{town.monitor}.of(dtu, midnight);
    REQUIRE(known.size() == 1);
    CHECK(known[0].number == panel);
    CHECK(known[0].map == "em6400ng");
    CHECK(known[0].polled.size() == 8);
    REQUIRE(known[0].interval.size() == 1);
    CHECK(known[0].interval[0].register_ == obis::active_import_total);
    CHECK_FALSE(known[0].last);

    Batch batch;
    batch.concentrator = dtu;
    batch.journal = BusRows::journal_of(panel);
    batch.epoch = grant.epoch;
    batch.to = Sequence{1'969'000};
    batch.received = batch.session_since = quarter(3);
    dcu::IntervalRow row{.at = quarter(2), .status = 0, .channels = 8};
    row.values = {123'456, 7'000, 2'301, std::nullopt, 2'303, 1'014, 1'015, 1'016};
    batch.intervals.push_back({panel, polled, {row}, batch.to, false});
    batch.intervals.push_back({panel, obis::load_profile, {interval(quarter(2), 250)}, batch.to, false});
    batch.intervals.back().rows[0].channels = 1;
    CHECK(town.store(batch).rows_new == 2);
    CHECK(town.store(batch).outcome == StoreOutcome::stored);  // the same again: nothing
    CHECK(town.value("select count(*) from interval_reading where meter = 548000000101 and bank = 3") == 7);
    CHECK(
        town.value("select value from interval_reading where meter = 548000000101 and bank = 3 and register "
                   "= '1-0:32.7.0*255' and scaler = -1 and unit = 35") == 2'301);
    CHECK(town.value("select value from interval_reading where meter = 548000000101 and bank = 1") == 2'500);
    known = BusUnits{town.monitor}.of(dtu, quarter(3));
    REQUIRE(known[0].last);
    CHECK(known[0].last->at == quarter(2));
    CHECK(known[0].last->values == row.values);
    CHECK_FALSE(BusUnits{town.monitor}.of(dtu, quarter(2) + std::chrono::hours{25})[0].last);
}

TEST_CASE("buses: a terminal's number is made of its address, its meters have points", "[db]") {
    Town town{0};
    const std::string line = "{\"device\":\"bus\",\"terminal\":\"4403-1234\"}\n";
    const auto meter = [](const std::string& at, const std::string& point,
                          const std::string& model = "DLT645-2007", const std::string& bus = "376440304660") {
        return "{\"number\":\"" + at + "\",\"model\":\"" + model + "\",\"bus\":\"" + bus + "\",\"unit\":\"" +
               point + "\"}\n";
    };
    const auto first = import(town, line + meter("548000000301", "1") + meter("548000000302", "2040"));
    CHECK(first.refused == 0);
    CHECK(first.meters_new == 2);
    CHECK(import(town, line + meter("548000000301", "1")).unchanged == 2);
    const auto known = BusUnits{town.monitor}.of(number("376440304660"), midnight);
    REQUIRE(known.size() == 2);
    CHECK(known[1].place.unit == 2'040);
    CHECK(known[0].map.empty());
    CHECK(known[0].polled.size() == 8);
    CHECK(known[0].daily.size() == 2);
    CHECK(known[0].curve.size() == 4);
    const auto why = [&](const std::string& text) { return import(town, text).lines.at(0).why; };
    const std::string foreign =
        "its model does not go with its bus: terminals have meters of DL/T 645, all others of Modbus";
    CHECK(why(meter("548000000303", "3", "EM1200")) == foreign);
    import(town, buses);
    CHECK(why(meter("548000000303", "3", "DLT645-2007", "548000000001")) == foreign);
    CHECK(why(meter("548000000303", "2041")) == "field \"unit\" is not a number from 1 to 2040");
    CHECK(why("{\"device\":\"bus\",\"terminal\":\"4403-12G4\"}\n") ==
          "field \"terminal\" is not an address like 4403-1234 (area in digits, terminal hexadecimal)");
    CHECK(why("{\"device\":\"bus\",\"terminal\":\"4403-1234\",\"number\":\"376440304661\"}\n") ==
          "field \"number\" does not fit the terminal's address: it would be 376440304660");
}

TEST_CASE("buses: a terminal's own event is stored with its code", "[db]") {
    Town town{0};
    import(town, "{\"device\":\"bus\",\"terminal\":\"4403-1234\"}\n");
    const auto terminal = number("376440304660");
    const auto grant = Concentrators{town.frontend}.open_session(terminal, midnight, Road::direct).value();
    Batch batch;
    batch.concentrator = terminal;
    batch.journal = headend::monitor::TerminalReading::events_of(terminal);
    batch.epoch = grant.epoch;
    batch.to = Sequence{1};
    batch.received = batch.session_since = quarter(3);
    batch.events.push_back(
        {{Sequence{1}, DeviceNumber{}, dcu::EntryKind::reported, quarter(2), false, {14, 1, 2}}});
    CHECK(town.store(batch).outcome == StoreOutcome::stored);
    CHECK(town.value("select fault from event where kind = 16 and meter_number = 0") == 14);
}
