#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"

namespace wattmesh {

/// Key material of a fixed size. Has no stream or format operator, is wiped when it goes, and gives its
/// octets only to a caller that says so by name.
template <std::size_t N>
class Secret {
public:
    Secret() = default;
    explicit Secret(const std::array<std::uint8_t, N>& octets) : octets_(octets) {}
    Secret(const Secret&) = default;
    Secret& operator=(const Secret&) = default;
    ~Secret() {
        // volatile: the wipe of a dying object must not be optimised away
        volatile std::uint8_t* octet = octets_.data();
        for (std::size_t i = 0; i < N; ++i) octet[i] = 0;
    }
    /// Nothing unless there are exactly N octets.
    static std::optional<Secret> from(Bytes bytes) {
        if (bytes.size() != N) return std::nullopt;
        Secret secret;
        std::copy(bytes.begin(), bytes.end(), secret.octets_.begin());
        return secret;
    }
    Bytes reveal() const { return octets_; }

private:
    std::array<std::uint8_t, N> octets_{};
};

using Key128 = Secret<16>;
using Key256 = Secret<32>;

/// An AES key of 128 or 256 bits, as wary as Secret: no stream or format operator, wiped when it goes. The
/// default is 16 zeros, which is nobody's key.
class SymmetricKey {
public:
    SymmetricKey() = default;
    SymmetricKey(const Key128& key) : SymmetricKey(key.reveal()) {}
    SymmetricKey(const Key256& key) : SymmetricKey(key.reveal()) {}
    SymmetricKey(const SymmetricKey&) = default;
    SymmetricKey& operator=(const SymmetricKey&) = default;
    ~SymmetricKey() {
        volatile std::uint8_t* octet = octets_.data();
        for (std::size_t i = 0; i < octets_.size(); ++i) octet[i] = 0;
    }
    /// Nothing unless there are 16 or 32 octets.
    static std::optional<SymmetricKey> from(Bytes bytes) {
        if (bytes.size() != 16 && bytes.size() != 32) return std::nullopt;
        return SymmetricKey{bytes};
    }
    Bytes reveal() const { return Bytes{octets_}.first(size_); }
    /// 16 or 32.
    std::size_t size() const { return size_; }

private:
    explicit SymmetricKey(Bytes octets) : size_(octets.size()) {
        std::copy(octets.begin(), octets.end(), octets_.begin());
    }
    std::array<std::uint8_t, 32> octets_{};
    std::size_t size_ = 16;
};

}  // namespace wattmesh
