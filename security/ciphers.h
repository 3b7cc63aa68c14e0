#pragma once
#include "protocol/base/cipher.h"

namespace wattmesh::security {

using wattmesh::Key256;

/// The cipher ports by OpenSSL: AES-GCM (NIST SP 800-38D), AES-CMAC (RFC 4493), AES key wrap (RFC 3394),
/// digests (FIPS 180-4, RFC 1321), ECDSA and ECDH (curves.cpp).
/// The objects keep their key schedule, so a session pays for it once. The factory may be shared by threads,
/// an object not.
class OpensslCiphers : public Ciphers {
public:
    std::unique_ptr<Aead> aead(const SymmetricKey& key) override;
    std::unique_ptr<Mac> mac(const Key128& key) override;
    std::unique_ptr<KeyWrap> key_wrap(const SymmetricKey& kek) override;
    Buffer digest(Digest digest, Bytes message) override;
    Buffer encrypt_blocks(const Key128& key, Bytes blocks) override;
    bool verify(Curve curve, Bytes public_key, Bytes message, Bytes signature) override;
    std::unique_ptr<PrivateKey> private_key(Curve curve, Bytes secret) override;
    std::unique_ptr<PrivateKey> generate(Curve curve) override;
};

/// OpenSSL's generator, seeded by the system. Thread safe. Throws when the system has no entropy.
class SystemRandom : public Random {
public:
    void fill(std::span<std::uint8_t> out) override;
};

/// N fresh octets of key material.
template <std::size_t N>
Secret<N> random_secret(Random& random) {
    std::array<std::uint8_t, N> octets;
    random.fill(octets);
    Secret<N> secret{octets};
    volatile std::uint8_t* octet = octets.data();
    for (std::size_t i = 0; i < N; ++i) octet[i] = 0;
    return secret;
}

std::array<std::uint8_t, 32> sha256(Bytes message);

/// Overwrites octets so that the compiler cannot leave it out.
void wipe(std::span<std::uint8_t> octets);

}  // namespace wattmesh::security
