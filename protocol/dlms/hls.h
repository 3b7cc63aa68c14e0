#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/dlms/protection.h"

/// High level security: what the two ends prove to each other in passes 3 and 4. Source: Green Book (DLMS UA
/// 1000-2) ed. 10, 9.2.7.4.
namespace wattmesh::dlms {

/// Authentication mechanisms (Green Book ed. 10, 9.2.2.2.2; name 2.16.756.5.8.2.n).
enum class Mechanism : std::uint8_t {
    none = 0,
    low = 1,
    high_manufacturer = 2,
    high_md5 = 3,
    high_sha1 = 4,
    high_gmac = 5,
    high_sha256 = 6,
    high_ecdsa = 7
};
constexpr bool is_high(Mechanism mechanism) { return mechanism >= Mechanism::high_manufacturer; }
/// Whether the proof covers system titles, so that both ends must tell theirs.
constexpr bool needs_titles(Mechanism mechanism) { return mechanism >= Mechanism::high_gmac; }

/// Octets of a challenge that we make, and the bounds for one that we take: 8 to 64, for ECDSA 32 to 64.
constexpr std::size_t challenge_size(Mechanism mechanism) {
    return mechanism == Mechanism::high_ecdsa ? 32 : 16;
}
constexpr bool challenge_size_valid(Mechanism mechanism, std::size_t size) {
    return size >= (mechanism == Mechanism::high_ecdsa ? 32U : 8U) && size <= 64;
}

/// One proof: who makes it and over which challenges.
struct HlsPass {
    SystemTitle prover, verifier;
    Bytes challenge;         ///< the verifier's: f is taken of it
    Bytes prover_challenge;  ///< the prover's own
};

/// What a proof is made or checked with; each mechanism uses its part of it.
struct HlsTools {
    Ciphers& ciphers;
    Bytes secret{};                          ///< 2, 3, 4, 6
    bool manufacturer_aes = false;           ///< 2: the meter takes AES-128 of the challenge
    Aead* aead = nullptr;                    ///< 5: under the global unicast key
    Bytes authentication_key{};              ///< 5
    std::uint8_t suite = 0;                  ///< 5
    std::optional<std::uint32_t> counter{};  ///< 5: what the prover sends with
    PrivateKey* signing_key = nullptr;       ///< 7: the prover's
    Bytes peer_signing_key{};                ///< 7: the verifier's knowledge of the prover's, x || y
};

struct HlsVerdict {
    bool right = false;
    std::optional<std::uint32_t> counter{};  ///< 5: to be accepted before the proof counts
};

/// f(challenge). Nothing when a tool is missing; for none and low too.
std::optional<Buffer> hls_prove(Mechanism mechanism, const HlsPass& pass, const HlsTools& tools);
/// Whether `proof` is the prover's, compared in constant time.
HlsVerdict hls_verify(Mechanism mechanism, const HlsPass& pass, Bytes proof, const HlsTools& tools);

}  // namespace wattmesh::dlms
