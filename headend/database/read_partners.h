#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/webhooks.h"

namespace wattmesh::headend::database {

/// What the console shows of a webhook.
struct WebhookLine {
    WebhookId id;
    std::string name, url, disabled_why, last_error;
    std::vector<std::string> topics;
    int batch = 1, attempts = 0;  ///< attempts: of the lane that waits longest
    std::int64_t behind = 0;      ///< places between the outbox's end and the slowest lane
    std::optional<Instant> failing_since;
    std::int64_t dead = 0;  ///< messages that were given up
};
struct BillingFileLine {
    std::string name;
    int lines = 0, refused = 0;
    std::string total;
    Instant written{};
    std::optional<Instant> acknowledged;
    std::vector<std::string> refusals;  ///< "line 17, 2.12: no such point"; the first ten
};
struct FileChannelLine {
    std::string name, directory, zone;
    bool disabled = false;
    std::vector<BillingFileLine> newest;
};
struct PartnerLine {
    ContractId id;
    TenantId tenant{1};
    std::string name;
    bool disabled = false;
    std::vector<std::string> topics;
    std::vector<WebhookLine> webhooks;
    std::vector<FileChannelLine> files;
};

/// Partners of the tenants that the connection shows.
class PartnerReader {
public:
    explicit PartnerReader(Connection& connection) : connection_(connection) {}

    /// By name.
    std::vector<PartnerLine> all();

private:
    void add_webhooks(std::vector<PartnerLine>& partners);
    void add_files(std::vector<PartnerLine>& partners);
    std::vector<BillingFileLine> newest_files(std::int32_t channel);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
