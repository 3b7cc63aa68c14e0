#pragma once
#include <chrono>
#include <functional>
#include <span>

#include "headend/database/outbox.h"
#include "headend/database/webhooks.h"
#include "headend/exchange/webhook_courier.h"
#include "headend/exchange/webhook_policy.h"

namespace wattmesh::headend::exchange {

/// Delivers one lane of one webhook. One thread.
class WebhookSender {
public:
    struct Target {
        database::Webhook webhook;
        int lane = 0;
        security::SecretBuffer secret;
        platform::HttpUrl url;
    };
    WebhookSender(Target target, const WebhookCourierSettings& settings, const platform::Clock& clock,
                  Random& random, const WebhookCourier::Log& log);

    /// Sends what is there, a page at most, until `over`. True when there may be more at once. Throws
    /// DatabaseError; then what was sent since the last store is sent again.
    bool round(database::Connection& connection, const std::function<bool()>& over);

private:
    WebhookAnswer post(const std::string& id, const std::string& type, const std::string& body);
    /// What somebody wants once more; the answer that stopped it, if one did.
    std::optional<WebhookAnswer> send_again(database::Connection& connection);
    /// In the partner's form, up to the first that cannot be written, and why that cannot.
    std::vector<std::string> write(database::Connection& connection,
                                   std::span<const database::OutboxMessage> page, std::string& why);
    /// Moves the lane on, or ends the webhook when the partner wants it or took nothing for too long.
    WebhookVerdict settled(database::Connection& connection, database::WebhookLane& lane,
                           const WebhookAnswer& answer, std::int64_t position);
    /// Sends the next request of the page; false when the lane has to wait.
    bool send_next(database::Connection& connection, database::WebhookLane& lane,
                   const std::vector<database::OutboxMessage>& page, std::size_t& next,
                   std::vector<database::WebhookMessage>& sent);
    std::string single_type() const;
    Duration simulated(Duration real) const;

    const Target target_;
    const WebhookCourierSettings& settings_;
    const platform::Clock& clock_;
    Random& random_;
    const WebhookCourier::Log& log_;
    platform::HttpClient client_;
    bool failing_ = false;
    std::string ends_;  ///< why the webhook does
    std::chrono::steady_clock::time_point stored_{};
};

}  // namespace wattmesh::headend::exchange
