#pragma once
#include <Poco/Net/StreamSocket.h>

#include <deque>
#include <optional>

#include "platform/settings.h"
#include "protocol/link/hdlc_link.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::headend {

enum class LineKind { wrapper, hdlc };

/// A TCP connection to one meter, for a person at a terminal: blocks, and throws std::runtime_error with
/// words when the meter does not answer. Logical device 1.
class DirectLine {
public:
    DirectLine(const platform::HostPort& place, LineKind kind, Sap client);
    ~DirectLine();
    DirectLine(const DirectLine&) = delete;
    DirectLine& operator=(const DirectLine&) = delete;
    /// One request, one answer.
    Buffer exchange(Bytes apdu);

private:
    void send(Bytes bytes);
    /// False after a second of silence.
    bool receive();
    void wait_for(bool (DirectLine::*done)());
    bool is_open();
    bool take_answer();
    void flush();

    std::string name_;
    LineKind kind_;
    Sap client_;
    Poco::Net::StreamSocket socket_;
    link::WrapperDecoder wrapper_;
    link::HdlcLink hdlc_;
    std::optional<Buffer> answer_;
};

}  // namespace wattmesh::headend
