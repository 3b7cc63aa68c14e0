#include "headend/exchange/scada_order.h"

#include <fmt/format.h>

#include "headend/database/audit_log.h"
#include "headend/database/relay_rules.h"
#include "headend/monitor/relay_job.h"
#include "headend/monitor/relay_priority.h"

namespace wattmesh::headend::exchange {
namespace {

constexpr auto deadline_after = std::chrono::minutes{10};  // a control room does not wait for tomorrow

}  // namespace

std::optional<database::JobId> place(database::Connection& connection, const ScadaOrder& order, Instant now) {
    const auto meter = to_string(order.point.device);
    const bool disconnects = order.verb == monitor::RelayVerb::disconnect;
    database::Transaction transaction{connection};
    database::AuditRecord record{now, "scada:" + order.link.name, "job relay", meter};
    record.reason = fmt::format("IEC 104 command, station {} address {}, {}", order.point.station,
                                order.point.address, order.from);
    record.tenant = order.link.tenant;
    auto refusal = database::RelayRules{connection}.refusal(order.point.device, disconnects);
    if (!refusal && !database::ScadaPoints{connection}.shows(order.link, order.point.device))
        refusal = "unknown_meter";
    if (refusal) {
        record.action = "relay refused";
        record.detail = std::string{to_string(order.verb)} + ", " + *refusal;
        database::AuditLog{connection}.append(record);
        transaction.commit();
        return std::nullopt;
    }
    database::Job job;
    job.scope = database::Scope::of(order.link.tenant);
    job.kind = "relay";
    job.title = (disconnects ? "Disconnect meter " : "Reconnect meter ") + meter;
    job.parameters = monitor::RelayOrder{order.verb}.to_json();
    job.priority = monitor::priority_of(order.verb);
    job.requested_by = record.actor;
    job.reason = record.reason;
    job.created = now;
    job.deadline = now + deadline_after;
    const auto id = database::Jobs{connection}.add(job, {meter});
    record.subject = "job " + std::to_string(id.value);
    record.detail = job.title;
    record.after = job.parameters;
    database::AuditLog{connection}.append(record);
    transaction.commit();
    return id;
}

}  // namespace wattmesh::headend::exchange
