#include "protocol/decode/passage.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::decode {

Passage::Passage(Bytes input) : octets_(input.begin(), input.end()), pieces_{{0, 0}} {}

std::size_t Passage::origin(std::size_t at) const {
    // The end belongs to the last octet: what comes next in the input need not be known.
    const std::size_t octet = at == octets_.size() && at > 0 ? at - 1 : at;
    const auto behind =
        std::upper_bound(pieces_.begin(), pieces_.end(), octet,
                         [](std::size_t place, const Piece& piece) { return place < piece.at; });
    if (behind == pieces_.begin()) return at;
    const Piece& piece = *(behind - 1);
    return piece.origin + (at - piece.at);
}

void Passage::append(const Passage& from, std::size_t begin, std::size_t size) {
    assert(begin + size <= from.size());
    if (size == 0) return;
    pieces_.push_back({octets_.size(), from.origin(begin)});
    for (const Piece& piece : from.pieces_)
        if (piece.at > begin && piece.at < begin + size)
            pieces_.push_back({octets_.size() + (piece.at - begin), piece.origin});
    const Bytes part = from.octets().subspan(begin, size);
    octets_.insert(octets_.end(), part.begin(), part.end());
    deciphered_ = deciphered_ || from.deciphered_;
}

Passage Passage::decipher(std::size_t begin, Bytes plain) const {
    Passage out;
    out.append(*this, begin, plain.size());
    std::copy(plain.begin(), plain.end(), out.octets_.begin());
    out.deciphered_ = true;
    return out;
}

}  // namespace wattmesh::decode
