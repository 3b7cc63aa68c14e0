#pragma once
#include <cstdint>
#include <deque>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

/// Host frames on a byte stream (TCP, pty, UART): 0xA5, length u16 (of the payload, 1 to 300), payload,
/// CRC-16/X.25 over length and payload. After a fault the decoder looks for the next 0xA5.
namespace wattmesh::mesh::host {

Buffer frame_stream(Bytes payload);

class StreamDecoder {
public:
    /// Any chunking. Keeps at most one frame of unread octets plus what is fed.
    void feed(Bytes bytes);
    /// The next payload; nothing when more octets are needed.
    std::optional<Buffer> next();
    /// Frames thrown away because of length or CRC, and runs of octets outside frames.
    std::uint64_t faults() const { return faults_; }

private:
    void drop(std::size_t count);
    Buffer pending_;
    std::uint64_t faults_ = 0;
    bool hunting_ = false;
};

}  // namespace wattmesh::mesh::host
