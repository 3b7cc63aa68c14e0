#include "headend/monitor/meter_errand.h"

#include <algorithm>
#include <utility>

namespace wattmesh::headend::monitor {

using What = ErrandResult::What;

void MeterErrand::start(GuardedAccess access, std::uint16_t pdu_size_max, std::vector<Step> steps,
                        bool release, Done done) {
    concentrator_ = access.concentrator;
    steps_ = std::move(steps);
    release_ = release;
    done_ = std::move(done);
    dlms::ClientConfig config;
    config.mechanism = access.mechanism;
    config.ciphered = true;
    config.protection = std::move(access.protection);
    config.own_title = access.own_title;
    config.server_title = access.meter_title;
    config.pdu_size_max = std::max(pdu_size_max, access.pdu_size_least);
    client_.emplace(std::move(config), ciphers_, random_, no_counters_, no_counters_);
    client_->associate();
    pump();
}

void MeterErrand::pump() {
    auto apdu = client_->take_output();
    if (!apdu) {
        follow();
        if (!done_) return;
        apdu = client_->take_output();
        if (!apdu) return end({sent_ ? What::lost : What::denied, {}});
    }
    carry_(concentrator_, meter_, management_client, *std::move(apdu),
           [waiting = weak_from_this()](const frontend::RelayOutcome& outcome) {
               const auto self = waiting.lock();
               if (!self) return;
               if (outcome.status != frontend::RelayStatus::answered) {
                   if (self->result_) return self->end(*self->result_);  // the release was a courtesy
                   return self->end({self->sent_ ? What::lost : What::unreached, fault_of(outcome.status)});
               }
               self->client_->receive(outcome.apdu);
               self->follow();
               if (self->done_) self->pump();
           });
}

void MeterErrand::follow() {
    while (done_) {
        auto event = client_->take_event();
        if (!event) return;
        if (std::holds_alternative<dlms::Associated>(*event)) {
            next();
        } else if (const auto* acted = std::get_if<dlms::ActionCompleted>(&*event)) {
            answered(acted->outcome.result, acted->outcome.value);
        } else if (const auto* written = std::get_if<dlms::WriteCompleted>(&*event)) {
            answered(written->result, std::nullopt);
        } else if (const auto* read = std::get_if<dlms::ReadCompleted>(&*event)) {
            told(read->outcome);
        } else if (std::holds_alternative<dlms::Released>(*event)) {
            return end(result_.value_or(ErrandResult{What::lost, {}}));
        } else if (std::holds_alternative<dlms::AssociationRefused>(*event) ||
                   std::holds_alternative<dlms::RequestFailed>(*event)) {
            if (result_) return end(*result_);
            if (sent_) return end({What::lost, {}});
            if (taken_ > 0) return end({What::unreached, "no_answer"});
            return end({What::denied, {}, std::move(event)});
        }
    }
}

void MeterErrand::next() {
    if (taken_ == steps_.size()) return conclude({What::done, {}});
    if (auto* read = std::get_if<Read>(&steps_[taken_])) {
        if (read->asking) read->asking();
        client_->get(read->attribute);
        return;
    }
    sent_ = true;
    if (auto* call = std::get_if<Call>(&steps_[taken_])) {
        client_->act(call->method, std::move(call->argument));
    } else {
        auto& write = std::get<Write>(steps_[taken_]);
        client_->set(write.attribute, std::move(write.value));
    }
}

void MeterErrand::answered(dlms::AccessResult result, std::optional<dlms::Data> value) {
    if (result != dlms::AccessResult::success) return conclude({What::refused, {}});
    if (++taken_ < steps_.size()) return next();
    conclude({What::done, {}, {}, std::move(value)});
}

void MeterErrand::told(const dlms::ReadOutcome& outcome) {
    const auto* value = std::get_if<dlms::Data>(&outcome);
    if (value == nullptr) return conclude({What::refused, {}});
    if (!std::get<Read>(steps_[taken_]).told(*value)) return conclude({What::done, {}});
    answered(dlms::AccessResult::success, *value);
}

void MeterErrand::conclude(ErrandResult result) {
    result_ = std::move(result);
    if (!release_) return end(*result_);
    client_->release();
}

void MeterErrand::end(ErrandResult result) {
    const auto done = std::exchange(done_, nullptr);
    result.taken = taken_;
    if (done) done(std::move(result));
}

}  // namespace wattmesh::headend::monitor
