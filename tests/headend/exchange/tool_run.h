#pragma once
#include <string>
#include <vector>

namespace wattmesh::test {

struct Run {
    int status = 0;
    std::string out;  ///< standard output, and what was thrown
};
/// terminal-sim scada with these words.
Run tool(std::vector<std::string> words);

}  // namespace wattmesh::test
