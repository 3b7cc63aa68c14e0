#pragma once
#include <string>
#include <variant>

#include "protocol/base/bytes.h"

namespace wattmesh::concentrator {

/// What the owner of the sockets does for a core.
/// Connect over this way (TLS included); then uplink_opened() or uplink_closed(). What was open before is
/// cut.
struct OpenUplink {
    std::size_t way = 0;
};
/// See whether the head-end answers over this way, beside the open uplink: connect, TLS included, and close
/// again; then uplink_probed().
struct ProbeUplink {
    std::size_t way = 0;
};
struct SendUplink {
    Buffer bytes;
};
struct CloseUplink {};  ///< cut; uplink_closed() need not follow
struct SendRadio {
    Buffer bytes;
};
/// For the log: one line, never a secret.
struct Note {
    std::string text;
};
using Action = std::variant<OpenUplink, ProbeUplink, SendUplink, CloseUplink, SendRadio, Note>;

}  // namespace wattmesh::concentrator
