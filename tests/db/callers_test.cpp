// Meters that call in by themselves: how they are registered, and that what they bring lies where all
// readings lie.
#include <catch2/catch.hpp>

#include "headend/database/desired_states.h"
#include "headend/database/shipment_import.h"
#include "headend/monitor/desired.h"
#include "headend/monitor/direct_reading.h"
#include "headend/monitor/gaps.h"
#include "security/ciphers.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const security::FileMasterKey master{security::Key256{std::array<std::uint8_t, 32>{7}}};
const DeviceNumber caller = number("549000000001");

std::string line(const DeviceNumber& meter, const std::string& more) {
    const std::string key = "00112233445566778899AABBCCDDEEFF";
    return "{\"wattmesh\":\"shipment\",\"version\":2}\n{\"number\":\"" + to_string(meter) +
           "\",\"system_title\":\"" + to_hex(system_title(meter).octets) +
           "\",\"model\":\"WM-SIM-3\",\"ek_management\":\"" + key + "\",\"ak_management\":\"" + key + "\"" +
           more + "}\n";
}
const std::string direct = ",\"road\":\"direct\"";

ShipmentReport import(Town& town, const std::string& text) {
    ShipmentOptions options;
    options.now = options.installed = midnight;
    options.keys.plain = true;
    options.actor = "tester";
    options.file = "test.jsonl";
    return ShipmentImport{town.admin, master}.run(text, options);
}

}  // namespace

TEST_CASE("callers: a meter of the road direct needs management keys only, and is its own place", "[db]") {
    Town town{0};
    const auto first = import(town, line(caller, direct));
    CHECK(first.meters_new == 1);
    CHECK(first.concentrators_new == 0);
    CHECK(import(town, line(caller, direct)).unchanged == 1);
    const auto meter = Meters{town.monitor}.find(caller);
    REQUIRE(meter);
    CHECK(meter->concentrator_number == caller);
    CHECK(Concentrators{town.monitor}.find(caller).value().road == Road::direct);

    const auto why = [&](const std::string& text) { return import(town, text).lines.at(0).why; };
    CHECK(why(line(number("549000000002"), "")) == "its model needs a key that is missing: reading_ek");
    CHECK(why(line(number("549000000002"), direct + ",\"concentrator\":\"900000000001\"")) ==
          "field \"concentrator\" does not go with road \"direct\"");
    CHECK(why(line(number("549000000002"), ",\"road\":\"air\"")) ==
          "field \"road\" is neither \"concentrator\" nor \"direct\"");
    CHECK(why(line(unit, direct)) == "a concentrator has this number");
    // its number cannot become a concentrator's, nor a meter's place that is behind one
    CHECK(why("{\"wattmesh\":\"shipment\",\"version\":2}\n{\"device\":\"concentrator\",\"number\":"
              "\"549000000001\","
              "\"system_title\":\"" +
              to_hex(system_title(caller).octets) + "\"}\n") == "a meter that calls in has this number");
}

TEST_CASE("callers: a hello opens no session of a concentrator, and a certificate none of a meter", "[db]") {
    Town town{0};
    import(town, line(caller, direct));
    Concentrators devices{town.frontend};
    CHECK_FALSE(devices.open_session(unit, midnight, Road::direct));
    CHECK_FALSE(devices.open_session(caller, midnight));
    const auto epoch = devices.find(unit)->owner_epoch;
    const auto one = devices.open_session(caller, midnight, Road::direct);
    const auto two = devices.open_session(caller, midnight, Road::direct);
    REQUIRE((one && two));
    CHECK(one->epoch < two->epoch);
    CHECK(devices.find(unit)->owner_epoch == epoch);
    // many at once, twice the same among them: one epoch more, and who is no such device is missing
    const auto many =
        devices.open_sessions({caller, unit, caller, number("549000000099")}, midnight, Road::direct);
    REQUIRE(many.size() == 1);
    CHECK(many.at(caller).epoch.value == two->epoch.value + 1);
    CHECK(devices.find(unit)->owner_epoch == epoch);
    Concentrators{town.admin}.revoke(caller, midnight);
    const auto refused = devices.open_session(caller, midnight, Road::direct);
    REQUIRE(refused);
    CHECK(refused->state == ConcentratorState::revoked);
    CHECK(refused->epoch == many.at(caller).epoch);
    CHECK(devices.open_sessions({caller}, midnight, Road::direct).at(caller).state ==
          ConcentratorState::revoked);
}

TEST_CASE(
    "callers: rows, pushes and rejects of such a meter are stored once, and superseded with its session",
    "[db]") {
    using headend::monitor::DirectReading;
    Town town{0};
    import(town, line(caller, direct));
    const auto grant = Concentrators{town.frontend}.open_session(caller, midnight, Road::direct).value();
    Batch batch;
    batch.concentrator = caller;
    batch.journal = DirectReading::journal_of(caller, obis::load_profile);
    batch.epoch = grant.epoch;
    batch.to = Sequence{1'969'000};
    batch.received = batch.session_since = quarter(3);
    batch.intervals.push_back(
        {caller, obis::load_profile, {interval(quarter(1), 5), interval(quarter(2), 6)}, batch.to});
    CHECK(town.store(batch).rows_new == 2);
    CHECK(town.store(batch).outcome == StoreOutcome::stored);  // the same again: nothing
    CHECK(town.value("select count(*) from interval_reading where meter = 549000000001 and channel = 1") ==
          2);
    CHECK(town.value("select entries_stored from journal_cursor order by id desc limit 1") == 1);

    Batch push = batch;
    push.journal = DirectReading::journal_of(caller, ObisCode{{0, 0, 25, 9, 0, 255}});
    push.to = Sequence{1};
    push.intervals.clear();
    push.events.push_back({{Sequence{1}, caller, dcu::EntryKind::pushed, quarter(2), false, {0x0F}}});
    CHECK(town.store(push).outcome == StoreOutcome::stored);
    CHECK(town.value("select kind from event where meter_number = 549000000001") == 9);

    Concentrators{town.frontend}.open_session(caller, midnight, Road::direct);
    batch.from = batch.to;
    batch.to.value += 1;
    CHECK(town.store(batch).outcome == StoreOutcome::superseded);
}

TEST_CASE("callers: nothing that only a concentrator can hold is wanted of such a meter", "[db]") {
    Town town{0};
    import(town, line(caller, direct));
    security::OpensslCiphers ciphers;
    headend::monitor::refresh_desired(town.monitor, {}, master, ciphers, midnight);
    const auto id = Concentrators{town.monitor}.find(caller)->id;
    CHECK(DesiredStates{town.monitor}.of(id).empty());
    CHECK_FALSE(DesiredStates{town.monitor}.of(town.id).empty());
    // a gap of it is not put down to a certificate or to keys that it does not need
    Concentrators{town.frontend}.open_session(caller, midnight, Road::direct);
    const auto gaps = headend::monitor::completeness(town.monitor, caller, obis::load_profile, midnight,
                                                     quarter(4), midnight + std::chrono::hours{4});
    REQUIRE(gaps.missing.size() == 1);
    CHECK(gaps.missing[0].reason == headend::monitor::MissingReason::not_read);
}
