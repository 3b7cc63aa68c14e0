#include <algorithm>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"

namespace wattmesh::headend::console {
namespace {

constexpr int days_max = 366, tokens_max = 20;

void write(Json& json, const database::ApiToken& token) {
    json.open_object().field("id", std::int64_t{token.id.value}).field("name", token.name);
    json.field("look_only", token.look_only).field("created", token.created).field("expires", token.expires);
    json.field("last_used", token.last_used).field("revoked", token.revoked).close_object();
}

/// A stolen token must not be able to make another one.
void only_people(const Request& request) {
    if (request.caller->token)
        throw Problem{403, "Not allowed", "A program does not manage API tokens: sign in as a person."};
}

Answer list_tokens(Context& context, const Request& request) {
    auto connection = context.pool.lease();
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& token : database::ApiTokens{*connection}.of(request.caller->user.id)) write(json, token);
    json.close_array().close_object();
    return {.body = json.take()};
}

Answer add(Context& context, Access& access, const Request& request) {
    only_people(request);
    const JsonBody body{request.body};
    const auto name = body.text("name", 100);
    const auto days = body.number_or("days", 1, days_max, 90);
    const bool look_only = body.flag_or("look_only", true);
    const auto& user = request.caller->user;
    const auto now = context.now();
    auto connection = context.pool.lease();
    database::Transaction transaction{*connection};
    database::ApiTokens tokens{*connection};
    const auto known = tokens.of(user.id);
    const auto in_force = std::count_if(known.begin(), known.end(), [&](const database::ApiToken& token) {
        return !token.revoked && token.expires > now;
    });
    if (in_force >= tokens_max)
        throw Problem{409, "Too many tokens",
                      "You have 20 tokens in force. Revoke one that is not used any more."};
    const auto text = access.make_token(*connection, user, name, look_only,
                                        now + context.simulated(std::chrono::hours{24} * days));
    database::AuditRecord record{
        {}, user.login, "token add", user.login, name + (look_only ? ", may only look" : "")};
    record.tenant = user.tenant;
    context.audit(*connection, record);
    const auto made = tokens.of(user.id).front();
    transaction.commit();
    Json json;
    json.open_object().field("token", text).key("made");
    write(json, made);
    return {.status = 201, .body = json.close_object().take()};
}

Answer revoke(Context& context, const Request& request) {
    only_people(request);
    const auto& user = request.caller->user;
    const auto id = parse_id(request.captured.at("id"));
    auto connection = context.pool.lease();
    database::Transaction transaction{*connection};
    if (!id || !database::ApiTokens{*connection}.revoke(user.id, database::TokenId{*id}, context.now()))
        throw Problem{404, "Unknown token", "You have no such token in force."};
    database::AuditRecord record{{}, user.login, "token revoke", user.login, "token " + std::to_string(*id)};
    record.tenant = user.tenant;
    context.audit(*connection, record);
    transaction.commit();
    return {.status = 204, .body = {}};
}

}  // namespace

void add_token_routes(std::vector<Route>& routes, Context& context, Access& access) {
    const auto add_own = [&](const char* method, const char* pattern,
                             std::function<Answer(Request&)> handle) {
        routes.push_back({.method = method, .pattern = pattern, .anyone = true, .handle = std::move(handle)});
    };
    add_own("GET", "/api/tokens", [&](Request& request) { return list_tokens(context, request); });
    add_own("POST", "/api/tokens", [&](Request& request) { return add(context, access, request); });
    add_own("POST", "/api/tokens/{id}/revoke", [&](Request& request) { return revoke(context, request); });
}

}  // namespace wattmesh::headend::console
