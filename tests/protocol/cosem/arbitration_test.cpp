// Arbitrator (class 68). Blue Book (DLMS UA 1000-1) ed. 14, 4.5.12.
#include <catch2/catch.hpp>

#include "protocol/cosem/arbitration.h"

using namespace wattmesh;
using namespace wattmesh::cosem::arbitrator;

namespace {

dlms::BitString bits(std::uint8_t octet) { return {3, {octet}}; }
constexpr std::uint8_t first = 0x80, second = 0x40, third = 0x20;

State three_actors() {
    State state;
    state.actions.resize(3);
    state.permissions = {bits(first | second | third), bits(first | second), bits(second)};
    state.weightings = {{10, 10, 10}, {6, 6, 6}, {5, 5, 5}};
    return state;
}

}  // namespace

TEST_CASE("arbitrator: weights of all who ask for an action add up, and the heaviest wins", "[cosem]") {
    State state = three_actors();
    CHECK_FALSE(outcome(state));
    REQUIRE(request(state, {1, bits(first)}));
    CHECK(outcome(state) == 1);
    REQUIRE(request(state, {2, bits(second)}));
    CHECK(outcome(state) == 1);  // 10 against 6
    REQUIRE(request(state, {3, bits(second)}));
    CHECK(outcome(state) == 2);  // 10 against 6 + 5
    REQUIRE(request(state, {2, bits(0)}));
    CHECK(outcome(state) == 1);  // a new request takes the place of the old one
}

TEST_CASE("arbitrator: what an actor may not ask for counts nothing, an unknown actor changes nothing",
          "[cosem]") {
    State state = three_actors();
    REQUIRE(request(state, {3, bits(first | second | third)}));
    CHECK(state.requests[2] == bits(second));
    CHECK(outcome(state) == 2);
    const auto before = state.requests;
    CHECK_FALSE(request(state, {0, bits(first)}));
    CHECK_FALSE(request(state, {4, bits(first)}));
    CHECK(state.requests == before);
}

TEST_CASE("arbitrator: two of the same weight decide nothing, a reset forgets", "[cosem]") {
    State state = three_actors();
    state.weightings[1] = {10, 10};
    REQUIRE(request(state, {1, bits(first)}));
    REQUIRE(request(state, {2, bits(second)}));
    CHECK_FALSE(outcome(state));
    REQUIRE(request(state, {3, bits(second)}));
    CHECK(outcome(state) == 2);
    state.last_outcome = 2;
    clear(state);
    CHECK(state.last_outcome == 0);
    CHECK_FALSE(outcome(state));
    CHECK(state.requests.size() == 3);
}

TEST_CASE("arbitrator: tables of other sizes than the actions are borne", "[cosem]") {
    State state = three_actors();
    state.weightings = {{1}, {}};
    REQUIRE(request(state, {1, {16, {0xFF, 0xFF}}}));
    REQUIRE(request(state, {3, {0, {}}}));
    CHECK(outcome(state) == 1);
    CHECK(state.requests[0].bits == 3);
}
