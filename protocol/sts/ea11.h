#pragma once
#include "protocol/base/secret.h"

namespace wattmesh::sts {

/// Encryption algorithm 11: MISTY1, 64-bit block, 128-bit key, 8 rounds. Source: RFC 2994 (ISO/IEC 18033-3),
/// chosen by IEC 62055-41 edition 3, 7.3.4. Thread safe. Its tables are looked up by secret octets: not for a
/// machine that is shared with strangers.
class Ea11 {
public:
    explicit Ea11(const Key128& key);
    Ea11(const Ea11&) = default;
    Ea11& operator=(const Ea11&) = default;
    ~Ea11();
    std::uint64_t encrypt(std::uint64_t block) const;
    std::uint64_t decrypt(std::uint64_t block) const;

private:
    std::uint32_t mixed(std::uint32_t half, unsigned round) const;
    std::uint32_t layered(std::uint32_t half, unsigned layer) const;
    std::uint32_t unlayered(std::uint32_t half, unsigned layer) const;

    std::array<std::uint16_t, 16> schedule_{};  ///< K[0..7] and L[0..7]
};

}  // namespace wattmesh::sts
