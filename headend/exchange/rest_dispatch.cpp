#include "headend/exchange/rest_dispatch.h"

#include <Poco/Net/HTTPBasicCredentials.h>
#include <Poco/URI.h>

#include <algorithm>
#include <chrono>

#include "headend/console/dispatch.h"
#include "security/ciphers.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
using console::Problem;
constexpr const char* token_path = "/partner/oauth/token";
constexpr std::size_t form_size_max = 4 * 1024;

/// RFC 6749, 2.3.1: HTTP Basic, or fields of the form.
RestAccess::Claim claim_of(Poco::Net::HTTPServerRequest& http, const console::Request& request) {
    if (!http.getContentType().starts_with("application/x-www-form-urlencoded"))
        throw Problem{415, "Unsupported", "The body must be application/x-www-form-urlencoded."};
    RestAccess::Claim claim;
    claim.remote = request.remote;
    try {
        Poco::URI form;
        form.setRawQuery(console::read_body(http, form_size_max));
        for (const auto& [name, value] : form.getQueryParameters())
            if (name == "grant_type")
                claim.grant_type = value;
            else if (name == "client_id")
                claim.client = value;
            else if (name == "client_secret")
                claim.secret = value;
        if (http.get("Authorization", "").starts_with("Basic ")) {
            const Poco::Net::HTTPBasicCredentials basic{http};
            claim.client = basic.getUsername();
            claim.secret = basic.getPassword();
        }
    } catch (const Poco::Exception&) {
        throw Problem{400, "Bad request", "The form or the header Authorization is malformed."};
    }
    return claim;
}

/// With the way to a token in the header (RFC 6750, 3).
Answer unauthorized(const std::string& detail) {
    auto answer = console::answer_of({401, "No valid token", detail});
    answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"wattmesh\"");
    return answer;
}

/// An answer that the partner has already is not sent again (RFC 9110, 13.1.2).
Answer with_tag(Answer answer, const std::string& if_none_match) {
    const auto digest = security::sha256(as_bytes(answer.body));
    const auto tag = "\"" + to_hex(Bytes{digest}.first(16)) + "\"";
    answer.headers.emplace_back("ETag", tag);
    if (if_none_match.find(tag) == std::string::npos) return answer;
    answer.status = 304;
    answer.body.clear();
    return answer;
}

void check_type(Poco::Net::HTTPServerRequest& http, bool xml) {
    const auto& type = http.getContentType();
    const auto is = [&](const char* name) { return type.starts_with(name); };
    if (xml && !is("application/xml") && !is("text/xml") && !is("application/soap+xml"))
        throw Problem{415, "Unsupported",
                      "The body must be application/xml, text/xml (SOAP 1.1) or application/soap+xml."};
    const bool body =
        http.hasContentLength() ? http.getContentLength64() > 0 : http.getChunkedTransferEncoding();
    if (!xml && body && !is("application/json"))
        throw Problem{415, "Unsupported", "The body must be application/json."};
}

std::string read_in_time(Poco::Net::HTTPServerRequest& http, std::size_t size_max,
                         std::chrono::seconds wait) {
    const Problem too_long{413, "Too long",
                           "The body may have " + std::to_string(size_max) + " octets at most."};
    const Problem too_slow{408, "Too slow", "The body did not come whole in time. Send it again, at once."};
    const auto announced = http.hasContentLength() ? std::optional{http.getContentLength64()} : std::nullopt;
    if (announced && *announced > static_cast<Poco::Int64>(size_max)) throw too_long;
    const auto until = std::chrono::steady_clock::now() + wait;
    auto& in = http.stream();
    std::string body, part;
    // peek waits for one piece, however small.
    while (in.peek() != std::istream::traits_type::eof()) {
        part.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.rdbuf()->in_avail(), 1)));
        in.read(part.data(), static_cast<std::streamsize>(part.size()));
        body.append(part, 0, static_cast<std::size_t>(in.gcount()));
        if (body.size() > size_max) throw too_long;
        if (std::chrono::steady_clock::now() > until) throw too_slow;
    }
    if (in.bad() || (announced && *announced != static_cast<Poco::Int64>(body.size()))) throw too_slow;
    return body;
}

RestAnswer answer_route(const RestSite& site, const RestRoute& route, Poco::Net::HTTPServerRequest& http,
                        console::Request request) {
    if (request.bearer.empty())
        return unauthorized(std::string{"Get a token at POST "} + token_path +
                            " and send it as Authorization: Bearer ...");
    auto session = site.access.identify(request.bearer);
    if (!session)
        return unauthorized(std::string{"The token is unknown or over. Get another one at POST "} +
                            token_path + ".");
    RestCall call{.request = std::move(request),
                  .contract = std::move(session->contract),
                  .client = std::move(session->client),
                  .accept = http.get("Accept", ""),
                  .if_none_match = http.get("If-None-Match", "")};
    const auto& clock = site.desk.clock;
    const Instant real{std::chrono::duration_cast<Duration>(clock.real(clock.now().time_since_epoch()))};
    if (const auto wait = site.desk.budget.spend(call.contract.id, call.contract.requests_per_minute, real))
        throw Problem{429, "Too many requests",
                      "The contract '" + call.contract.name + "' has " +
                          std::to_string(call.contract.requests_per_minute) +
                          " requests a minute. Wait as long as Retry-After says.",
                      static_cast<int>(*wait / std::chrono::seconds{1}) + 1};
    demand(call.contract, route.needs);
    if (std::string_view{route.method} != "GET") {
        check_type(http, route.xml);
        call.request.body = read_in_time(http, route.body_size_max, site.desk.settings.body_wait);
    }
    auto answer = route.handle(site.desk, call);
    if (route.stable && answer.answer.status == 200)
        answer.answer = with_tag(std::move(answer.answer), call.if_none_match);
    return answer;
}

RestAnswer find(const RestSite& site, Poco::Net::HTTPServerRequest& http) {
    auto request = console::parse_request(http);
    const bool head = request.method == "HEAD";
    if (request.path == token_path && request.method == "POST")
        return site.access.grant(claim_of(http, request));
    if (request.path == "/partner/openapi.yaml" && (head || request.method == "GET") && !site.openapi.empty())
        return Answer{.body = site.openapi, .type = "application/yaml; charset=utf-8"};
    std::string allowed = request.path == token_path ? "POST" : "";
    for (const auto& route : site.routes) {
        auto captured = console::match(route.pattern, request.path);
        if (!captured) continue;
        if (request.method != route.method && !(head && std::string_view{route.method} == "GET")) {
            allowed += std::string{allowed.empty() ? "" : ", "} + route.method;
            continue;
        }
        request.captured = std::move(*captured);
        return answer_route(site, route, http, std::move(request));
    }
    if (allowed.empty())
        throw Problem{404, "Not found",
                      "There is nothing at this address. /partner/openapi.yaml lists what is."};
    auto answer = console::answer_of({405, "Method not allowed", "This address takes " + allowed + "."});
    answer.headers.emplace_back("Allow", allowed);
    return answer;
}

}  // namespace

RestAnswer dispatch(const RestSite& site, Poco::Net::HTTPServerRequest& http) {
    RestAnswer answer{Answer{}};
    auto problem = console::problem_of(
        [&] { answer = find(site, http); },
        [&](const char* what) {
            site.desk.log("warning", "exchange: a partner's " + http.getMethod() + " failed: " + what);
        });
    return problem ? RestAnswer{std::move(*problem)} : std::move(answer);
}

}  // namespace wattmesh::headend::exchange
