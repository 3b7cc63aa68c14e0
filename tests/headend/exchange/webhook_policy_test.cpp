#include "headend/exchange/webhook_policy.h"

#include <catch2/catch.hpp>

#include "headend/exchange/cloud_event.h"

using namespace wattmesh;
using namespace wattmesh::headend;
using namespace wattmesh::headend::exchange;
using database::WebhookLane;
using namespace std::chrono_literals;

namespace {

const Instant noon{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10} + 12h};

struct Still final : Random {
    void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{0}); }
};
WebhookAnswer answer(int status) { return {status, {}, status == 0 ? "refused" : ""}; }

}  // namespace

TEST_CASE("webhook: what an answer means", "[exchange]") {
    struct Row {
        const char* why;
        int status, attempts;
        Duration failing;
        WebhookVerdict verdict;
    };
    const auto row = GENERATE(values<Row>({
        {"taken", 200, 1, 0s, WebhookVerdict::delivered},
        {"taken, without words", 204, 9, 1h, WebhookVerdict::delivered},
        {"nobody there", 0, 1, 0s, WebhookVerdict::again},
        {"nobody there for six days", 0, 500, 24h * 6, WebhookVerdict::again},
        {"nobody there for a week", 0, 600, 24h * 7, WebhookVerdict::dead},
        {"broken", 500, 50, 24h, WebhookVerdict::again},
        {"busy", 429, 50, 24h, WebhookVerdict::again},
        {"moved", 301, 50, 24h, WebhookVerdict::again},
        {"our certificate or secret", 401, 50, 24h, WebhookVerdict::again},
        {"a wrong address", 404, 50, 24h, WebhookVerdict::again},
        {"senseless to the partner, at first", 400, 4, 1min, WebhookVerdict::again},
        {"senseless to the partner", 400, 5, 1min, WebhookVerdict::dead},
        {"refused", 422, 5, 1min, WebhookVerdict::dead},
        {"too large", 413, 5, 1min, WebhookVerdict::dead},
        {"wants no more", 410, 1, 0s, WebhookVerdict::gone},
    }));
    DYNAMIC_SECTION(row.why) { CHECK(judge(answer(row.status), row.attempts, row.failing) == row.verdict); }
}

TEST_CASE("webhook: waits 5 s and twice as long each time, 15 min at most, or what the partner asks for",
          "[exchange]") {
    Still random;
    WebhookLane lane;
    lane.position = 10;
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 10; ++i) {
        CHECK(settle(lane, answer(503), 20, noon, 1, random) == WebhookVerdict::again);
        waits.push_back((lane.next - noon) / 1s);
    }
    CHECK(waits == std::vector<std::int64_t>{5, 10, 20, 40, 80, 160, 320, 640, 900, 900});
    CHECK(lane.position == 10);
    CHECK(lane.failing_since == noon);
    CHECK(request_size(lane, 100) == 1);

    settle(lane, {429, 30min, ""}, 20, noon, 1, random);
    CHECK(lane.next == noon + 30min);
    settle(lane, {429, 10h, ""}, 20, noon, 1, random);
    CHECK(lane.next == noon + retry_after_max);

    CHECK(settle(lane, answer(200), 20, noon, 1, random) == WebhookVerdict::delivered);
    WebhookLane free;
    free.position = 20;
    free.last_status = 200;
    CHECK(lane == free);
    CHECK(request_size(lane, 100) == 100);
}

TEST_CASE("webhook: with a clock that runs 60 times as fast, waits are as long for the partner",
          "[exchange]") {
    Still random;
    WebhookLane lane;
    settle(lane, answer(0), 20, noon, 60, random);
    CHECK(lane.next == noon + 5min);
    // A week of the partner's is over after sixty of ours.
    CHECK(settle(lane, answer(0), 20, noon + 24h * 7 * 59, 60, random) == WebhookVerdict::again);
    CHECK(settle(lane, answer(0), 20, noon + 24h * 7 * 60, 60, random) == WebhookVerdict::dead);
    CHECK(lane.position == 20);
}

TEST_CASE("cloud event: context attributes of CloudEvents 1.0.2, section 3", "[exchange]") {
    const database::OutboxMessage message{.id = 7,
                                          .position = 42,
                                          .topic = "outage",
                                          .type = "outage.began",
                                          .subject = "TX \"17\"",
                                          .at = noon,
                                          .data = R"({"customers":5})"};
    CHECK(
        cloud_event(message, TenantId{1}) ==
        R"({"specversion":"1.0","id":"7","source":"/wattmesh/tenants/1","type":"org.wattmesh.outage.began",)"
        R"("subject":"TX \"17\"","time":"2026-03-10T12:00:00.000Z","sequence":"00000000000000000042",)"
        R"("datacontenttype":"application/json","data":{"customers":5}})");
}
