#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headend/database/users.h"
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
};

/// Who asks. Roles: viewer may look; operator, engineer and administrator may also act.
struct Caller {
    database::User user;
    std::string csrf;
    Buffer token_hash;
    bool may_act() const { return user.role != "viewer"; }
};

struct Request {
    std::string method, path, body, remote;
    std::map<std::string, std::string, std::less<>> query,
        captured;                  ///< captured: parts of the path, by name
    std::string token;             ///< session cookie
    std::optional<Caller> caller;  ///< set on routes that need one

    /// A query parameter, or `otherwise`.
    std::string text(std::string_view name, std::string otherwise = {}) const;
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
    std::string pattern;  ///< "/api/meters/{number}"
    bool open = false;    ///< no session needed
    bool acts = false;    ///< needs a role that may act
    std::function<Answer(Request&)> handle;
};

/// The parts named in the pattern when the path fits it.
std::optional<std::map<std::string, std::string, std::less<>>> match(std::string_view pattern,
                                                                     std::string_view path);
/// The problem as application/problem+json.
Answer answer_of(const Problem& problem);

}  // namespace wattmesh::headend::console
