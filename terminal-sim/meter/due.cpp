#include <algorithm>

#include "protocol/cosem/schedule.h"
#include "protocol/dlms/date_time.h"
#include "terminal-sim/meter/meter.h"

/// What a meter does by itself at a time: scripts of single action schedules, the limiter, a passive
/// calendar.
namespace wattmesh::sim {

using namespace dlms;

namespace {

/// Nothing for wildcards: they are kept and shown, and start nothing in a simulated meter.
std::optional<Instant> instant_of(const cosem::single_action_schedule::ExecutionTime& time) {
    std::array<std::uint8_t, 12> octets{};
    std::copy(time.date.octets.begin(), time.date.octets.end(), octets.begin());
    std::copy(time.time.octets.begin(), time.time.octets.end(), octets.begin() + 5);
    octets[9] = 0x80;  // deviation not specified: the meter's own time
    const auto at = decode_date_time(octets);
    return at ? std::optional{at->at} : std::nullopt;
}

/// Times that an object's attributes name.
std::vector<Instant> times_of(const Meter& meter, const SimObject& object) {
    std::vector<Instant> times;
    if (object.spec->class_id == 22) {
        const auto stored = meter.attribute(object.name, 4);
        if (!stored) return times;
        if (const auto entries = cosem::single_action_schedule::execution_time.read(*stored))
            for (const auto& entry : *entries)
                if (const auto at = instant_of(entry)) times.push_back(*at);
    } else if (object.spec->class_id == 20) {
        const auto stored = meter.attribute(object.name, 10);
        const auto at = stored ? date_time(*stored) : std::nullopt;
        if (at) times.push_back(at->at);
    }
    return times;
}

}  // namespace

std::optional<Meter::Due> Meter::next_due() const {
    std::optional<Due> next;
    if (rare_->trip_at) next = Due{std::max(*rare_->trip_at, latest_), {}, nullptr};
    for (const auto& object : *objects_) {
        if (object.spec->class_id != 22 && object.spec->class_id != 20) continue;
        for (const Instant shown : times_of(*this, object)) {
            if (rare_->executed.contains({object.name, shown})) continue;
            const Instant at = std::max(clock_.true_time(shown), latest_);
            if (!next || at < next->at) next = Due{at, shown, &object};
        }
    }
    return next;
}

void Meter::carry_out(const Due& due) {
    if (due.object == nullptr) return trip(due.at);
    rare_->executed.insert({due.object->name, due.shown});
    latest_ = std::max(latest_, due.at);
    const bool nested = std::exchange(applying_, true);  // follows from what was written
    if (due.object->spec->class_id == 20) {
        activate_calendar(due.at);
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
    if (object == nullptr || (object->spec->class_id != 22 && object->spec->class_id != 20)) return;
    for (const Instant shown : times_of(*this, *object))
        if (shown <= clock_.shown(now)) rare().executed.insert({schedule, shown});
}

}  // namespace wattmesh::sim
