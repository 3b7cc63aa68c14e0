#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/cipher.h"
#include "security/pki.h"

namespace wattmesh::security {

/// The enrolment code a field engineer types once: `WM1-<16 characters base32>-<16 hex>`. The middle is 80
/// random bits, the end the first 8 octets of the SHA-256 of the CA certificate, so that the new device knows
/// whom it talks to.
struct OneTimeCode {
    std::string secret;     ///< 16 characters of RFC 4648 base32
    Buffer ca_fingerprint;  ///< 8 octets, for TlsSettings::ca_fingerprint

    /// As printed.
    std::string text() const;
};
OneTimeCode make_one_time_code(Random& random, Bytes ca_certificate_der);

/// Accepts lower case, blanks around it and the usual misreadings (0 for O, 1 for I, 8 for B) in the base32
/// part.
std::optional<OneTimeCode> parse_one_time_code(std::string_view text);

/// What is stored instead of the code: SHA-256 over device and secret, upper-case hex. 80 random bits need no
/// salt.
std::string one_time_code_hash(const OneTimeCode& code, const DeviceNumber& number);
/// Constant time.
bool one_time_code_matches(const OneTimeCode& code, const DeviceNumber& number, std::string_view stored_hash);

}  // namespace wattmesh::security
