#include "tests/concentrator/uplink/line.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;

TEST_CASE("uplink: logs in with the captured form of hello, and beats", "[concentrator]") {
    Line line;
    line.log_in();
    CHECK(line.opens == 1);
    REQUIRE(line.head->hellos.size() == 1);
    CHECK(line.head->hellos[0].kind == link::Hello::Kind::login);
    CHECK(line.head->hellos[0].type == 2);
    CHECK(line.head->hellos[0].address == "900000000001");
    CHECK(line.head->hellos[0].option == std::uint8_t{0});
    CHECK(line.uplink->logged_in());
    line.wait(3min);
    CHECK(line.head->hellos.size() == 1 + 3);
    CHECK(line.head->hellos.back().kind == link::Hello::Kind::heartbeat);
    CHECK(line.closes == 0);
}

TEST_CASE("uplink: calls in again and again, ever more slowly, and quickly after a good log-in",
          "[concentrator]") {
    Line line;
    std::vector<Instant> calls;
    for (int i = 0; i < 600; ++i) {
        const int before = line.opens;
        line.wait(1s);
        if (line.opens == before) continue;
        calls.push_back(line.now.steady);
        line.uplink->closed("refused", line.now);
    }
    REQUIRE(calls.size() > 10);
    CHECK(calls[1] - calls[0] <= 3s);
    for (std::size_t i = 7; i < calls.size(); ++i) {
        CHECK(calls[i] - calls[i - 1] >= 30s);
        CHECK(calls[i] - calls[i - 1] <= 62s);
    }
    line.opens = 0;
    while (line.opens == 0) line.wait(1s);
    line.uplink->opened(line.now);
    line.pump();
    CHECK(line.uplink->logged_in());
    line.uplink->closed("reset by peer", line.now);
    line.wait(3s);
    CHECK(line.opens == 2);
}

TEST_CASE("uplink: drops a head-end that is silent, half-spoken or no head-end", "[concentrator]") {
    Line line;
    SECTION("log-in is not answered") {
        line.head->answers_hello = false;
        line.log_in();
        line.wait(61s);
        CHECK(line.closes == 1);
    }
    SECTION("heartbeats are not answered") {
        line.log_in();
        line.head->answers_hello = false;
        line.wait(3min);
        CHECK(line.closes == 0);
        line.wait(61s);
        CHECK(line.closes == 1);
    }
    SECTION("half a frame") {
        line.log_in();
        line.head->send_raw(Buffer{0, 1, 0, 1, 0, 1});
        line.wait(62s);
        CHECK(line.closes == 1);
    }
    SECTION("other octets") {
        line.log_in();
        line.head->send_raw(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
        line.pump();
        CHECK(line.closes == 1);
        CHECK(line.uplink->counts().malformed == 1);
    }
    CHECK_FALSE(line.uplink->logged_in());
}
