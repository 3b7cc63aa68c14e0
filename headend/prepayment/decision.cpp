#include "headend/prepayment/decision.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace wattmesh::headend::prepayment {
namespace {

constexpr std::array<std::string_view, 4> supplies{"on", "cutting", "off", "reconnecting"};

int weekday_of(std::chrono::sys_days day) {
    return static_cast<int>(std::chrono::weekday{day}.iso_encoding());
}

bool has_hours(const std::vector<Hours>& hours, std::chrono::sys_days day) {
    return std::ranges::any_of(hours,
                               [weekday = weekday_of(day)](const Hours& h) { return h.weekday == weekday; });
}

}  // namespace

std::string_view to_string(Supply supply) { return supplies[static_cast<std::size_t>(supply)]; }
Supply parse_supply(std::string_view word) {
    for (std::size_t i = 0; i < supplies.size(); ++i)
        if (supplies[i] == word) return static_cast<Supply>(i);
    throw std::logic_error("an unknown state of supply");
}

std::optional<Instant> open_until(const Situation& s) {
    if (s.holiday) return std::nullopt;
    for (const auto& hours : s.hours)
        if (hours.weekday == weekday_of(s.day) && s.minute >= hours.from_minute && s.minute < hours.to_minute)
            return std::chrono::floor<std::chrono::minutes>(s.now) +
                   std::chrono::minutes{hours.to_minute - s.minute};
    return std::nullopt;
}

std::optional<std::string_view> objection(const Situation& s) {
    if (!s.enrolled) return "left";
    if (s.balance >= s.rules.cut_below) return "credit";
    if (s.held) return "held";
    if (s.disputed) return "disputed";
    if (!s.first || !s.second || s.now < *s.second + s.rules.cut_after) return "notices";
    if (!s.actual_to) return "no_readings";
    if (s.now - *s.actual_to > s.rules.late) return "late";
    if (s.doubtful > 0) return "estimated";
    if (!open_until(s)) return "hours";
    if (s.holiday_tomorrow || !has_hours(s.hours, s.day + std::chrono::days{1})) return "day_before";
    return std::nullopt;
}

Decision decide(const Situation& s) {
    if (s.supply == Supply::cutting || s.supply == Supply::reconnecting)
        return {.act = Act::none, .why = to_string(s.supply)};
    if (s.supply == Supply::off) {
        if (s.cut_by_others) return {.act = Act::none, .why = "cut_off_by_order"};
        if (!s.enrolled || s.balance >= s.rules.reconnect_from) return {.act = Act::reconnect};
        return {.act = Act::none, .why = "off"};
    }
    Decision decision;
    decision.first_over = s.first && (!s.enrolled || s.balance >= s.rules.first_notice_below);
    decision.second_over = s.second && (!s.enrolled || s.balance >= s.rules.second_notice_below);
    if (!s.enrolled) {
        decision.why = "left";
    } else if (s.balance >= s.rules.first_notice_below) {
        decision.why = "credit";
    } else if (!s.first) {
        decision.act = Act::first_notice;
    } else if (s.balance >= s.rules.second_notice_below) {
        decision.why = "credit";
    } else if (!s.second) {
        if (s.now >= *s.first + s.rules.second_notice_after)
            decision.act = Act::second_notice;
        else
            decision.why = "notices";
    } else if (const auto why = objection(s)) {
        decision.why = *why;
    } else {
        decision.act = Act::cut;
    }
    return decision;
}

}  // namespace wattmesh::headend::prepayment
