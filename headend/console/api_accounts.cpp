#include <algorithm>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"

namespace wattmesh::headend::console {
namespace {

constexpr int grants_max = 50;

void write(Json& json, const database::User& user) {
    json.open_object().field("user", user.login).field("name", user.name).field("disabled", user.disabled);
    json.field("last_login", user.last_login)
        .field("locked_until", user.locked_until)
        .key("grants")
        .open_array();
    for (const auto& grant : user.grants) {
        json.open_object().field("role", to_string(grant.role)).key("area");
        grant.area ? json.value(int{grant.area->value}) : json.null();
        json.close_object();
    }
    json.close_array().close_object();
}

Answer answer(const database::User& user, int status = 200) {
    Json json;
    write(json, user);
    return {.status = status, .body = json.take()};
}

/// What was or will be, for the audit log.
std::string state_of(const database::User& user) {
    return user.name + ": " + to_string(user.grants) + (user.disabled ? ", disabled" : "");
}

std::vector<database::Grant> grants_of(const JsonBody& body, const std::vector<AreaId>& areas) {
    std::vector<database::Grant> grants;
    for (const auto& entry : body.objects("grants")) {
        const auto role = database::parse_role(entry.text("role", 32));
        if (!role)
            throw Problem{400, "Bad request", "'role' must be " + std::string{database::role_words()} + "."};
        database::Grant grant{*role, {}};
        if (const int area = entry.number_or("area", 1, 2'147'483'647, 0); area != 0) {
            grant.area = AreaId{area};
            if (std::find(areas.begin(), areas.end(), *grant.area) == areas.end())
                throw Problem{400, "Bad request",
                              "There is no area " + std::to_string(area) + ". /api/areas lists them."};
        }
        if (std::find(grants.begin(), grants.end(), grant) == grants.end()) grants.push_back(grant);
        if (grants.size() > grants_max) throw Problem{400, "Bad request", "A user takes at most 50 roles."};
    }
    return grants;
}

/// An administrator of one area must not make one of all.
void check_may_grant(const Request& request) {
    const auto& user = request.caller->user;
    if (user.scope(database::Right::accounts) == database::Scope::of(user.tenant)) return;
    throw Problem{403, "Not allowed",
                  "Accounts are for an administrator of the whole utility, not of an area."};
}

database::User wanted(database::Users& users, const Request& request) {
    const auto& login = request.captured.at("user");
    auto user = users.find(login);
    if (!user || user->tenant != request.caller->user.tenant)
        throw Problem{404, "Unknown user", "There is no user '" + login + "'."};
    return std::move(*user);
}

void note(Context& context, database::Connection& connection, const Request& request,
          const std::string& action, const std::string& subject, const std::string& reason,
          std::optional<std::string> before, std::optional<std::string> after) {
    database::AuditRecord record{{}, request.caller->name(), action, subject};
    record.reason = reason;
    record.before = std::move(before);
    record.after = std::move(after);
    record.tenant = request.caller->user.tenant;
    context.audit(connection, record);
}

Answer list_users(Context& context, const Request& request) {
    check_may_grant(request);
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& user : database::Users{*connection}.all(request.caller->user.tenant)) write(json, user);
    json.close_array().close_object();
    return {.body = json.take()};
}

Answer add(Context& context, const Request& request) {
    check_may_grant(request);
    const JsonBody body{request.body};
    const auto login = body.text("user", 64), name = body.text_or("name", 100, login),
               reason = body.text("reason", 200);
    const bool plain = std::all_of(login.begin(), login.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
               c == '@';
    });
    if (!plain) throw Problem{400, "Bad request", "'user' takes small letters, digits and . - _ @ only."};
    const auto hash = new_password(context, body);
    auto connection = context.lease(request);
    const auto grants = grants_of(body, database::areas(*connection));
    database::Transaction transaction{*connection};
    database::Users users{*connection};
    if (users.find(login))
        throw Problem{409, "User exists", "There is a user '" + login + "' already. Choose another name."};
    users.put(request.caller->user.tenant, login, name, grants, hash, context.now());
    const auto user = users.find(login);
    note(context, *connection, request, "user add", login, reason, std::nullopt, state_of(*user));
    transaction.commit();
    return answer(*user, 201);
}

Answer change(Context& context, const Request& request) {
    check_may_grant(request);
    const JsonBody body{request.body};
    const auto reason = body.text("reason", 200);
    const auto hash = body.has("password") ? new_password(context, body) : std::string{};
    auto connection = context.lease(request);
    const auto areas = database::areas(*connection);
    database::Transaction transaction{*connection};
    database::Users users{*connection};
    const auto before = wanted(users, request);
    const bool myself = before.id == request.caller->user.id;
    if (myself && (body.has("grants") || body.flag_or("disabled", false)))
        throw Problem{409, "Not yourself",
                      "Nobody changes the own roles or disables the own account: ask another administrator."};
    if (body.has("name")) users.rename(before.id, body.text("name", 100));
    if (body.has("grants")) users.grant(before.id, grants_of(body, areas));
    if (body.has("disabled")) users.disable(before.id, body.flag_or("disabled", false));
    if (!hash.empty()) users.set_password(before.id, hash);
    const auto after = users.find(before.id);
    note(context, *connection, request, hash.empty() ? "user change" : "user change, new password",
         before.login, reason, state_of(before), state_of(*after));
    transaction.commit();
    return answer(*after);
}

Answer areas(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& area : database::area_names(*connection))
        json.open_object().field("area", int{area.first.value}).field("name", area.second).close_object();
    json.close_array().close_object();
    return {.body = json.take()};
}

}  // namespace

void add_account_routes(std::vector<Route>& routes, Context& context) {
    using database::Right;
    add_route(routes, context, "GET", "/api/users", Right::accounts, list_users);
    add_route(routes, context, "POST", "/api/users", Right::accounts, add);
    add_route(routes, context, "POST", "/api/users/{user}", Right::accounts, change);
    add_route(routes, context, "GET", "/api/areas", Right::look, areas);
}

}  // namespace wattmesh::headend::console
