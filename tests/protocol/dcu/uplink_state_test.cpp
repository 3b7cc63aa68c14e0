#include "protocol/dcu/uplink_state.h"

#include <catch2/catch.hpp>

using namespace wattmesh;

namespace {

dcu::UplinkState moved_state() {
    dcu::UplinkState state{
        .current = 1, .since = from_epoch_us(1'700'000'000'000'000), .moves = 3, .returns = 1};
    state.ways = {
        {.bearer = "ethernet", .address = "a:7000", .available = false, .calls = 9, .failures = 8},
        {.bearer = "cellular", .address = "a:7000", .sessions = 2, .probes = 4, .probes_answered = 3}};
    state.ways[0].last_failure = std::string(200, 'x');
    state.cellular = dcu::CellularState{.state = "ready",
                                        .operator_name = "Test Net",
                                        .registration = dcu::Registration::roaming,
                                        .signal_dbm = std::int8_t{-85},
                                        .redials = 1,
                                        .resets = 2};
    return state;
}

}  // namespace

TEST_CASE("uplink state: comes back as it was told, long words cut", "[protocol]") {
    auto state = moved_state();
    const auto back = dcu::uplink_state_from_data(dcu::to_data(state));
    REQUIRE(back);
    CHECK(back->ways[0].last_failure.size() == dcu::uplink_text_max);
    state.ways[0].last_failure.resize(dcu::uplink_text_max);
    CHECK(*back == state);
    state.cellular->signal_dbm.reset();
    CHECK(*dcu::uplink_state_from_data(dcu::to_data(state)) == state);
    state.cellular.reset();
    CHECK(*dcu::uplink_state_from_data(dcu::to_data(state)) == state);
}

TEST_CASE("uplink state: one that is not whole is refused", "[protocol]") {
    auto state = moved_state();
    SECTION("no way") { state.ways.clear(); }
    SECTION("a way that is not there") { state.current = 2; }
    SECTION("more ways than a concentrator has") { state.ways.resize(dcu::uplink_ways_max + 1); }
    SECTION("a registration that is none") { state.cellular->registration = dcu::Registration{6}; }
    CHECK_FALSE(dcu::uplink_state_from_data(dcu::to_data(state)));
}
