#pragma once
#include <cstddef>
#include <vector>

#include "protocol/base/bytes.h"

namespace wattmesh::decode {

/// Octets that are decoded together, and where each of them stood in the input: all of it, segments and
/// blocks joined, or what was deciphered (AES-GCM keeps every octet at its place).
class Passage {
public:
    Passage() = default;
    /// The whole input.
    explicit Passage(Bytes input);

    Bytes octets() const { return octets_; }
    std::size_t size() const { return octets_.size(); }
    /// Place in the input of the octet at `at` <= size(); that of the end is behind the last octet.
    std::size_t origin(std::size_t at) const;
    bool deciphered() const { return deciphered_; }

    /// `size` octets of `from`, from `begin` on, behind what is here.
    void append(const Passage& from, std::size_t begin, std::size_t size);
    /// `plain` in place of what stands from `begin` on.
    Passage decipher(std::size_t begin, Bytes plain) const;

private:
    struct Piece {
        std::size_t at, origin;
    };
    Buffer octets_;
    std::vector<Piece> pieces_;  ///< by `at`, ascending
    bool deciphered_ = false;
};

}  // namespace wattmesh::decode
