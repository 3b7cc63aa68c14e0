#include "headend/monitor/relay_job.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <stdexcept>

#include "headend/database/deliveries.h"
#include "headend/database/relay_rules.h"
#include "headend/jobs/retry.h"
#include "headend/monitor/grant_wait.h"

namespace wattmesh::headend::monitor {
namespace {

std::string detail_of(const RelayResult& result) {
    if (!result.fault.empty()) return result.fault;
    const std::string now{to_string(*result.after)};
    return result.sent ? now : now + " already";
}

}  // namespace

std::string RelayOrder::to_json() const {
    return R"({"verb":")" + std::string{to_string(verb)} +
           (unless_cut_off ? R"(","unless_cut_off":true})" : R"("})");
}

RelayOrder RelayOrder::from_json(const std::string& text) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
        const auto verb = parse_relay_verb(object->getValue<std::string>("verb"));
        if (!verb) throw std::runtime_error("the order neither disconnects nor reconnects");
        return {*verb, object->optValue("unless_cut_off", false)};
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("not a relay order: " + error.displayText());
    }
}

void RelayJob::work(const database::Job& job, const database::JobItem& item, Done done) {
    const auto meter = DeviceNumber::parse(item.subject);
    std::optional<RelayOrder> order;
    try {
        order = RelayOrder::from_json(job.parameters);
    } catch (const std::runtime_error& error) {
        return done({database::ItemState::failed, error.what()});
    }
    if (!meter) return done({database::ItemState::failed, "'" + item.subject + "' is no meter"});
    queue_.run(
        [job, meter = *meter, order = *order, objection = objection_,
         now = now_()](database::Connection& connection) {
            if (!job.open()) return std::string{to_string(database::JobState::cancelled)};
            if (order.unless_cut_off && database::Deliveries{connection}.cut_off(meter))
                return std::string{"cut_off_by_order"};
            const auto refusal =
                database::RelayRules{connection}.refusal(meter, order.verb == RelayVerb::disconnect);
            if (refusal || !objection) return refusal.value_or("");
            return objection(connection, job, meter, now).value_or("");
        },
        [this, job, item, meter = *meter, verb = order->verb,
         done = std::move(done)](const std::optional<std::string>& refusal) {
            if (!refusal) return done(jobs::later(item, now_()));
            if (refusal->empty()) return fire(job, item, meter, verb, done);
            if (item.taken_up) return find_out(job, meter, verb, *refusal, done);
            done({database::ItemState::failed, *refusal, {}, {}, record(job, meter, verb, *refusal, {})});
        });
}

void RelayJob::fire(const database::Job& job, const database::JobItem& item, DeviceNumber meter,
                    RelayVerb verb, const Done& done) {
    desk_.run(meter, verb, job.requested_by, [this, job, item, meter, verb, done](RelayResult result) {
        if (!result.sent && passes(result.fault)) {
            auto outcome = jobs::again(job, item, result.fault, now_());
            outcome.sent = item.taken_up;
            if (item.taken_up)
                outcome.audit = record(job, meter, verb, "begun by a process that died, " + result.fault, {});
            if (result.fault == too_many_disconnects)
                return wait_for_grant(queue_, std::move(outcome), now_(), done);
            return done(std::move(outcome));
        }
        // Somebody began this item and did not live to tell: the command may have been his.
        result.sent = result.sent || item.taken_up || item.sent;
        finish(job, meter, verb, result, done);
    });
    pump_();
}

void RelayJob::find_out(const database::Job& job, DeviceNumber meter, RelayVerb verb,
                        const std::string& refusal, const Done& done) {
    desk_.look(meter, [this, job, meter, verb, refusal, done](const std::string&,
                                                              const std::optional<RelayState>& state) {
        RelayResult result{.fault = "not_verified", .before = {}, .after = state, .sent = true};
        if (state) result.fault = as_wanted(verb, *state) ? "" : refusal;
        finish(job, meter, verb, result, done);
    });
    pump_();
}

void RelayJob::finish(const database::Job& job, DeviceNumber meter, RelayVerb verb, const RelayResult& result,
                      const Done& done) const {
    const auto detail = detail_of(result);
    database::ItemOutcome outcome{
        result.fault.empty() ? database::ItemState::done : database::ItemState::failed, detail};
    outcome.audit = record(job, meter, verb, detail, result);
    outcome.sent = result.sent;
    done(std::move(outcome));
}

database::AuditRecord RelayJob::record(const database::Job& job, DeviceNumber meter, RelayVerb verb,
                                       const std::string& detail, const RelayResult& result) const {
    database::AuditRecord record{now_(), job.requested_by, "relay " + std::string{to_string(verb)},
                                 to_string(meter)};
    record.detail = detail + ", job " + std::to_string(job.id.value);
    record.reason = job.reason;
    if (result.before) record.before = to_string(*result.before);
    if (result.after) record.after = to_string(*result.after);
    record.tenant = TenantId{std::stoi(job.scope.tenant)};
    return record;
}

}  // namespace wattmesh::headend::monitor
