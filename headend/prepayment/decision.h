#pragma once
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "headend/vending/pricing/money.h"
#include "protocol/base/time.h"

/// Accounts whose credit the server counts: what they are charged, who is told, who is cut off and when.
namespace wattmesh::headend::prepayment {

using vending::pricing::Money;

/// A utility's own limits (table prepayment_rule).
struct Rules {
    Money first_notice_below{2'000}, second_notice_below{500}, cut_below{0}, reconnect_from{1};
    Duration second_notice_after = std::chrono::hours{24};  ///< the first
    Duration cut_after = std::chrono::hours{24};            ///< the second
    Duration late = std::chrono::hours{24};  ///< the newest valid interval is not older when supply is cut
    Duration charge_every = std::chrono::hours{1};
    friend bool operator==(const Rules&, const Rules&) = default;
};

/// When supply may be cut on a weekday (Monday is 1), in minutes of the utility's day.
struct Hours {
    int weekday = 1, from_minute = 0, to_minute = 0;
    friend bool operator==(const Hours&, const Hours&) = default;
};

/// on and off: as far as prepayment itself switched. In between a job of the command gate is at work.
enum class Supply : std::uint8_t { on, cutting, off, reconnecting };
std::string_view to_string(Supply supply);
/// Throws std::logic_error for another word.
Supply parse_supply(std::string_view word);

/// All that is decided by.
struct Situation {
    Instant now{};
    Rules rules{};
    bool enrolled = true;
    Money balance{};
    Supply supply = Supply::on;
    bool held = false, disputed = false;
    bool cut_by_others = false;                ///< somebody's own order opened the breaker after ours
    std::optional<Instant> first{}, second{};  ///< notices of this time that the balance ran low
    std::optional<Instant> actual_to{};        ///< end of the newest valid interval that was charged
    int doubtful = 0;                          ///< intervals within `rules.late` that are there and not valid
    std::vector<Hours> hours{};
    std::chrono::sys_days day{};  ///< the utility's
    int minute = 0;               ///< of it
    bool holiday = false, holiday_tomorrow = false;
};

enum class Act : std::uint8_t { none, first_notice, second_notice, cut, reconnect };
struct Decision {
    Act act = Act::none;
    std::string_view why = "";                     ///< a stable word: why nothing more is done
    bool first_over = false, second_over = false;  ///< the balance rose: these notices count no longer
    friend bool operator==(const Decision&, const Decision&) = default;
};

/// What is to be done now. While a job is at work: nothing.
Decision decide(const Situation& situation);
/// Why supply must not be cut now, a stable word: left, credit, held, disputed, notices, no_readings, late,
/// estimated, hours, day_before; nothing when it may be.
std::optional<std::string_view> objection(const Situation& situation);
/// The end of the hours that are open now; nothing when none are.
std::optional<Instant> open_until(const Situation& situation);

}  // namespace wattmesh::headend::prepayment
