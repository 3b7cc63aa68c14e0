#pragma once
#include <optional>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/read_meters.h"
#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

struct SealedJoinKey {
    DeviceNumber number;
    Buffer sealed;
};
/// A collector on the pages.
struct CollectorLine {
    DeviceNumber number;
    MeterPlace place;
};

/// Table collector.
class Collectors {
public:
    explicit Collectors(Connection& connection) : connection_(connection) {}

    struct Known {
        ConcentratorId concentrator;
        Buffer sealed;
    };
    std::optional<Known> find(DeviceNumber number);
    /// Adds the collector or brings concentrator and key up to date.
    void put(DeviceNumber number, ConcentratorId concentrator, Bytes sealed, Instant now);
    std::vector<DeviceNumber> of(ConcentratorId concentrator);
    /// For the key service's eyes only; ordered by number.
    std::vector<SealedJoinKey> join_keys_of(ConcentratorId concentrator);
    /// With its place in the mesh by its newest event.
    std::vector<CollectorLine> lines(ConcentratorId concentrator);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
