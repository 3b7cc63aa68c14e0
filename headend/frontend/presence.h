#pragma once
#include <map>

#include "headend/frontend/store.h"

namespace wattmesh::headend::frontend {

/// Who is online. Presence belongs to the number, not to a link: an older link's end cannot mark it offline,
/// only silence does, and what an older epoch says counts for nothing.
class Presence {
public:
    /// Both outlive it. Sightings go to the store in the rhythm of `report_every`.
    Presence(Store& store, const Duration& report_every) : store_(store), report_every_(report_every) {}

    /// Online when an earlier process stopped: goes offline by silence if it does not come back.
    void expect(DeviceNumber number, OwnerEpoch epoch, Instant last_seen, Duration silence_max);
    /// A session that is ready, and when its last frame came.
    void note(DeviceNumber number, OwnerEpoch epoch, Instant last_frame, Duration silence_max);
    /// Reports to the store; how many went offline.
    std::size_t watch(Instant now);

private:
    struct Entry {
        OwnerEpoch epoch;
        Instant last_seen{}, reported{};
        Duration silence_max{};
        bool online = true;
    };
    Store& store_;
    const Duration& report_every_;
    std::map<DeviceNumber, Entry> entries_;
};

}  // namespace wattmesh::headend::frontend
