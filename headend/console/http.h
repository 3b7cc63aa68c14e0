#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headend/database/api_tokens.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::console {

/// An answer other than 2xx; its words are for the person in front of the screen and hold nothing internal
/// (RFC 9457).
struct Problem {
    int status;
    std::string title;
    std::string detail;  ///< names the thing and the way out
    int retry_after_s = 0;
    std::string reason{};  ///< a stable word for programs; empty: the status says it all
};

/// Who asks: a person with a session, or a program with an API token.
struct Caller {
    database::User user;
    std::string csrf;                           ///< of a session
    Buffer token_hash;                          ///< of a session
    std::optional<database::ApiToken> token{};  ///< of a program: no cookie, no CSRF
    bool may(database::Right right) const {
        return user.may(right) && !(token && token->look_only && right != database::Right::look);
    }
    /// Whether a name of the audit log is this person's, by session or by program.
    bool is(const std::string& named) const {
        return named == user.login || named.starts_with(user.login + " (token ");
    }
    /// For the audit log.
    std::string name() const { return token ? user.login + " (token " + token->name + ")" : user.login; }
};

struct Request {
    std::string method, path, body, remote;
    std::map<std::string, std::string, std::less<>> query,
        captured;                  ///< captured: parts of the path, by name
    std::string token;             ///< session cookie
    std::string bearer;            ///< API token
    std::string idempotency_key;   ///< header Idempotency-Key
    std::optional<Caller> caller;  ///< set on routes that need one
    database::Scope scope;         ///< where the caller has the route's right: what a lease shows

    /// A query parameter, or `otherwise`.
    std::string text(std::string_view name, const std::string& otherwise = {}) const;
    /// From the path; a Problem 404 when it is not twelve digits.
    DeviceNumber device(std::string_view name) const;
    /// A day of the query, or `otherwise`; a Problem 400 when it is malformed.
    std::chrono::sys_days day(std::string_view name, std::chrono::sys_days otherwise) const;
    Instant instant(std::string_view name) const;
    int number(std::string_view name, int otherwise, int low, int high) const;
};

struct Answer {
    int status = 200;
    std::string body;
    std::string type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers{};
};

struct Route {
    std::string method;
    std::string pattern;                            ///< "/api/meters/{number}"
    bool open = false;                              ///< no session needed
    bool anyone = false;                            ///< whoever is signed in, whatever his rights
    database::Right right = database::Right::look;  ///< needed somewhere; handlers see only where
    std::size_t body_size_max = 16 * 1024;          ///< in octets
    std::function<Answer(Request&)> handle;
};

/// An id of ours in an address or a query; nothing when it is not one.
std::optional<std::int64_t> parse_id(std::string_view text);

/// The parts named in the pattern when the path fits it.
std::optional<std::map<std::string, std::string, std::less<>>> match(std::string_view pattern,
                                                                     std::string_view path);
/// The problem as application/problem+json.
Answer answer_of(const Problem& problem);

}  // namespace wattmesh::headend::console
