#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "protocol/base/bytes.h"
#include "protocol/base/secret.h"

/// Ports: what protocol cores need from cryptography and chance. `security` implements them with OpenSSL.
namespace wattmesh {

/// AES-GCM under one key, 12-octet nonce. Not thread safe: one object per session.
class Aead {
public:
    virtual ~Aead() = default;
    /// Encrypts `text` in place and writes `tag` (4 to 16 octets, NIST SP 800-38D 5.2.1.2).
    virtual void seal(Bytes nonce, Bytes aad, std::span<std::uint8_t> text, std::span<std::uint8_t> tag) = 0;
    /// Verifies and decrypts `text` in place; on false `text` is wiped and nothing of it may be used.
    [[nodiscard]] virtual bool open(Bytes nonce, Bytes aad, std::span<std::uint8_t> text, Bytes tag) = 0;
};

/// AES-CMAC under one key (RFC 4493).
class Mac {
public:
    virtual ~Mac() = default;
    virtual std::array<std::uint8_t, 16> compute(Bytes message) = 0;
};

/// AES key wrap under one key-encryption key of 128 or 256 bits (RFC 3394): output is 8 octets longer than
/// the input.
class KeyWrap {
public:
    virtual ~KeyWrap() = default;
    virtual Buffer wrap(Bytes key) = 0;
    /// Nothing when the integrity check fails or the length is wrong.
    virtual std::optional<Buffer> unwrap(Bytes wrapped) = 0;
};

/// FIPS 180-4, and RFC 1321 for the oldest meters.
enum class Digest : std::uint8_t { md5, sha1, sha256, sha384 };

/// FIPS 186-4 D.1.2. Signatures hash with SHA-256 on P-256 and with SHA-384 on P-384.
enum class Curve : std::uint8_t { p256, p384 };
/// Octets of one coordinate, of a secret, and of each half of a signature: 32 or 48.
constexpr std::size_t coordinate_size(Curve curve) { return curve == Curve::p256 ? 32 : 48; }

/// A private key on a curve: signs and agrees on keys. It may live in a token, so the secret has no getter.
class PrivateKey {
public:
    virtual ~PrivateKey() = default;
    virtual Curve curve() const = 0;
    /// x || y, each of coordinate_size.
    virtual Buffer public_key() const = 0;
    /// ECDSA r || s (FIPS 186-4), each of coordinate_size.
    virtual Buffer sign(Bytes message) = 0;
    /// Z of ECC CDH with a peer's x || y (NIST SP 800-56A rev. 3, 5.7.1.2), coordinate_size octets, which the
    /// owner wipes. Nothing when the peer's key is no point of the curve.
    virtual std::optional<Buffer> agree(Bytes peer_public) = 0;
};

/// Makes keyed cipher objects, and computes what needs no key object.
class Ciphers {
public:
    virtual ~Ciphers() = default;
    virtual std::unique_ptr<Aead> aead(const SymmetricKey& key) = 0;
    virtual std::unique_ptr<Mac> mac(const Key128& key) = 0;
    virtual std::unique_ptr<KeyWrap> key_wrap(const SymmetricKey& kek) = 0;
    virtual Buffer digest(Digest digest, Bytes message) = 0;
    /// AES-128 block by block without chaining, for HLS mechanism 2 and nothing else; `blocks` is a multiple
    /// of 16 octets.
    virtual Buffer encrypt_blocks(const Key128& key, Bytes blocks) = 0;
    /// Whether `signature` (r || s) over `message` is by the holder of `public_key` (x || y). False also for
    /// wrong lengths and for a point off the curve.
    [[nodiscard]] virtual bool verify(Curve curve, Bytes public_key, Bytes message, Bytes signature) = 0;
    /// Null when `secret` does not have coordinate_size octets or is not in 1..n-1.
    virtual std::unique_ptr<PrivateKey> private_key(Curve curve, Bytes secret) = 0;
    virtual std::unique_ptr<PrivateKey> generate(Curve curve) = 0;
};

/// Unpredictable octets in production, a seeded stream in tests.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
};

/// The invocation counters of one (key, direction). Never hands out the same value twice, whatever crashes.
class CounterStore {
public:
    virtual ~CounterStore() = default;
    /// The next value to send with. The block it comes from is durable before this returns. Nothing at 2^32.
    virtual std::optional<std::uint32_t> next() = 0;
    /// True when `received` is above everything accepted before; then it is remembered.
    virtual bool accept(std::uint32_t received) = 0;
    /// From now on next() gives `next` or more; never downwards. For a peer that says it has accepted higher
    /// values than we know of. As durable as next() when it returns, unless the store says otherwise.
    virtual void raise(std::uint32_t next) = 0;
    /// Another key has taken the place of the one that was counted for: counting may begin anew. Never for
    /// the same key. A store that just goes on is right too.
    virtual void restart() {}
    /// The lowest value that accept() would take, where the store can say.
    virtual std::optional<std::uint32_t> expected() const { return std::nullopt; }
};

/// Constant-time comparison; unequal lengths are unequal.
inline bool equal_constant_time(Bytes a, Bytes b) {
    if (a.size() != b.size()) return false;
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

}  // namespace wattmesh
