#pragma once
#include "tests/fleet/world.h"

namespace wattmesh::fleet {

/// Plans a run's faults on its timeline, all drawn from the seed: cut and silent connections, crashed
/// front-ends and concentrators, old disks put back, a database that is slow, down or never answers, meters
/// that go dark, net keys that change.
class Trouble {
public:
    Trouble(World& world, std::uint64_t seed, Instant end) : world_(world), chance_(seed, 3), end_(end) {}
    void plan();
    /// The first front-end hangs, dies and flaps besides.
    void plan_for_primary();

private:
    /// Repeats `happen` at random distances around `mean` until the end.
    void repeat(Duration mean, std::function<void()> happen);
    void disturb_database();

    World& world_;
    Chance chance_;
    Instant end_;
};

}  // namespace wattmesh::fleet
