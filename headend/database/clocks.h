#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/jobs.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// What a meter's clock showed against ours.
struct ClockReading {
    Instant at{};            ///< true time
    Duration offset{};       ///< what it showed less what was true: positive is fast
    Duration uncertainty{};  ///< half the time that question and answer took
    Duration behind_utc{};   ///< the zone that it shows: UTC less its local time (Blue Book, deviation)
};

/// How clocks of a class of meters are looked after.
struct ClockRule {
    std::string meter_class;
    int check_every_s = 0;
    int correct_from_s = 0, correct_to_s = 0;   ///< corrected when it is off by from..to
    int midnight_s = 0, edge_s = 0;             ///< kept from midnight and from the end of an interval
    int offender_count = 0, offender_days = 0;  ///< set so often within so many days: listed
    bool automatic = false;
    friend bool operator==(const ClockRule&, const ClockRule&) = default;
};

/// What has to be known to set a meter's clock.
struct ClockTask {
    ClockRule rule;
    Duration period{};               ///< of its load profile
    std::vector<Instant> midnights;  ///< the utility's, around now
};

using ClockCorrectionId = Id<struct ClockCorrectionTag, std::int64_t>;
struct ClockCorrection {
    DeviceNumber meter;
    Instant at{};
    Duration before{};
    int shift_s = 0;
    Instant from{}, to{};  ///< what the clock jumped over or showed twice
    std::optional<Duration> after{};
    std::string result{"sent"};
    JobId job{};
    std::string ordered_by{};
};

/// How many meters are off by [from_s, to_s); an open end is nothing.
struct ClockBucket {
    std::optional<int> from_s, to_s;
    int meters = 0;
};
struct ClockLine {
    DeviceNumber meter;
    std::string meter_class, fault;
    std::optional<Instant> measured;
    std::optional<std::int64_t> offset_ms, uncertainty_ms;
    std::optional<double> drift_ppm;  ///< since it was last set
    int corrections = 0;              ///< within the rule's days
    std::optional<Instant> corrected;
};
struct ClockTotals {
    int meters = 0, measured = 0;  ///< of those with a clock of their own that can be read
    std::vector<ClockBucket> buckets;
};

/// Tables clock_rule, meter_clock and clock_correction.
class Clocks {
public:
    explicit Clocks(Connection& connection) : connection_(connection) {}

    /// Takes up meters that nobody looks after yet, each at another time of its rule's period; how many.
    int take_up(Instant now, int count_max);
    /// Meters whose clock is due, longest first; each is due again after a pause that grows, unless
    /// measured() says that it told. Of meters whose concentrator, or which themselves, are connected.
    std::vector<DeviceNumber> claim(Instant now, int count_max);
    void measured(DeviceNumber meter, const ClockReading& reading);
    void missed(DeviceNumber meter, const std::string& fault);

    /// Nothing: unknown, or without a clock that can be set.
    std::optional<ClockTask> task(DeviceNumber meter, Instant now);
    ClockCorrectionId begin(const ClockCorrection& correction);
    /// The correction that the job announced last and nobody ended: how far the clock was off before.
    std::optional<std::pair<ClockCorrectionId, Duration>> unended(JobId job, DeviceNumber meter);
    void end(ClockCorrectionId id, const std::string& result, std::optional<Duration> after);
    /// Meters to be set without being asked: off as their rule says, measured since they were set last, and
    /// nobody's order to set them is open. Each at most once a day; by tenant.
    std::vector<std::pair<TenantId, DeviceNumber>> to_correct(Instant now, int count_max);

    std::vector<ClockRule> rules(TenantId tenant);
    /// False when there is no such class.
    bool put(TenantId tenant, const ClockRule& rule);

    // What the connection may see:
    ClockTotals totals();
    /// Off by [from_s, to_s), furthest first.
    std::vector<ClockLine> list(std::optional<int> from_s, std::optional<int> to_s, int count_max);
    /// Set as often as the rule's offender_count within offender_days, or off by more than can be set.
    std::vector<ClockLine> offenders(Instant now, int count_max);
    std::vector<ClockCorrection> corrections(std::optional<DeviceNumber> meter, int count_max);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
