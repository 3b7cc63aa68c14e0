#include "security/webhook_signature.h"

#include <openssl/crypto.h>

#include "security/base64.h"
#include "security/sts_ciphers.h"

namespace wattmesh::security {
namespace {

constexpr std::string_view secret_mark = "whsec_", version_mark = "v1,";
constexpr std::size_t secret_size_min = 24, secret_size_max = 64;

}  // namespace

std::optional<SecretBuffer> parse_webhook_secret(std::string_view text) {
    if (!text.starts_with(secret_mark)) return std::nullopt;
    auto octets = from_base64(text.substr(secret_mark.size()));
    if (!octets || octets->size() < secret_size_min || octets->size() > secret_size_max) return std::nullopt;
    return SecretBuffer{std::move(*octets)};
}

std::string webhook_secret_text(Bytes secret) { return std::string{secret_mark} + to_base64(secret); }

std::string webhook_signature(Bytes secret, std::string_view id, std::int64_t timestamp,
                              std::string_view body) {
    std::string text;
    text.reserve(id.size() + body.size() + 24);
    text.append(id).append(".").append(std::to_string(timestamp)).append(".").append(body);
    const auto hash = OpensslDerivationCiphers{}.hmac_sha256(secret)->compute(
        {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    return std::string{version_mark} + to_base64(hash);
}

bool webhook_signature_holds(std::string_view header, Bytes secret, std::string_view id,
                             std::int64_t timestamp, std::string_view body) {
    const auto wanted = webhook_signature(secret, id, timestamp, body);
    while (!header.empty()) {
        const auto end = std::min(header.find(' '), header.size());
        const auto one = header.substr(0, end);
        if (one.size() == wanted.size() && CRYPTO_memcmp(one.data(), wanted.data(), wanted.size()) == 0)
            return true;
        header.remove_prefix(std::min(end + 1, header.size()));
    }
    return false;
}

}  // namespace wattmesh::security
