#include <algorithm>
#include <limits>
#include <tuple>

#include "concentrator/reading/reading_engine.h"
#include "protocol/dlms/date_time.h"

namespace wattmesh::concentrator {
namespace {

constexpr int tries_before_report = 3, tries_before_drop = 3;
constexpr std::uint16_t profile_generic = 7, clock_class = 8;

dlms::Selection rows_between(const Window& window) {
    const dlms::CaptureObject clock{clock_class, obis::clock, 2, 0};
    return dlms::RangeSelection{
        clock, dlms::date_time_octets({window.from, 0, 0}), dlms::date_time_octets({window.to, 0, 0}), {}};
}
dlms::Selection oldest_row() { return dlms::EntrySelection{1, 1, 1, 1}; }

/// A journal file restored from an old copy has old counters, and a counter used twice under one key gives
/// the cipher away. So blocks begin above a floor that time moves by one a second: faster than reading uses
/// them up, and than a program that starts again every ten minutes reserves them (fleet seed 16). It lasts
/// until 2093.
std::uint32_t counter_floor(const Now& now) {
    constexpr Instant beginning{std::chrono::sys_days{std::chrono::year{2025} / 1 / 1}};
    if (now.utc < beginning) return 0;
    const auto steps = (now.utc - beginning) / std::chrono::seconds{1};
    return static_cast<std::uint32_t>(
        std::min<std::int64_t>(steps, std::numeric_limits<std::uint32_t>::max() / 2));
}

bool temporary(dcu::ReadFault fault) {
    return fault == dcu::ReadFault::no_answer || fault == dcu::ReadFault::not_joined ||
           fault == dcu::ReadFault::outage;
}

}  // namespace

struct ReadingEngine::Candidate {
    Meter* meter = nullptr;
    std::size_t profile = 0;
    JobKind kind{};
    /// Smaller goes first: newest rounds before old ranges, fewer failed tries, longest not served.
    auto order() const {
        const auto& state = meter->profiles[profile];
        return std::tuple{kind != JobKind::newest,
                          kind == JobKind::newest ? state.newest.attempts : state.pending.attempts,
                          meter->served, meter->listed.number};
    }
};

Instant ReadingEngine::backed_off(int attempts) const {
    const auto wait = std::chrono::seconds{30} * (1 << std::clamp(attempts - 1, 0, 4));
    return now_.steady + std::min<Duration>(wait, std::chrono::minutes{5});
}

void ReadingEngine::tick(const Now& now) {
    now_ = now;
    for (auto& [number, meter] : meters_) begin_rounds(meter);
    reserve_counters();
    while (on_air_ < settings_.window && start_next()) {
    }
    set_deadline();
}

void ReadingEngine::begin_rounds(Meter& meter) {
    for (auto& profile : meter.profiles) {
        const Instant round = round_end(now_.utc, profile.plan);
        if (round == profile.round || round <= Instant{}) continue;
        const bool open = profile.round != Instant{} && profile.progress->position < profile.round;
        if (open && profile.fault && !profile.reported) report(meter, profile, *profile.fault);
        profile.round = round;
        profile.newest = {};
        profile.fault.reset();
        profile.reported = false;
        if (!meter.talk && profile.progress->position < round) report(meter, profile, dcu::ReadFault::no_key);
    }
}

/// Once per meter, profile and round.
void ReadingEngine::report(const Meter& meter, Profile& profile, dcu::ReadFault fault) {
    profile.reported = true;
    const Instant position = profile.progress->position;
    const dcu::ReadFailure failure{
        fault,
        position == Instant{} ? profile.round : std::min(position + period(profile.plan), profile.round),
        profile.round};
    Commit commit;
    commit.entries.push_back(
        {meter.listed.number, dcu::EntryKind::read_failed, now_.utc, now_.doubtful, dcu::encode(failure)});
    store_.commit(std::move(commit), [this](const auto& stored) {
        if (!stored) ++counts_.commits_refused;
    });
}

void ReadingEngine::reserve_counters() {
    if (now_.steady < reserve_again_) return;
    std::vector<CounterRequest> wanted;
    for (auto& [number, meter] : meters_) {
        if (!meter.talk || meter.talk->reserving || meter.job || meter.profiles.empty()) continue;
        const bool timed = meter.talk->timed || now_.doubtful;
        if (meter.talk->send().left() >= settings_.counter_low && timed) continue;
        meter.talk->reserving = true;
        wanted.push_back({number, meter.talk->key_check(), counter_floor(now_)});
    }
    if (wanted.empty()) return;
    auto asked = wanted;
    store_.reserve_counters(std::move(wanted), settings_.counter_block,
                            [this, asked, trusted = !now_.doubtful](const auto& blocks) {
                                if (!blocks) reserve_again_ = now_.steady + std::chrono::seconds{5};
                                for (std::size_t i = 0; i < asked.size(); ++i) {
                                    const auto meter = meters_.find(asked[i].meter);
                                    if (meter == meters_.end() || !meter->second.talk) continue;
                                    auto& talk = *meter->second.talk;
                                    if (talk.key_check() != asked[i].key_check) continue;
                                    talk.reserving =
                                        blocks && (*blocks)[i].first >=
                                                      (*blocks)[i].limit;  // used up: there are no more
                                    if (!blocks) continue;
                                    talk.timed = trusted;
                                    talk.send().grant((*blocks)[i].first, (*blocks)[i].limit);
                                    talk.received().raise_floor((*blocks)[i].received);
                                }
                            });
}

Instant ReadingEngine::ready_at(const Meter& meter, const Profile& profile, JobKind kind) const {
    if (!meter.talk || meter.job || meter.on_air || profile.progress->committing ||
        profile.round == Instant{})
        return never;
    if (meter.talk->send().left() < settings_.counter_low) return never;
    const bool wanted = kind == JobKind::newest ? profile.progress->position < profile.round
                                                : !profile.progress->ranges.empty();
    if (!wanted) return never;
    return std::max(meter.held_until, kind == JobKind::newest ? profile.newest.at : profile.pending.at);
}

bool ReadingEngine::start_next() {
    std::optional<Candidate> best;
    for (auto& [number, meter] : meters_) {
        for (std::size_t i = 0; i < meter.profiles.size(); ++i) {
            for (const auto kind : {JobKind::newest, JobKind::range}) {
                if (ready_at(meter, meter.profiles[i], kind) > now_.steady) continue;
                const Candidate candidate{&meter, i, kind};
                if (!best || candidate.order() < best->order()) best = candidate;
            }
        }
    }
    if (!best) return false;
    start(*best->meter, make_job(best->meter->profiles[best->profile], best->profile, best->kind));
    return true;
}

ReadingEngine::Job ReadingEngine::make_job(const Profile& profile, std::size_t index, JobKind kind) const {
    Job job{.kind = kind, .profile = index, .window = {}, .left_behind = {}, .range = {}};
    if (kind == JobKind::newest) {
        const auto read = concentrator::newest_read(profile.progress->position, profile.round, profile.plan);
        job.window = read.window;
        job.left_behind = read.left_behind;
        return job;
    }
    const auto& ranges = profile.progress->ranges;
    job.range = *std::max_element(ranges.begin(), ranges.end(),
                                  [](const auto& a, const auto& b) { return a.to < b.to; });
    job.window = concentrator::range_read(job.range, profile.plan);
    const bool deep = job.range.to - job.range.from > period(profile.plan) * (2 * profile.plan.rows_max);
    if (deep && !profile.oldest_known) job.kind = JobKind::oldest;
    return job;
}

void ReadingEngine::start(Meter& meter, const Job& job) {
    const dlms::AttributeId buffer{profile_generic, meter.profiles[job.profile].plan.profile, 2};
    meter.talk->client().get(buffer, job.kind == JobKind::oldest ? oldest_row() : rows_between(job.window));
    meter.job = job;
    meter.served = now_.steady;
    pump(meter);
    if (!meter.job || meter.on_air) return;
    drop_job(meter);  // the client has nothing to send: its counters are used up
    meter.talk->send().grant(0, 0);
}

void ReadingEngine::lost(Meter& meter, dcu::ReadFault fault) {
    ++counts_.failures;
    const Job job = *meter.job;
    meter.job.reset();
    auto& profile = meter.profiles[job.profile];
    auto& retry = job.kind == JobKind::newest ? profile.newest : profile.pending;
    retry.at = backed_off(++retry.attempts);
    if (job.kind == JobKind::newest) {
        profile.fault = fault;
        const bool sure = !temporary(fault) || retry.attempts >= tries_before_report;
        if (sure && !profile.reported) report(meter, profile, fault);
        return;
    }
    if (job.kind == JobKind::oldest) {
        profile.oldest_known = !temporary(fault);
        return;
    }
    if (temporary(fault) || retry.attempts < tries_before_drop) return;
    // The meter answers, but never with these rows: asking for ever helps nobody. The head-end sees why, and
    // may ask again.
    Commit commit;
    commit.entries.push_back({meter.listed.number, dcu::EntryKind::read_failed, now_.utc, now_.doubtful,
                              dcu::encode(dcu::ReadFailure{fault, job.range.from, job.range.to})});
    commit.ranges_done.push_back(job.range.id);
    submit(meter, profile, std::move(commit), [id = job.range.id](Progress& progress) {
        std::erase_if(progress.ranges, [id](const PendingRange& range) { return range.id == id; });
    });
}

void ReadingEngine::set_deadline() {
    deadline_ = reserve_again_ > now_.steady ? reserve_again_ : never;
    for (const auto& [number, meter] : meters_) {
        for (const auto& profile : meter.profiles) {
            const Instant next =
                profile.round + period(profile.plan) + std::chrono::seconds{profile.plan.delay_s};
            if (profile.round != Instant{}) deadline_ = std::min(deadline_, now_.steady + (next - now_.utc));
            if (on_air_ >= settings_.window) continue;
            for (const auto kind : {JobKind::newest, JobKind::range}) {
                deadline_ = std::min(deadline_, ready_at(meter, profile, kind));
            }
        }
    }
}

}  // namespace wattmesh::concentrator
