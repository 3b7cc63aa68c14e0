#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"

namespace wattmesh::headend::database {

/// A profile and what it holds.
struct ReadingBank {
    int id = 0;
    ObisCode profile;
    int period_s = 0;
    bool adds_up = false;  ///< energies of the period; else states of registers
};
/// What a channel of a bank meant for a model, from and before an instant.
struct ReadingChannel {
    std::string model;
    int channel = 0;  ///< from 1
    ObisCode register_;
    int scaler = 0, unit = 0;  ///< COSEM unit code
    Instant valid_from{}, valid_to{};
};
struct ReadingMeter {
    std::int64_t id = 0;
    DeviceNumber number;
    std::string model;
};
/// All that a meter's profile holds at one instant, as it is stored.
struct ReadingRow {
    std::size_t meter = 0;  ///< place in the meters that were asked for
    Instant at{};           ///< end of the interval
    int status = 0;         ///< profile status as the meter gave it
    std::uint64_t quality = 0;
    std::array<std::optional<std::int64_t>, 8> values{};
};
/// What rules found of a meter's intervals that end in [first, last].
struct ReadingFinding {
    std::size_t meter = 0;
    Instant first{}, last{};
    std::string code;  ///< IEC 61968-9 quality
};

/// A register's value, read when somebody asked for it.
struct OnDemandValue {
    Instant at{};
    std::int64_t value = 0;
    int scaler = 0, unit = 0;  ///< COSEM unit code
};

/// Interval data of what a connection shows (limited.h), in pieces that the caller chooses. Read
/// only.
class PartnerReadings {
public:
    explicit PartnerReadings(Connection& connection) : connection_(connection) {}

    std::optional<ReadingBank> bank(const ObisCode& profile);
    std::vector<ReadingBank> banks();
    std::vector<ReadingChannel> channels(const ReadingBank& bank);
    /// By number, after `after`; of these, or of all.
    std::vector<ReadingMeter> meters(const std::vector<DeviceNumber>& numbers,
                                     std::optional<DeviceNumber> after, int count_max);
    /// Intervals that end in (from, to], by number and time; `meters` are in the order of their numbers.
    /// `most`: of a single meter, its first.
    std::vector<ReadingRow> rows(const std::vector<ReadingMeter>& meters, const ReadingBank& bank,
                                 Instant from, Instant to, std::int64_t most = INT64_MAX);
    /// Of the failed rules.
    std::vector<ReadingFinding> findings(const std::vector<ReadingMeter>& meters, const ReadingBank& bank,
                                         Instant from, Instant to);
    /// The newest one since.
    std::optional<OnDemandValue> on_demand(DeviceNumber meter, const ObisCode& register_, Instant since);
    /// Of the meter that hangs at the usage point now.
    std::optional<DeviceNumber> meter_at(const std::string& usage_point, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
