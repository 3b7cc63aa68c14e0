#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

using ContractId = Id<struct ContractTag, std::int32_t>;

/// What the head-end tells partners of: words of the outbox.
inline constexpr std::string_view topics[] = {"event", "readings", "outage", "alarm", "job"};
/// "event, readings, outage, alarm or job", for messages.
std::string topic_words();
/// What a contract may allow over REST: kinds of data, then commands.
inline constexpr std::string_view allowances[] = {"master", "readings",   "events",
                                                  "read",   "disconnect", "reconnect"};
std::string allowance_words();

/// What one partner may see, and in whose words.
struct Contract {
    ContractId id;
    TenantId tenant{1};
    std::string name;                          ///< lower case letters, digits and hyphens
    std::optional<std::vector<AreaId>> areas;  ///< none: the whole tenant
    std::vector<std::string> topics;
    std::map<std::string, std::string> event_codes;  ///< the partner's code of an event, by our name of it
    std::vector<std::string> allowed{};  ///< of the allowances; none: over REST nothing but the feed
    int requests_per_minute = 600;       ///< over REST
    bool disabled = false;
    bool allows(std::string_view what) const;
    bool operator==(const Contract&) const = default;
};
/// "topics event outage, areas 1 2, joined=X1": for the audit log.
std::string to_string(const Contract& contract);

/// Tables exchange_contract and exchange_alias.
class Contracts {
public:
    explicit Contracts(Connection& connection) : connection_(connection) {}

    /// Adds the contract, or changes the one of this name. Throws DatabaseError refused for an area that is
    /// not the tenant's and for an event that is none of ours.
    ContractId put(const Contract& contract, Instant now, const std::string& by);
    std::optional<Contract> find(const std::string& name);
    std::optional<Contract> find(ContractId id);
    /// By name.
    std::vector<Contract> all();
    /// Names of events, of which a contract may have its own codes.
    std::vector<std::string> event_names();

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
