#include "headend/validation/rules.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace wattmesh::headend::validation {
namespace {

struct RuleWords {
    std::string_view word, code;
};
constexpr std::array<RuleWords, rules> words{{{"gap", "2.5.259"},
                                              {"range", "2.5.256"},
                                              {"negative", "2.5.258"},
                                              {"spike", "2.5.258"},
                                              {"jump", "2.5.258"},
                                              {"sum_check", "2.5.258"},
                                              {"register_backwards", "2.5.258"},
                                              {"zero_run", "2.6.1"},
                                              {"frozen", "2.5.258"},
                                              {"usage_while_off", "2.6.2"},
                                              {"power_factor", "2.5.258"},
                                              {"outage_agreement", "1.2.32"},
                                              {"clock_set", "1.4.9"},
                                              {"high", "2.6.3"},
                                              {"low", "2.6.4"}}};
constexpr std::array<std::string_view, 3> verdict_words{"off", "warn", "fail"};

/// One day under the rules.
class Judge {
public:
    Judge(const MeterDay& day, const MeterClass& limits) : day_(day), limits_(limits) {}

    std::vector<Finding> run() {
        gaps();
        values();
        spike();
        jumps();
        registers();
        runs();
        covered(Rule::usage_while_off, day_.off, limits_.usage_while_off_wh);
        power_factor();
        covered(Rule::outage_agreement, day_.dark, 0);
        clock();
        std::ranges::stable_sort(found_, {}, [](const Finding& finding) { return finding.rule; });
        return std::move(found_);
    }

private:
    int count() const { return static_cast<int>(day_.import_wh.size()); }
    const std::optional<std::int64_t>& at(int i) const { return day_.import_wh[static_cast<std::size_t>(i)]; }
    Verdict verdict(Rule rule) const { return limits_.verdicts[static_cast<std::size_t>(rule)]; }

    void find(Rule rule, int first, int last, std::int64_t value, std::int64_t limit) {
        find(rule, verdict(rule), first, last, value, limit);
    }
    void find(Rule rule, Verdict how, int first, int last, std::int64_t value, std::int64_t limit) {
        if (verdict(rule) != Verdict::off) found_.push_back({rule, how, first, last, value, limit});
    }
    /// Stretches of intervals for which `holds`.
    template <class Holds, class Tell>
    void stretches(Holds holds, Tell tell) const {
        for (int i = 0; i < count(); ++i) {
            if (!holds(i)) continue;
            const int first = i;
            while (i + 1 < count() && holds(i + 1)) ++i;
            tell(first, i);
        }
    }

    void gaps() {
        stretches([&](int i) { return !at(i); },
                  [&](int first, int last) { find(Rule::gap, first, last, last - first + 1, 0); });
    }

    void values() {
        const auto most = energy_max(limits_, day_.period);
        const auto extreme = [&](int first, int last) {
            std::int64_t value = *at(first);
            for (int i = first; i <= last; ++i)
                if (std::abs(*at(i)) > std::abs(value)) value = *at(i);
            return value;
        };
        stretches([&](int i) { return at(i) && *at(i) > most; },
                  [&](int first, int last) { find(Rule::range, first, last, extreme(first, last), most); });
        stretches([&](int i) { return at(i) && *at(i) < 0; },
                  [&](int first, int last) { find(Rule::negative, first, last, extreme(first, last), 0); });
    }

    void spike() {
        std::vector<int> order;
        order.reserve(day_.import_wh.size());
        for (int i = 0; i < count(); ++i)
            if (at(i)) order.push_back(i);
        if (order.size() < 3) return;
        std::ranges::partial_sort(order, order.begin() + 3, std::greater{}, [&](int i) { return *at(i); });
        const auto p1 = *at(order[0]), p3 = *at(order[2]);
        if (p1 < limits_.spike_wh_min || p3 <= 0) return;
        if ((p1 - p3) * 100 > p3 * limits_.spike_percent)
            find(Rule::spike, order[0], order[0], p1, p3 * (100 + limits_.spike_percent) / 100);
    }

    void jumps() {
        auto before = day_.before_wh;
        for (int i = 0; i < count(); ++i) {
            if (!at(i)) continue;
            if (before && *before > 0 && *at(i) >= limits_.jump_wh_min &&
                (*at(i) - *before) * 100 > *before * limits_.jump_percent)
                find(Rule::jump, i, i, *at(i), *before * (100 + limits_.jump_percent) / 100);
            before = at(i);
        }
    }

    void registers() {
        if (!day_.register_from_wh || !day_.register_to_wh || count() == 0) return;
        auto advance = *day_.register_to_wh - *day_.register_from_wh;
        if (advance < 0) {
            // A roll-over explains it when what then went through is possible within the day.
            const auto rolled = advance + limits_.register_capacity_wh;
            if (rolled >= energy_max(limits_, day_.period) * count())
                return find(Rule::register_backwards, 0, count() - 1, *day_.register_to_wh,
                            *day_.register_from_wh);
            advance = rolled;
        }
        std::int64_t sum = 0;
        for (const auto& value : day_.import_wh) {
            if (!value) return;  // nothing to compare
            sum += *value;
        }
        const auto tolerance = std::max(2 * limits_.register_step_wh, advance / 1000);
        if (std::abs(sum - advance) > tolerance) find(Rule::sum_check, 0, count() - 1, sum, advance);
    }

    bool inside(const std::vector<Span>& spans, int i) const {
        const auto from = day_.from + i * day_.period, to = from + day_.period;
        return std::ranges::any_of(spans,
                                   [&](const Span& span) { return span.from <= from && to <= span.to; });
    }
    bool touches(const std::vector<Span>& spans, int i) const {
        const auto from = day_.from + i * day_.period, to = from + day_.period;
        return std::ranges::any_of(spans, [&](const Span& span) { return span.from < to && from < span.to; });
    }

    /// Zeros and equal values in a row, those of the days before included.
    void runs() {
        auto value = day_.before_wh;
        int length = value ? day_.same_before : 0, first = 0;
        const auto close = [&](int last) {
            if (value && last >= first) run(*value, length, first, last);
        };
        for (int i = 0; i < count(); ++i) {
            const bool excused = at(i) && *at(i) == 0 && (touches(day_.dark, i) || touches(day_.off, i));
            if (at(i) && !excused && value && *at(i) == *value) {
                ++length;
                continue;
            }
            close(i - 1);
            value = excused ? std::nullopt : at(i);
            length = value ? 1 : 0;
            first = i;
        }
        close(count() - 1);
    }
    void run(std::int64_t value, int length, int first, int last) {
        const auto hours = std::chrono::duration_cast<std::chrono::hours>(length * day_.period).count();
        if (value == 0 && hours >= limits_.zero_run_warn_h) {
            const bool long_ = hours >= limits_.zero_run_fail_h;
            find(Rule::zero_run, long_ ? Verdict::fail : verdict(Rule::zero_run), first, last, hours,
                 long_ ? limits_.zero_run_fail_h : limits_.zero_run_warn_h);
        }
        if (value > 0 && length >= limits_.frozen_count)
            find(Rule::frozen, first, last, length, limits_.frozen_count - 1);
    }

    /// Energy in intervals that lie wholly in one of the spans.
    void covered(Rule rule, const std::vector<Span>& spans, std::int64_t most) {
        std::int64_t sum = 0;
        int first = -1, last = -1;
        for (int i = 0; i < count(); ++i) {
            if (!at(i) || *at(i) <= 0 || !inside(spans, i)) continue;
            sum += *at(i);
            if (first < 0) first = i;
            last = i;
        }
        if (first >= 0 && sum > most) find(rule, first, last, sum, most);
    }

    /// Each interval that a jump touches is shorter or longer than it says.
    void clock() {
        for (const Span& span : day_.clock_set) {
            const auto jump = std::chrono::duration_cast<std::chrono::seconds>(span.to - span.from).count();
            stretches([&](int i) { return touches({span}, i); },
                      [&](int first, int last) { find(Rule::clock_set, first, last, jump, 0); });
        }
    }

    void power_factor() {
        if (day_.reactive_varh.size() != day_.import_wh.size()) return;
        const auto tenth = energy_max(limits_, day_.period) / 10;
        stretches(
            [&](int i) {
                const auto& reactive = day_.reactive_varh[static_cast<std::size_t>(i)];
                if (!at(i) || !reactive || *at(i) < 0) return false;
                if (*at(i) <= tenth) return *at(i) == 0 && *reactive > tenth;
                const auto active = static_cast<double>(*at(i)), blind = static_cast<double>(*reactive);
                return active * 100 < limits_.power_factor_percent * std::hypot(active, blind);
            },
            [&](int first, int last) {
                find(Rule::power_factor, first, last, *day_.reactive_varh[static_cast<std::size_t>(first)],
                     limits_.power_factor_percent);
            });
    }

    const MeterDay& day_;
    const MeterClass& limits_;
    std::vector<Finding> found_;
};

}  // namespace

std::string_view to_string(Rule rule) { return words.at(static_cast<std::size_t>(rule)).word; }
std::string_view quality_code(Rule rule) { return words.at(static_cast<std::size_t>(rule)).code; }
std::string_view to_string(Verdict verdict) { return verdict_words.at(static_cast<std::size_t>(verdict)); }
std::optional<Verdict> parse_verdict(std::string_view word) {
    const auto* const found = std::ranges::find(verdict_words, word);
    if (found == verdict_words.end()) return std::nullopt;
    return static_cast<Verdict>(found - verdict_words.begin());
}

std::int64_t energy_max(const MeterClass& limits, Duration period) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(period).count();
    return limits.power_max_w * seconds / 3600 * (100 + limits.tolerance_percent) / 100;
}

MeterClass household() {
    MeterClass limits;
    limits.spike_percent = 450;
    limits.jump_percent = 3'600;
    return limits;
}

MeterClass large_customer() {
    MeterClass limits;
    limits.power_max_w = 400'000;
    return limits;
}

bool set(MeterClass& limits, std::string_view name, std::int64_t value) {
    constexpr std::string_view verdict = "verdict.";
    constexpr std::int64_t most = 1'000'000'000'000;
    if (value < 0 || value > most) return false;
    if (name.starts_with(verdict)) {
        name.remove_prefix(verdict.size());
        const auto* const rule = std::ranges::find(words, name, &RuleWords::word);
        if (rule == words.end() || value > 2) return false;
        limits.verdicts.at(static_cast<std::size_t>(rule - words.begin())) = static_cast<Verdict>(value);
        return true;
    }
    const std::array<std::pair<std::string_view, std::int64_t MeterClass::*>, 6> wide{
        {{"power_max_w", &MeterClass::power_max_w},
         {"spike_wh_min", &MeterClass::spike_wh_min},
         {"jump_wh_min", &MeterClass::jump_wh_min},
         {"usage_while_off_wh", &MeterClass::usage_while_off_wh},
         {"register_capacity_wh", &MeterClass::register_capacity_wh},
         {"register_step_wh", &MeterClass::register_step_wh}}};
    for (const auto& [word, member] : wide)
        if (word == name) return limits.*member = value, true;
    const std::array<std::pair<std::string_view, int MeterClass::*>, 9> narrow{
        {{"tolerance_percent", &MeterClass::tolerance_percent},
         {"spike_percent", &MeterClass::spike_percent},
         {"jump_percent", &MeterClass::jump_percent},
         {"zero_run_warn_h", &MeterClass::zero_run_warn_h},
         {"zero_run_fail_h", &MeterClass::zero_run_fail_h},
         {"frozen_count", &MeterClass::frozen_count},
         {"power_factor_percent", &MeterClass::power_factor_percent},
         {"high_percent", &MeterClass::high_percent},
         {"low_percent", &MeterClass::low_percent}}};
    if (value > 1'000'000) return false;
    for (const auto& [word, member] : narrow)
        if (word == name) return limits.*member = static_cast<int>(value), true;
    return false;
}

std::vector<Finding> validate(const MeterDay& day, const MeterClass& limits) {
    assert(day.period > Duration{});
    return Judge{day, limits}.run();
}

std::optional<Finding> validate_average(std::int64_t average_wh, std::int64_t reference_wh,
                                        const MeterClass& limits) {
    if (reference_wh <= 0) return std::nullopt;
    const auto judge = [&](Rule rule, std::int64_t limit) -> std::optional<Finding> {
        const auto verdict = limits.verdicts[static_cast<std::size_t>(rule)];
        if (verdict == Verdict::off) return std::nullopt;
        return Finding{rule, verdict, 0, 0, average_wh, limit};
    };
    if (average_wh * 100 > reference_wh * limits.high_percent)
        return judge(Rule::high, reference_wh * limits.high_percent / 100);
    if (average_wh * 100 < reference_wh * limits.low_percent)
        return judge(Rule::low, reference_wh * limits.low_percent / 100);
    return std::nullopt;
}

}  // namespace wattmesh::headend::validation
