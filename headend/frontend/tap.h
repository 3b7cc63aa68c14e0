#pragma once
#include <optional>
#include <string>

#include "headend/frontend/link_id.h"
#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "protocol/link/hello_profile.h"

namespace wattmesh::headend::frontend {

/// One link as its listener sees it. `device` is nothing until somebody said who he is.
struct TappedLink {
    LinkId link;
    std::optional<DeviceNumber> device;
    link::Carried carries{};
};

/// Who listens in on every link of a core: octets as they were on the wire, inside of TLS. Calls come on the
/// core's thread, return at once and do not call back.
class Tap {
public:
    virtual ~Tap() = default;
    /// `who`: what is known of the other end, for people.
    virtual void opened(const TappedLink& link, const std::string& who, Instant now) = 0;
    virtual void received(const TappedLink& link, Bytes octets, Instant now) = 0;
    /// Whole frames.
    virtual void sent(const TappedLink& link, Bytes octets, Instant now) = 0;
    virtual void closed(const TappedLink& link, const std::string& reason, Instant now) = 0;
};

}  // namespace wattmesh::headend::frontend
