#include "protocol/dcu/objects.h"

#include <catch2/catch.hpp>

namespace wattmesh::dcu {
namespace {

using namespace std::chrono;

const DeviceNumber meter = *DeviceNumber::parse("540000000341");
const DeviceNumber relay = *DeviceNumber::parse("540000000007");

/// Through the wire: what the head-end writes is what the concentrator reads.
template <class T, class Decode>
T travelled(const T& value, Decode decode) {
    const auto data = dlms::decode_data(dlms::encode_data(to_data(value)));
    REQUIRE(data);
    const auto decoded = decode(*data);
    REQUIRE(decoded);
    return *decoded;
}

}  // namespace

TEST_CASE("meter list: version, number and role, composed by hand", "[dcu]") {
    const MeterList list{5, {{meter, MeterRole::customer}, {relay, MeterRole::summary}}};
    const MeterList boxes{6, {{relay, MeterRole::collector}}};
    CHECK(meter_list_from_data(to_data(boxes))->meters == boxes.meters);
    CHECK(to_hex(dlms::encode_data(to_data(list))) ==
          "020206000000050102"
          "020209065400000003411600"
          "020209065400000000071601");
    CHECK(travelled(list, meter_list_from_data) == list);
}

TEST_CASE("versioned objects: survive the way", "[dcu]") {
    const WrappedKeys keys{2, {{meter, Buffer(56, 0x5A)}}};
    const ReadingPlan plan{
        3, {{obis::load_profile, 900, 20, 86'400, 6}, {obis::daily_profile, 86'400, 60, 864'000, 2}}};
    const Limits limits{4, 5'000, 30, 8};
    const Instant at = sys_days{2026y / November / 1};
    const Backfill backfill{1, {{meter, obis::load_profile, at, at + hours{1}}}};
    CHECK(travelled(keys, wrapped_keys_from_data) == keys);
    CHECK(travelled(plan, reading_plan_from_data) == plan);
    CHECK(travelled(limits, limits_from_data) == limits);
    CHECK(travelled(backfill, backfill_from_data) == backfill);
    const Statistics statistics{1, 2, 3, 4, 5, 6, 7};
    CHECK(travelled(statistics, statistics_from_data) == statistics);
    const TopologyNode node{meter, NodeState::joined, 9, relay, 2, -101, 137, at, {relay}, {}};
    TopologyNode wired = node;
    wired.sub_address = 64;
    CHECK(topology_from_data(dlms::array({to_data(wired)}))->front() == wired);
    const auto nodes = topology_from_data(dlms::array({to_data(node)}));
    REQUIRE(nodes);
    CHECK(nodes->front() == node);
}

TEST_CASE("versioned objects: out of range is refused before anything is taken over", "[dcu]") {
    CHECK_FALSE(limits_from_data(to_data(Limits{1, 999, 60, 16})).has_value());
    CHECK_FALSE(limits_from_data(to_data(Limits{1, 5'000, 4, 16})).has_value());
    CHECK_FALSE(limits_from_data(to_data(Limits{1, 5'000, 60, 0})).has_value());
    CHECK_FALSE(
        reading_plan_from_data(to_data(ReadingPlan{1, {{obis::load_profile, 59, 0, 0, 1}}})).has_value());
    CHECK_FALSE(
        reading_plan_from_data(to_data(ReadingPlan{1, {{obis::load_profile, 900, 0, 0, 0}}})).has_value());
    const MeterList over{1, std::vector<ListedMeter>(meter_list_size_max + 1)};
    CHECK(meter_list_from_data(to_data(over)).error() == Error{Fault::too_long, 1});
    auto role = to_data(MeterList{1, {{meter, static_cast<MeterRole>(3)}}});
    CHECK(meter_list_from_data(role).error() == Error{Fault::bad_value, 0});
    CHECK(meter_list_from_data(dlms::Data{}).error() == Error{Fault::bad_tag, 0});
}

}  // namespace wattmesh::dcu
