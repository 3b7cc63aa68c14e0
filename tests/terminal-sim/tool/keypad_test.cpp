#include <catch2/catch.hpp>

#include "platform/arguments.h"
#include "terminal-sim/meter/keypad.h"
#include "terminal-sim/tool/prepaid_options.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

const std::map<std::string, std::string> key_a{
    {"pan", "00000000000"}, {"dk", "e653341f9d5bf36f"}, {"sgc", "123456"}};
constexpr Instant day = std::chrono::sys_days{std::chrono::year{2004} / 3 / 1};

}  // namespace

TEST_CASE("keypad: what the display says to tokens, keys and questions", "[sim]") {
    CustomerLoad load{1, *DeviceNumber::parse("540000000001"), LoadKind::household, false};
    MeterSettings made{.number = *DeviceNumber::parse("540000000001"), .seed = 1, .installed_at = day};
    made.prepaid = prepaid_of(platform::Settings{key_a});
    Meter meter{std::move(made), load, &load.supply(), nullptr};
    const Instant now = day + 14h;
    const auto say = [&](const char* line) { return keypad_answer(meter, line, now); };
    CHECK(
        say("status") ==
        R"({"ok":true,"balance_wh":0,"relay":"open","breaker":"open","low":true,"emergency":false,"krn":1,"ti":1})");
    CHECK(
        say("enter 2371 6100 5011 8319 4197") ==
        R"({"ok":true,"result":"accepted","kwh":"0.1","balance_wh":100,"relay":"closed","breaker":"closed","low":true,"emergency":false,"krn":1,"ti":1})");
    CHECK_THAT(say("enter 23716100501183194197"),
               Catch::StartsWith(R"({"ok":false,"result":"used_error","why":"the token was entered before)"));
    CHECK_THAT(say("enter 12"), Catch::StartsWith(R"({"ok":false,"result":"format_error")"));
    CHECK_THAT(say("enter 51638423060042734509"), Catch::Contains(R"("key_change":"1 of 2")"));
    CHECK_THAT(say("enter 00000000549890034216"), Catch::Contains(R"("sgc":"123456")"));
    CHECK_THAT(say("emergency"),
               Catch::StartsWith(R"({"ok":true,)") && Catch::Contains(R"("emergency":true)"));
    CHECK_THAT(say("emergency"), Catch::StartsWith(R"({"ok":false,)"));
    CHECK_THAT(say("button"), Catch::StartsWith(R"({"ok":false,)"));  // it is closed
    CHECK_THAT(say("open sesame"), Catch::Contains("say enter TOKEN"));
}

TEST_CASE("keypad: a prepayment meter is made from its options", "[sim]") {
    CHECK_FALSE(prepaid_of(platform::Settings{}));
    auto words = key_a;
    words["credit"] = "12";
    words["low-credit"] = "2";
    words["emergency"] = "0";
    words["arming"] = "true";
    const auto prepaid = prepaid_of(platform::Settings{words}).value();
    CHECK(prepaid.balance == 12'000);
    CHECK(prepaid.low_credit == 2'000);
    CHECK(prepaid.emergency == 0);
    CHECK(prepaid.reconnection == cosem::Reconnection::by_hand);
    CHECK(prepaid.pan.digits() == "600727000000000009");
    std::map<std::string, std::string> wrong{{"pan", "00000000000"}};
    CHECK_THROWS_WITH(prepaid_of(platform::Settings{wrong}), Catch::Contains("--dk"));
    wrong["pan"] = "12345678904";
    CHECK_THROWS_WITH(prepaid_of(platform::Settings{wrong}), Catch::Contains("digit"));
}
