#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/loop.h"
#include "protocol/base/bytes.h"
#include "security/tls.h"

namespace wattmesh::platform {

/// What a link tells its owner, always on the loop's thread. Each may destroy the link.
struct LinkEvents {
    std::function<void(Bytes)> on_bytes;  ///< the octets live only during the call
    /// Once, when the link is over, whoever ended it; `reason` is for a log. Nothing comes after it.
    std::function<void(const std::string& reason)> on_closed;
};

/// An open connection. An exception out of on_bytes closes this link with its text as the reason; the loop
/// goes on. Destroying a link cuts it without on_closed; what close() was asked to flush before is still
/// flushed.
class Link {
public:
    virtual ~Link() = default;
    /// Once: from here octets are delivered. What arrived before is kept.
    virtual void start(LinkEvents events) = 0;
    /// Queues. False, and nothing is queued, when the link is closing or more than room(): the owner
    /// drops the message or the link.
    virtual bool send(Bytes bytes) = 0;
    /// Flushes what is queued, says goodbye, then on_closed("closed here").
    virtual void close() = 0;
    /// Stops and starts reading: the peer feels it through TCP's own flow control.
    virtual void pause(bool paused) = 0;
    /// How many octets send() would take now.
    virtual std::size_t room() const = 0;
    /// Address and port of the other end, for logs.
    virtual const std::string& peer_address() const = 0;
    /// The peer's verified certificate; nothing without TLS or when the peer has none.
    virtual const std::optional<security::CertificateFacts>& peer() const = 0;
    /// ALPN name agreed with the peer; empty without TLS.
    virtual const std::string& protocol() const = 0;
};

inline constexpr std::size_t write_queue_default = 1 << 20;

}  // namespace wattmesh::platform
