#include "tests/headend/frontend/world.h"

namespace wattmesh::headend::frontend {
namespace {

WantedObject want(const ObisCode& object, std::uint32_t version, const dlms::Data& content) {
    return {object, version, dlms::encode_data(content), false};
}

const dcu::MeterList list{0, {{number_of(meter_1), dcu::MeterRole::customer}}};
const dcu::MeterList list_4{4, {{number_of(meter_1), dcu::MeterRole::customer}}};
const dcu::WrappedKeys keys{0, {{number_of(meter_1), Buffer(56, 7)}}};

int writes_of(const FakeConcentrator& unit, const ObisCode& object) {
    return static_cast<int>(std::count_if(unit.writes.begin(), unit.writes.end(),
                                          [&](const auto& write) { return write.first == object; }));
}

}  // namespace

TEST_CASE("configurator: sets the clock first, writes what is wanted, reads it back and confirms",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    world.store.wanted_objects[dcu::objects::meter_list] =
        want(dcu::objects::meter_list, 4, dcu::to_data(list));
    world.store.wanted_objects[dcu::objects::wrapped_keys] =
        want(dcu::objects::wrapped_keys, 2, dcu::to_data(keys));
    const LinkId link = world.log_in(unit);
    CHECK(unit.clock == world.now);
    REQUIRE(unit.writes.size() == 3);
    CHECK(unit.writes[0].first == obis::clock);
    CHECK(unit.objects[dcu::objects::meter_list] == dcu::to_data(list_4));
    CHECK(world.store.confirmations.size() == 2);
    CHECK(world.view(link).configured->clock_set == 1);

    world.pass(std::chrono::minutes{10});
    CHECK(unit.writes.size() == 3);  // nothing changed, nothing written
    dcu::MeterList longer = list;
    longer.meters.push_back({number_of(meter_2), dcu::MeterRole::summary});
    world.store.wanted_objects[dcu::objects::meter_list] =
        want(dcu::objects::meter_list, 5, dcu::to_data(longer));
    world.core.configure(number_of(concentrator_1));
    world.settle();
    longer.version = 5;
    CHECK(unit.objects[dcu::objects::meter_list] == dcu::to_data(longer));
}

TEST_CASE("configurator: what the concentrator holds already is confirmed, not written", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.objects[dcu::objects::meter_list] = dcu::to_data(list_4);
    world.store.wanted_objects[dcu::objects::meter_list] =
        want(dcu::objects::meter_list, 4, dcu::to_data(list));
    world.log_in(unit);
    CHECK(writes_of(unit, dcu::objects::meter_list) == 0);
    CHECK(world.store.confirmations == std::vector{std::pair{dcu::objects::meter_list, 4U}});
}

TEST_CASE("configurator: a version above ours makes ours newer", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    dcu::MeterList later = list;
    later.version = 9;
    later.meters.clear();
    unit.objects[dcu::objects::meter_list] = dcu::to_data(later);
    world.store.wanted_objects[dcu::objects::meter_list] =
        want(dcu::objects::meter_list, 4, dcu::to_data(list));
    world.log_in(unit);
    CHECK(world.store.overtakings == std::vector{std::pair{dcu::objects::meter_list, 9U}});
    world.pass(std::chrono::minutes{1});
    dcu::MeterList expected = list;
    expected.version = 10;
    CHECK(unit.objects[dcu::objects::meter_list] == dcu::to_data(expected));
}

TEST_CASE("configurator: a refused or forgotten write is counted and tried again, the rest goes on",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.refuses.insert(dcu::objects::meter_list);
    unit.clock_stands = true;
    world.store.wanted_objects[dcu::objects::meter_list] =
        want(dcu::objects::meter_list, 4, dcu::to_data(list));
    world.store.wanted_objects[dcu::objects::limits] =
        want(dcu::objects::limits, 1, dcu::to_data(dcu::Limits{}));
    const LinkId link = world.log_in(unit);
    CHECK(world.view(link).configured->refused == 1);
    CHECK(world.view(link).configured->clock_wrong == 1);
    CHECK(world.store.confirmations == std::vector{std::pair{dcu::objects::limits, 1U}});
    unit.refuses.clear();
    unit.clock_stands = false;
    world.pass(std::chrono::minutes{3});
    CHECK(world.store.confirmations.size() == 2);
    CHECK(world.view(link).configured->clock_set == 1);
}

TEST_CASE("configurator: a backfill order is written once for each version", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    dcu::Backfill order;
    order.ranges = {
        {number_of(meter_1), obis::load_profile, start_of_day, start_of_day + std::chrono::hours{1}}};
    world.store.wanted_objects[dcu::objects::backfill] = want(dcu::objects::backfill, 1, dcu::to_data(order));
    world.log_in(unit);
    world.pass(std::chrono::minutes{5});
    CHECK(writes_of(unit, dcu::objects::backfill) == 1);
    world.store.wanted_objects[dcu::objects::backfill] = want(dcu::objects::backfill, 2, dcu::to_data(order));
    world.pass(std::chrono::minutes{5});
    CHECK(writes_of(unit, dcu::objects::backfill) == 2);
}

TEST_CASE("configurator: renews the certificate when its time has come, and tries again after a refusal",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    const LinkId link = world.log_in(unit, world.now + std::chrono::hours{2});
    world.pass(std::chrono::hours{1});
    CHECK(world.store.requests.empty());
    world.pass(std::chrono::minutes{61});
    REQUIRE(world.store.requests.size() == 1);
    CHECK(world.store.requests[0] == unit.request);
    CHECK(world.view(link).configured->renewals_failed == 1);
    world.store.certificate = Buffer{0x30, 0x03, 1, 2, 3};
    world.pass(std::chrono::hours{1});
    CHECK(world.view(link).configured->renewed == 1);
    CHECK(unit.objects[dcu::objects::certificate_request] == dlms::octet_string(*world.store.certificate));
}

}  // namespace wattmesh::headend::frontend
