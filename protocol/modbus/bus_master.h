#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/time.h"
#include "protocol/modbus/pdu.h"
#include "protocol/modbus/register_map.h"

namespace wattmesh::modbus {

struct BusUnit {
    std::uint8_t unit = 1;
    const RegisterMap* map = nullptr;  ///< outlives the master
};

struct BusPlan {
    Duration fast_period = std::chrono::seconds{5};   ///< of points with Pace::fast
    Duration slow_period = std::chrono::minutes{15};  ///< of the others
    /// Slow points are due at whole multiples of slow_period since 1970, after a first time at once: what
    /// counts is what a counter says when an interval ends.
    bool slow_on_the_clock = false;
    Duration answer_max = std::chrono::seconds{1};  ///< from the request to the whole answer
    Duration gap = std::chrono::milliseconds{50};   ///< from an answer to the next request
    unsigned tries = 2;                             ///< of one request, before it counts as unanswered
    unsigned dead_after = 3;                        ///< unanswered requests in a row
    Duration dead_pause = std::chrono::minutes{1};  ///< then it is left alone; doubled up to:
    Duration dead_pause_max = std::chrono::minutes{5};
    BlockLimits limits;
};

/// One value of one meter; nothing where the meter says "not available".
struct PointRead {
    std::uint8_t unit = 0;
    const Point* point = nullptr;
    std::optional<double> value;
    Instant at{};  ///< when the answer was whole
};
/// A unit went dead, or answers again.
struct UnitSilent {
    std::uint8_t unit = 0;
};
struct UnitBack {
    std::uint8_t unit = 0;
};
/// The unit refuses a block; it is asked again after the slow period.
struct BlockRefused {
    std::uint8_t unit = 0;
    Read read;
    ExceptionCode code{};
};
using BusEvent = std::variant<PointRead, UnitSilent, UnitBack, BlockRefused>;

struct BusCounters {
    std::uint64_t requests = 0, answers = 0, timeouts = 0, malformed = 0, refused = 0;
};

/// Master of one bus with many meters, at the concentrator's own RS-485 or behind a link: sans-IO, one
/// request at a time. What has waited longest is asked first, so a bus that is too slow for its plan goes
/// round evenly; a unit that is dead costs one time-out per pause and stalls nobody.
class BusMaster {
public:
    struct Ask {
        std::uint8_t unit = 0;
        Request request;
    };
    /// Asserts that every unit has a map and is named once.
    BusMaster(std::span<const BusUnit> units, BusPlan plan);

    /// What to send now; nothing while a request is open, in the gap behind an answer, or when nothing is
    /// due.
    std::optional<Ask> next(Instant now);
    /// When next() or expire() has something to do; call again after every call of the others.
    Instant wake() const;
    /// The answer to the open request. Malformed ones are asked again like unanswered ones.
    void answered(const Result<Response>& response, Instant now);
    /// Gives the open request up when its time is over.
    void expire(Instant now);
    std::optional<BusEvent> take_event();

    bool open() const { return open_.has_value(); }
    const BusCounters& counters() const { return counters_; }
    /// How long the last whole round over the fast blocks of all units that live took; nothing before.
    std::optional<Duration> fast_cycle() const { return fast_cycle_; }

private:
    struct Job {
        std::size_t unit = 0;
        Block block;
        Pace pace{};
        Instant due{};
    };
    struct Unit {
        BusUnit at;
        unsigned unanswered = 0;
        Duration pause{};  ///< not zero: it is dead
        Instant held_until{};
    };
    struct Open {
        std::size_t job = 0;
        unsigned tries_left = 0;
        Instant until{};
    };
    Instant ready(const Job& job) const;
    void give_up(Instant now);
    void done(Job& job, Instant now);
    void count_round(const Job& job, Instant now);

    BusPlan plan_;
    std::vector<Unit> units_;
    std::vector<Job> jobs_;
    std::optional<Open> open_;
    Instant quiet_until_{};
    bool again_ = false;  ///< the open request is to be sent once more
    std::deque<BusEvent> events_;
    BusCounters counters_;
    std::vector<bool> round_;  ///< fast jobs that were done since the round began
    std::optional<Instant> round_began_;
    std::optional<Duration> fast_cycle_;
};

}  // namespace wattmesh::modbus
