#pragma once
#include <cstdint>
#include <string>

#include "tests/fleet/head_model.h"
#include "tests/fleet/world.h"

namespace wattmesh::fleet {

/// Database against truth, value by value.
struct Verdict {
    std::uint64_t expected = 0, stored = 0, missing = 0, wrong = 0, invented = 0, conflicts = 0, rejected = 0;
    std::string example;  ///< the first row that is not as it should be
    bool good() const {
        return missing == 0 && wrong == 0 && invented == 0 && conflicts == 0 && rejected == 0;
    }
};

/// Rows whose interval ended by `until` must be there; what is there must be true.
Verdict judge(World& world, HeadModel& model, Instant until);

}  // namespace wattmesh::fleet
