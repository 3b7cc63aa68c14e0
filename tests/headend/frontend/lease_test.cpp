#include <catch2/catch.hpp>

#include "headend/frontend/lease.h"

namespace wattmesh::headend::frontend {
namespace {

using namespace std::chrono_literals;
constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + 12h;
const DeviceNumber north = DeviceNumber::parse("900000000001").value(),
                   south = DeviceNumber::parse("900000000002").value();

Claim joined(const DeviceNumber& by, std::uint32_t counter, Instant at) { return {by, counter, at, false}; }
Claim wired(const DeviceNumber& by, Instant at, bool doubtful = false) { return {by, 0, at, doubtful}; }

}  // namespace

TEST_CASE("lease: the later join wins, in whatever order the journals come", "[roaming]") {
    // 5 in the north, 6 in the south, 7 in the north again.
    std::vector<Claim> claims{joined(north, 5, noon), joined(south, 6, noon + 1h),
                              joined(north, 7, noon + 2h)};
    std::sort(claims.begin(), claims.end(),
              [](const Claim& a, const Claim& b) { return a.join_counter < b.join_counter; });
    do {
        Lease lease{.holder = north};
        for (const auto& claim : claims) settle(lease, claim);
        CHECK(lease.holder == north);
        CHECK(lease.join_counter == 7);
        CHECK_FALSE(told_to(south, lease).here);
        CHECK(told_to(south, lease).join_counter >= 6);  // the south's own claim is older, and it knows
        CHECK(told_to(north, lease).here);
    } while (std::next_permutation(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
        return a.join_counter < b.join_counter;
    }));
}

TEST_CASE("lease: clocks do not matter where joins are counted", "[roaming]") {
    Lease lease{.holder = north};
    settle(lease, joined(north, 5, noon + 24h));
    CHECK(settle(lease, {south, 6, noon - 24h, true}) == Settled::moved);
    CHECK(lease.holder == south);
    CHECK(settle(lease, joined(north, 5, noon + 48h)) != Settled::moved);
}

TEST_CASE("lease: on wires the later instant holds, and a doubtful clock has no say", "[roaming]") {
    Lease lease{.holder = north};
    settle(lease, joined(north, 5, noon));
    CHECK(settle(lease, wired(south, noon - 1min)) != Settled::moved);
    CHECK(settle(lease, wired(south, noon + 1h, true)) != Settled::moved);
    CHECK(settle(lease, wired(south, noon + 1min)) == Settled::moved);
    // The north, which it left without a join, must see that its own join is not the newest word.
    CHECK(told_to(north, lease).join_counter == 5);
    // Back on radio with the key it kept: no new join, but a later instant.
    CHECK(settle(lease, joined(north, 5, noon + 2min)) == Settled::moved);
    CHECK(lease.holder == north);
}

TEST_CASE("lease: the holder's own joins do not change what the lists say", "[roaming]") {
    Lease lease{.holder = north};
    const auto before = std::pair{told_to(north, lease), told_to(south, lease)};
    CHECK(before.first == dcu::MeterLease{});
    CHECK(settle(lease, joined(north, 5, noon)) == Settled::noted);
    CHECK(settle(lease, joined(north, 6, noon + 1h)) == Settled::noted);
    CHECK(settle(lease, joined(north, 6, noon + 1h)) == Settled::unchanged);
    CHECK(std::pair{told_to(north, lease), told_to(south, lease)} == before);
}

}  // namespace wattmesh::headend::frontend
