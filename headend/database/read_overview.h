#pragma once
#include <optional>
#include <vector>

#include "headend/database/concentrators.h"
#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

struct StoreCounts {
    std::int64_t rows = 0, duplicates = 0;   ///< interval rows stored; delivered again with the same value
    std::int64_t entries = 0, replayed = 0;  ///< journal entries stored; asked for again after being stored
    std::int64_t conflicts = 0, rejected = 0;
};
struct HopRing {
    int hops = 0;
    int meters = 0;
};
/// A concentrator with its mesh counted.
struct ConcentratorLine {
    Concentrator concentrator;
    int meters = 0, joined = 0, hops_max = 0;
    std::optional<DeviceNumber> summary_meter;
};
struct JournalLine {
    JournalId journal;
    Sequence sequence;
    Instant advanced{};
};

/// Counts for the first page and the lists of concentrators. Read only.
class OverviewReader {
public:
    explicit OverviewReader(Connection& connection) : connection_(connection) {}

    StoreCounts store_counts();
    /// Joined customer and summary meters by their distance from the concentrator.
    std::vector<HopRing> hops();
    /// Without the meters that call in by themselves.
    std::vector<ConcentratorLine> concentrators();
    std::optional<ConcentratorLine> concentrator(DeviceNumber number);
    /// Newest first.
    std::vector<JournalLine> journals(ConcentratorId concentrator);

private:
    std::vector<ConcentratorLine> lines(std::optional<DeviceNumber> only);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
