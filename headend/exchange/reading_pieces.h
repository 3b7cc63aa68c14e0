#pragma once
#include <future>
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

/// Readings of a contract in pieces of bounded size, in the order of meters and instants. Between pieces no
/// connection is held. One thread uses it.
class ReadingPieces {
public:
    /// All of it, a meter in one piece: the next piece is loaded, on a thread of its own, while the one
    /// before is used. Everything outlives it. Throws DatabaseError.
    ReadingPieces(RestDesk& desk, const database::Contract& contract, ReadingQuery query,
                  const std::optional<ReadingPlace>& after);
    /// For a reader who wants about so many rows: pieces have no more, and nothing is loaded ahead. A meter
    /// may be in several.
    ReadingPieces(RestDesk& desk, const database::Contract& contract, ReadingQuery query,
                  const std::optional<ReadingPlace>& after, std::int64_t rows_wanted);

    const std::vector<database::ReadingChannel>& channels() const { return channels_; }
    /// Nothing: that was all. Throws DatabaseError, and std::runtime_error when the head-end stops.
    std::optional<ReadingPiece> next();

private:
    void begin();
    std::optional<ReadingPiece> load();

    RestDesk& desk_;
    const database::Contract& contract_;
    const ReadingQuery query_;
    const std::optional<std::int64_t> rows_wanted_;
    std::optional<ReadingPlace> after_;
    std::vector<database::ReadingChannel> channels_;
    std::optional<DeviceNumber> last_;
    bool again_ = false;  ///< the place before may be in the middle of its meter
    int meters_at_once_ = 1;
    std::future<std::optional<ReadingPiece>> ahead_;  ///< last: what loads uses the others
};

}  // namespace wattmesh::headend::exchange
