#pragma once
#include <string>
#include <vector>

#include "tests/bench/mesh_run.h"

namespace wattmesh::bench {

/// Writes map.svg (of the first), join.svg, reads.svg and comparison.svg into `directory`, which is made when
/// it is not there. Throws when it cannot be written.
struct Plotted {
    std::string name;
    Outcome outcome;
};
void write_plots(const std::string& directory, const std::string& title, const std::vector<Plotted>& all);

}  // namespace wattmesh::bench
