#include "headend/console/access.h"

#include "security/ciphers.h"

namespace wattmesh::headend::console {
namespace {

Buffer hash_of(std::string_view text) {
    const auto digest = security::sha256(as_bytes(text));
    return {digest.begin(), digest.end()};
}
std::string csrf_of(const std::string& token) { return to_hex(hash_of("write " + token)); }

constexpr std::string_view token_word = "wm_";

[[noreturn]] void refuse() { throw Problem{401, "Sign-in failed", "User name or password is wrong."}; }

}  // namespace

bool same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |=
            static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
    return difference == 0;
}

bool TryLimit::allow(const std::string& sender, Instant now) {
    const std::lock_guard lock{mutex_};
    if (tries_.size() >= senders_max)
        std::erase_if(tries_, [&](const auto& t) { return now - t.second.since >= window_; });
    if (tries_.size() >= senders_max && tries_.count(sender) == 0) return false;
    auto& tries = tries_[sender];
    if (tries.count == 0 || now - tries.since >= window_) tries = {now, 0};
    return ++tries.count <= count_max_;
}

Access::Access(Context& context)
    : context_(context),
      by_sender_(20, context.simulated(std::chrono::minutes{1})),
      by_user_(10, context.simulated(std::chrono::minutes{1})),
      nobody_hash_(context.settings.nobody_hash) {}

Access::Opened Access::log_in(const std::string& user, const std::string& password,
                              const std::string& remote) {
    const auto now = context_.now();
    if (!by_sender_.allow(remote, now) || !by_user_.allow(user, now))
        throw Problem{429, "Too many tries", "Too many sign-ins were tried. Wait a minute and try again.",
                      60};
    auto connection = context_.pool.lease();
    database::Users users{*connection};
    const auto found = users.find(user);
    if (found && found->locked_until && *found->locked_until > now)
        throw Problem{429, "Account locked",
                      "Too many wrong passwords. The account opens again by itself in some minutes.", 300};
    const bool right = context_.verify(password, found ? found->password_hash : nobody_hash_);
    if (!found || found->disabled || !right) {
        if (found) users.failed(found->id, now, context_.simulated(std::chrono::minutes{5}));
        // an unknown name is not written down: people type passwords into the wrong field
        context_.audit(
            *connection,
            {{}, found ? user : "?", "login refused", found ? user : "unknown user", "from " + remote});
        refuse();
    }
    std::array<std::uint8_t, 32> octets{};
    context_.random.fill(octets);
    Opened opened{.token = to_hex(octets), .caller = {.user = *found, .csrf = {}, .token_hash = {}}};
    opened.caller.csrf = csrf_of(opened.token);
    opened.caller.token_hash = hash_of(opened.token);
    database::Transaction transaction{*connection};
    users.succeeded(found->id, now);
    users.drop_expired_sessions(now);
    users.open_session(found->id, opened.caller.token_hash, now,
                       now + context_.simulated(context_.settings.session_length));
    context_.audit(*connection, {{}, user, "login", user, "from " + remote});
    transaction.commit();
    return opened;
}

std::optional<Caller> Access::identify(const std::string& token) {
    if (token.size() != 64) return std::nullopt;
    auto connection = context_.pool.lease();
    database::Users users{*connection};
    Caller caller{.user = {}, .csrf = csrf_of(token), .token_hash = hash_of(token)};
    const auto session = users.session(caller.token_hash, context_.now());
    if (!session) return std::nullopt;
    auto user = users.find(session->user);
    if (!user || user->disabled) return std::nullopt;
    caller.user = std::move(*user);
    return caller;
}

void Access::log_out(const Caller& caller) {
    auto connection = context_.pool.lease();
    database::Users{*connection}.close_session(caller.token_hash);
    context_.audit(*connection, {{}, caller.user.login, "logout", caller.user.login});
}

std::optional<Caller> Access::identify_program(const std::string& token) {
    if (token.size() != token_word.size() + 64 || !token.starts_with(token_word)) return std::nullopt;
    auto connection = context_.pool.lease();
    auto found = database::ApiTokens{*connection}.use_of(hash_of(token), context_.now());
    if (!found) return std::nullopt;
    auto user = database::Users{*connection}.find(found->user);
    if (!user || user->disabled) return std::nullopt;
    return Caller{.user = std::move(*user), .csrf = {}, .token_hash = {}, .token = std::move(found)};
}

std::string Access::make_token(database::Connection& connection, const database::User& user,
                               const std::string& name, bool look_only, Instant expires) {
    std::array<std::uint8_t, 32> octets{};
    context_.random.fill(octets);
    const auto token = std::string{token_word} + to_hex(octets);
    database::ApiTokens{connection}.add(user.id, name, look_only, hash_of(token), context_.now(), expires);
    return token;
}

}  // namespace wattmesh::headend::console
