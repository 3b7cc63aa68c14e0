#include "headend/monitor/relay_job.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <stdexcept>

#include "headend/database/audit_log.h"
#include "headend/database/relay_rules.h"

namespace wattmesh::headend::monitor {
namespace {

constexpr const char* switching = "switching";  ///< what an item says from the moment of firing
constexpr const char* withdrawn = "withdrawn";  ///< cancelled between the look at it and the moment of firing

std::string detail_of(const RelayResult& result) {
    if (!result.fault.empty()) return result.fault;
    const std::string now{to_string(*result.after)};
    return result.sent ? now : now + " already";
}

}  // namespace

std::string RelayOrder::to_json() const { return R"({"verb":")" + std::string{to_string(verb)} + R"("})"; }

RelayOrder RelayOrder::from_json(const std::string& text) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
        const auto verb = parse_relay_verb(object->getValue<std::string>("verb"));
        if (!verb) throw std::runtime_error("the order neither disconnects nor reconnects");
        return {*verb};
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
    const bool disconnects = order->verb == RelayVerb::disconnect;
    queue_.run(
        [id = job.id, place = item.place, meter = *meter, disconnects](database::Connection& connection) {
            database::Transaction transaction{connection};
            auto refusal = database::RelayRules{connection}.refusal(meter, disconnects).value_or("");
            if (refusal.empty() && !database::Jobs{connection}.note(id, place, switching))
                refusal = withdrawn;
            transaction.commit();
            return refusal;
        },
        [this, job, item, meter = *meter, verb = order->verb,
         done = std::move(done)](const std::optional<std::string>& refusal) {
            if (!refusal)
                return done(
                    {database::ItemState::waiting, item.detail, now_() + std::chrono::minutes{1}, {}, {}});
            if (refusal->empty()) return fire(job, item, meter, verb, done);
            done({database::ItemState::failed, *refusal, {}, {}, record(job, meter, verb, *refusal, {})});
        });
}

void RelayJob::fire(const database::Job& job, const database::JobItem& item, DeviceNumber meter,
                    RelayVerb verb, const Done& done) {
    desk_.run(meter, verb, job.requested_by, [this, job, item, meter, verb, done](RelayResult result) {
        const bool again = !result.sent && passes(result.fault);
        if (again)
            return done({database::ItemState::waiting,
                         result.fault,
                         now_() + std::chrono::minutes{1} * (1 << item.attempts),
                         {},
                         {}});
        // Somebody began this item and did not live to tell: the command may have been his.
        result.sent = result.sent || item.detail == switching;
        const auto detail = detail_of(result);
        const auto state = result.fault.empty() ? database::ItemState::done : database::ItemState::failed;
        done({state, detail, {}, {}, record(job, meter, verb, detail, result)});
    });
    pump_();
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
