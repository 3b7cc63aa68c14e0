#include <algorithm>

#include "protocol/cosem/schedule.h"
#include "protocol/dlms/date_time_pattern.h"
#include "terminal-sim/meter/meter.h"

/// What a meter does by itself at a time: scripts of single action schedules, the limiter, a passive
/// calendar.
namespace wattmesh::sim {

using namespace dlms;

namespace {

/// The next time of a pattern in the meter's own time. A fixed one is carried out late too, when the clock
/// jumped over it or the meter was off; those of a pattern with wildcards that are gone by are gone.
std::optional<Instant> next_time(const DateTimePattern& pattern, Instant done_until, Instant shown) {
    if (pattern.time.second == any_field) return std::nullopt;  // every second: nobody means that
    if (const auto fixed = to_utc(pattern, utc_clock))
        return *fixed > done_until ? std::optional{*fixed} : std::nullopt;
    Instant from = std::chrono::floor<std::chrono::seconds>(shown);
    if (done_until >= from) from = done_until + Duration{1};
    const auto next = next_match(pattern, LocalTime{from.time_since_epoch()});
    return next ? std::optional{Instant{next->time_since_epoch()}} : std::nullopt;
}

/// When an object's attributes next name a time.
std::optional<Instant> next_time(const Meter& meter, const SimObject& object, Instant done_until,
                                 Instant shown) {
    std::vector<DateTimePattern> patterns;
    if (object.spec->class_id == 22) {
        const auto stored = meter.attribute(object.name, 4);
        if (!stored) return std::nullopt;
        if (const auto entries = cosem::single_action_schedule::execution_time.read(*stored))
            for (const auto& entry : *entries) {
                const auto date = decode_date(entry.date.octets);
                const auto time = decode_time(entry.time.octets);
                if (date && time) patterns.push_back({*date, *time, {}, {}});
            }
    } else if (const auto stored = meter.attribute(object.name, 10)) {
        const auto at = date_time_pattern(*stored);
        if (at && to_utc(*at, utc_clock)) patterns.push_back(*at);  // unspecified: it never comes
    }
    std::optional<Instant> next;
    for (const auto& pattern : patterns) {
        const auto at = next_time(pattern, done_until, shown);
        if (at && (!next || *at < *next)) next = at;
    }
    return next;
}

bool has_times(const SimObject& object) { return object.spec->class_id == 22 || object.spec->class_id == 20; }

}  // namespace

std::optional<Meter::Due> Meter::next_due() const {
    std::optional<Due> next;
    if (rare_->trip_at) next = Due{std::max(*rare_->trip_at, latest_), {}, nullptr, false};
    if (prepaid_ && prepaid_->look_at) {
        const Instant at = std::max(*prepaid_->look_at, latest_);
        if (!next || at < next->at) next = Due{at, {}, nullptr, true};
    }
    for (const auto& object : *objects_) {
        if (!has_times(object)) continue;
        const auto done = rare_->done_until.find(object.name);
        const auto shown = next_time(
            *this, object, done == rare_->done_until.end() ? Instant{} : done->second, clock_.shown(latest_));
        if (!shown) continue;
        const Instant at = std::max(clock_.true_time(*shown), latest_);
        if (!next || at < next->at) next = Due{at, *shown, &object, false};
    }
    const auto scheduled = next_scheduled();
    if (scheduled && (!next || scheduled->at < next->at)) next = scheduled;
    return next;
}

Instant Meter::next_event() const {
    const auto due = rare_ ? next_due() : std::nullopt;
    return std::min(next_capture(), due ? due->at : never);
}

void Meter::carry_out(const Due& due) {
    if (due.credit) {
        latest_ = std::max(latest_, due.at);
        return follow_credit(due.at);
    }
    if (due.object == nullptr) return trip(due.at);
    rare_->done_until[due.object->name] = due.shown;
    latest_ = std::max(latest_, due.at);
    const bool nested = std::exchange(applying_, true);  // follows from what was written
    if (due.object->spec->class_id == 20) {
        activate_calendar(due.at);
    } else if (due.object->spec->class_id == 10) {
        run_schedule(due);
    } else {
        const Selection all{};
        const auto stored = attribute(due.object->name, 2);
        const auto outcome = stored
                                 ? ReadOutcome{*stored}
                                 : due.object->read(*this, {*due.object, 2, all, management_client, due.at});
        const auto script = cosem::single_action_schedule::executed_script.read(std::get<Data>(outcome));
        if (script) execute(*script, due.at);
    }
    applying_ = nested;
}

// A schedule that is written with a time gone by starts nothing.
void Meter::skip_past_times(const ObisCode& schedule, Instant now) {
    const auto* object = find(schedule);
    if (object != nullptr && has_times(*object)) rare().done_until[schedule] = clock_.shown(now);
}

}  // namespace wattmesh::sim
