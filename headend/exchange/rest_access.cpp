#include "headend/exchange/rest_access.h"

#include "headend/console/json.h"
#include "headend/database/audit_log.h"
#include "security/ciphers.h"
#include "security/password.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
constexpr std::string_view token_word = "wmp_", secret_word = "wps_";
constexpr std::size_t random_size = 32;
constexpr auto lock_length = std::chrono::minutes{5};
constexpr int tries_per_minute_sender = 30, tries_per_minute_client = 10;

std::string random_text(std::string_view word, Random& random) {
    std::array<std::uint8_t, random_size> octets{};
    random.fill(octets);
    return std::string{word} + to_hex(octets);
}

Answer oauth_error(int status, const char* error, const std::string& description, int retry_after_s = 0) {
    console::Json json;
    json.open_object().field("error", error).field("error_description", description).close_object();
    Answer answer{.status = status, .body = json.take()};
    if (status == 401) answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"wattmesh\"");
    if (retry_after_s > 0) answer.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
    return answer;
}

}  // namespace

std::string make_client_secret(Random& random) { return random_text(secret_word, random); }

RestAccess::RestAccess(RestDesk& desk)
    : desk_(desk),
      by_sender_(tries_per_minute_sender, desk.simulated(std::chrono::minutes{1})),
      by_client_(tries_per_minute_client, desk.simulated(std::chrono::minutes{1})) {}

void RestAccess::refused(database::Connection& connection, const Claim& claim, const char* why) {
    database::AuditRecord record{desk_.now(), "?", "partner token refused", claim.client, why};
    record.detail += ", from " + claim.remote;
    database::AuditLog{connection}.append(record);
}

Answer RestAccess::grant(const Claim& claim) {
    if (claim.grant_type != "client_credentials")
        return oauth_error(400, "unsupported_grant_type", "'grant_type' must be client_credentials.");
    if (claim.client.empty() || claim.secret.empty())
        return oauth_error(400, "invalid_request",
                           "Give client_id and client_secret, as HTTP Basic or as fields of the form.");
    const auto now = desk_.now();
    if (!by_sender_.allow(claim.remote, now) || !by_client_.allow(claim.client, now))
        return oauth_error(429, "temporarily_unavailable",
                           "Too many tokens were asked for. Wait a minute; a token serves until it expires.",
                           60);
    auto connection = desk_.tables.lease();
    database::PartnerClients clients{*connection};
    const auto found = clients.find(claim.client);
    if (found && found->locked_until && *found->locked_until > now)
        return oauth_error(429, "temporarily_unavailable",
                           "Too many wrong secrets. The client opens again by itself in some minutes.", 300);
    const bool right =
        security::verify_password(claim.secret, found ? std::optional{found->secret_hash} : std::nullopt);
    const auto contract = found ? database::Contracts{*connection}.find(found->contract) : std::nullopt;
    if (!found || !right || found->revoked || !contract || contract->disabled) {
        if (found && !right) clients.failed(found->id, now + desk_.simulated(lock_length));
        if (found)  // names that nobody has would fill the log
            refused(*connection, claim,
                    !right           ? "wrong secret"
                    : found->revoked ? "revoked client"
                                     : "contract disabled");
        return oauth_error(401, "invalid_client",
                           "The client is unknown, its secret wrong, or it was revoked.");
    }
    const auto token = random_text(token_word, desk_.random);
    database::Transaction transaction{*connection};
    clients.open(found->id, security::sha256(as_bytes(token)), now,
                 now + desk_.simulated(desk_.settings.token_length));
    database::AuditRecord record{now, "partner:" + contract->name, "partner token", claim.client,
                                 "from " + claim.remote};
    record.tenant = contract->tenant;
    database::AuditLog{*connection}.append(record);
    transaction.commit();
    console::Json json;
    json.open_object().field("access_token", token).field("token_type", "Bearer");
    json.field("expires_in", std::int64_t{desk_.settings.token_length / std::chrono::seconds{1}})
        .close_object();
    return {.body = json.take(), .headers = {{"Pragma", "no-cache"}}};
}

std::optional<database::PartnerSession> RestAccess::identify(const std::string& token) {
    if (token.size() != token_word.size() + 2 * random_size || !token.starts_with(token_word))
        return std::nullopt;
    auto connection = desk_.tables.lease();
    return database::PartnerClients{*connection}.session(security::sha256(as_bytes(token)), desk_.now());
}

}  // namespace wattmesh::headend::exchange
