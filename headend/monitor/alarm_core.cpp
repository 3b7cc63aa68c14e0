#include "headend/monitor/alarm_core.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include "headend/monitor/alarm_gather.h"
#include "headend/monitor/alarm_state.h"

namespace wattmesh::headend::monitor {
namespace {

using database::Alarm;
using database::AlarmChange;
using database::AlarmObject;
using database::AlarmState;

constexpr Duration chatter_within = std::chrono::minutes{1}, chatter_hold = std::chrono::minutes{10};
constexpr int chatter_from = 3;
constexpr unsigned grown_from = 4;
constexpr const char* self = "head-end";

/// Tenant (0: none), rule, object.
using Key = std::tuple<int, std::string, AlarmObject>;
Key key_of(const std::optional<TenantId>& tenant, const std::string& rule, const AlarmObject& object) {
    return {tenant ? tenant->value : 0, rule, object};
}
std::string spoken(const AlarmObject& object) { return object.kind + " " + object.name; }

class Look {
public:
    Look(std::vector<Alarm> known, Instant now) : now_(now) {
        for (auto& alarm : known) {
            auto key = key_of(alarm.tenant, alarm.rule, alarm.object);
            entries_.emplace(std::move(key), Entry{alarm, std::move(alarm), {}, false, {}});
        }
    }
    std::vector<AlarmChange> work(std::vector<AlarmSign> signs);

private:
    struct Entry {
        Alarm before, alarm;
        std::vector<database::AlarmNote> notes;
        bool seen = false;
        std::string hidden_by;
    };
    struct Fresh {
        Alarm* alarm;
        Instant since;
        AlarmObject root;
    };

    void leave_low_values(std::vector<AlarmSign>& signs) const;
    void hide_explained(std::vector<AlarmSign>& signs);
    void take(const AlarmRule& rule, GatheredSign gathered);
    void raise(Entry& entry, const AlarmSign& sign);
    void over(const AlarmRule& rule, Entry& entry);
    void hide(Entry& entry);
    void unshelve(Entry& entry);
    void mark_first_up();
    Entry* find(const Key& key) {
        const auto found = entries_.find(key);
        return found == entries_.end() ? nullptr : &found->second;
    }
    void note(Entry& entry, const char* what, std::string text) const {
        entry.notes.push_back({now_, what, self, std::move(text)});
    }

    Instant now_;
    std::map<Key, Entry> entries_;
    std::map<AlarmObject, int> hides_;
    std::vector<Fresh> fresh_;
};

void Look::leave_low_values(std::vector<AlarmSign>& signs) const {
    std::erase_if(signs, [&](const AlarmSign& sign) {
        const auto* const rule = find_alarm_rule(sign.rule);
        assert(rule != nullptr);
        if (!sign.value) return false;
        const auto known = entries_.find(key_of(sign.tenant, sign.rule, sign.object));
        const bool stands = known != entries_.end() && known->second.alarm.active;
        return *sign.value < (stands ? rule->clear_at : rule->raise_at);
    });
}

/// A concentrator that is down or dark explains the silence of its meters, and does so for a while after.
void Look::hide_explained(std::vector<AlarmSign>& signs) {
    std::map<AlarmObject, std::string> explained;
    for (const auto& sign : signs)
        if (find_alarm_rule(sign.rule)->explains) explained.emplace(sign.object, sign.text);
    for (const auto& [key, entry] : entries_) {
        const auto& alarm = entry.alarm;
        if (!find_alarm_rule(alarm.rule)->explains) continue;
        if (alarm.active || (alarm.returned && now_ - *alarm.returned < alarm_memory))
            explained.emplace(alarm.object, alarm.text);
    }
    std::erase_if(signs, [&](const AlarmSign& sign) {
        if (!find_alarm_rule(sign.rule)->hidden_by) return false;
        for (const auto& place : sign.places) {
            if (!explained.contains(place)) continue;
            ++hides_[place];
            if (Entry* const known = find(key_of(sign.tenant, sign.rule, sign.object)))
                known->hidden_by = spoken(place);
            return true;
        }
        return false;
    });
}

void Look::raise(Entry& entry, const AlarmSign& sign) {
    Alarm& alarm = entry.alarm;
    if (entry.before.state == AlarmState::normal && alarm.acked) {
        alarm.count = 0;
        alarm.raised = now_;
        alarm.assigned_to.reset();
    }
    ++alarm.count;
    alarm.last = now_;
    alarm.active = true;
    alarm.acked = false;
    alarm.returned.reset();
    alarm.acked_by.reset();
    alarm.acked_at.reset();
    if (now_ - alarm.burst_from > chatter_within) {
        alarm.burst_from = now_;
        alarm.burst = 0;
    }
    ++alarm.burst;
    if (alarm.shelved_until || alarm.out_of_service) return;  // counted, not announced
    note(entry, "raised", sign.text);
    if (alarm.burst >= chatter_from && !alarm.chattering) {
        alarm.chattering = true;
        note(entry, "chattered", "raised three times within a minute: held until it is quiet for ten");
    }
    fresh_.push_back({&alarm, sign.since, sign.places.empty() ? sign.object : sign.places.back()});
}

void Look::take(const AlarmRule& rule, GatheredSign gathered) {
    auto& sign = gathered.sign;
    for (const auto& absorbed : gathered.absorbed)
        if (Entry* const known = find(key_of(sign.tenant, sign.rule, absorbed)))
            known->hidden_by = spoken(sign.object);
    const auto key = key_of(sign.tenant, sign.rule, sign.object);
    Entry* entry = find(key);
    const bool ripe = now_ - std::min(sign.since, now_) >= rule.on_delay;
    if (entry == nullptr) {
        if (!ripe) return;
        Entry made;
        made.alarm.tenant = sign.tenant;
        made.alarm.area = sign.area;
        made.alarm.rule = sign.rule;
        made.alarm.object = sign.object;
        made.before = made.alarm;
        entry = &entries_.emplace(key, std::move(made)).first->second;
    }
    Alarm& alarm = entry->alarm;
    entry->seen = true;
    alarm.gone.reset();
    alarm.priority = rule.priority;
    alarm.text = sign.text;
    if (alarm.suppressed_by) {
        alarm.suppressed_by.reset();
        alarm.acked = false;
        note(*entry, "unsuppressed", sign.text);
    }
    if (alarm.active) {
        const auto before = static_cast<unsigned>(alarm.members), after = static_cast<unsigned>(sign.members);
        if (after >= grown_from && std::bit_width(after) > std::bit_width(before)) {
            alarm.acked = false;
            note(*entry, "grew", sign.text);
        }
    } else if (ripe) {
        raise(*entry, sign);
    }
    alarm.members = sign.members;
}

void Look::hide(Entry& entry) {
    Alarm& alarm = entry.alarm;
    alarm.gone.reset();
    if (alarm.suppressed_by == entry.hidden_by) return;
    if (!alarm.active) return;
    alarm.suppressed_by = entry.hidden_by;
    note(entry, "suppressed", "explained by " + entry.hidden_by);
}

void Look::over(const AlarmRule& rule, Entry& entry) {
    Alarm& alarm = entry.alarm;
    if (!alarm.active) return;
    if (!alarm.gone) alarm.gone = now_;
    const auto hold = alarm.chattering ? std::max(rule.off_delay, chatter_hold) : rule.off_delay;
    if (now_ - *alarm.gone < hold) return;
    alarm.active = alarm.chattering = alarm.first_up = false;
    alarm.gone.reset();
    alarm.returned = now_;
    if (alarm.suppressed_by) alarm.acked = true;  // nobody was told
    alarm.suppressed_by.reset();
    if (!alarm.shelved_until && !alarm.out_of_service) note(entry, "returned", alarm.text);
}

void Look::unshelve(Entry& entry) {
    Alarm& alarm = entry.alarm;
    if (!alarm.shelved_until || *alarm.shelved_until > now_) return;
    alarm.shelved_until.reset();
    alarm.aside.reset();
    alarm.acked = !alarm.active;
    note(entry, "unshelved", "the time is over");
}

/// Of what came in one look from one place, the sign that is the oldest: often the cause.
void Look::mark_first_up() {
    std::map<AlarmObject, std::vector<const Fresh*>> groups;
    for (const auto& one : fresh_) groups[one.root].push_back(&one);
    for (const auto& [root, group] : groups) {
        if (group.size() < 2) continue;
        const auto* const first =
            *std::ranges::min_element(group, {}, [](const Fresh* one) { return one->since; });
        first->alarm->first_up = true;
    }
}

std::vector<AlarmChange> Look::work(std::vector<AlarmSign> signs) {
    leave_low_values(signs);
    hide_explained(signs);
    std::map<std::string, std::vector<AlarmSign>> by_rule;
    for (auto& sign : signs) {
        auto& same = by_rule[sign.rule];
        same.push_back(std::move(sign));
    }
    for (auto& [word, same] : by_rule) {
        const auto& rule = *find_alarm_rule(word);
        std::vector<AlarmObject> standing;
        for (const auto& [key, entry] : entries_)
            if (std::get<1>(key) == word && entry.alarm.active) standing.push_back(entry.alarm.object);
        // What is not ripe yet does not count towards a larger alarm.
        const auto unripe = std::ranges::partition(
            same, [&](const AlarmSign& sign) { return now_ - std::min(sign.since, now_) >= rule.on_delay; });
        std::vector<AlarmSign> waiting{std::make_move_iterator(unripe.begin()),
                                       std::make_move_iterator(unripe.end())};
        same.erase(unripe.begin(), unripe.end());
        for (auto& sign : waiting) take(rule, {std::move(sign), {}});
        for (auto& one : gather(rule, std::move(same), standing)) take(rule, std::move(one));
    }
    std::vector<AlarmChange> changes;
    for (auto& [key, entry] : entries_) {
        const auto& rule = *find_alarm_rule(entry.alarm.rule);
        if (!entry.seen && !entry.hidden_by.empty())
            hide(entry);
        else if (!entry.seen)
            over(rule, entry);
        unshelve(entry);
        const auto hides = hides_.find(entry.alarm.object);
        entry.alarm.hides = rule.explains && hides != hides_.end() ? hides->second : 0;
    }
    mark_first_up();
    for (auto& [key, entry] : entries_) {
        settle(entry.alarm);
        if (entry.alarm != entry.before || !entry.notes.empty())
            changes.push_back({std::move(entry.alarm), std::move(entry.notes)});
    }
    return changes;
}

}  // namespace

std::vector<AlarmChange> look_at_alarms(std::vector<Alarm> known, std::vector<AlarmSign> signs, Instant now) {
    std::erase_if(known, [](const Alarm& alarm) { return find_alarm_rule(alarm.rule) == nullptr; });
    return Look{std::move(known), now}.work(std::move(signs));
}

}  // namespace wattmesh::headend::monitor
