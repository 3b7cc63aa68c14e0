#include <fmt/format.h>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/database/area_hours.h"
#include "headend/database/vend_anchors.h"

namespace wattmesh::headend::console {
namespace {

using database::Enrolled;
using database::PrepaymentBook;
using database::PrepaymentFlags;
using database::PrepaymentPolicy;
using database::Right;
constexpr int accounts_max = 500, notices_max = 40, days_max = 62, coins_max = 1'000'000'000;

int seconds(Duration duration) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}
std::string clock_text(int minute) { return fmt::format("{:02}:{:02}", minute / 60, minute % 60); }
/// "09:30", and "24:00" for the end of a day.
int minute_of(const std::string& text) {
    int hour = 0, minute = 0;
    char more = 0;
    if (std::sscanf(text.c_str(), "%2d:%2d%c", &hour, &minute, &more) != 2 || hour < 0 || minute < 0 ||
        minute > 59 || hour * 60 + minute > 1'440)
        throw Problem{400, "Bad request", "'" + text + "' is not a time like 09:30."};
    return hour * 60 + minute;
}

void write(Json& json, const database::PrepaymentLine& line) {
    json.open_object().field("account", line.account).field("customer", line.customer);
    json.field("meter_number", line.meter_number).field("meter", line.meter);
    json.field("enrolled", line.enrolled).field("balance", line.balance.minor);
    json.field("supply", line.supply).field("why", line.said).field("supply_since", line.supply_since);
    json.field("charged_to", line.actual_to).field("first_notice", line.first_notice);
    json.field("second_notice", line.second_notice).field("held", line.flags.held);
    json.field("disputed", line.flags.disputed).key("job");
    line.job ? json.value(*line.job) : json.null();
    json.close_object();
}

void write(Json& json, const std::vector<prepayment::Hours>& hours,
           const std::vector<database::PrepaymentHoliday>& holidays) {
    json.key("hours").open_array();
    for (const auto& one : hours)
        json.open_object()
            .field("weekday", one.weekday)
            .field("from", clock_text(one.from_minute))
            .field("to", clock_text(one.to_minute))
            .close_object();
    json.close_array().key("holidays").open_array();
    for (const auto& holiday : holidays)
        json.open_object()
            .field("day", database::day_text(holiday.day))
            .field("name", holiday.name)
            .close_object();
    json.close_array();
}

void write(Json& json, const PrepaymentPolicy& policy) {
    const auto& rules = policy.rules;
    json.open_object().field("first_notice_below", rules.first_notice_below.minor);
    json.field("second_notice_below", rules.second_notice_below.minor);
    json.field("cut_below", rules.cut_below.minor).field("reconnect_from", rules.reconnect_from.minor);
    json.field("second_notice_after_s", seconds(rules.second_notice_after));
    json.field("cut_after_s", seconds(rules.cut_after)).field("late_s", seconds(rules.late));
    json.field("charge_every_s", seconds(rules.charge_every));
    write(json, policy.hours, policy.holidays);
    json.close_object();
}

void write(Json& json, const database::AreaHours& of) {
    json.open_object().field("area", of.area);
    write(json, of.hours, of.holidays);
    json.close_object();
}

template <class Rules>
std::string rules_text(const Rules& policy) {
    Json json;
    write(json, policy);
    return json.take();
}

Answer prepayment_board(Context& context, const Request& request) {
    auto connection = context.lease(request);
    PrepaymentBook book{*connection};
    Json json;
    json.open_object().key("rules");
    write(json, book.policy(request.caller->user.tenant));
    json.key("areas").open_array();
    for (const auto& one : database::area_hours(*connection)) write(json, one);
    json.close_array().key("accounts").open_array();
    for (const auto& line : book.list(accounts_max)) write(json, line);
    return {.body = json.close_array().close_object().take()};
}

Answer prepayment_account(Context& context, const Request& request) {
    const auto meter = request.device("number");
    auto connection = context.lease(request);
    PrepaymentBook book{*connection};
    const auto line = book.find(meter);
    if (!line)
        throw Problem{404, "Not counted by the server",
                      "The account of meter " + to_string(meter) +
                          " was never in this mode. Enrol it to have its use counted."};
    Json json;
    json.open_object().key("account");
    write(json, *line);
    json.key("enrolments").open_array();
    for (const auto& time : book.enrolments(meter)) {
        json.open_object().field("meter", time.meter).field("from", time.from).field("to", time.to);
        json.field("by", time.by).field("why", time.why).field("left_by", time.left_by);
        json.field("left_why", time.left_why).close_object();
    }
    json.close_array().key("notices").open_array();
    for (const auto& notice : book.notices(meter, notices_max)) {
        json.open_object().field("number", notice.number).field("at", notice.at);
        json.field("balance", notice.balance.minor).field("words", notice.words);
        json.field("channel", notice.channel).field("over", notice.over).close_object();
    }
    json.close_array().key("days").open_array();
    for (const auto& day : book.days(meter, days_max)) {
        json.open_object().field("day", database::day_text(day.day)).field("tariff", day.tariff);
        json.field("wh", day.wh).field("intervals", day.intervals).field("doubtful", day.doubtful);
        json.field("changes", day.changes).field("amount", day.amount.minor).close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

void note(const Context& context, database::Connection& connection, const Request& request,
          const std::string& action, const std::string& object, const std::string& reason,
          const std::optional<std::string>& before, const std::optional<std::string>& after) {
    database::AuditRecord record{{}, request.caller->name(), action, object};
    record.reason = reason;
    record.before = before;
    record.after = after;
    record.tenant = request.caller->user.tenant;
    context.audit(connection, record);
}

Answer enrol(Context& context, const Request& request) {
    const auto meter = request.device("number");
    const auto reason = JsonBody{request.body}.text("reason", 200);
    const auto name = to_string(meter);
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    switch (PrepaymentBook{*connection}.enrol(meter, context.now(), request.caller->name(), reason)) {
        case Enrolled::done:
            break;
        case Enrolled::unknown_meter:
            throw Problem{404, "Unknown meter", "The head-end has no meter " + name + "."};
        case Enrolled::no_account:
            throw Problem{409, "No account",
                          "The books name no account for meter " + name +
                              ". Give its line in them this \"device\" (headend vend set)."};
        case Enrolled::already:
            throw Problem{409, "Counted already",
                          "The server counts this meter, or another one of its account, already."};
        case Enrolled::unit:
            throw Problem{409, "Another unit",
                          "The load profile of meter " + name + " does not count whole Wh."};
    }
    note(context, *connection, request, "prepayment enrol", name, reason, "tokens", "counted by the server");
    transaction.commit();
    return {.status = 204, .body = {}};
}

Problem not_counted(DeviceNumber meter) {
    return {409, "Not counted by the server", "Meter " + to_string(meter) + " is not in this mode now."};
}

Answer leave(Context& context, const Request& request) {
    const auto meter = request.device("number");
    const auto reason = JsonBody{request.body}.text("reason", 200);
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    if (!PrepaymentBook{*connection}.leave(meter, context.now(), request.caller->name(), reason))
        throw not_counted(meter);
    note(context, *connection, request, "prepayment leave", to_string(meter), reason, "counted by the server",
         "tokens");
    transaction.commit();
    return {.status = 204, .body = {}};
}

std::string text_of(const PrepaymentFlags& flags) {
    return "held: " + flags.held.value_or("no") + ", disputed: " + flags.disputed.value_or("no");
}

Answer set_flags(Context& context, const Request& request) {
    const auto meter = request.device("number");
    const JsonBody body{request.body};
    const auto reason = body.text("reason", 200);
    PrepaymentFlags flags;
    if (body.has("held")) flags.held = body.text("held", 200);
    if (body.has("disputed")) flags.disputed = body.text("disputed", 200);
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    PrepaymentBook book{*connection};
    const auto before = book.flags(meter);
    if (!before || !book.set_flags(meter, flags)) throw not_counted(meter);
    note(context, *connection, request, "prepayment flags", to_string(meter), reason, text_of(*before),
         text_of(flags));
    transaction.commit();
    return {.status = 204, .body = {}};
}

Answer correct(Context& context, const Request& request) {
    const auto meter = request.device("number");
    const JsonBody body{request.body};
    const auto at = parse_iso(body.text("at", 40));
    if (!at || !body.has("wh"))
        throw Problem{400, "Bad request",
                      "'at' is the end of an interval like 2026-11-23T10:15:00Z, 'wh' what it counts."};
    const database::IntervalVersion version{.at = *at,
                                            .made = context.now(),
                                            .wh = body.number_or("wh", 0, coins_max, 0),
                                            .estimated = body.flag_or("estimated", false),
                                            .by = request.caller->name(),
                                            .reason = body.text("reason", 200)};
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    const auto number = PrepaymentBook{*connection}.correct(meter, version);
    if (!number)
        throw Problem{404, "No such interval",
                      "Meter " + to_string(meter) +
                          " has no interval that ends then: only a reading that is "
                          "there can be corrected."};
    note(context, *connection, request, "interval version", to_string(meter), version.reason, {},
         body.text("at", 40) + " version " + std::to_string(*number) + ": " + std::to_string(version.wh) +
             (version.estimated ? " Wh, estimated" : " Wh"));
    transaction.commit();
    Json json;
    return {.status = 201, .body = json.open_object().field("version", *number).close_object().take()};
}

/// Hours and holidays, each given whole or left as it is.
template <class Rules>
void take_calendar(const JsonBody& body, Rules& policy) {
    if (body.has("hours")) policy.hours.clear();
    for (const auto& hours : body.objects("hours")) {
        policy.hours.push_back({hours.number_or("weekday", 1, 7, 1), minute_of(hours.text("from", 5)),
                                minute_of(hours.text("to", 5))});
        if (policy.hours.back().from_minute >= policy.hours.back().to_minute)
            throw Problem{400, "Bad request", "Hours end after they begin."};
    }
    if (body.has("holidays")) policy.holidays.clear();
    for (const auto& holiday : body.objects("holidays")) {
        const auto day = parse_day(holiday.text("day", 10));
        if (!day) throw Problem{400, "Bad request", "'day' is a day like 2026-12-25."};
        policy.holidays.push_back({*day, holiday.text("name", 60)});
    }
}

PrepaymentPolicy changed(const JsonBody& body, PrepaymentPolicy policy) {
    auto& rules = policy.rules;
    const auto money = [&](const char* name, prepayment::Money& amount) {
        amount = {body.number_or(name, -coins_max, coins_max, static_cast<int>(amount.minor))};
    };
    const auto time = [&](const char* name, int low, int high, Duration& duration) {
        duration = std::chrono::seconds{body.number_or(name, low, high, seconds(duration))};
    };
    money("first_notice_below", rules.first_notice_below);
    money("second_notice_below", rules.second_notice_below);
    money("cut_below", rules.cut_below);
    money("reconnect_from", rules.reconnect_from);
    time("second_notice_after_s", 60, 31'536'000, rules.second_notice_after);
    time("cut_after_s", 60, 31'536'000, rules.cut_after);
    time("late_s", 900, 86'400, rules.late);
    time("charge_every_s", 10, 86'400, rules.charge_every);
    if (rules.cut_below > rules.second_notice_below || rules.second_notice_below > rules.first_notice_below ||
        rules.reconnect_from <= rules.cut_below)
        throw Problem{400, "Bad request",
                      "'cut_below' is not above 'second_notice_below', that one not above "
                      "'first_notice_below', and 'reconnect_from' is above 'cut_below'."};
    take_calendar(body, policy);
    return policy;
}

/// Rules hold for the whole utility: so must the right.
Answer change_rules(Context& context, const Request& request) {
    if (request.scope != database::Scope::of(request.caller->user.tenant))
        throw Problem{403, "Not allowed",
                      "Rules hold for the whole utility: this needs the role engineer in it."};
    const JsonBody body{request.body};
    const auto reason = body.text("reason", 200);
    const auto tenant = request.caller->user.tenant;
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    PrepaymentBook book{*connection};
    const auto before = book.policy(tenant);
    const auto policy = changed(body, before);
    book.set_policy(tenant, policy);
    note(context, *connection, request, "prepayment rules", "all accounts", reason, rules_text(before),
         rules_text(policy));
    transaction.commit();
    return {.body = rules_text(policy)};
}

/// Of one area, in which the caller may configure.
Answer change_area(Context& context, const Request& request) {
    const JsonBody body{request.body};
    const auto name = body.text("area", 100);
    const auto reason = body.text("reason", 200);
    auto connection = context.lease(request);
    database::Transaction transaction{*connection};
    const auto before = database::area_hours(*connection, name);
    if (!before) throw Problem{404, "No such area", "There is no area '" + name + "' here."};
    auto wanted = *before;
    take_calendar(body, wanted);
    database::set_area_hours(*connection, wanted);
    note(context, *connection, request, "prepayment hours", "area " + name, reason, rules_text(*before),
         rules_text(wanted));
    transaction.commit();
    return {.body = rules_text(wanted)};
}

}  // namespace

void add_prepayment_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/prepayment", Right::look, prepayment_board);
    add_route(routes, context, "POST", "/api/prepayment/rules", Right::configure, change_rules);
    add_route(routes, context, "POST", "/api/prepayment/areas", Right::configure, change_area);
    add_route(routes, context, "GET", "/api/prepayment/meters/{number}", Right::look, prepayment_account);
    add_route(routes, context, "POST", "/api/prepayment/meters/{number}/enrol", Right::configure, enrol);
    add_route(routes, context, "POST", "/api/prepayment/meters/{number}/leave", Right::configure, leave);
    add_route(routes, context, "POST", "/api/prepayment/meters/{number}/flags", Right::configure, set_flags);
    add_route(routes, context, "POST", "/api/prepayment/meters/{number}/corrections", Right::configure,
              correct);
}

}  // namespace wattmesh::headend::console
