#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;

namespace {

struct UplinkViewer : test::SiteUnderTest {
    UplinkViewer() { REQUIRE(sign_in("ada").status == 200); }
    Poco::JSON::Object::Ptr uplink() {
        const auto reply = get("/api/concentrators/900000000001/uplink");
        INFO(reply.body);
        REQUIRE(reply.status == 200);
        return Poco::JSON::Parser{}.parse(reply.body).extract<Poco::JSON::Object::Ptr>();
    }
};

}  // namespace

TEST_CASE_METHOD(UplinkViewer, "console uplink: the way a concentrator is connected, as it says itself",
                 "[console]") {
    const auto silent = uplink();
    CHECK_FALSE(silent->getValue<bool>("live"));
    CHECK_FALSE(silent->has("ways"));
    dcu::UplinkState state{
        .current = 1, .since = from_epoch_us(1'773'100'000'000'000), .moves = 3, .returns = 1};
    state.ways = {{.bearer = "ethernet", .address = "a:4061", .available = false, .last_failure = "refused"},
                  {.bearer = "cellular", .address = "a:4061", .calls = 2, .sessions = 1}};
    state.cellular = dcu::CellularState{
        .state = "ready", .operator_name = "Net", .registration = dcu::Registration::roaming};
    reads.uplink_state = state;
    const auto live = uplink();
    CHECK(live->getValue<bool>("live"));
    CHECK(live->getValue<int>("current") == 1);
    CHECK(live->getValue<int>("returns") == 1);
    const auto first = live->getArray("ways")->getObject(0), second = live->getArray("ways")->getObject(1);
    CHECK(first->getValue<std::string>("last_failure") == "refused");
    CHECK_FALSE(first->getValue<bool>("available"));
    CHECK(second->getValue<int>("sessions") == 1);
    const auto modem = live->getObject("cellular");
    CHECK(modem->getValue<std::string>("registration") == "roaming");
    CHECK(modem->isNull("signal_dbm"));
}
