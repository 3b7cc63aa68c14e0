#include "protocol/link/echo.h"

namespace wattmesh::link {

void EchoFilter::sent(Bytes message) {
    if (!on_ || message.empty()) return;
    if (expected_.size() >= waiting_max) {
        ++missing_;
        return;
    }
    expected_.push_back(to_buffer(message));
}

Buffer EchoFilter::received(Bytes bytes) {
    Buffer out;
    for (const std::uint8_t octet : bytes) {
        if (expected_.empty()) {
            out.push_back(octet);
            continue;
        }
        const Buffer& front = expected_.front();
        if (front[matched_] == octet) {
            if (++matched_ < front.size()) continue;
            expected_.pop_front();
        } else {
            out.insert(out.end(), front.begin(), front.begin() + static_cast<std::ptrdiff_t>(matched_));
            out.push_back(octet);
            missing_ += expected_.size();
            expected_.clear();
        }
        matched_ = 0;
    }
    return out;
}

}  // namespace wattmesh::link
