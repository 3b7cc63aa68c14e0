#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"
#include "headend/database/read_partners.h"

namespace wattmesh::headend::console {
namespace {

using namespace database;
constexpr int messages_max = 200;
constexpr std::size_t reason_size_max = 500;

void write_words(Json& json, const char* name, const std::vector<std::string>& words) {
    json.key(name).open_array();
    for (const auto& word : words) json.value(word);
    json.close_array();
}

void write(Json& json, const WebhookLine& hook) {
    json.open_object().field("name", hook.name).field("url", hook.url).field("batch", hook.batch);
    write_words(json, "topics", hook.topics);
    json.field("disabled_why", hook.disabled_why)
        .field("behind", hook.behind)
        .field("attempts", hook.attempts);
    json.field("failing_since", hook.failing_since).field("last_error", hook.last_error);
    json.field("dead", hook.dead).close_object();
}

void write(Json& json, const FileChannelLine& channel) {
    json.open_object().field("name", channel.name).field("directory", channel.directory);
    json.field("zone", channel.zone).field("disabled", channel.disabled).key("newest").open_array();
    for (const auto& file : channel.newest) {
        json.open_object().field("name", file.name).field("lines", file.lines).field("total", file.total);
        json.field("written", file.written)
            .field("acknowledged", file.acknowledged)
            .field("refused", file.refused);
        write_words(json, "refusals", file.refusals);
        json.close_object();
    }
    json.close_array().close_object();
}

Answer list_partners(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("partners").open_array();
    for (const auto& partner : PartnerReader{*connection}.all()) {
        json.open_object().field("name", partner.name).field("disabled", partner.disabled);
        write_words(json, "topics", partner.topics);
        json.key("webhooks").open_array();
        for (const auto& hook : partner.webhooks) write(json, hook);
        json.close_array().key("files").open_array();
        for (const auto& channel : partner.files) write(json, channel);
        json.close_array().close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

struct Found {
    PartnerLine partner;
    WebhookLine hook;
    std::string subject() const { return partner.name + "/" + hook.name; }
};

Found webhook_of(Connection& connection, const Request& request) {
    const auto &name = request.captured.find("name")->second, &hook = request.captured.find("hook")->second;
    for (const auto& partner : PartnerReader{connection}.all())
        for (const auto& line : partner.webhooks)
            if (partner.name == name && line.name == hook) return {partner, line};
    throw Problem{404, "Not found",
                  "There is no webhook " + name + "/" + hook + "; the list of partners names them."};
}

Answer messages(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto found = webhook_of(*connection, request);
    const auto place = request.text("after");
    const auto after = place.empty() ? std::optional<std::int64_t>{0} : parse_id(place);
    if (!after) throw Problem{400, "Bad request", "'after' must be a position: a whole number."};
    Json json;
    json.open_object().key("messages").open_array();
    for (const auto& message : Webhooks{*connection}.messages(found.hook.id, request.text("dead") == "true",
                                                              *after, messages_max)) {
        json.open_object().field("position", message.position).field("dead", message.dead);
        json.field("attempts", message.attempts).field("status", message.status).field("at", message.at);
        json.key("event").raw(message.body).close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

Answer send_again(Context& context, const Request& request) {
    const JsonBody body{request.body};
    const auto reason = body.text("reason", reason_size_max);
    auto connection = context.lease(request);
    const auto found = webhook_of(*connection, request);
    Transaction transaction{*connection};
    const int marked = Webhooks{*connection}.send_again(found.hook.id, 0, INT64_MAX, false);
    if (marked == 0)
        throw Problem{409, "Nothing to send",
                      "Webhook " + found.subject() + " has no message that was given up."};
    AuditRecord record{context.now(), request.caller->name(), "partner send again", found.subject()};
    record.detail = std::to_string(marked) + " messages that were given up";
    record.reason = reason;
    record.tenant = found.partner.tenant;
    context.audit(*connection, record);
    transaction.commit();
    return {.body = Json{}.open_object().field("messages", marked).close_object().take()};
}

}  // namespace

void add_partner_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/partners", Right::look, list_partners);
    add_route(routes, context, "GET", "/api/partners/{name}/webhooks/{hook}/messages", Right::configure,
              messages);
    add_route(routes, context, "POST", "/api/partners/{name}/webhooks/{hook}/again", Right::configure,
              send_again);
}

}  // namespace wattmesh::headend::console
