#include "tests/headend/frontend/world.h"

namespace wattmesh::headend::frontend {
namespace {

struct Answers {
    std::vector<RelayOutcome> outcomes;
    Relay::Done add() {
        return [this](RelayOutcome outcome) { outcomes.push_back(std::move(outcome)); };
    }
};
const DeviceNumber unit_number = number_of(concentrator_1);

DeviceNumber meter(int i) { return number_of(std::to_string(540'000'000'000 + i)); }

}  // namespace

TEST_CASE("relay: carries one APDU there and one back, addressed by the meter's number", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.meter_answers[meter(1)] = {0xC4, 0x01, 0xC1, 0x00, 0x00};
    world.log_in(unit);
    Answers answers;
    world.core.relay(unit_number, meter(1), {0xC0, 0x01}, answers.add());
    world.settle();
    REQUIRE(unit.relayed.size() == 1);
    CHECK(to_hex(unit.relayed[0].address) == "540000000001");
    CHECK(unit.relayed[0].apdu == Buffer{0xC0, 0x01});
    REQUIRE(answers.outcomes.size() == 1);
    CHECK(answers.outcomes[0].status == RelayStatus::answered);
    CHECK(answers.outcomes[0].apdu == unit.meter_answers[meter(1)]);
    world.core.relay(unit_number, meter(1), {0xC0, 0x01}, answers.add(), public_client);
    world.settle();
    CHECK(unit.relayed_clients == std::vector<Sap>{management_client, public_client});
    CHECK(answers.outcomes.at(1).status == RelayStatus::answered);
}

TEST_CASE("relay: 'cannot' and 'no answer' are told apart", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.meter_answers[meter(1)] = {0xD8, 0x01, 0x03};
    unit.meter_answers[meter(2)] = {0xD8, 0x01, 0x01};  // the meter's own exception
    const LinkId link = world.log_in(unit);
    Answers cannot, exception, silence, offline;
    world.core.relay(unit_number, meter(1), {0xC0}, cannot.add());
    world.core.relay(unit_number, meter(2), {0xC0}, exception.add());
    world.core.relay(unit_number, meter(3), {0xC0}, silence.add());
    world.pass(std::chrono::seconds{89});
    CHECK(cannot.outcomes.at(0).status == RelayStatus::unreachable);
    CHECK(exception.outcomes.at(0).status == RelayStatus::answered);
    CHECK(silence.outcomes.empty());
    world.pass(std::chrono::seconds{2});
    CHECK(silence.outcomes.at(0).status == RelayStatus::timed_out);
    world.core.relay(unit_number, meter(4), {0xC0}, offline.add());
    world.core.on_closed(link, world.now);
    CHECK(offline.outcomes.at(0).status == RelayStatus::offline);
    world.core.relay(unit_number, meter(4), {0xC0}, offline.add());
    CHECK(offline.outcomes.at(1).status == RelayStatus::offline);
}

TEST_CASE("relay: sixteen meters at once, one request for each", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    world.log_in(unit);
    Answers answers;
    for (int i = 0; i < 20; ++i) world.core.relay(unit_number, meter(i), {0xC0}, answers.add());
    world.core.relay(unit_number, meter(0), {0xC1}, answers.add());
    world.settle();
    CHECK(unit.relayed.size() == 16);
    for (int i = 0; i < 20; ++i) unit.meter_answers[meter(i)] = {0xC4};
    world.pass(std::chrono::seconds{91});
    CHECK(std::count_if(answers.outcomes.begin(), answers.outcomes.end(),
                        [](const auto& outcome) { return outcome.status == RelayStatus::timed_out; }) == 16);
    CHECK(unit.relayed.size() == 20);  // the sixteen rest, so meter 0's second request still waits
    world.pass(std::chrono::seconds{61});
    CHECK(unit.relayed.size() == 21);
    CHECK(answers.outcomes.size() == 21);
}

TEST_CASE("relay: a late answer does not pass for the next request's", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    const LinkId link = world.log_in(unit);
    Answers first, second;
    world.core.relay(unit_number, meter(1), {0xC0}, first.add());
    world.pass(std::chrono::seconds{91});
    CHECK(first.outcomes.at(0).status == RelayStatus::timed_out);
    world.core.relay(unit_number, meter(1), {0xC1}, second.add());
    world.settle();
    unit.meter_answers[meter(1)] = {0xC5};
    const link::GatewayFrame late{true, 0, {0x54, 0, 0, 0, 0, 0x01}, {0xC4}};
    world.core.on_bytes(link, link::encode_wrapper({Sap{1}, Sap{1}, link::encode_gateway(late)}), world.now);
    world.settle();
    REQUIRE(second.outcomes.size() == 1);
    CHECK(second.outcomes[0].apdu == Buffer{0xC5});
}

}  // namespace wattmesh::headend::frontend
