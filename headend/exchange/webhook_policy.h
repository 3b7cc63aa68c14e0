#pragma once
#include <optional>
#include <string>

#include "headend/database/webhooks.h"
#include "protocol/base/cipher.h"

namespace wattmesh::headend::exchange {

/// What became of one request.
struct WebhookAnswer {
    int status = 0;  ///< of HTTP; 0: none came
    std::optional<Duration> retry_after;
    std::string error;  ///< for the operator, when it was not taken
};

enum class WebhookVerdict {
    delivered,
    again,  ///< the partner is away or busy: this message first, then the others
    dead,   ///< the partner will not take this message: put aside, on with the next
    gone,   ///< the partner wants no more (410): the webhook ends, its messages wait
};

inline constexpr int refusals_max = 5;                          ///< of one message, by 4xx
inline constexpr Duration wait_min = std::chrono::seconds{5};   ///< doubled with each failure
inline constexpr Duration wait_max = std::chrono::minutes{15};  ///< and never longer
inline constexpr Duration retry_after_max = std::chrono::hours{1};
/// Then a message is dead, whatever the reason; when the partner took nothing else either, the webhook ends.
inline constexpr Duration patience = std::chrono::days{7};

/// Whether a status blames the message, not the way to the partner.
bool refuses_message(int status);
/// `attempts` counts this one; `failing` since the first of them.
WebhookVerdict judge(const WebhookAnswer& answer, int attempts, Duration failing);

/// Before the next try: longer with each failure, as the partner wants it within reason, and up to an eighth
/// longer, so that many partners behind one proxy do not come back at once.
Duration wait_before(int attempts, std::optional<Duration> retry_after, Random& random);
/// How many messages the next request carries: after a failure one, so that one message that is refused does
/// not hold up its neighbours.
int request_size(const database::WebhookLane& lane, int batch);
/// Moves the lane on after a request that carried everything up to `position`. Waits are times `speed`: the
/// head-end's clock may run faster than the partner's.
WebhookVerdict settle(database::WebhookLane& lane, const WebhookAnswer& answer, std::int64_t position,
                      Instant now, double speed, Random& random);

}  // namespace wattmesh::headend::exchange
