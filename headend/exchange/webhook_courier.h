#pragma once
#include <functional>
#include <memory>
#include <string>

#include "headend/database/connection.h"
#include "platform/clock.h"
#include "platform/http_client.h"
#include "protocol/base/cipher.h"
#include "security/master_key.h"

namespace wattmesh::headend::exchange {

struct WebhookCourierSettings {
    database::DatabaseSettings database;  ///< of the role wm_exchange
    std::string owner;                    ///< names this process among those that deliver
    platform::HttpClientSettings http;
    bool plain = false;  ///< http is allowed, not only https
    double speed = 1;    ///< of the head-end's clock
    Duration keep = std::chrono::hours{24 * 30};
};

/// Seals the outbox and takes it to partners: a thread for each lane of each webhook, which sends one request
/// at a time, so that what is about one meter arrives in order. A message is sent until it is taken: nothing
/// is lost, and what comes twice has the same id.
class WebhookCourier {
public:
    /// "information" or "warning", and a line for the operator. Any thread.
    using Log = std::function<void(std::string_view level, const std::string& line)>;

    /// `clock`, `master` and `random` outlive it; thread safe.
    WebhookCourier(WebhookCourierSettings settings, const security::MasterKey& master,
                   const platform::Clock& clock, Random& random, Log log);
    ~WebhookCourier();
    WebhookCourier(const WebhookCourier&) = delete;
    WebhookCourier& operator=(const WebhookCourier&) = delete;

    void start();
    /// Waits for requests that are under way.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What a webhook's secret is wrapped for.
std::string webhook_purpose(const std::string& contract, const std::string& webhook);

}  // namespace wattmesh::headend::exchange
