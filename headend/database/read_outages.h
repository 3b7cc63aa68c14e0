#pragma once
#include <optional>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/dcu/journal.h"

namespace wattmesh::headend::database {

/// A power cut under one concentrator, as its mesh told it.
struct OutageLine {
    DeviceNumber concentrator;
    Instant at{}, received{};  ///< told by the concentrator, stored here
    dcu::Outage seen;
    std::optional<Instant> ended;  ///< nothing: not over yet
    std::optional<dcu::OutageEnd> end;
};

/// Where a meter was at some instant, by the newest event before it.
struct PlaceAt {
    dcu::EntryKind kind{};  ///< meter_joined, meter_lost, power_lost, power_back or meter_deleted
    Instant since{};
    std::optional<Instant> until;  ///< the next such event
    std::optional<DeviceNumber> concentrator;
    bool inferred = false;  ///< of power_lost
    // of the newest meter_joined before
    std::optional<int> hops, rssi_dbm, sub_address;
    std::optional<DeviceNumber> parent;
    std::optional<Instant> route_since;
    std::optional<std::vector<DeviceNumber>> route;  ///< relays, concentrator side first; nothing: not told
};

/// What the pages show of power cuts and of the way to a meter. Read only.
class OutageReader {
public:
    explicit OutageReader(Connection& connection) : connection_(connection) {}

    /// Newest first.
    std::vector<OutageLine> list(int count_max);
    /// Power cuts that are not over.
    int open();
    std::optional<PlaceAt> place(DeviceNumber meter, Instant at);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
