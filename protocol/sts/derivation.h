#pragma once
#include <memory>

#include "protocol/sts/keys.h"
#include "protocol/sts/meter_pan.h"

/// Decoder keys from vending keys. Source: IEC 62055-41, 6.5.3; DKGA04: edition 3, 6.5.3.6 (NIST SP 800-108).
namespace wattmesh::sts {

/// HMAC-SHA-256 under one key (FIPS 198-1). Not thread safe.
class KeyedHash {
public:
    virtual ~KeyedHash() = default;
    virtual std::array<std::uint8_t, 32> compute(Bytes message) = 0;
};

/// Port: the two ciphers that derivation needs and that cryptographic libraries have. `security` implements
/// it.
class DerivationCiphers {
public:
    virtual ~DerivationCiphers() = default;
    /// DES (FIPS 46-3) of one block, both big endian.
    virtual std::uint64_t des_encrypt(const Secret<8>& key, std::uint64_t block) = 0;
    virtual std::unique_ptr<KeyedHash> hmac_sha256(Bytes key) = 0;
};

enum class DerivationFault : std::uint8_t { obsolete, key_size, algorithm, common_key };
std::string_view explain(DerivationFault fault);

/// Derives keys of many meters from one vending key, which it keeps. Not thread safe.
class KeyDerivation {
public:
    /// Nothing is checked before the first derive(). `ciphers` must outlive it.
    KeyDerivation(Derivation derivation, const VendingKey& key, DerivationCiphers& ciphers);
    /// DKGA04 with a vending key that is somewhere else: `hash` is under it.
    explicit KeyDerivation(std::unique_ptr<KeyedHash> hash);
    /// The key of one meter. The expiry number takes no part in it.
    std::variant<DecoderKey, DerivationFault> derive(const KeyAttributes& attributes, Algorithm algorithm,
                                                     const MeterPan& meter);

private:
    DecoderKey by_des(const KeyAttributes& attributes, const MeterPan& meter);
    DecoderKey by_hash(const KeyAttributes& attributes, Algorithm algorithm, const MeterPan& meter);

    Derivation derivation_;
    std::optional<VendingKey> key_;
    DerivationCiphers* ciphers_ = nullptr;
    std::unique_ptr<KeyedHash> hash_;
};

}  // namespace wattmesh::sts
