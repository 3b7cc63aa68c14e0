// Commands as jobs: ordered once for each key, done by the gate and the readers like anybody's.
#include <algorithm>

#include "headend/console/job_json.h"
#include "headend/database/audit_log.h"
#include "headend/database/partner_requests.h"
#include "headend/database/relay_rules.h"
#include "headend/exchange/partner_orders.h"
#include "security/ciphers.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
using console::Json;
using console::JsonBody;
using console::Problem;
using database::Job;
using database::PartnerReply;
using database::PartnerRequests;
constexpr std::size_t key_size_max = 64, reason_size_max = 200, named_max = 20;
constexpr int items_page = 1'000, items_page_max = 10'000;

std::string location_of(database::JobId id) { return "/partner/v1/jobs/" + std::to_string(id.value); }

/// The job as partners see it: without who else had to do with it.
void write_job(Json& json, const Job& job) {
    json.open_object().field("job", job.id.value).field("kind", job.kind).field("title", job.title);
    json.field("state", std::string{to_string(job.state)}).field("total", job.total);
    json.field("done", job.done).field("failed", job.failed).field("reason", job.reason);
    json.field("created", job.created).field("started", job.started).field("finished", job.finished);
    json.field("deadline", job.deadline).close_object();
}

/// What would be refused at the moment of firing anyway is refused at once.
void check_relay(database::Connection& connection, const RestCall& call, const PartnerOrder& order,
                 monitor::RelayVerb verb) {
    database::RelayRules rules{connection};
    if (const auto stop = rules.stopped(call.contract.tenant))
        throw Problem{409, "Switching is stopped",
                      "The utility stopped all switching. Nothing was ordered; ask when it goes on."};
    if (verb != monitor::RelayVerb::disconnect) return;
    const auto spared = rules.protected_among(numbers_in(order.subjects));
    if (spared.empty()) return;
    std::string names;
    for (std::size_t i = 0; i < std::min(spared.size(), named_max); ++i)
        names += (i == 0 ? "" : ", ") + to_string(spared[i].meter);
    throw Problem{409, "Protected meters",
                  "Nothing was ordered. " + std::to_string(spared.size()) + " meters must not be cut off: " +
                      names + (spared.size() > named_max ? " ..." : "") + ". Leave them out."};
}

PartnerOrder order_of(RestDesk& desk, const RestCall& call, const JsonBody& body) {
    const auto command = body.text("command", 16);
    const auto verb = monitor::parse_relay_verb(command);
    if (command != "read" && !verb)
        throw Problem{400, "Bad request", "'command' must be read, disconnect or reconnect."};
    demand(call.contract, command);
    auto subjects = [&] {
        auto connection = desk.seen(call.contract);  // a meter of somebody else is unknown
        return console::subjects_of(*connection, body, verb.has_value());
    }();
    auto order = new_order(desk, call, body.text("reason", reason_size_max), std::move(subjects));
    if (!verb) {
        const auto code = ObisCode::parse(body.text("register", 32));
        if (!code) throw Problem{400, "Bad request", "'register' must be a code like 1-0:1.8.0*255."};
        read_order(order, *code);
        return order;
    }
    relay_order(order, *verb, static_cast<int>(order.subjects.size()) > desk.settings.second_person_above);
    auto connection = desk.tables.lease();
    check_relay(*connection, call, order, *verb);
    return order;
}

Answer answer_from(const PartnerReply& reply) {
    return {.status = reply.status, .body = reply.body, .headers = {{"Location", reply.location}}};
}

Answer stored_answer(PartnerRequests& requests, const RestCall& call, Bytes digest) {
    const auto reply = requests.find(call.contract.id, call.request.idempotency_key);
    if (!reply) throw Problem{409, "Under way", "This order is being stored. Ask again in a second.", 1};
    if (!std::equal(reply->digest.begin(), reply->digest.end(), digest.begin(), digest.end()))
        throw Problem{422, "Key used before",
                      "The Idempotency-Key '" + call.request.idempotency_key +
                          "' belongs to another order. Take a new key for each order."};
    return answer_from(*reply);
}

void check_key(const std::string& key) {
    const auto fits = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ':';
    };
    if (key.empty() || key.size() > key_size_max || !std::all_of(key.begin(), key.end(), fits))
        throw Problem{
            400, "No key",
            "Give the header Idempotency-Key: 1 to 64 letters, digits and -_.:, another for each order. "
            "The same key brings the same answer and orders nothing twice."};
}

RestAnswer command(RestDesk& desk, const RestCall& call) {
    const auto& key = call.request.idempotency_key;
    check_key(key);
    const auto digest = security::sha256(as_bytes(call.request.path + "\n" + call.request.body));
    {
        auto connection = desk.tables.lease();
        PartnerRequests requests{*connection};
        if (requests.find(call.contract.id, key)) return stored_answer(requests, call, digest);
    }
    const JsonBody body{call.request.body};
    const auto order = order_of(desk, call, body);
    auto connection = desk.tables.lease();
    database::Transaction transaction{*connection};
    PartnerRequests requests{*connection};
    requests.drop(desk.now() - desk.simulated(desk.settings.keys_kept));
    if (!requests.take(call.contract.id, key, digest, desk.now()))
        return stored_answer(requests, call, digest);
    const auto [id, record] = store_order(*connection, desk, call, order, "key " + key);
    Json json;
    write_job(json, database::Jobs{*connection}.find(id).value());
    const PartnerReply reply{.digest = {}, .status = 202, .location = location_of(id), .body = json.take()};
    requests.store(call.contract.id, key, reply);
    database::AuditLog{*connection}.append(record);
    transaction.commit();
    return answer_from(reply);
}

Job own_job(database::Connection& connection, const RestCall& call) {
    const auto id = console::parse_id(call.request.captured.at("id"));
    auto job = id ? database::Jobs{connection}.find(database::JobId{*id}) : std::nullopt;
    if (!job || job->requested_by != call.actor())
        throw Problem{404, "Unknown job",
                      "The contract ordered no job " + call.request.captured.at("id") + "."};
    return std::move(*job);
}

RestAnswer jobs_list(RestDesk& desk, const RestCall& call) {
    auto connection = desk.tables.lease();
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& job :
         database::Jobs{*connection}.list(database::Scope::of(call.contract.tenant), false, call.actor(),
                                          call.request.number("limit", 50, 1, 500)))
        write_job(json, job);
    return Answer{.body = json.close_array().close_object().take()};
}

RestAnswer job(RestDesk& desk, const RestCall& call) {
    auto connection = desk.tables.lease();
    Json json;
    write_job(json, own_job(*connection, call));
    return Answer{.body = json.take()};
}

RestAnswer job_items(RestDesk& desk, const RestCall& call) {
    auto connection = desk.tables.lease();
    const auto of = own_job(*connection, call);
    const int count = call.request.number("limit", items_page, 1, items_page_max);
    const int after = call.request.number("cursor", 0, 0, 1'000'000);
    const auto found = database::Jobs{*connection}.items(of.id, std::nullopt, after + 1, count);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& item : found) {
        json.open_object().field("meter", item.subject).field("state", std::string{to_string(item.state)});
        json.field("detail", item.detail).field("attempts", item.attempts);
        json.field("finished", item.finished).close_object();
    }
    json.close_array().key("next");
    static_cast<int>(found.size()) == count ? json.value(std::to_string(found.back().place)) : json.null();
    return Answer{.body = json.close_object().take()};
}

RestAnswer cancel(RestDesk& desk, const RestCall& call) {
    auto connection = desk.tables.lease();
    const auto before = own_job(*connection, call);
    database::Transaction transaction{*connection};
    database::Jobs jobs{*connection};
    if (!jobs.cancel(before.id, desk.now()))
        throw Problem{409, "Not now",
                      "Job " + std::to_string(before.id.value) + " is " +
                          std::string{to_string(before.state)} + ": there is nothing to cancel."};
    database::AuditRecord record{desk.now(), call.actor(), "job cancel",
                                 "job " + std::to_string(before.id.value), "client " + call.client};
    record.before = to_string(before.state);
    record.after = to_string(database::JobState::cancelled);
    record.tenant = call.contract.tenant;
    database::AuditLog{*connection}.append(record);
    Json json;
    write_job(json, jobs.find(before.id).value());
    transaction.commit();
    return Answer{.body = json.take()};
}

}  // namespace

void add_command_routes(std::vector<RestRoute>& routes) {
    routes.push_back({.method = "POST",
                      .pattern = "/partner/v1/commands",
                      .needs = "",  // which of them, the body says
                      .handle = command,
                      .body_size_max = 256 * 1024});  // ten thousand numbers
    routes.push_back({"GET", "/partner/v1/jobs", "", jobs_list});
    routes.push_back({"GET", "/partner/v1/jobs/{id}", "", job});
    routes.push_back({"GET", "/partner/v1/jobs/{id}/items", "", job_items});
    routes.push_back({"POST", "/partner/v1/jobs/{id}/cancel", "", cancel});
}

}  // namespace wattmesh::headend::exchange
