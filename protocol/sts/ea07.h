#pragma once
#include "protocol/base/secret.h"

namespace wattmesh::sts {

/// Encryption algorithm 07, "STA": 64-bit block, 64-bit key, 16 rounds of key-chosen substitution and a
/// permutation. Source: IEC 62055-41, 7.3.3. Thread safe. Its tables are looked up by secret octets: not for
/// a machine that is shared with strangers.
class Ea07 {
public:
    /// The key is big endian.
    explicit Ea07(const Secret<8>& key) : key_(key) {}
    std::uint64_t encrypt(std::uint64_t block) const;
    std::uint64_t decrypt(std::uint64_t block) const;

private:
    std::uint64_t key() const;
    Secret<8> key_;
};

}  // namespace wattmesh::sts
