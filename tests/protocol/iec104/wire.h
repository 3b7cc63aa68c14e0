#pragma once
#include <list>

#include "protocol/iec104/master.h"
#include "protocol/iec104/outstation.h"

namespace wattmesh::iec104 {

inline const Instant noon =
    std::chrono::sys_days{std::chrono::year{2026} / std::chrono::November / 23} + std::chrono::hours{12};

/// An outstation with masters on perfect wires.
struct Wire {
    struct Mastered {
        ConnectionId id;
        Master core;
    };

    explicit Wire(std::vector<PointDefinition> points, const GroupSettings& group = {1'000'000, true})
        : station({}, std::move(points)) {
        station.add_group(group);
    }

    Mastered& add_master(std::size_t group = 0) {
        return masters.emplace_back(Mastered{station.connect(group, now), Master{{}, 3, now}});
    }
    /// Both directions until nothing moves, at one instant; what came.
    std::vector<Asdu> run(Mastered& master) {
        for (bool moved = true; moved;) {
            const auto up = master.core.link().take();
            station.feed(master.id, up, now);
            const auto down = station.take(master.id);
            master.core.feed(down, now);
            moved = !up.empty() || !down.empty();
        }
        return master.core.take_received();
    }
    std::vector<Asdu> start(Mastered& master) {
        master.core.link().start(now);
        return run(master);
    }

    Instant now = noon;
    Outstation station;
    std::list<Mastered> masters;
};

}  // namespace wattmesh::iec104
