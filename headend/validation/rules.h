#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/time.h"

/// Whether a meter's day can be believed: rules over raw readings, which stay as they are. Pure; no clock, no
/// database.
namespace wattmesh::headend::validation {

enum class Rule : std::uint8_t {
    gap,                 ///< an interval that was due is not there
    range,               ///< more energy than the fuse lets through
    negative,            ///< of a channel that only counts up
    spike,               ///< the day's highest peak stands far above its third highest
    jump,                ///< far above the interval before
    sum_check,           ///< the intervals do not add up to the register's advance
    register_backwards,  ///< and it cannot have rolled over
    zero_run,            ///< nothing for long, without outage or open breaker
    frozen,              ///< the same non-zero value again and again
    usage_while_off,     ///< energy behind an open breaker
    power_factor,        ///< reactive energy that no installation has
    outage_agreement,    ///< energy while the meter was without power
    clock_set,           ///< the meter's clock was set within it
    high,                ///< a period's daily average far above its reference
    low,
};
inline constexpr std::size_t rules = 15;
std::string_view to_string(Rule rule);
/// system.category.index of IEC 61968-9 ed. 2, 5.2.6 and annex D: what a reading that fails the rule carries.
std::string_view quality_code(Rule rule);

enum class Verdict : std::uint8_t { off, warn, fail };
std::string_view to_string(Verdict verdict);
std::optional<Verdict> parse_verdict(std::string_view word);

/// What meters of a class are judged by. The defaults suit a direct-connected business.
struct MeterClass {
    std::int64_t power_max_w = 3 * 230 * 63;  ///< sqrt(3) U I of the fuse; U I per phase
    int tolerance_percent = 10;               ///< range
    int spike_percent = 180;                  ///< (p1 - p3) / p3
    std::int64_t spike_wh_min = 125;          ///< p1 below it is no peak: 0.5 kW over a quarter hour
    int jump_percent = 500;                   ///< (x - before) / before
    std::int64_t jump_wh_min = 200;           ///< x below it never jumps
    int zero_run_warn_h = 24, zero_run_fail_h = 7 * 24;
    int frozen_count = 8;
    std::int64_t usage_while_off_wh = 100;  ///< within a day
    int power_factor_percent = 30;
    int high_percent = 200, low_percent = 40;
    std::int64_t register_capacity_wh = 1'000'000'000;  ///< one more and it reads zero
    std::int64_t register_step_wh = 1;
    std::array<Verdict, rules> verdicts{Verdict::fail, Verdict::fail, Verdict::fail, Verdict::fail,
                                        Verdict::warn, Verdict::fail, Verdict::fail, Verdict::warn,
                                        Verdict::fail, Verdict::fail, Verdict::warn, Verdict::warn,
                                        Verdict::warn, Verdict::warn, Verdict::warn};
};

/// A household's kettle stands further above its quiet kitchen than the common limits allow: 99.9 % of the
/// simulated town's household days stay below 3.8 (spike) and 28 (jump).
MeterClass household();
/// Measured over transformers, up to 400 kW.
MeterClass large_customer();
/// The most Wh that the fuse lets through in so long, tolerance included: what `range` believes.
std::int64_t energy_max(const MeterClass& limits, Duration period);
/// Changes one limit by the name of its member, or a verdict by "verdict." and the rule's word (0 off, 1
/// warn, 2 fail). False when there is no such limit or the value makes no sense for it.
bool set(MeterClass& limits, std::string_view name, std::int64_t value);

struct Span {
    Instant from{}, to{};
};

/// One local day of one meter. Interval i ends at from + (i + 1) periods; 23- and 25-hour days have 92 and
/// 100 quarter hours.
struct MeterDay {
    Instant from{};
    Duration period = std::chrono::minutes{15};
    std::vector<std::optional<std::int64_t>> import_wh;
    std::vector<std::optional<std::int64_t>> reactive_varh{};          ///< empty: not measured
    std::optional<std::int64_t> register_from_wh{}, register_to_wh{};  ///< at both ends of the day
    // What went before:
    std::optional<std::int64_t> before_wh{};  ///< the last interval of the day before
    int same_before = 0;                      ///< how many intervals in a row had that value
    std::vector<Span> dark{}, off{};          ///< without power; breaker open
    std::vector<Span> clock_set{};            ///< what the clock jumped over or showed twice
};

struct Finding {
    Rule rule{};
    Verdict verdict{};
    int first = 0, last = 0;  ///< intervals of the day
    std::int64_t
        value = 0,
        limit =
            0;  ///< what was found and what would have been believed; Wh, varh, intervals, seconds or percent
    friend bool operator==(const Finding&, const Finding&) = default;
};

/// At most one finding of a rule and stretch, in the order of the rules. gap, range, ... usage: every rule of
/// one day.
std::vector<Finding> validate(const MeterDay& day, const MeterClass& limits);
/// high and low: the daily average of a period against a reference's, both in Wh a day.
std::optional<Finding> validate_average(std::int64_t average_wh, std::int64_t reference_wh,
                                        const MeterClass& limits);

}  // namespace wattmesh::headend::validation
