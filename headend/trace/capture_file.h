#pragma once
#include <iosfwd>
#include <map>
#include <string>
#include <utility>

#include "headend/trace/reader.h"

namespace wattmesh::headend::trace {

/// Records as a pcapng capture for Wireshark: one section, one interface of raw IP, times in microseconds;
/// what was inside of TLS stands in TCP segments made up for it, so that the dissectors of DLMS (port 4059)
/// and Modbus (502) find their streams. The head-end is 10.255.255.1; a device's address comes from its
/// number, and a link's port from its position. Openings and ends are comments of empty segments. Source:
/// draft-ietf-opsawg-pcapng-03, 4.1 to 4.3; link type 101 (LINKTYPE_RAW).
class CaptureFile {
public:
    /// Writes the head. `out` outlives it; its failures are the owner's to look for.
    explicit CaptureFile(std::ostream& out);
    void add(const Found& found);

private:
    struct Stream {
        std::uint16_t port = 0;                  ///< the device's
        std::uint32_t to_us = 1, to_device = 1;  ///< next sequence numbers of TCP
    };
    Stream& stream_of(const Found& found);
    void segment(const Record& record, Stream& stream, Bytes content, std::size_t wire_size,
                 const std::string& comment);

    std::ostream& out_;
    std::map<std::pair<std::string, std::uint64_t>, Stream> streams_;
};

}  // namespace wattmesh::headend::trace
