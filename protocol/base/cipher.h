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

/// AES key wrap under one key-encryption key (RFC 3394): output is 8 octets longer than the input.
class KeyWrap {
public:
    virtual ~KeyWrap() = default;
    virtual Buffer wrap(Bytes key) = 0;
    /// Nothing when the integrity check fails or the length is wrong.
    virtual std::optional<Buffer> unwrap(Bytes wrapped) = 0;
};

/// Makes keyed cipher objects.
class Ciphers {
public:
    virtual ~Ciphers() = default;
    virtual std::unique_ptr<Aead> aead(const Key128& key) = 0;
    virtual std::unique_ptr<Mac> mac(const Key128& key) = 0;
    virtual std::unique_ptr<KeyWrap> key_wrap(const Key128& kek) = 0;
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
