#include "headend/exchange/partner_orders.h"

#include "headend/jobs/read_job.h"
#include "headend/monitor/relay_job.h"
#include "headend/monitor/relay_priority.h"
#include "protocol/cosem/class_table.h"
#include "protocol/cosem/obis_names.h"

namespace wattmesh::headend::exchange {
namespace {

constexpr auto order_deadline = std::chrono::hours{24};

}  // namespace

PartnerOrder new_order(RestDesk& desk, const RestCall& call, std::string reason,
                       std::vector<std::string> subjects) {
    PartnerOrder order;
    order.subjects = std::move(subjects);
    order.job.reason = std::move(reason);
    order.job.requested_by = call.actor();
    order.job.scope = call.contract.areas ? database::Scope::of(call.contract.tenant, *call.contract.areas)
                                          : database::Scope::of(call.contract.tenant);
    order.job.created = desk.now();
    order.job.deadline = order.job.created + order_deadline;
    return order;
}

void read_order(PartnerOrder& order, const ObisCode& code) {
    const dlms::AttributeId attribute{.class_id = cosem::usual_class(code), .object = code, .attribute = 2};
    order.job.kind = "read";
    order.job.parameters = jobs::ReadOrder{attribute}.to_json();
    order.job.title = "Read " + cosem::obis_name_or_code(code) + " of " +
                      std::to_string(order.subjects.size()) +
                      (order.subjects.size() == 1 ? " meter" : " meters");
}

void relay_order(PartnerOrder& order, monitor::RelayVerb verb, bool proposed) {
    const auto count = static_cast<int>(order.subjects.size());
    order.job.kind = "relay";
    order.job.parameters = monitor::RelayOrder{verb}.to_json();
    order.job.priority = monitor::priority_of(verb);
    order.job.title = (verb == monitor::RelayVerb::disconnect ? "Disconnect " : "Reconnect ") +
                      (count == 1 ? "meter " + order.subjects.front() : std::to_string(count) + " meters");
    if (proposed) order.job.state = database::JobState::proposed;
}

StoredOrder store_order(database::Connection& connection, RestDesk& desk, const RestCall& call,
                        const PartnerOrder& order, const std::string& how) {
    const auto id = database::Jobs{connection}.add(order.job, order.subjects);
    database::AuditRecord record{desk.now(), call.actor(), "job " + order.job.kind,
                                 "job " + std::to_string(id.value)};
    record.detail = order.job.title + ", client " + call.client + ", " + how +
                    (order.job.state == database::JobState::proposed ? ", waits for a second person" : "");
    record.reason = order.job.reason;
    record.after = order.job.parameters;
    record.tenant = call.contract.tenant;
    return {id, std::move(record)};
}

std::vector<DeviceNumber> numbers_in(const std::vector<std::string>& subjects) {
    std::vector<DeviceNumber> numbers;
    numbers.reserve(subjects.size());
    for (const auto& subject : subjects) numbers.push_back(DeviceNumber::parse(subject).value());
    return numbers;
}

}  // namespace wattmesh::headend::exchange
