#pragma once
#include "protocol/mesh/host_stream.h"
#include "tests/fleet/world.h"

namespace wattmesh::fleet {

/// A concentrator's cabinet: the disk stays, the program comes and goes.
struct World::Site {
    Site(std::size_t at, std::uint64_t seed) : index(at), chance(seed, 100 + at) {}
    std::size_t index;
    Chance chance;
    std::filesystem::path disk, remembered;
    mesh::host::StreamDecoder from_host;
    Instant started{};
    std::uint64_t life = 0;  ///< counts starts: timers of an earlier life are ignored
    Instant wake_at = never;
    Instant isolated_until{};
    bool performing = false;
    std::unique_ptr<SlowDisk> store;
    std::unique_ptr<concentrator::Core> core;
    std::uint64_t earlier_moves = 0, earlier_returns = 0;  ///< of the uplinks of earlier lives
};

struct World::Head {
    Head(std::size_t at, std::uint64_t seed) : index(at), chance(seed, 200 + at) {}
    std::size_t index;
    Chance chance;
    std::uint64_t life = 0;
    bool performing = false;
    Instant hangs_until{};
    std::unique_ptr<SlowStore> store;
    std::unique_ptr<headend::frontend::Core> core;
};

}  // namespace wattmesh::fleet
