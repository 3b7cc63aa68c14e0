#include "headend/monitor/clock_job.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "headend/jobs/retry.h"

namespace wattmesh::headend::monitor {
namespace {

using Unended = std::optional<std::pair<database::ClockCorrectionId, Duration>>;
constexpr Duration rounding = std::chrono::seconds{1};  // shift_time takes whole seconds

}  // namespace

std::string offset_text(Duration offset) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%+.1f s", static_cast<double>(offset.count()) / 1e6);
    return text.data();
}

/// One item.
struct ClockJob::Turn {
    database::Job job;
    database::JobItem item;
    Done done;
    DeviceNumber meter;
    database::ClockTask task{};
    database::ClockReading before{};
    database::ClockCorrectionId correction{};
};

void ClockJob::work(const database::Job& job, const database::JobItem& item, Done done) {
    const auto meter = DeviceNumber::parse(item.subject);
    if (!meter) return done({database::ItemState::failed, "'" + item.subject + "' is no meter"});
    const auto turn = std::make_shared<Turn>(Turn{job, item, std::move(done), *meter});
    queue_.run(
        [meter = *meter, now = now_()](database::Connection& connection) {
            return database::Clocks{connection}.task(meter, now);
        },
        [this, turn](const std::optional<std::optional<database::ClockTask>>& task) {
            if (!task) return later(turn);
            if (!*task) return turn->done({database::ItemState::failed, "has no clock that can be set"});
            turn->task = **task;
            measure(turn);
        });
}

void ClockJob::again(const std::shared_ptr<Turn>& turn, const std::string& fault) const {
    turn->done(jobs::again(turn->job, turn->item, fault, now_()));
}

/// The database did not answer.
void ClockJob::later(const std::shared_ptr<Turn>& turn) const { turn->done(jobs::later(turn->item, now_())); }

void ClockJob::measure(const std::shared_ptr<Turn>& turn) {
    desk_.measure(turn->meter, [this, turn](const std::string& fault,
                                            const std::optional<database::ClockReading>& reading) {
        if (!reading && passes(fault)) return again(turn, fault);
        if (!reading) return turn->done({database::ItemState::failed, fault});
        turn->before = *reading;
        queue_.run(
            [turn, reading = *reading](database::Connection& connection) {
                database::Clocks clocks{connection};
                clocks.measured(turn->meter, reading);
                const bool begun = turn->item.taken_up || turn->item.sent;
                return begun ? clocks.unended(turn->job.id, turn->meter) : std::nullopt;
            },
            [this, turn](const std::optional<Unended>& unended) {
                if (!unended) return later(turn);
                if (*unended) return take_up(turn, (*unended)->first, (*unended)->second);
                if (turn->job.open()) return decide(turn);
                turn->done({database::ItemState::failed, "cancelled"});
            });
    });
    pump_();
}

/// Somebody announced a shift and did not live to tell.
void ClockJob::take_up(const std::shared_ptr<Turn>& turn, database::ClockCorrectionId id, Duration before) {
    const auto now = turn->before;
    const bool right = judge(turn->task, now, now_()).what == ClockVerdict::What::right;
    if (right || !turn->job.open()) {
        turn->correction = id;
        turn->before.offset = before;
        return conclude(turn, right ? "set" : "no_effect", "", now);
    }
    queue_.execute(
        [id, offset = now.offset](database::Connection& connection) {
            database::Clocks{connection}.end(id, "no_effect", offset);
        },
        [this, turn](bool stored) { stored ? decide(turn) : later(turn); });
}

void ClockJob::decide(const std::shared_ptr<Turn>& turn) {
    using What = ClockVerdict::What;
    const auto off = offset_text(turn->before.offset);
    const auto verdict = judge(turn->task, turn->before, now_());
    switch (verdict.what) {
        case What::right:
            return turn->done({database::ItemState::done, "right: " + off});
        case What::too_far:
            return turn->done({database::ItemState::failed, off + " is more than " +
                                                                std::to_string(turn->task.rule.correct_to_s) +
                                                                " s: somebody has to look at the meter"});
        case What::imprecise:
            return turn->done({database::ItemState::waiting, off + ", but the answer took too long to say",
                               now_() + std::chrono::minutes{5}});
        case What::wait:
            return turn->done(jobs::later(
                off + ", waits until it is away from midnight and the interval's end", verdict.at));
        case What::set:
            return announce(turn);
    }
}

/// Noted before it is sent: whoever dies in between leaves the interval marked.
void ClockJob::announce(const std::shared_ptr<Turn>& turn) {
    const Instant now = now_(), shown = now + turn->before.offset;
    database::ClockCorrection correction{.meter = turn->meter,
                                         .at = now,
                                         .before = turn->before.offset,
                                         .shift_s = shift_s(turn->before.offset),
                                         .from = std::min(now, shown),
                                         .to = std::max(now, shown),
                                         .job = turn->job.id,
                                         .ordered_by = turn->job.requested_by};
    queue_.run(
        [correction](database::Connection& connection) {
            return database::Clocks{connection}.begin(correction);
        },
        [this, turn](const std::optional<database::ClockCorrectionId>& id) {
            if (!id) return later(turn);
            turn->correction = *id;
            shift(turn);
        });
}

void ClockJob::shift(const std::shared_ptr<Turn>& turn) {
    const auto still = [this, turn](const database::ClockReading& now) {
        const Duration tolerance = turn->before.uncertainty + now.uncertainty + rounding;
        return std::chrono::abs(now.offset - turn->before.offset) <= tolerance &&
               may_set(turn->task, now, now_());
    };
    desk_.shift(turn->meter, shift_s(turn->before.offset), turn->job.requested_by, still,
                [this, turn](const ClockDesk::Shifted& shifted) {
                    if (!shifted.sent) return conclude(turn, "not_sent", shifted.fault, std::nullopt);
                    if (shifted.fault == "refused") return conclude(turn, "refused", shifted.fault, {});
                    if (shifted.after) return judge_after(turn, *shifted.after);
                    verify(turn);  // the answer was lost: the meter knows
                });
    pump_();
}

void ClockJob::verify(const std::shared_ptr<Turn>& turn) {
    desk_.measure(turn->meter,
                  [this, turn](const std::string&, const std::optional<database::ClockReading>& after) {
                      if (!after) return conclude(turn, "not_verified", "", std::nullopt);
                      judge_after(turn, *after);
                  });
    pump_();
}

void ClockJob::judge_after(const std::shared_ptr<Turn>& turn, const database::ClockReading& after) {
    const Duration tolerance = turn->before.uncertainty + after.uncertainty + rounding;
    conclude(turn, std::chrono::abs(after.offset) <= tolerance ? "set" : "no_effect", "", after);
}

void ClockJob::conclude(const std::shared_ptr<Turn>& turn, const std::string& result,
                        const std::string& fault, const std::optional<database::ClockReading>& after) {
    queue_.execute(
        [meter = turn->meter, id = turn->correction, result, after](database::Connection& connection) {
            database::Transaction transaction{connection};
            database::Clocks clocks{connection};
            if (after) clocks.measured(meter, *after);
            clocks.end(id, result, after ? std::optional{after->offset} : std::nullopt);
            transaction.commit();
        },
        [this, turn, result, fault,
         after](bool) {  // not stored: it stays "sent", which is the worst it can be
            if (result == "not_sent" && passes(fault)) return again(turn, fault);
            if (fault == ClockDesk::held_back)
                return turn->done({database::ItemState::waiting, "the clock was not as measured any more",
                                   now_() + std::chrono::minutes{1}});
            database::AuditRecord record{now_(), turn->job.requested_by, "clock set", to_string(turn->meter)};
            record.detail = result + ", job " + std::to_string(turn->job.id.value);
            record.reason = turn->job.reason;
            record.before = offset_text(turn->before.offset);
            if (after) record.after = offset_text(after->offset);
            record.tenant = TenantId{std::stoi(turn->job.scope.tenant)};
            const bool set = result == "set";
            const auto detail =
                set ? "set: " + offset_text(turn->before.offset) + " to " + offset_text(after->offset)
                : result == "not_sent" ? fault
                                       : result;
            database::ItemOutcome outcome{set ? database::ItemState::done : database::ItemState::failed,
                                          detail};
            outcome.audit = std::move(record);
            outcome.sent = result != "not_sent";
            turn->done(std::move(outcome));
        });
}

}  // namespace wattmesh::headend::monitor
