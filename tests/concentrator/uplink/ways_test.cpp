#include "concentrator/uplink/ways.h"

#include "tests/concentrator/uplink/line.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;

namespace {

const std::vector<Way> two{{"ethernet", "a:1"}, {"ethernet", "b:1"}};
const std::vector<Way> four{
    {"ethernet", "a:1"}, {"ethernet", "b:1"}, {"cellular", "a:1"}, {"cellular", "b:1"}};

/// Calls and sessions that end as the test says.
struct Caller {
    explicit Caller(const std::vector<Way>& over) : random(5), ways({.ways = over}, random) {}
    Now now{at(0), at(1'700'000'000), false};
    void after(Duration time) { now.steady += time; }
    Duration fail(bool silent = false) { return ways.failed("refused", silent, now); }
    /// Lets time pass; every probe is answered by `answers`.
    template <class Answers>
    bool returns_within(Duration time, Answers answers) {
        for (Duration step{}; step < time; step += 1s) {
            after(1s);
            if (const auto way = ways.take_probe(now)) ways.probed(*way, answers(*way), now);
            if (ways.take_return()) return true;
        }
        return false;
    }
    SeededRandom random;
    Ways ways;
};

}  // namespace

TEST_CASE("ways: each is tried in its order, then all again ever more slowly", "[concentrator]") {
    Caller caller(four);
    std::vector<std::size_t> tried;
    Duration pause{};
    for (int round = 0; round < 7; ++round)
        for (int call = 0; call < 4; ++call) {
            tried.push_back(caller.ways.current());
            pause = caller.fail();
            if (call < 3) CHECK(pause <= 5s);
            if (call == 3 && round == 0) CHECK(pause <= 2s);
        }
    for (std::size_t i = 0; i < tried.size(); ++i) CHECK(tried[i] == i % 4);
    CHECK(pause >= 30s);
    CHECK(pause <= 60s);
    CHECK(caller.ways.counts(3).failures == 7);
    CHECK(caller.ways.counts(3).last_failure == "refused");
}

TEST_CASE("ways: a closed session is called once more, a silent one is left at once", "[concentrator]") {
    Caller caller(two);
    caller.ways.logged_in(caller.now);
    caller.after(1h);
    SECTION("closed") {
        CHECK(caller.fail() <= 2s);
        CHECK(caller.ways.current() == 0);
        caller.fail();
        CHECK(caller.ways.current() == 1);
    }
    SECTION("silent") {
        CHECK(caller.fail(true) <= 5s);
        CHECK(caller.ways.current() == 1);
        caller.fail();
        CHECK(caller.ways.current() == 0);
    }
}

TEST_CASE("ways: goes back to a better way only when it was stable, and ever later when it flaps",
          "[concentrator]") {
    Caller caller(two);
    const auto always = [](std::size_t) { return true; };
    caller.fail();
    caller.ways.logged_in(caller.now);
    REQUIRE(caller.ways.current() == 1);
    CHECK_FALSE(caller.returns_within(1h, [](std::size_t) { return false; }));
    int probes = 0;  // one in five does not answer: never five minutes in a row
    CHECK_FALSE(caller.returns_within(1h, [&](std::size_t) { return ++probes % 5 != 0; }));
    CHECK_FALSE(caller.returns_within(2min, [](std::size_t) { return false; }));
    CHECK_FALSE(caller.returns_within(5min, always));
    REQUIRE(caller.returns_within(2min, always));
    CHECK(caller.ways.current() == 0);
    CHECK(caller.ways.returns() == 1);

    Duration expected = 5min;
    for (int flap = 0; flap < 6; ++flap) {  // it breaks a minute after each return
        caller.ways.logged_in(caller.now);
        caller.after(1min);
        caller.fail(true);
        caller.ways.logged_in(caller.now);
        REQUIRE(caller.ways.current() == 1);
        expected = std::min<Duration>(expected * 2, 1h);
        CHECK_FALSE(caller.returns_within(expected, always));
        REQUIRE(caller.returns_within(2min, always));
    }
    // Having held for long it is trusted as in the beginning.
    caller.ways.logged_in(caller.now);
    caller.after(2h);
    caller.fail(true);
    caller.ways.logged_in(caller.now);
    CHECK(caller.returns_within(7min, always));
}

TEST_CASE("ways: a bearer that is down is not called, and a better one is gone back to", "[concentrator]") {
    Caller caller(four);
    caller.ways.logged_in(caller.now);
    CHECK(caller.ways.set_available("ethernet", false, caller.now));
    caller.fail(true);
    CHECK(caller.ways.current() == 2);
    caller.ways.logged_in(caller.now);
    CHECK_FALSE(caller.returns_within(30min, [](std::size_t) { return true; }));
    CHECK(caller.ways.counts(0).probes == 0);
    CHECK_FALSE(caller.ways.set_available("ethernet", true, caller.now));
    CHECK(caller.returns_within(8min, [](std::size_t) { return true; }));
    CHECK(caller.ways.current() == 0);
    // While nothing is there it goes on calling, and says so.
    caller.ways.set_available("ethernet", false, caller.now);
    caller.ways.set_available("cellular", false, caller.now);
    for (int i = 0; i < 20; ++i) CHECK(caller.fail() <= 60s);
}

TEST_CASE("uplink: a head-end that falls silent is left for the other one within 90 s", "[concentrator]") {
    Line line(two);
    line.log_in();
    REQUIRE(line.called == 0);
    line.wait(10min);
    line.head->answers_hello = false;
    const auto silent_at = line.now.steady;
    while (line.opens == 1) line.wait(1s);
    CHECK(line.now.steady - silent_at < 90s);
    CHECK(line.called == 1);
    CHECK(line.closes == 1);
    line.head->answers_hello = true;
    line.log_in();
    CHECK(line.uplink->logged_in());

    // It answers probes again: five minutes later the session moves back.
    const auto probe_until = line.now.steady + 10min;
    while (line.called == 1 && line.now.steady < probe_until) {
        line.wait(1s);
        for (const auto way : std::exchange(line.probed, {})) line.uplink->probed(way, true, line.now);
    }
    CHECK(line.called == 0);
    CHECK(line.opens == 3);
    line.log_in();
    CHECK(line.uplink->logged_in());
    CHECK(line.uplink->ways().moves() == 2);
    CHECK(line.uplink->ways().returns() == 1);
}

TEST_CASE("uplink: a heartbeat that is answered late costs nothing", "[concentrator]") {
    Line line(two);
    line.log_in();
    line.head->answers_hello = false;
    line.wait(70s);  // two of them unanswered
    line.head->answers_hello = true;
    line.wait(10min);
    CHECK(line.opens == 1);
    CHECK(line.head->hellos.size() <= 1 + 3 + 11);
}
