#pragma once
#include <cstdint>
#include <deque>

#include "protocol/base/bytes.h"

namespace wattmesh::link {

/// Takes off what an optical head returns of our own sending in front of the answer (quirk `optical_echo`):
/// exactly what was sent, message by message. What turns out not to be an echo is given on, whole.
class EchoFilter {
public:
    /// Off: lets everything pass.
    explicit EchoFilter(bool on) : on_(on) {}
    void sent(Bytes message);
    Buffer received(Bytes bytes);
    /// Messages whose echo was not there or not the same.
    std::uint64_t missing() const { return missing_; }

    static constexpr std::size_t waiting_max = 256;  ///< messages; the echo of one more passes

private:
    bool on_;
    std::deque<Buffer> expected_;
    std::size_t matched_ = 0;  ///< octets of expected_.front() held back
    std::uint64_t missing_ = 0;
};

}  // namespace wattmesh::link
