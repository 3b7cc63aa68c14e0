#pragma once
#include <optional>
#include <vector>

#include "headend/database/network.h"
#include "headend/database/read_completeness.h"

namespace wattmesh::headend::database {

/// Energy of one interval at a transformer: what its summary meter measured against the sum of the meters
/// that were connected to it then, whoever reads them. Net of export.
struct BalanceInterval {
    Instant at{};
    std::optional<std::int64_t> supplied_wh;  ///< nothing: the summary meter's interval is missing
    std::int64_t consumed_wh = 0;             ///< of the meters that were read
    /// A meter that was put in or taken out within the interval is expected and never complete.
    int meters_expected = 0, meters_read = 0;
    bool complete() const {
        return supplied_wh.has_value() && meters_read == meters_expected && meters_expected > 0;
    }
};

class BalanceReader {
public:
    explicit BalanceReader(Connection& connection) : connection_(connection) {}

    /// Interval ends in (start, end] of the day for which any row is stored, ordered by time.
    std::vector<BalanceInterval> of(NodeId transformer, const ObisCode& profile, UtcDay day);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
