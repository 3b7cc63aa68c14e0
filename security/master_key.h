#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "security/ciphers.h"
#include "security/private_file.h"

namespace wattmesh::security {

/// The head-end's one key at rest; all other keys are stored wrapped under it (RFC 3394 with AES-256). Each
/// use has a wrapping key of its own, derived from master key and purpose, so that a wrapped key moved to
/// another row of the database does not unwrap there. Thread safe. A token may take its time: not for loop
/// threads.
class MasterKey {
public:
    virtual ~MasterKey() = default;
    /// `key`: 16 octets or more, a multiple of 8. `purpose` names row and use: "meter 540000000001
    /// management".
    Buffer wrap(std::string_view purpose, Bytes key) const;
    /// Nothing when the octets were changed, belong to another purpose or another master key.
    std::optional<SecretBuffer> unwrap(std::string_view purpose, Bytes wrapped) const;

private:
    /// The wrapping key of one purpose, for one operation.
    virtual Key256 key_for(std::string_view purpose) const = 0;
};

/// 32 random octets in a file of mode 0600; wrapping keys are HKDF-SHA256(master, purpose).
class FileMasterKey final : public MasterKey {
public:
    /// The only call that makes one; throws FileError when the file exists.
    static FileMasterKey create(const std::filesystem::path& file, Random& random);
    /// Throws FileError, naming the file: missing, open to others, not 32 octets.
    static FileMasterKey open(const std::filesystem::path& file);
    explicit FileMasterKey(const Key256& key) : key_(key) {}

private:
    Key256 key_for(std::string_view purpose) const override;
    Key256 key_;
};

/// Where the master key is: the path of a file, or a PKCS#11 URI ("pkcs11:...", token_master_key.h). Throws
/// FileError or TokenError in words for the operator.
std::unique_ptr<MasterKey> open_master_key(const std::string& place);

/// HKDF (RFC 5869) with SHA-256, no salt.
Key256 hkdf_sha256(Bytes key, std::string_view info);

}  // namespace wattmesh::security
