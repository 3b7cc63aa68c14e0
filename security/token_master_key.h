#pragma once
#include <memory>

#include "security/master_key.h"
#include "security/pkcs11.h"

namespace wattmesh::security {

/// A master key that never leaves its token. Wrapping keys are derived in the token: NIST SP 800-108 rev. 1,
/// counter mode with AES-CMAC, label "wattmesh key wrap 1", context = purpose, 256 bits. Chosen because CMAC
/// is in SoftHSM and in every token we know, while wrapping inside the token (CKM_AES_KEY_WRAP) would make an
/// object of each key and could not bind it to its purpose.
class TokenMasterKey final : public MasterKey {
public:
    explicit TokenMasterKey(std::unique_ptr<Pkcs11Key> key) : key_(std::move(key)) {}

private:
    Key256 key_for(std::string_view purpose) const override;
    std::unique_ptr<Pkcs11Key> key_;
};

}  // namespace wattmesh::security
