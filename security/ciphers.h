#pragma once
#include "protocol/base/cipher.h"

namespace wattmesh::security {

using Key256 = Secret<32>;

/// The cipher ports by OpenSSL: AES-128-GCM (NIST SP 800-38D), AES-CMAC (RFC 4493), AES key wrap (RFC 3394).
/// The objects keep their key schedule, so a session pays for it once. The factory may be shared by threads,
/// an object not.
class OpensslCiphers : public Ciphers {
public:
    std::unique_ptr<Aead> aead(const Key128& key) override;
    std::unique_ptr<Mac> mac(const Key128& key) override;
    std::unique_ptr<KeyWrap> key_wrap(const Key128& kek) override;
};

/// AES-256 key wrap, for keys at rest under the master key.
std::unique_ptr<KeyWrap> key_wrap_256(const Key256& kek);

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
