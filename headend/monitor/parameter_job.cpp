#include "headend/monitor/parameter_job.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>
#include <stdexcept>

#include "headend/jobs/retry.h"
#include "headend/monitor/grant_wait.h"
#include "security/ciphers.h"

namespace wattmesh::headend::monitor {
namespace {

std::size_t differing(const std::vector<ParameterMember>& wanted, const std::vector<dlms::Data>& actual) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) count += same(wanted[i].value, actual[i]) ? 0U : 1U;
    return count;
}

/// Whether the order is about what is desired now: a template may have been changed, or another one desired,
/// since somebody ordered or approved it.
bool approved(const ParameterOrder& order, const database::ParameterTemplate& wanted) {
    if (!order.apply) return true;
    return order.mark ? *order.mark == mark_of(wanted) : order.kind != ParameterKind::limits;
}

}  // namespace

std::string ParameterOrder::to_json() const {
    Poco::JSON::Object object;
    object.set("verb", apply ? "apply" : "check");
    object.set("kind", std::string{to_string(kind)});
    if (mark) {
        object.set("template", Poco::Int64{mark->id.value});
        object.set("version", mark->version);
        object.set("digest", mark->digest);
    }
    std::ostringstream out;
    object.stringify(out);
    return out.str();
}

TemplateMark mark_of(const database::ParameterTemplate& made) {
    return {made.id, made.version, to_hex(security::sha256(as_bytes(made.content)))};
}

ParameterOrder ParameterOrder::from_json(const std::string& text) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
        const auto verb = object->getValue<std::string>("verb");
        const auto kind = parse_parameter_kind(object->getValue<std::string>("kind"));
        if (!kind || (verb != "apply" && verb != "check"))
            throw std::runtime_error("not an order of parameters");
        ParameterOrder order{verb == "apply", *kind};
        if (object->has("template"))
            order.mark =
                TemplateMark{database::ParameterTemplateId{object->getValue<Poco::Int64>("template")},
                             object->getValue<int>("version"), object->getValue<std::string>("digest")};
        return order;
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("not an order of parameters: " + error.displayText());
    }
}

void ParameterJob::work(const database::Job& job, const database::JobItem& item, Done done) {
    const auto meter = DeviceNumber::parse(item.subject);
    std::optional<ParameterOrder> order;
    try {
        order = ParameterOrder::from_json(job.parameters);
    } catch (const std::runtime_error& error) {
        return done({database::ItemState::failed, error.what()});
    }
    if (!meter) return done({database::ItemState::failed, "'" + item.subject + "' is no meter"});
    const auto turn = std::make_shared<Turn>(Turn{job, item, std::move(done), *meter, *order});
    turn->sent = order->apply && (item.taken_up || item.sent);
    ports_.queue.run(
        [meter = *meter, kind = std::string{to_string(order->kind)}](database::Connection& connection) {
            return database::Parameters{connection}.task(meter, kind);
        },
        [this, turn](const std::optional<std::optional<database::ParameterTask>>& task) {
            if (!task) return turn->done(jobs::later(turn->item, ports_.now()));
            if (!*task) return refuse(turn, "nothing is desired of it");
            turn->task = **task;
            if (!approved(turn->order, turn->task.wanted)) return refuse(turn, "superseded");
            begin(turn);
        });
}

void ParameterJob::begin(const std::shared_ptr<Turn>& turn) {
    const auto* model =
        cosem::meter_model(turn->task.cosem_model.empty() ? "generic" : turn->task.cosem_model);
    if (model == nullptr) return refuse(turn, "nobody knows its model");
    try {
        auto wanted = members_of(turn->order.kind, turn->task.wanted.content, *model);
        if (!wanted) return refuse(turn, "its model has no such object");
        turn->wanted = std::move(*wanted);
    } catch (const std::runtime_error& error) {
        return refuse(turn, error.what());
    }
    ports_.desk.read(turn->meter, turn->wanted,
                     [this, turn](const std::string& fault, const std::vector<dlms::Data>& actual) {
                         if (passes(fault)) return again(turn, fault);
                         turn->trouble = fault;
                         if (!fault.empty()) return conclude(turn, nullptr);
                         turn->before = actual;
                         compare(turn);
                     });
    ports_.pump();
}

void ParameterJob::compare(const std::shared_ptr<Turn>& turn) {
    auto steps = steps_to(turn->wanted, turn->before);
    if (steps.empty() || !turn->order.apply || !turn->job.open()) return conclude(turn, &turn->before);
    if (!writes(turn->order.kind)) return refuse(turn, "limits go through the command gate");
    const auto count = steps.size();
    permit(turn, count, [this, turn, steps = std::move(steps)](int disconnects) mutable {
        write(turn, std::move(steps), disconnects);
    });
}

void ParameterJob::permit(const std::shared_ptr<Turn>&, std::size_t, const Permitted& go) { go(0); }

void ParameterJob::write(const std::shared_ptr<Turn>& turn, std::vector<MeterErrand::Step> steps,
                         int disconnects) {
    ports_.desk.write(turn->meter, std::move(steps), disconnects, turn->job.requested_by,
                      [this, turn](const std::string& fault, bool sent) {
                          if (!sent && passes(fault)) return again(turn, fault);
                          turn->trouble = fault;
                          turn->sent = turn->sent || sent;
                          if (!sent) return conclude(turn, &turn->before);
                          verify(turn);  // also when the answer was lost: the meter knows
                      });
    ports_.pump();
}

void ParameterJob::verify(const std::shared_ptr<Turn>& turn) {
    ports_.desk.read(turn->meter, turn->wanted,
                     [this, turn](const std::string& fault, const std::vector<dlms::Data>& actual) {
                         if (fault.empty()) return conclude(turn, &actual);
                         turn->trouble = "written, not verified: " + fault;
                         conclude(turn, nullptr);
                     });
    ports_.pump();
}

void ParameterJob::conclude(const std::shared_ptr<Turn>& turn, const std::vector<dlms::Data>* actual) {
    database::ParameterFinding finding{.state = "unknown", .members = "[]", .trouble = turn->trouble};
    std::string detail = turn->trouble;
    bool well = false;
    if (actual != nullptr) {
        const auto count = differing(turn->wanted, *actual);
        finding.state = count == 0 ? "same" : "differs";
        finding.members = members_json(*turn, *actual);
        finding.written = turn->sent;
        if (count == 0) finding.trouble.clear();
        well = count == 0 || !turn->order.apply;
        detail = count == 0 ? (turn->sent ? "written" : "as desired already")
                            : std::to_string(count) + " of " + std::to_string(turn->wanted.size()) +
                                  (turn->sent ? " differ after writing" : " differ") +
                                  (turn->trouble.empty() ? "" : ": " + turn->trouble);
    }
    std::optional<database::AuditRecord> audit;
    if (turn->sent) {
        audit = record(*turn, detail);
        audit->before = texts(*turn, turn->before);
        if (actual != nullptr) audit->after = texts(*turn, *actual);
    }
    database::ItemOutcome outcome{well ? database::ItemState::done : database::ItemState::failed, detail};
    outcome.audit = std::move(audit);
    outcome.sent = turn->sent;
    outcome.also = [meter = turn->meter, task = turn->task, finding,
                    now = ports_.now()](database::Connection& connection) {
        database::Parameters{connection}.found(meter, task, finding, now);
    };
    turn->done(std::move(outcome));
}

void ParameterJob::again(const std::shared_ptr<Turn>& turn, const std::string& fault) {
    auto outcome = jobs::again(turn->job, turn->item, fault, ports_.now());
    outcome.sent = turn->sent;
    if (turn->sent && turn->item.taken_up)
        outcome.audit = record(*turn, "begun by a process that died, " + fault);
    if (fault == too_many_disconnects)
        return wait_for_grant(ports_.queue, std::move(outcome), ports_.now(), turn->done);
    turn->done(std::move(outcome));
}

void ParameterJob::refuse(const std::shared_ptr<Turn>& turn, const std::string& why) const {
    database::ItemOutcome outcome{database::ItemState::failed, why};
    outcome.audit = record(*turn, why);
    outcome.sent = turn->sent;
    turn->done(std::move(outcome));
}

std::string ParameterJob::members_json(const Turn& turn, const std::vector<dlms::Data>& actual) const {
    Poco::JSON::Array list;
    for (std::size_t i = 0; i < turn.wanted.size(); ++i) {
        Poco::JSON::Object member;
        member.set("name", turn.wanted[i].name);
        member.set("desired", ports_.text(turn.wanted[i].value));
        member.set("actual", ports_.text(actual[i]));
        member.set("same", same(turn.wanted[i].value, actual[i]));
        list.add(member);
    }
    std::ostringstream out;
    list.stringify(out);
    return out.str();
}

std::string ParameterJob::texts(const Turn& turn, const std::vector<dlms::Data>& values) const {
    std::string text;
    for (std::size_t i = 0; i < turn.wanted.size(); ++i)
        text += (i == 0 ? "" : "; ") + turn.wanted[i].name + " " + ports_.text(values[i]);
    return text;
}

database::AuditRecord ParameterJob::record(const Turn& turn, const std::string& detail) const {
    database::AuditRecord record{
        ports_.now(), turn.job.requested_by,
        (turn.order.apply ? "write " : "check ") + std::string{to_string(turn.order.kind)},
        to_string(turn.meter)};
    record.detail =
        detail + ", template " + turn.task.wanted.name + ", job " + std::to_string(turn.job.id.value);
    record.reason = turn.job.reason;
    record.tenant = TenantId{std::stoi(turn.job.scope.tenant)};
    return record;
}

}  // namespace wattmesh::headend::monitor
