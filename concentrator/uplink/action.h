#pragma once
#include <string>
#include <variant>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

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
/// A line on which a vending machine is attached; the owner of the sockets numbers them, no number twice.
using MachineLine = Id<struct MachineLineTag, std::uint64_t>;
struct SendMachine {
    MachineLine line;
    Buffer bytes;
};
/// Read no more from it, or read on.
struct PauseMachine {
    MachineLine line;
    bool paused = false;
};
/// Once everything before was sent; machine_closed() need not follow.
struct CloseMachine {
    MachineLine line;
};
/// For the log: one line, never a secret.
struct Note {
    std::string text;
};
using Action = std::variant<OpenUplink, ProbeUplink, SendUplink, CloseUplink, SendRadio, SendMachine,
                            PauseMachine, CloseMachine, Note>;

}  // namespace wattmesh::concentrator
