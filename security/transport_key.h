#pragma once
#include <filesystem>
#include <optional>

#include "security/secret_buffer.h"

namespace wattmesh::security {

/// The key that a manufacturer and a utility agreed on for what travels in shipment files. Thread safe.
class TransportKey {
public:
    static constexpr std::size_t secret_size_max = 64;

    /// A file of mode 0600 with 32, 48 or 64 hexadecimal digits (AES-128, -192, -256). Throws FileError,
    /// naming it.
    static TransportKey open(const std::filesystem::path& file);
    /// 16, 24 or 32 octets.
    explicit TransportKey(Bytes key);

    /// Keys: AES key wrap (RFC 3394). `key` has 16 or 32 octets, the result 8 more.
    Buffer wrap_key(Bytes key) const;
    /// Nothing when the octets were changed, belong to another transport key or hold no key of 16 or 32
    /// octets.
    std::optional<SecretBuffer> unwrap_key(Bytes wrapped) const;
    /// Passwords, 1 to secret_size_max octets: AES key wrap with padding (RFC 5649).
    Buffer wrap_secret(Bytes secret) const;
    std::optional<SecretBuffer> unwrap_secret(Bytes wrapped) const;

private:
    SecretBuffer key_;
};

}  // namespace wattmesh::security
