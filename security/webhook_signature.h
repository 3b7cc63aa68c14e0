#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"
#include "security/secret_buffer.h"

/// Standard Webhooks 1.0.0, "Signature scheme": HMAC-SHA256 over "id.timestamp.body".
namespace wattmesh::security {

/// "whsec_" and base64 of 24 to 64 octets; nothing when it is not that.
std::optional<SecretBuffer> parse_webhook_secret(std::string_view text);
std::string webhook_secret_text(Bytes secret);

/// What the header webhook-signature says: "v1," and base64. `timestamp` in seconds since 1970.
std::string webhook_signature(Bytes secret, std::string_view id, std::int64_t timestamp,
                              std::string_view body);
/// `header` may hold several signatures, divided by blanks; one that holds is enough. Constant time.
bool webhook_signature_holds(std::string_view header, Bytes secret, std::string_view id,
                             std::int64_t timestamp, std::string_view body);

}  // namespace wattmesh::security
