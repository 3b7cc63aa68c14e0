#pragma once
#include <vector>

#include "protocol/dlms/general_block.h"
#include "protocol/link/hdlc_push.h"
#include "protocol/link/mbus.h"
#include "protocol/link/wrapper.h"
#include "terminal-sim/meter/push_frames.h"

namespace wattmesh::sim {

/// What a meter pushes, out of the octets of one connection or one UDP peer, sans-IO: frames are told apart,
/// segments and general blocks gathered, and each push handed out whole, as the octets that came.
class PushAssembly {
public:
    struct Push {
        Buffer octets;         ///< of all its frames
        bool complete = true;  ///< false: blocks are missing, or more came than is borne
    };
    explicit PushAssembly(PushLink link) : link_(link), hdlc_receiver_({}), mbus_receiver_({}) {}

    std::vector<Push> feed(Bytes octets, Instant now);
    /// A datagram: exactly one wrapper PDU.
    std::vector<Push> feed_datagram(Bytes datagram);
    /// The end of the line: what is left of an incomplete push.
    std::vector<Push> end();
    /// The wrapper's stream is lost: the connection is to be closed.
    bool broken() const { return wrapper_.error().has_value(); }

private:
    /// A frame that ends an APDU, or does not.
    void take(Bytes frame, const std::vector<Buffer>& apdus, std::vector<Push>& pushes);
    void give_up(std::vector<Push>& pushes);

    static constexpr std::size_t push_size_max = 256 * 1024;
    PushLink link_;
    link::WrapperDecoder wrapper_;
    link::HdlcDecoder hdlc_;
    link::HdlcPushReceiver hdlc_receiver_;
    link::MbusDecoder mbus_;
    link::MbusPushReceiver mbus_receiver_;
    dlms::BlockCollector blocks_;
    Buffer gathered_;    ///< frames of the blocks so far
    Buffer unfinished_;  ///< frames of the APDU that is coming
};

}  // namespace wattmesh::sim
