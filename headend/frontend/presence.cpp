#include "headend/frontend/presence.h"

#include <algorithm>

namespace wattmesh::headend::frontend {

void Presence::expect(DeviceNumber number, OwnerEpoch epoch, Instant last_seen, Duration silence_max) {
    entries_.try_emplace(number, Entry{epoch, last_seen, last_seen, silence_max, true});
}

void Presence::note(DeviceNumber number, OwnerEpoch epoch, Instant last_frame, Duration silence_max) {
    const auto [found, first] = entries_.try_emplace(number);
    Entry& entry = found->second;
    if (epoch < entry.epoch) return;
    // The log-in itself marked the device online in the store.
    if (first || epoch > entry.epoch) entry.reported = last_frame;
    entry.epoch = epoch;
    entry.online = true;
    entry.silence_max = silence_max;
    entry.last_seen = std::max(entry.last_seen, last_frame);
}

std::size_t Presence::watch(Instant now) {
    std::size_t went_offline = 0;
    for (auto& [number, entry] : entries_) {
        if (!entry.online) continue;
        if (now - entry.last_seen >= entry.silence_max) {
            entry.online = false;
            ++went_offline;
            store_.seen(number, entry.epoch, entry.last_seen, LinkState::offline);
        } else if (entry.last_seen - entry.reported >= report_every_) {
            entry.reported = entry.last_seen;
            store_.seen(number, entry.epoch, entry.last_seen, LinkState::online);
        }
    }
    return went_offline;
}

}  // namespace wattmesh::headend::frontend
