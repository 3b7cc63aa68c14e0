#pragma once
#include <string>
#include <vector>

#include "headend/database/audit_log.h"
#include "headend/database/jobs.h"
#include "headend/exchange/rest_desk.h"
#include "headend/monitor/relay_desk.h"
#include "protocol/base/obis.h"

/// Jobs that partners order, by whatever interface: done by the gate and the readers like anybody's.
namespace wattmesh::headend::exchange {

/// Kind, title and parameters of what is ordered for the subjects.
struct PartnerOrder {
    database::Job job;
    std::vector<std::string> subjects;
};

/// In the contract's name and scope; it has a day. The subjects are meters that the contract shows.
PartnerOrder new_order(RestDesk& desk, const RestCall& call, std::string reason,
                       std::vector<std::string> subjects);
/// Of the register's usual attribute.
void read_order(PartnerOrder& order, const ObisCode& code);
/// `proposed`: it waits for a second person at the utility.
void relay_order(PartnerOrder& order, monitor::RelayVerb verb, bool proposed);
struct StoredOrder {
    database::JobId id;
    /// For the audit log, which is everybody's: the caller appends it last in his transaction.
    database::AuditRecord record;
};
/// In the caller's transaction. `how`: the message or key.
StoredOrder store_order(database::Connection& connection, RestDesk& desk, const RestCall& call,
                        const PartnerOrder& order, const std::string& how);
std::vector<DeviceNumber> numbers_in(const std::vector<std::string>& subjects);

}  // namespace wattmesh::headend::exchange
