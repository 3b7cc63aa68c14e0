#pragma once
#include <string>
#include <utility>
#include <vector>

#include "headend/database/connection.h"

namespace wattmesh::headend::database {

/// A figure as Prometheus has it: a name, what it means, and its values by labels.
struct Figure {
    struct Sample {
        std::vector<std::pair<std::string, std::string>> labels;
        double value = 0;
    };
    std::string name;  ///< with unit; of a counter it ends with _total
    std::string help;
    std::vector<Sample> samples;
    bool counter = false;  ///< only ever rises; else a gauge
};

/// Sums of the whole head-end, which name no customer and no device. Read only.
class FigureReader {
public:
    explicit FigureReader(Connection& connection) : connection_(connection) {}
    std::vector<Figure> all(Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
