#include "headend/monitor/guarded_protection.h"

#include <algorithm>

namespace wattmesh::headend::monitor {

GuardedProtection::GuardedProtection(std::unique_ptr<dlms::Protection> inner, Role role, int disconnects,
                                     Refused refused)
    : inner_(std::move(inner)), role_(role), disconnects_(disconnects), refused_(std::move(refused)) {}

std::optional<Buffer> GuardedProtection::protect(Bytes apdu) {
    const auto why = check(apdu);
    if (why.empty()) return inner_->protect(apdu);
    refused_(why);
    return std::nullopt;
}

/// Why the APDU may not be ciphered; empty when it may, and then grants are taken.
std::string GuardedProtection::check(Bytes apdu) {
    const auto plan = request_plan(apdu);
    if (!plan)
        return "a request that does not decode (" + std::string{to_string(plan.error().fault)} +
               " at octet " + std::to_string(plan.error().offset) + ")";
    if (plan->kind == RequestPlan::Kind::initiate || plan->kind == RequestPlan::Kind::next_answer) return {};
    if (plan->kind == RequestPlan::Kind::next_block)
        return transfer_ ? check_values(*plan) : "a block of values whose request was not seen";
    int wanted = 0;
    for (const auto& operation : plan->operations) {
        if (!may(role_, operation))
            return "role " + std::string{to_string(role_)} + " may not " + to_string(operation);
        if (can_disconnect(operation) && ++wanted > disconnects_)
            return to_string(operation) + " can disconnect and was not granted";
    }
    disconnects_ -= wanted;
    transfer_ = Transfer{.names = {},
                         .covered = wanted > 0 || std::none_of(plan->operations.begin(),
                                                               plan->operations.end(), carries_scripts)};
    return check_values(*plan);
}

/// Values that name the disconnector take a grant too, unless the request took one already.
std::string GuardedProtection::check_values(const RequestPlan& plan) {
    std::string why;
    for (const auto& octets : plan.values) {
        if (transfer_->covered || !transfer_->names.in(octets)) continue;
        if (disconnects_ == 0) {
            why = "values that name the disconnector, which was not granted";
            break;
        }
        --disconnects_;
        transfer_->covered = true;
    }
    const bool goes_on = why.empty() && plan.kind != RequestPlan::Kind::request && !plan.last;
    if (!goes_on) transfer_.reset();
    return why;
}

}  // namespace wattmesh::headend::monitor
