#include <set>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"
#include "headend/monitor/alarm_core.h"

namespace wattmesh::headend::console {
namespace {

using database::Alarm;
using database::Alarms;
using database::AlarmState;
using monitor::AlarmAct;
using Verb = AlarmAct::Verb;

constexpr int list_max = 1'000, at_once_max = 500, journal_max = 200, minutes_max = 8 * 60;
constexpr std::size_t text_size_max = 500;

std::string spoken(const Alarm& alarm) {
    return "alarm " + alarm.rule + " of " + alarm.object.kind + " " + alarm.object.name;
}

void write(Json& json, const Alarm& alarm) {
    const auto* const rule = monitor::find_alarm_rule(alarm.rule);
    json.open_object().field("id", alarm.id.value).field("rule", alarm.rule);
    json.field("title", rule != nullptr ? rule->title : std::string_view{alarm.rule})
        .field("guidance", rule != nullptr ? rule->guidance : std::string_view{})
        .field("priority", to_string(alarm.priority))
        .field("state", to_string(alarm.state))
        .field("active", alarm.active);
    json.field("kind", alarm.object.kind).field("object", alarm.object.name).field("text", alarm.text);
    json.field("members", alarm.members)
        .field("hides", alarm.hides)
        .field("count", alarm.count)
        .field("raised", alarm.raised)
        .field("last", alarm.last)
        .field("returned", alarm.returned);
    json.field("first_up", alarm.first_up).field("chattering", alarm.chattering);
    json.field("suppressed_by", alarm.suppressed_by).field("shelved_until", alarm.shelved_until);
    json.key("aside");
    if (alarm.aside)
        json.open_object().field("by", alarm.aside->by).field("reason", alarm.aside->reason).close_object();
    else
        json.null();
    json.field("acked_by", alarm.acked_by).field("acked_at", alarm.acked_at);
    json.field("assigned_to", alarm.assigned_to).close_object();
}

void write_priorities(Json& json, const char* name, const int (&counts)[3]) {
    json.key(name).open_object();
    json.field("high", counts[0]).field("medium", counts[1]).field("low", counts[2]).close_object();
}

database::AlarmQuery query_of(const Request& request) {
    database::AlarmQuery query;
    if (const auto word = request.text("state"); !word.empty()) {
        query.state = database::parse_alarm_state(word);
        if (!query.state || *query.state == AlarmState::normal)
            throw Problem{400, "Bad request",
                          "'state' must be unacked, acked, returned, latched, shelved, suppressed or "
                          "out_of_service."};
    }
    if (const auto word = request.text("priority"); !word.empty()) {
        query.priority = database::parse_alarm_priority(word);
        if (!query.priority) throw Problem{400, "Bad request", "'priority' must be high, medium or low."};
    }
    query.rule = request.text("rule");
    query.object = request.text("object");
    query.count = request.number("limit", 200, 1, list_max);
    return query;
}

Answer list_alarms(Context& context, const Request& request) {
    const auto query = query_of(request);
    auto connection = context.lease(request);
    Alarms alarms{*connection};
    const auto counts = alarms.counts();
    Json json;
    json.open_object().key("counts").open_object();
    write_priorities(json, "unacked", counts.unacked);
    write_priorities(json, "acked", counts.acked);
    write_priorities(json, "returned", counts.returned);
    json.field("latched", counts.latched).field("shelved", counts.shelved);
    json.field("suppressed", counts.suppressed).field("out_of_service", counts.out_of_service).close_object();
    json.key("items").open_array();
    for (const auto& alarm : alarms.list(query)) write(json, alarm);
    return {.body = json.close_array().close_object().take()};
}

Answer conduct(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto found = Alarms{*connection}.conduct(context.now());
    Json json;
    json.open_object().field("last_10_min", found.last_10_min).field("last_day", found.last_day);
    json.field("worst_10_min", found.worst_10_min).field("floods", found.floods);
    json.field("standing", found.standing).field("stale", found.stale).field("chattering", found.chattering);
    json.key("raised_in_7_days").open_object().field("high", found.by_priority[0]);
    json.field("medium", found.by_priority[1]).field("low", found.by_priority[2]).close_object();
    json.key("top").open_array();
    for (const auto& top : found.top)
        json.open_object()
            .field("rule", top.rule)
            .field("kind", top.object.kind)
            .field("object", top.object.name)
            .field("raised", top.raised)
            .close_object();
    return {.body = json.close_array().close_object().take()};
}

Answer one_alarm(Context& context, const Request& request) {
    const auto id = parse_id(request.captured.at("id"));
    auto connection = context.lease(request);
    Alarms alarms{*connection};
    const auto alarm = id ? alarms.find(database::AlarmId{*id}) : std::nullopt;
    if (!alarm) throw Problem{404, "Not found", "There is no alarm of this number that you may see."};
    Json json;
    json.open_object().key("alarm");
    write(json, *alarm);
    json.key("journal").open_array();
    for (const auto& note : alarms.journal(alarm->id, journal_max))
        json.open_object()
            .field("at", note.at)
            .field("what", note.what)
            .field("who", note.who)
            .field("text", note.text)
            .close_object();
    return {.body = json.close_array().close_object().take()};
}

std::vector<database::AlarmId> ids_of(const JsonBody& body) {
    std::vector<database::AlarmId> ids;
    for (const auto& text : body.texts("ids")) {
        const auto id = parse_id(text);
        if (!id) throw Problem{400, "Bad request", "'ids' must hold numbers of alarms, as texts."};
        ids.push_back(database::AlarmId{*id});
    }
    if (ids.empty() || ids.size() > at_once_max)
        throw Problem{400, "Bad request", "'ids' must name 1 to " + std::to_string(at_once_max) + " alarms."};
    return ids;
}

AlarmAct act_of(const Request& request, Verb verb, const JsonBody& body, Instant now) {
    AlarmAct act{.verb = verb, .by = request.caller->name()};
    switch (verb) {
        case Verb::comment:
        case Verb::take_out:
        case Verb::put_in:
            act.text = body.text("text", text_size_max);
            break;
        case Verb::shelve:
            act.text = body.text("text", text_size_max);
            act.until = now + std::chrono::minutes{body.number_or("minutes", 1, minutes_max, minutes_max)};
            break;
        case Verb::assign:
            act.whom = body.text_or("to", 100, "");
            break;
        case Verb::acknowledge:
        case Verb::unshelve:
        case Verb::reset:
            act.text = body.text_or("text", text_size_max, "");
            break;
    }
    return act;
}

/// Assigned only to whom the tenant knows.
void check_person(database::Connection& connection, const Request& request, const std::string& login) {
    if (login.empty()) return;
    const auto user = database::Users{connection}.find(login);
    if (!user || user->tenant != request.caller->user.tenant || user->disabled)
        throw Problem{400, "Nobody", "There is no user '" + login + "' to whom it could be assigned."};
}

/// Acts on one or many; those for which the act makes no sense now are left alone and counted.
Answer act(Context& context, const Request& request) {
    const auto verb = monitor::parse_alarm_verb(request.captured.at("verb"));
    if (!verb)
        throw Problem{400, "Bad request",
                      "An alarm takes ack, comment, shelve, unshelve, remove, restore, assign and reset."};
    const bool in_and_out = *verb == Verb::take_out || *verb == Verb::put_in;
    if (in_and_out && !request.caller->may(database::Right::configure))
        throw Problem{403, "Not allowed", "Taking alarms out of service needs the role engineer."};
    const JsonBody body{request.body};
    const auto ids = ids_of(body);
    const auto act = act_of(request, *verb, body, context.now());
    auto connection =
        context.lease(in_and_out ? request.caller->user.scope(database::Right::configure) : request.scope);
    check_person(*connection, request, act.whom);
    database::Transaction transaction{*connection};
    Alarms alarms{*connection};
    int done = 0;
    for (auto& alarm : alarms.lock(ids)) {
        database::AuditRecord record{{}, act.by, "alarm " + std::string{to_string(*verb)}, spoken(alarm)};
        record.before = to_string(alarm.state);
        const auto note = monitor::act(alarm, act, context.now());
        if (!note) continue;
        alarms.update({alarm, {*note}});
        record.detail = *verb == Verb::assign ? act.whom : alarm.text;
        record.reason = act.text;
        record.after = to_string(alarm.state);
        record.tenant = request.caller->user.tenant;
        context.audit(*connection, record);
        ++done;
    }
    transaction.commit();
    Json json;
    json.open_object().field("done", done).field("left_alone", static_cast<int>(ids.size()) - done);
    return {.body = json.close_object().take()};
}

}  // namespace

void add_alarm_routes(std::vector<Route>& routes, Context& context) {
    using database::Right;
    add_route(routes, context, "GET", "/api/alarms", Right::look, list_alarms);
    add_route(routes, context, "GET", "/api/alarms/conduct", Right::look, conduct);
    add_route(routes, context, "GET", "/api/alarms/{id}", Right::look, one_alarm);
    add_route(routes, context, "POST", "/api/alarms/acts/{verb}", Right::read, act);
}

}  // namespace wattmesh::headend::console
