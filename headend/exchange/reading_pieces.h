#pragma once
#include <optional>
#include <vector>

#include "headend/database/partner_readings.h"
#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {

/// Intervals that end in (from, to], of one profile.
struct ReadingQuery {
    database::ReadingBank bank;
    std::vector<DeviceNumber> meters{};  ///< empty: all that the contract shows
    Instant from{}, to{};
};
/// Where reading begins: behind the row of this meter and instant.
struct ReadingPlace {
    DeviceNumber meter;
    Instant at{};
};
struct ReadingPiece {
    std::vector<database::ReadingMeter> meters;
    std::vector<database::ReadingRow> rows;          ///< by meter and instant
    std::vector<database::ReadingFinding> findings;  ///< by meter
};

/// Readings of a contract in pieces of bounded size, in the order of meters and instants; a meter is in one
/// piece. Between pieces no connection is held.
class ReadingPieces {
public:
    /// Everything outlives it. Throws DatabaseError.
    ReadingPieces(RestDesk& desk, const database::Contract& contract, ReadingQuery query,
                  const std::optional<ReadingPlace>& after);

    const std::vector<database::ReadingChannel>& channels() const { return channels_; }
    /// Nothing: that was all. Throws DatabaseError, and std::runtime_error when the head-end stops.
    std::optional<ReadingPiece> next();

private:
    RestDesk& desk_;
    const database::Contract& contract_;
    const ReadingQuery query_;
    const std::optional<ReadingPlace> after_;
    std::vector<database::ReadingChannel> channels_;
    std::optional<DeviceNumber> last_;
    bool again_ = false;  ///< the place before may be in the middle of its meter
    int meters_at_once_ = 1;
};

}  // namespace wattmesh::headend::exchange
