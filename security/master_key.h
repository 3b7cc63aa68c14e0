#pragma once
#include <filesystem>
#include <optional>
#include <string_view>

#include "security/ciphers.h"
#include "security/private_file.h"

namespace wattmesh::security {

/// The head-end's one key at rest: 32 random octets in a file of mode 0600. All other keys are stored wrapped
/// under it (RFC 3394 with AES-256). Each use has a wrapping key of its own, HKDF-SHA256(master, purpose), so
/// that a wrapped key moved to another row of the database does not unwrap there. Thread safe.
class MasterKey {
public:
    /// The only call that makes one; throws FileError when the file exists.
    static MasterKey create(const std::filesystem::path& file, Random& random);
    /// Throws FileError, naming the file: missing, open to others, not 32 octets.
    static MasterKey open(const std::filesystem::path& file);
    explicit MasterKey(const Key256& key) : key_(key) {}

    /// `key`: 16 octets or more, a multiple of 8. `purpose` names row and use: "meter 540000000001
    /// management".
    Buffer wrap(std::string_view purpose, Bytes key) const;
    /// Nothing when the octets were changed, belong to another purpose or another master key.
    std::optional<SecretBuffer> unwrap(std::string_view purpose, Bytes wrapped) const;

private:
    Key256 key_for(std::string_view purpose) const;
    Key256 key_;
};

/// HKDF (RFC 5869) with SHA-256, no salt.
Key256 hkdf_sha256(Bytes key, std::string_view info);

}  // namespace wattmesh::security
