#include "protocol/modbus/bus_master.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace wattmesh::modbus {

BusMaster::BusMaster(std::span<const BusUnit> units, BusPlan plan) : plan_(plan) {
    assert(plan_.tries > 0 && plan_.dead_after > 0);
    for (const auto& unit : units) {
        assert(unit.map != nullptr);
        assert(std::ranges::none_of(units_, [&](const Unit& known) { return known.at.unit == unit.unit; }));
        units_.push_back({.at = unit});
    }
    for (const auto pace : {Pace::fast, Pace::slow})
        for (std::size_t i = 0; i < units_.size(); ++i)
            for (auto& block : blocks(*units_[i].at.map, pace, plan_.limits))
                jobs_.push_back({.unit = i, .block = std::move(block), .pace = pace});
    round_.resize(jobs_.size());
}

Instant BusMaster::ready(const Job& job) const { return std::max(job.due, units_[job.unit].held_until); }

std::optional<BusMaster::Ask> BusMaster::next(Instant now) {
    if (now < quiet_until_) return std::nullopt;
    if (!open_) {
        // Who has waited longest; among equals the order of units.
        const auto first = std::ranges::min_element(jobs_, {}, [&](const Job& job) { return ready(job); });
        if (first == jobs_.end() || ready(*first) > now) return std::nullopt;
        const bool dead = units_[first->unit].pause != Duration{};
        open_ = Open{.job = static_cast<std::size_t>(first - jobs_.begin()),
                     .tries_left = dead ? 1U : plan_.tries};
        again_ = true;
    }
    if (!again_) return std::nullopt;
    again_ = false;
    --open_->tries_left;
    open_->until = now + plan_.answer_max;
    ++counters_.requests;
    const Job& job = jobs_[open_->job];
    if (job.pace == Pace::fast && !round_began_) round_began_ = now;
    return Ask{units_[job.unit].at.unit, job.block.read};
}

Instant BusMaster::wake() const {
    if (open_) return again_ ? quiet_until_ : open_->until;
    Instant first = never;
    for (const auto& job : jobs_) first = std::min(first, ready(job));
    return std::max(first, quiet_until_);
}

void BusMaster::answered(const Result<Response>& response, Instant now) {
    if (!open_ || again_) return;
    quiet_until_ = now + plan_.gap;
    Job& job = jobs_[open_->job];
    Unit& unit = units_[job.unit];
    if (!response) {
        ++counters_.malformed;
        return give_up(now);
    }
    const auto* said_no = std::get_if<Exception>(&*response);
    if (said_no != nullptr && (said_no->code == ExceptionCode::gateway_path_unavailable ||
                               said_no->code == ExceptionCode::gateway_target_no_response)) {
        ++counters_.timeouts;  // it is the gateway that speaks: the unit is as silent as on a wire of ours
        return give_up(now);
    }
    ++counters_.answers;
    unit.unanswered = 0;
    if (std::exchange(unit.pause, Duration{}) != Duration{}) events_.emplace_back(UnitBack{unit.at.unit});
    if (const auto* refused = said_no) {
        ++counters_.refused;
        events_.emplace_back(BlockRefused{unit.at.unit, job.block.read, refused->code});
        open_.reset();
        job.due = now + plan_.slow_period;
        return count_round(job, now);
    }
    const auto* registers = std::get_if<Registers>(&*response);
    assert(registers != nullptr);  // that is what was asked for
    for (const auto i : job.block.points) {
        const Point& point = unit.at.map->points[i];
        events_.emplace_back(PointRead{unit.at.unit, &point,
                                       value_of(*unit.at.map, point, job.block, registers->values), now});
    }
    open_.reset();
    done(job, now);
}

void BusMaster::done(Job& job, Instant now) {
    const auto period = job.pace == Pace::fast ? plan_.fast_period : plan_.slow_period;
    if (job.pace == Pace::slow && plan_.slow_on_the_clock) {
        job.due = Instant{period * (now.time_since_epoch() / period + 1)};
        return count_round(job, now);
    }
    // A bus that is behind its plan goes on at once instead of catching up with what nobody needs any more.
    job.due = job.due == Instant{} ? now + period : std::max(job.due + period, now);
    count_round(job, now);
}

void BusMaster::expire(Instant now) {
    if (!open_ || again_ || now < open_->until) return;
    ++counters_.timeouts;
    quiet_until_ = now + plan_.gap;
    give_up(now);
}

/// The request got no answer of use.
void BusMaster::give_up(Instant now) {
    if (open_->tries_left > 0) {
        again_ = true;
        return;
    }
    Job& job = jobs_[open_->job];
    Unit& unit = units_[job.unit];
    open_.reset();
    done(job, now);
    if (unit.pause == Duration{} && ++unit.unanswered < plan_.dead_after) return;
    if (unit.pause == Duration{}) events_.emplace_back(UnitSilent{unit.at.unit});
    unit.pause = unit.pause == Duration{} ? plan_.dead_pause : std::min(unit.pause * 2, plan_.dead_pause_max);
    unit.held_until = now + unit.pause;
}

/// A round is over when every fast block of the units that live was done.
void BusMaster::count_round(const Job& job, Instant now) {
    if (job.pace != Pace::fast) return;
    round_[static_cast<std::size_t>(&job - jobs_.data())] = true;
    for (std::size_t i = 0; i < jobs_.size(); ++i)
        if (jobs_[i].pace == Pace::fast && !round_[i] && units_[jobs_[i].unit].pause == Duration{}) return;
    if (round_began_) fast_cycle_ = now - *round_began_;
    round_began_.reset();
    std::fill(round_.begin(), round_.end(), false);
}

std::optional<BusEvent> BusMaster::take_event() {
    if (events_.empty()) return std::nullopt;
    const BusEvent event = events_.front();
    events_.pop_front();
    return event;
}

}  // namespace wattmesh::modbus
