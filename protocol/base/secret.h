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

}  // namespace wattmesh
