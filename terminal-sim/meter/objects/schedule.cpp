#include "protocol/cosem/schedule.h"

#include <algorithm>

#include "protocol/cosem/schedule_times.h"
#include "terminal-sim/meter/meter.h"

/// Schedule and Special days table: scripts at times of day, by weekday, season and special day.
namespace wattmesh::sim {

using namespace dlms;

namespace {

constexpr ObisCode schedule_name = object_name(0, 0, 12, 0, 0),
                   special_days_name = object_name(0, 0, 11, 0, 0);
/// An entry is some 60 octets; more than a deed holds are refused there.
constexpr std::size_t entries_max = 64;

LocalTime local(Instant shown) { return LocalTime{shown.time_since_epoch()}; }
Instant instant(LocalTime at) { return Instant{at.time_since_epoch()}; }

/// Adds, replaces or removes one special day in what is stored.
AccessResult change_special_days(std::vector<cosem::special_days::Entry>& entries,
                                 const SimObject::Call& what) {
    using namespace cosem::special_days;
    constexpr std::size_t days_max = 366;
    const auto index = what.method == 1 ? insert.read(what.argument)->index
                                        : static_cast<std::uint16_t>(*what.argument.integer());
    const auto erased = std::erase_if(entries, [&](const Entry& entry) { return entry.index == index; });
    if (what.method == 2) return erased > 0 ? AccessResult::success : AccessResult::other_reason;
    if (entries.size() >= days_max) return AccessResult::other_reason;
    entries.push_back(*insert.read(what.argument));
    return AccessResult::success;
}

AccessResult change_schedule(std::vector<cosem::schedule::Entry>& entries, const SimObject::Call& what) {
    using namespace cosem::schedule;
    bool done = true;
    if (what.method == 1) {
        switch_over(entries, *enable_disable.read(what.argument));
    } else if (what.method == 2) {
        done = entries.size() < entries_max && put(entries, *insert.read(what.argument));
    } else {
        done = take_out(entries, *delete_.read(what.argument));
    }
    return done ? AccessResult::success : AccessResult::other_reason;
}

}  // namespace

void ObjectMaker::schedule(SimObjects& objects) {
    objects.push_back({.spec = &cosem::schedule::spec,
                       .name = schedule_name,
                       .audience = for_management,
                       .read = [](const Meter&, const SimObject::Read&) -> ReadOutcome {
                           return cosem::schedule::entries.write({});
                       },
                       .writable = {2},
                       .methods = {1, 2, 3},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           auto entries = meter.schedule_entries();
                           const auto result = change_schedule(entries, what);
                           if (result == AccessResult::success)
                               meter.store(what.object.name, 2, cosem::schedule::entries.write(entries));
                           return {result, {}};
                       },
                       .remembered = {1, 2, 3}});
    objects.push_back({.spec = &cosem::special_days::spec,
                       .name = special_days_name,
                       .audience = for_management,
                       .read = [](const Meter&, const SimObject::Read&) -> ReadOutcome {
                           return cosem::special_days::entries.write({});
                       },
                       .writable = {2},
                       .methods = {1, 2},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           using namespace cosem::special_days;
                           const auto stored = meter.attribute(what.object.name, 2);
                           auto days = stored ? *entries.read(*stored) : std::vector<Entry>{};
                           const auto result = change_special_days(days, what);
                           if (result == AccessResult::success)
                               meter.store(what.object.name, 2, entries.write(days));
                           return {result, {}};
                       },
                       .remembered = {1, 2}});
}

std::vector<cosem::schedule::Entry> Meter::schedule_entries() const {
    const auto stored = attribute(schedule_name, 2);
    if (!stored) return {};
    const auto entries = cosem::schedule::entries.read(*stored);
    return entries ? *entries : std::vector<cosem::schedule::Entry>{};
}

std::vector<cosem::special_days::Entry> Meter::special_days() const {
    const auto stored = attribute(object_named(cosem::Quantity::special_days), 2);
    if (!stored) return {};
    const auto entries = cosem::special_days::entries.read(*stored);
    return entries ? *entries : std::vector<cosem::special_days::Entry>{};
}

/// Within a day: rows of the load profile make the meter look again before that.
std::optional<Meter::Due> Meter::next_scheduled() const {
    const auto entries = schedule_entries();
    if (entries.empty()) return std::nullopt;
    const auto specials = special_days();
    const Instant shown = clock_.shown(latest_);
    Instant from = std::chrono::floor<std::chrono::seconds>(shown);
    const auto done = rare_->done_until.find(schedule_name);
    if (done != rare_->done_until.end() && done->second >= from) from = done->second + Duration{1};
    std::optional<LocalTime> first;
    for (const auto& entry : entries) {
        const auto at = cosem::schedule::next_execution(entry, local(from),
                                                        local(shown + std::chrono::days{1}), specials);
        if (at && (!first || *at < *first)) first = at;
    }
    if (!first) return std::nullopt;
    const Instant due = instant(*first);
    return Due{std::max(clock_.true_time(due), latest_), due, find(schedule_name)};
}

/// Entries of one time in the order of their indexes, a script of several entries once (Blue Book ed. 14,
/// 4.5.3).
void Meter::run_schedule(const Due& due) {
    const auto specials = special_days();
    std::vector<cosem::schedule::Entry> now;
    for (auto& entry : schedule_entries())
        if (cosem::schedule::next_execution(entry, local(due.shown), local(due.shown) + Duration{1},
                                            specials))
            now.push_back(std::move(entry));
    std::ranges::sort(now, {}, &cosem::schedule::Entry::index);
    std::vector<cosem::ActionItem> executed;
    for (const auto& entry : now) {
        const cosem::ActionItem script{entry.script_logical_name, entry.script_selector};
        if (std::ranges::find(executed, script) != executed.end()) continue;
        executed.push_back(script);
        execute(script, due.at);
    }
}

/// The clock was set. Forward: what was missed is made up for, as far as it is still valid. Backward by more
/// than a minute: what is gone through again is executed again; by less, as a synchronisation does, not.
void Meter::catch_up_schedule(Instant from, Instant to, Instant now) {
    const auto entries = schedule_entries();
    if (entries.empty()) return;
    if (to < from) {
        if (from - to > std::chrono::minutes{1})
            rare().done_until[schedule_name] = to - Duration{1};
        else
            rare().done_until[schedule_name] = std::max(from, rare().done_until[schedule_name]);
        return;
    }
    const auto specials = special_days();
    for (const auto& one : cosem::schedule::missed(entries, local(from) + Duration{1}, local(to), specials))
        execute({one.entry.script_logical_name, one.entry.script_selector}, now);
}

}  // namespace wattmesh::sim
