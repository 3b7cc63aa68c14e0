#include "concentrator/reading/trusted_clock.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;

TEST_CASE("clock: counts on from the journal's last time, doubtful, until the head-end tells the truth",
          "[concentrator]") {
    const Instant last = from_epoch_us(1'700'000'000'000'000);
    TrustedClock clock(last);
    CHECK(clock.at(10s).utc == last + 10s);
    CHECK(clock.at(10s).doubtful);
    CHECK_FALSE(clock.trusted());

    const Instant truth = last + 5h;
    clock.set(truth, 20s);
    CHECK(clock.at(20s).utc == truth);
    CHECK(clock.at(25s).utc == truth + 5s);
    CHECK_FALSE(clock.at(25s).doubtful);
    CHECK(clock.at(25s).steady == last + 25s);  // timers did not jump
    CHECK(clock.utc(last + 22s) == truth + 2s);

    clock.set(truth - 1h, 30s);  // the head-end was wrong and says so
    CHECK(clock.at(30s).utc == truth - 1h);
    CHECK(clock.at(31s).steady > clock.at(30s).steady);
}

TEST_CASE("clock: a concentrator without a journal begins at zero and says that it does not know",
          "[concentrator]") {
    const TrustedClock clock(std::nullopt);
    CHECK(clock.at(3s).utc == Instant{3s});
    CHECK(clock.at(3s).doubtful);
}
