#include "headend/monitor/gaps.h"

#include <catch2/catch.hpp>

namespace wattmesh::headend::monitor {
namespace {

const DeviceNumber meter = DeviceNumber::parse("540000000001").value();
constexpr Instant midnight = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
constexpr Instant noon = midnight + std::chrono::hours{12};

Missing gap(MissingReason reason) { return {meter, midnight, midnight + std::chrono::hours{1}, reason}; }

}  // namespace

TEST_CASE("backfill: a gap is ordered when it stood for half an hour, and again after another", "[monitor]") {
    Backfill backfill{{}, obis::load_profile};
    const std::vector missing{gap(MissingReason::no_answer)};
    CHECK(backfill.overdue(missing, noon).empty());
    CHECK(backfill.overdue(missing, noon + std::chrono::minutes{29}).empty());
    const auto ordered = backfill.overdue(missing, noon + std::chrono::minutes{30});
    REQUIRE(ordered.size() == 1);
    CHECK(ordered[0] == dcu::BackfillRange{meter, obis::load_profile, missing[0].from, missing[0].to});
    CHECK(backfill.overdue(missing, noon + std::chrono::minutes{40}).empty());
    CHECK(backfill.overdue(missing, noon + std::chrono::minutes{60}).size() == 1);
}

TEST_CASE("backfill: a gap that shrinks closes by itself and is left alone", "[monitor]") {
    Backfill backfill{{}, obis::load_profile};
    Missing shrinking = gap(MissingReason::not_read);
    for (int i = 0; i < 3; ++i) {
        CHECK(backfill.overdue({shrinking}, noon + i * std::chrono::minutes{30}).empty());
        shrinking.from += std::chrono::minutes{15};
    }
}

TEST_CASE("backfill: nothing is ordered where it cannot help", "[monitor]") {
    const auto reason = GENERATE(MissingReason::no_key, MissingReason::not_enrolled,
                                 MissingReason::concentrator_offline, MissingReason::not_joined);
    Backfill backfill{{}, obis::load_profile};
    CHECK(backfill.overdue({gap(reason)}, noon).empty());
    CHECK(backfill.overdue({gap(reason)}, noon + std::chrono::hours{2}).empty());
}

TEST_CASE("backfill: an order has at most as many ranges as a concentrator takes", "[monitor]") {
    Backfill backfill{{}, obis::load_profile};
    std::vector<Missing> missing;
    for (int i = 0; i < 1'000; ++i) {
        const auto at = midnight + i * std::chrono::minutes{15};
        missing.push_back({meter, at, at, MissingReason::refused});
    }
    CHECK(backfill.overdue(missing, noon).empty());
    CHECK(backfill.overdue(missing, noon + std::chrono::hours{1}).size() == 256);
}

}  // namespace wattmesh::headend::monitor
