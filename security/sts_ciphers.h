#pragma once
#include "protocol/sts/derivation.h"

namespace wattmesh::security {

/// What the derivation of STS decoder keys needs, by OpenSSL. DES comes as triple DES with one key three
/// times: single DES is in no provider that is loaded. The factory may be shared by threads, an object not.
class OpensslDerivationCiphers final : public sts::DerivationCiphers {
public:
    std::uint64_t des_encrypt(const Secret<8>& key, std::uint64_t block) override;
    std::unique_ptr<sts::KeyedHash> hmac_sha256(Bytes key) override;
};

}  // namespace wattmesh::security
