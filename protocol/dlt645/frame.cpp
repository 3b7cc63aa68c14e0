#include "protocol/dlt645/frame.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace wattmesh::dlt645 {

namespace {

constexpr std::uint8_t start = 0x68, end = 0x16, wake = 0xFE, offset = 0x33;
constexpr std::uint8_t bit_from_meter = 0x80, bit_error = 0x40, bit_more = 0x20, function_mask = 0x1F;
constexpr std::size_t header_size = 1 + 6 + 1 + 1 + 1, trailer_size = 2;

std::uint8_t checksum(Bytes octets) {
    return static_cast<std::uint8_t>(std::accumulate(octets.begin(), octets.end(), 0U));
}

/// Of a whole frame that begins with `start`; nothing when it is none.
std::optional<Frame> decode(Bytes octets) {
    if (octets[7] != start || octets.back() != end) return std::nullopt;
    if (checksum(octets.first(octets.size() - trailer_size)) != octets[octets.size() - trailer_size])
        return std::nullopt;
    Frame frame;
    std::reverse_copy(octets.begin() + 1, octets.begin() + 7, frame.address.begin());
    frame.function = static_cast<Function>(octets[8] & function_mask);
    frame.from_meter = (octets[8] & bit_from_meter) != 0;
    frame.error = (octets[8] & bit_error) != 0;
    frame.more_follows = (octets[8] & bit_more) != 0;
    for (const auto octet : octets.subspan(header_size, octets[9]))
        frame.data.push_back(static_cast<std::uint8_t>(octet - offset));
    return frame;
}

}  // namespace

bool is_for(const Address& address, const DeviceNumber& meter) {
    if (address == broadcast_address) return true;
    for (std::size_t i = 0; i < address.size(); ++i)
        if (address[i] != 0xAA && address[i] != meter.bcd[i]) return false;
    return true;
}

Buffer encode(const Frame& frame, std::size_t wake_up) {
    assert(frame.data.size() <= data_size_max && wake_up <= 4);
    assert((static_cast<std::uint8_t>(frame.function) & ~function_mask) == 0);
    Buffer out(wake_up, wake);
    out.push_back(start);
    out.insert(out.end(), frame.address.rbegin(), frame.address.rend());
    out.push_back(start);
    out.push_back(static_cast<std::uint8_t>(
        static_cast<std::uint8_t>(frame.function) | (frame.from_meter ? bit_from_meter : 0) |
        (frame.error ? bit_error : 0) | (frame.more_follows ? bit_more : 0)));
    out.push_back(static_cast<std::uint8_t>(frame.data.size()));
    for (const auto octet : frame.data) out.push_back(static_cast<std::uint8_t>(octet + offset));
    out.push_back(checksum(Bytes{out}.subspan(wake_up)));
    out.push_back(end);
    return out;
}

void Decoder::feed(Bytes octets) { buffer_.insert(buffer_.end(), octets.begin(), octets.end()); }

std::optional<Frame> Decoder::next() {
    std::size_t at = 0;
    const auto drop = [&] {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at));
    };
    for (;; ++at) {
        while (at < buffer_.size() && buffer_[at] != start) ++at;
        const Bytes rest = Bytes{buffer_}.subspan(std::min(at, buffer_.size()));
        if (rest.size() < header_size) {
            // The second start octet shows early that this is no frame.
            if (rest.size() > 7 && rest[7] != start) continue;
            break;
        }
        const std::size_t size = header_size + rest[9] + trailer_size;
        const bool possible = rest[7] == start && rest[9] <= data_size_max;
        if (possible && rest.size() < size) break;
        auto frame = possible ? decode(rest.first(size)) : std::nullopt;
        if (!frame) {
            if (rest[7] == start) ++refused_;
            continue;
        }
        at += size;
        drop();
        return frame;
    }
    drop();
    return std::nullopt;
}

void Decoder::silence() { buffer_.clear(); }

}  // namespace wattmesh::dlt645
