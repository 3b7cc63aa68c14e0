#pragma once
#include <string>
#include <variant>

#include "protocol/base/bytes.h"

namespace wattmesh::concentrator {

/// What the owner of the sockets does for a core.
struct OpenUplink {};  ///< connect (TLS included); then uplink_opened() or uplink_closed()
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
using Action = std::variant<OpenUplink, SendUplink, CloseUplink, SendRadio, Note>;

}  // namespace wattmesh::concentrator
