#include "protocol/link/tunnel_line.h"

#include "protocol/link/fcs.h"

namespace wattmesh::link {
namespace {

constexpr std::uint8_t escape = 0x7D, escape_bit = 0x20;
constexpr std::size_t fcs_size = 2, line_frame_max = 7 + tunnel_chunk_max + fcs_size;

}  // namespace

Buffer encode_tunnel_line(const TunnelMessage& message) {
    Buffer plain = encode_tunnel(message);
    const auto fcs = fcs16(plain);
    plain.push_back(static_cast<std::uint8_t>(fcs));
    plain.push_back(static_cast<std::uint8_t>(fcs >> 8U));
    Buffer line{tunnel_flag};
    for (const auto octet : plain) {
        const bool special = octet == tunnel_flag || octet == escape;
        if (special) line.push_back(escape);
        line.push_back(special ? static_cast<std::uint8_t>(octet ^ escape_bit) : octet);
    }
    line.push_back(tunnel_flag);
    return line;
}

void TunnelLineDecoder::feed(Bytes octets) {
    fed_.erase(fed_.begin(), fed_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    fed_.insert(fed_.end(), octets.begin(), octets.end());
}

std::optional<TunnelMessage> TunnelLineDecoder::next() {
    while (!message_ && at_ < fed_.size()) take(fed_[at_++]);
    return std::exchange(message_, std::nullopt);
}

void TunnelLineDecoder::take(std::uint8_t octet) {
    if (octet == tunnel_flag) return finish();
    if (spoiled_) return;
    if (octet == escape && !escaped_) {
        escaped_ = true;
        return;
    }
    if (escaped_) octet ^= escape_bit;
    escaped_ = false;
    spoiled_ = frame_.size() == line_frame_max;
    if (!spoiled_) frame_.push_back(octet);
}

void TunnelLineDecoder::finish() {
    const Buffer frame = std::exchange(frame_, {});
    const bool whole = !std::exchange(spoiled_, false) && !std::exchange(escaped_, false);
    if (frame.empty() && whole) return;  // a flag behind a flag
    if (whole && frame.size() > fcs_size) {
        const Bytes plain = Bytes{frame}.first(frame.size() - fcs_size);
        const auto fcs = fcs16(plain);
        if (frame[plain.size()] == (fcs & 0xFFU) && frame[plain.size() + 1] == fcs >> 8U) {
            if (auto message = decode_tunnel(plain)) {
                message_ = *std::move(message);
                return;
            }
        }
    }
    ++faults_;
}

}  // namespace wattmesh::link
