#include <array>

#include "headend/monitor/alarm_core.h"
#include "headend/monitor/alarm_state.h"

namespace wattmesh::headend::monitor {
namespace {

using database::Alarm;
using database::AlarmState;
using Verb = AlarmAct::Verb;

constexpr std::array<std::string_view, 8> verb_words{"ack",    "comment", "shelve", "unshelve",
                                                     "remove", "restore", "assign", "reset"};

bool standing(const Alarm& alarm) { return alarm.state != AlarmState::normal; }

/// What the journal says, or nothing when the act makes no sense now.
const char* change(Alarm& alarm, const AlarmAct& act, Instant now) {
    switch (act.verb) {
        case Verb::acknowledge:
            if (alarm.acked) return nullptr;
            alarm.acked = true;
            alarm.acked_by = act.by;
            alarm.acked_at = now;
            return "acknowledged";
        case Verb::comment:
            return "commented";
        case Verb::shelve:
            if (!standing(alarm) || alarm.out_of_service) return nullptr;
            alarm.shelved_until = act.until;
            alarm.aside = database::AlarmAside{act.by, act.text};
            return "shelved";
        case Verb::unshelve:
            if (!alarm.shelved_until) return nullptr;
            alarm.shelved_until.reset();
            alarm.aside.reset();
            return "unshelved";
        case Verb::take_out:
            if (alarm.out_of_service) return nullptr;
            alarm.out_of_service = true;
            alarm.shelved_until.reset();
            alarm.aside = database::AlarmAside{act.by, act.text};
            return "taken out of service";
        case Verb::put_in:
            if (!alarm.out_of_service) return nullptr;
            alarm.out_of_service = false;
            alarm.aside.reset();
            alarm.acked = !alarm.active;
            return "put in service";
        case Verb::assign:
            if (!standing(alarm)) return nullptr;
            alarm.assigned_to.reset();
            if (!act.whom.empty()) alarm.assigned_to = act.whom;
            return "assigned";
        case Verb::reset:
            if (alarm.state != AlarmState::latched) return nullptr;
            alarm.count = 0;
            return "reset";
    }
    return nullptr;
}

}  // namespace

void settle(Alarm& alarm) {
    const auto* const rule = find_alarm_rule(alarm.rule);
    alarm.state = alarm.out_of_service  ? AlarmState::out_of_service
                  : alarm.shelved_until ? AlarmState::shelved
                  : alarm.suppressed_by ? AlarmState::suppressed
                  : alarm.active        ? (alarm.acked ? AlarmState::acked : AlarmState::unacked)
                  : !alarm.acked        ? AlarmState::returned
                  : rule != nullptr && rule->latched && alarm.count > 0 ? AlarmState::latched
                                                                        : AlarmState::normal;
}

std::string_view to_string(Verb verb) { return verb_words[static_cast<std::size_t>(verb)]; }

std::optional<Verb> parse_alarm_verb(std::string_view word) {
    for (std::size_t i = 0; i < verb_words.size(); ++i)
        if (verb_words[i] == word) return static_cast<Verb>(i);
    return std::nullopt;
}

std::optional<database::AlarmNote> act(Alarm& alarm, const AlarmAct& act, Instant now) {
    const char* const what = change(alarm, act, now);
    if (what == nullptr) return std::nullopt;
    settle(alarm);
    return database::AlarmNote{now, what, act.by, act.verb == Verb::assign ? act.whom : act.text};
}

}  // namespace wattmesh::headend::monitor
