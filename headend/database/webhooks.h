#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/contracts.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

using WebhookId = Id<struct WebhookTag, std::int32_t>;

/// Where a partner wants to be told.
struct Webhook {
    static constexpr int lanes = 4, batch_max = 500;
    WebhookId id;
    Contract contract;
    std::string name, url;
    Buffer secret;  ///< wrapped under the master key; purpose "webhook CONTRACT NAME"
    std::vector<std::string> topics;
    int batch = 1;     ///< messages in one request, at most
    bool cim = false;  ///< messages of IEC 61968-9, one a request; else CloudEvents
    std::string disabled_why{};
};

/// How far a lane has come, and what holds it up.
struct WebhookLane {
    WebhookId webhook;
    int lane = 0;
    std::int64_t position = 0;  ///< everything up to here is delivered or dead
    int attempts = 0;           ///< of the request that waits
    Instant next{};             ///< not before
    std::optional<Instant> failing_since;
    int last_status = 0;  ///< 0: no answer
    std::string last_error;
    bool operator==(const WebhookLane&) const = default;
};

/// What was sent, as it was sent.
struct WebhookMessage {
    std::int64_t position = 0, message = 0;
    bool dead = false;
    int attempts = 1, status = 0;
    Instant at{};
    std::string body;
    bool operator==(const WebhookMessage&) const = default;
};

/// Tables webhook, webhook_lane and webhook_message.
class Webhooks {
public:
    explicit Webhooks(Connection& connection) : connection_(connection) {}

    /// Adds it, or changes address, secret, topics, batch and form of the one of this name, which is in force
    /// again then. A new one is told of what comes after now.
    WebhookId put(const Webhook& webhook, Instant now);
    /// Lanes that stand before what was forgotten, because nobody was told for long, go on behind it; how
    /// many places they pass over, at most of one lane.
    std::int64_t pass_forgotten(WebhookId webhook);
    bool disable(WebhookId webhook, const std::string& why);
    /// By contract and name.
    std::vector<Webhook> all();
    /// In force, of contracts that are in force.
    std::vector<Webhook> enabled();
    std::vector<WebhookLane> lanes(WebhookId webhook);

    /// Takes or keeps a lane for the process `owner` until `until`; nothing when another one has it.
    std::optional<WebhookLane> claim(WebhookId webhook, int lane, const std::string& owner, Instant now,
                                     Instant until);
    /// Stores in one transaction where the lane stands and what was sent; false, and nothing is stored, when
    /// the lane is not the owner's any more.
    bool store(const WebhookLane& lane, const std::string& owner, const std::vector<WebhookMessage>& sent);

    /// The dead ones, or all, after a position.
    std::vector<WebhookMessage> messages(WebhookId webhook, bool dead_only, std::int64_t after,
                                         int count_max);
    /// Marks [from, to] to be sent again, byte for byte; how many. Without `all` the dead ones only.
    int send_again(WebhookId webhook, std::int64_t from, std::int64_t to, bool all);
    /// Those that are to be sent again.
    std::vector<WebhookMessage> again(WebhookId webhook, int count_max);
    void sent_again(WebhookId webhook, const WebhookMessage& message);
    /// Forgets what was sent before; how many, `most` at once.
    int drop(Instant before, int most = 20'000);
    /// Whether the partner took anything, on whatever lane.
    bool delivered_since(WebhookId webhook, Instant since);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
