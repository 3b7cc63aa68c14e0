#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/dcu/journal.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::headend::database {

/// Where a meter stands in the mesh, by its newest joined or lost event.
struct MeterPlace {
    bool known = false;  ///< there is such an event
    bool joined = false;
    int hops = 0;
    std::optional<DeviceNumber> parent;  ///< nothing: the concentrator itself
    std::optional<int> rssi_dbm;
    Instant at{};
    std::optional<int> sub_address{};  ///< on the wire of `parent`, a collector; nothing: on radio
    bool dark = false;                 ///< without power, told or inferred
};
struct MeterLine {
    MeterId id;
    DeviceNumber number;
    dcu::MeterRole role{};
    std::string model;
    std::optional<DeviceNumber> concentrator;
    std::optional<DeviceNumber> reached_over;  ///< another concentrator that has it now
    MeterPlace place;
    std::optional<Instant> last_interval;
    bool direct = false;  ///< calls in by itself; `concentrator` is then its own number
    bool online = false;  ///< its link, or that of its concentrator
};
inline constexpr int page_total_max = 1'000;
struct MeterPage {
    std::vector<MeterLine> meters;
    std::int64_t total = 0;  ///< page_total_max stands for that many or more
};
struct ChannelLine {
    int channel = 0;
    ObisCode register_;
    int scaler = 0, unit = 0;
};
/// A last value: of an interval channel or a register read on demand.
struct LatestValue {
    ObisCode register_;
    std::int64_t value = 0;
    int scaler = 0, unit = 0;
    Instant at{};
    int quality = 0;
    std::string source;
    int period_s = 0;  ///< > 0: energy of the interval that ended at `at`
};
struct Curve {
    int period_s = 0;
    ChannelLine channel;
    std::vector<Instant> at;
    std::vector<std::optional<std::int64_t>> value;
    std::vector<int> quality;  ///< 1 clock doubtful, 2 meter status set, 4 filled in later
};
struct MeterEvent {
    Instant at{}, received{};
    dcu::EntryKind kind{};
    bool clock_doubtful = false;
    std::optional<DeviceNumber> concentrator;
    std::optional<dcu::ReadFault> fault;
    std::optional<Instant> from, to;
    std::optional<int> hops;
    std::optional<DeviceNumber> parent;
    std::optional<int> sub_address{};
    bool inferred = false;  ///< of power_lost
};

/// What the pages show of meters. Read only.
class MeterReader {
public:
    explicit MeterReader(Connection& connection) : connection_(connection) {}

    /// Meters whose number holds `digits`, after `cursor` in the order of numbers.
    MeterPage page(const std::string& digits, std::optional<DeviceNumber> cursor, int count_max, Instant now);
    std::optional<MeterLine> find(DeviceNumber number, Instant now);
    /// All meters that are reached over a concentrator: its own without those that others have, and theirs
    /// that it has.
    std::vector<MeterLine> of(ConcentratorId concentrator, Instant now);
    std::vector<ChannelLine> channels(MeterId meter, const ObisCode& profile, Instant now);
    std::vector<LatestValue> latest(MeterId meter);
    /// Interval ends in (from, to]; nothing when the profile or the channel is not known for the meter.
    std::optional<Curve> curve(MeterId meter, const ObisCode& profile, int channel, Instant from, Instant to);
    /// The same of several channels at once, in the order of `channels`; those that are not known are left
    /// out.
    std::vector<Curve> curves(MeterId meter, const ObisCode& profile, const std::vector<int>& channels,
                              Instant from, Instant to);
    std::vector<MeterEvent> events(DeviceNumber number, int count_max);

private:
    std::vector<MeterLine> lines(const std::string& condition, int count_max, Instant now);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
