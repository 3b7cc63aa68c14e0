#include "headend/console/dispatch.h"

#include <Poco/Net/NameValueCollection.h>
#include <Poco/URI.h>

namespace wattmesh::headend::console {
namespace {

constexpr std::string_view bearer_word = "Bearer ";
constexpr std::size_t uri_size_max = 4 * 1024;

std::string_view needed_role(database::Right right) {
    switch (right) {
        case database::Right::look:
            return "a role";
        case database::Right::read:
        case database::Right::relay:
            return "the role operator";
        case database::Right::configure:
            return "the role engineer";
        case database::Right::audit:
            return "the role auditor";
        case database::Right::accounts:
            return "the role administrator";
        case database::Right::vend:
            return "the role vendor";
        case database::Right::vend_manage:
            return "the role supervisor";
    }
    return "another role";
}

/// A browser says where a request comes from; what comes from another site is refused.
void check_origin(const Poco::Net::HTTPServerRequest& http) {
    const auto origin = http.get("Origin", "");
    if (origin.empty()) return;  // not a browser, or the same site by an old one; the other checks stand
    const auto host = http.get("Host", "");
    if (origin == "http://" + host || origin == "https://" + host) return;
    throw Problem{403, "Forbidden", "The request comes from another site."};
}

/// 16384 as "16 384".
std::string thousands(std::size_t number) {
    auto digits = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), " ");
    return digits;
}

Caller identify(const Site& site, const std::string& token) {
    auto caller = site.access.identify(token);
    if (!caller) throw Problem{401, "Not signed in", "Sign in first."};
    return std::move(*caller);
}

Caller identify(const Site& site, const Request& request) {
    if (request.bearer.empty()) return identify(site, request.token);
    auto caller = site.access.identify_program(request.bearer);
    if (!caller)
        throw Problem{401, "Not signed in",
                      "The API token is unknown, expired or revoked. Make another one."};
    return std::move(*caller);
}

/// What the route needs, and where the caller has it.
void check_right(const Route& route, Request& request) {
    const auto& caller = *request.caller;
    if (!caller.may(route.right)) {
        if (caller.token && caller.user.may(route.right))
            throw Problem{403, "Not allowed", "The API token '" + caller.token->name + "' may only look."};
        throw Problem{403, "Not allowed",
                      "This needs " + std::string{needed_role(route.right)} + "; you are signed in as " +
                          to_string(caller.user.grants) + "."};
    }
    request.scope = caller.user.scope(route.right);
}

/// Writing requests: same site, and the token that only our own pages can read.
void check_write(const Poco::Net::HTTPServerRequest& http, const Request& request) {
    if (!http.getContentType().starts_with("application/json"))
        throw Problem{415, "Unsupported", "The body must be application/json."};
    if (request.caller && !request.caller->token && !same(http.get("X-CSRF-Token", ""), request.caller->csrf))
        throw Problem{403, "Forbidden", "The header X-CSRF-Token is missing or wrong. Load the page again."};
}

Answer serve(const Site& site, const Route& route, Poco::Net::HTTPServerRequest& http, Request& request) {
    const bool writes = route.method != "GET";
    if (writes) check_origin(http);
    if (!route.open) request.caller = identify(site, request);
    if (writes) check_write(http, request);
    if (!route.open && !route.anyone) check_right(route, request);
    if (writes) request.body = read_body(http, route.body_size_max);
    return route.handle(request);
}

Answer find(const Site& site, Poco::Net::HTTPServerRequest& http) {
    auto request = parse_request(http);
    request.token = session_of(site, http);
    std::string allowed;
    for (const auto& route : site.routes) {
        auto captured = match(route.pattern, request.path);
        if (!captured) continue;
        const bool head = request.method == "HEAD" && route.method == "GET";
        if (route.method != request.method && !head) {
            allowed += (allowed.empty() ? "" : ", ") + route.method;
            continue;
        }
        request.captured = std::move(*captured);
        return serve(site, route, http, request);
    }
    if (!allowed.empty()) {
        auto answer = answer_of({405, "Method not allowed", "This address takes " + allowed + "."});
        answer.headers.emplace_back("Allow", allowed);
        return answer;
    }
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (reads && request.path == "/api/openapi.yaml" && !site.openapi.empty())
        return {.body = site.openapi, .type = "application/yaml; charset=utf-8"};
    if (reads && request.path != "/api" && !request.path.starts_with("/api/"))
        if (auto page = site.pages.find(request.path)) return std::move(*page);
    throw Problem{404, "Not found", "There is nothing at this address. /api/openapi.yaml lists the API."};
}

}  // namespace

std::string read_body(Poco::Net::HTTPServerRequest& http, std::size_t size_max) {
    const Problem too_long{413, "Too long", "The body may have at most " + thousands(size_max) + " octets."};
    if (http.hasContentLength() && http.getContentLength64() > static_cast<Poco::Int64>(size_max))
        throw too_long;
    std::string body(size_max + 1, '\0');
    auto& in = http.stream();
    in.read(body.data(), static_cast<std::streamsize>(body.size()));
    body.resize(static_cast<std::size_t>(in.gcount()));
    if (body.size() > size_max) throw too_long;
    if (http.hasContentLength() && http.getContentLength64() != static_cast<Poco::Int64>(body.size()))
        throw Problem{408, "Too slow", "The body did not come whole in time. Send it again, at once."};
    return body;
}

std::string session_of(const Site& site, const Poco::Net::HTTPServerRequest& http) {
    Poco::Net::NameValueCollection cookies;
    http.getCookies(cookies);
    return cookies.get(site.context.settings.cookie, "");
}

Request parse_request(Poco::Net::HTTPServerRequest& http) {
    Request request;
    request.method = http.getMethod();
    if (http.getURI().size() > uri_size_max) throw Problem{414, "Too long", "The address is too long."};
    try {
        const Poco::URI uri{http.getURI()};
        request.path = uri.getPath();
        for (const auto& [name, value] : uri.getQueryParameters()) request.query[name] = value;
    } catch (const Poco::Exception&) {
        throw Problem{400, "Bad request", "The address is malformed."};
    }
    if (request.path.empty()) request.path = "/";
    if (request.path.size() > 1 && request.path.back() == '/') request.path.pop_back();
    request.remote = http.clientAddress().host().toString();
    request.idempotency_key = http.get("Idempotency-Key", "");
    const auto authorization = http.get("Authorization", "");
    if (authorization.starts_with(bearer_word)) request.bearer = authorization.substr(bearer_word.size());
    return request;
}

Caller admit_socket(const Site& site, Poco::Net::HTTPServerRequest& http) {
    check_origin(http);
    return identify(site, session_of(site, http));
}

std::optional<Answer> problem_of(const std::function<void()>& work,
                                 const std::function<void(const char* what)>& log) {
    try {
        work();
        return std::nullopt;
    } catch (const Problem& problem) {
        return answer_of(problem);
    } catch (const database::DatabaseError& error) {
        log(error.what());
        if (error.trouble() == database::Trouble::refused)
            return answer_of(
                {500, "Something went wrong", "The head-end could not do this. Its log says why."});
        return answer_of({503, "Database not available",
                          "The database does not answer now. Nothing was changed; try again shortly.", 5});
    } catch (const std::exception& error) {
        log(error.what());
        return answer_of({500, "Something went wrong", "The head-end could not do this. Its log says why."});
    }
}

Answer dispatch(const Site& site, Poco::Net::HTTPServerRequest& http) {
    Answer answer;
    auto problem =
        problem_of([&] { answer = find(site, http); },
                   [&](const char* what) {
                       site.context.log("warning", "console: " + http.getMethod() + " failed: " + what);
                   });
    return problem ? std::move(*problem) : std::move(answer);
}

std::vector<std::pair<std::string, std::string>> guard_headers(bool https) {
    std::vector<std::pair<std::string, std::string>> headers{
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
         "connect-src 'self'; "
         "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
    };
    if (https) headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
    return headers;
}

}  // namespace wattmesh::headend::console
