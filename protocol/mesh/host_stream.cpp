#include "protocol/mesh/host_stream.h"

#include <algorithm>
#include <cassert>

#include "protocol/base/writer.h"
#include "protocol/mesh/host_frame.h"

namespace wattmesh::mesh::host {
namespace {
constexpr std::uint8_t start = 0xA5;
constexpr std::size_t overhead = 5;
}  // namespace

Buffer frame_stream(Bytes payload) {
    assert(!payload.empty() && payload.size() <= payload_size_max);
    Writer out;
    out.u8(start).u16(static_cast<std::uint16_t>(payload.size())).bytes(payload);
    out.u16(crc16(out.view().subspan(1)));
    return out.take();
}

void StreamDecoder::feed(Bytes bytes) { pending_.insert(pending_.end(), bytes.begin(), bytes.end()); }

void StreamDecoder::drop(std::size_t count) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
}

std::optional<Buffer> StreamDecoder::next() {
    for (;;) {
        const auto found = std::find(pending_.begin(), pending_.end(), start);
        if (found != pending_.begin()) {
            if (!hunting_) ++faults_;
            hunting_ = true;
            drop(static_cast<std::size_t>(found - pending_.begin()));
        }
        if (pending_.size() < 3) return std::nullopt;
        const std::size_t length = static_cast<std::size_t>(pending_[1]) << 8 | pending_[2];
        const bool length_good = length >= 1 && length <= payload_size_max;
        if (length_good && pending_.size() < length + overhead) return std::nullopt;
        if (length_good) {
            const Bytes covered = Bytes{pending_}.subspan(1, length + 2);
            const unsigned crc = pending_[length + 3] << 8 | pending_[length + 4];
            if (crc16(covered) == crc) {
                Buffer payload{covered.begin() + 2, covered.end()};
                drop(length + overhead);
                hunting_ = false;
                return payload;
            }
        }
        ++faults_;  // not a frame: the start octet was chance or the frame is damaged
        hunting_ = true;
        drop(1);
    }
}

}  // namespace wattmesh::mesh::host
