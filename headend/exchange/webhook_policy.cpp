#include "headend/exchange/webhook_policy.h"

#include <algorithm>
#include <array>

namespace wattmesh::headend::exchange {
namespace {

Duration times(Duration duration, double factor) {
    return Duration{static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor)};
}

}  // namespace

bool refuses_message(int status) {
    // 401, 403, 404, 407, 410, 421, 423 to 426, 428, 429 and 451 are about the way, the others about what
    // came.
    constexpr std::array about_message{400, 405, 406, 409, 411, 412, 413, 414, 415, 416, 417, 422, 431};
    return std::find(about_message.begin(), about_message.end(), status) != about_message.end();
}

WebhookVerdict judge(const WebhookAnswer& answer, int attempts, Duration failing) {
    if (answer.status >= 200 && answer.status < 300) return WebhookVerdict::delivered;
    if (answer.status == 410) return WebhookVerdict::gone;
    if (refuses_message(answer.status) && attempts >= refusals_max) return WebhookVerdict::dead;
    return failing >= patience ? WebhookVerdict::dead : WebhookVerdict::again;
}

Duration wait_before(int attempts, std::optional<Duration> retry_after, Random& random) {
    std::array<std::uint8_t, 1> chance{};
    random.fill(chance);
    Duration longest = wait_min;
    for (int i = 1; i < attempts && longest < wait_max; ++i) longest *= 2;
    longest = std::min(longest, wait_max);
    if (retry_after) longest = std::max(longest, std::min(*retry_after, retry_after_max));
    return longest + longest * chance[0] / (255 * 8);
}

int request_size(const database::WebhookLane& lane, int batch) { return lane.attempts == 0 ? batch : 1; }

WebhookVerdict settle(database::WebhookLane& lane, const WebhookAnswer& answer, std::int64_t position,
                      Instant now, double speed, Random& random) {
    const auto since = lane.failing_since.value_or(now);
    const auto verdict = judge(answer, lane.attempts + 1, times(now - since, 1 / speed));
    lane.last_status = answer.status;
    lane.last_error = answer.error;
    if (verdict == WebhookVerdict::delivered || verdict == WebhookVerdict::dead) {
        lane.position = position;
        lane.attempts = 0;
        lane.failing_since.reset();
        lane.next = Instant{};
        if (verdict == WebhookVerdict::delivered) lane.last_error.clear();
        return verdict;
    }
    ++lane.attempts;
    lane.failing_since = since;
    lane.next = now + times(wait_before(lane.attempts, answer.retry_after, random), speed);
    return verdict;
}

}  // namespace wattmesh::headend::exchange
