#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "headend/console/context.h"
#include "headend/console/http.h"

namespace wattmesh::headend::console {

/// At most `count_max` tries of one sender in `window`; the map is bounded. Thread safe.
class TryLimit {
public:
    TryLimit(int count_max, Duration window) : count_max_(count_max), window_(window) {}
    bool allow(const std::string& sender, Instant now);

private:
    struct Tries {
        Instant since{};
        int count = 0;
    };
    static constexpr std::size_t senders_max = 10'000;

    std::mutex mutex_;
    std::map<std::string, Tries> tries_;
    int count_max_;
    Duration window_;
};

/// Log-in, sessions and the tokens that go with them. A session is a random 256-bit token in a cookie; the
/// database holds its SHA-256. The token for writing requests is derived from it, so there is nothing more to
/// store.
class Access {
public:
    explicit Access(Context& context);

    struct Opened {
        std::string token;
        Caller caller;
    };
    /// Throws a Problem 401 for a wrong name or password (which of them is not said), 429 after too many
    /// tries.
    Opened log_in(const std::string& user, const std::string& password, const std::string& remote);
    /// Nothing when the token is unknown, expired or the user was disabled.
    std::optional<Caller> identify(const std::string& token);
    /// A program by its API token.
    std::optional<Caller> identify_program(const std::string& token);
    void log_out(const Caller& caller);

    /// A new API token for the user: the text is shown once. "wm_" and 64 hexadecimal digits.
    std::string make_token(database::Connection& connection, const database::User& user,
                           const std::string& name, bool look_only, Instant expires);

private:
    Context& context_;
    TryLimit by_sender_, by_user_;
    std::string nobody_hash_;  ///< checked when the user is unknown, so that both answers take as long
};

/// Compares without telling by its time where the texts differ.
bool same(std::string_view a, std::string_view b);

}  // namespace wattmesh::headend::console
