#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"

namespace wattmesh::headend::console {
namespace {

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
    return std::string{session_cookie} + "=" + token + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + age +
           (context.settings.certificate.empty() ? "" : "; Secure");
}

}  // namespace

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
        {.method = "POST", .pattern = "/api/logout", .handle = [&](Request& request) {
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
}

}  // namespace wattmesh::headend::console
