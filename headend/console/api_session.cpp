#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"
#include "headend/database/own_password.h"

namespace wattmesh::headend::console {
namespace {

constexpr std::size_t password_size_min = 10;
constexpr std::pair<database::Right, const char*> right_words[] = {
    {database::Right::look, "look"},   {database::Right::read, "read"},
    {database::Right::relay, "relay"}, {database::Right::configure, "configure"},
    {database::Right::audit, "audit"}, {database::Right::accounts, "accounts"},
    {database::Right::vend, "vend"},   {database::Right::vend_manage, "vend_manage"}};

std::string me(const Context& context, const Caller& caller) {
    Json json;
    json.open_object()
        .field("user", caller.user.login)
        .field("name", caller.user.name)
        .field("role", to_string(caller.user.grants));
    json.key("rights").open_array();
    for (const auto& [right, word] : right_words)
        if (caller.may(right)) json.value(word);
    json.close_array();
    json.field("csrf", caller.csrf)
        .key("clock")
        .open_object()
        .field("now", context.now())
        .field("speed", context.settings.speed);
    json.close_object().close_object();
    return json.take();
}

std::string cookie(const Context& context, const std::string& token, const std::string& age) {
    return context.settings.cookie + "=" + token + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + age +
           (context.settings.certificate.empty() ? "" : "; Secure");
}

/// The own password; the old one is asked for again.
Answer change_password(Context& context, const Request& request) {
    const auto& user = request.caller->user;
    const JsonBody body{request.body};
    if (request.caller->token)
        throw Problem{403, "Not allowed", "A program does not change the password of its owner."};
    if (!context.verify(body.text("old_password", 256), user.password_hash))
        throw Problem{403, "Wrong password", "The old password is wrong."};
    const auto hash = new_password(context, body);
    auto connection = context.pool.lease();
    database::Transaction transaction{*connection};
    if (!database::set_own_password(*connection, request.caller->token_hash, hash))
        throw Problem{401, "Not signed in", "Sign in first."};
    database::AuditRecord record{{}, user.login, "password change", user.login};
    record.tenant = user.tenant;
    context.audit(*connection, record);
    transaction.commit();
    return {.status = 204, .body = {}};
}

}  // namespace

std::string new_password(const Context& context, const JsonBody& body) {
    const auto password = body.text("password", 256);
    if (password.size() < password_size_min)
        throw Problem{400, "Password too short", "A password has at least 10 characters."};
    return context.hash(password);
}

void add_session_routes(std::vector<Route>& routes, Context& context, Access& access) {
    routes.push_back(
        {.method = "POST", .pattern = "/api/login", .open = true, .handle = [&](Request& request) {
             const JsonBody body{request.body};
             const auto user = body.text("user", 64), password = body.text("password", 256);
             const auto opened = access.log_in(user, password, request.remote);
             const auto age =
                 std::chrono::duration_cast<std::chrono::seconds>(context.settings.session_length);
             return Answer{
                 .body = me(context, opened.caller),
                 .headers = {{"Set-Cookie", cookie(context, opened.token, std::to_string(age.count()))}}};
         }});
    routes.push_back(
        {.method = "POST", .pattern = "/api/logout", .anyone = true, .handle = [&](Request& request) {
             access.log_out(*request.caller);
             return Answer{.status = 204, .body = {}, .headers = {{"Set-Cookie", cookie(context, "", "0")}}};
         }});
    // Whoever is signed in may ask, whatever his rights: a vendor has none to look.
    routes.push_back({.method = "GET", .pattern = "/api/me", .open = true, .handle = [&](Request& request) {
                          const auto caller = request.bearer.empty()
                                                  ? access.identify(request.token)
                                                  : access.identify_program(request.bearer);
                          if (!caller) throw Problem{401, "Not signed in", "Sign in first."};
                          return Answer{.body = me(context, *caller)};
                      }});
    routes.push_back(
        {.method = "POST", .pattern = "/api/password", .anyone = true, .handle = [&](Request& request) {
             return change_password(context, request);
         }});
}

}  // namespace wattmesh::headend::console
