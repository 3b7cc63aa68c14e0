#include "headend/monitor/clock_job.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "headend/database/audit_log.h"

namespace wattmesh::headend::monitor {
namespace {

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
            if (!task) return again(turn, turn->item.detail, now_() + std::chrono::minutes{1});
            if (!*task) return turn->done({database::ItemState::failed, "has no clock that can be set"});
            turn->task = **task;
            measure(turn);
        });
}

void ClockJob::again(const std::shared_ptr<Turn>& turn, const std::string& why, Instant at) const {
    turn->done({database::ItemState::waiting, why, at});
}

void ClockJob::measure(const std::shared_ptr<Turn>& turn) {
    desk_.measure(turn->meter, [this, turn](const std::string& fault,
                                            const std::optional<database::ClockReading>& reading) {
        if (!reading && passes(fault))
            return again(turn, fault, now_() + std::chrono::minutes{1} * (1 << turn->item.attempts));
        if (!reading) return turn->done({database::ItemState::failed, fault});
        turn->before = *reading;
        queue_.execute(
            [meter = turn->meter, reading = *reading](database::Connection& connection) {
                database::Clocks{connection}.measured(meter, reading);
            },
            [this, turn](bool stored) {
                if (!stored) return again(turn, turn->item.detail, now_() + std::chrono::minutes{1});
                decide(turn);
            });
    });
    pump_();
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
            return again(turn, off + ", but the answer took too long to say",
                         now_() + std::chrono::minutes{5});
        case What::wait:
            return again(turn, off + ", waits until it is away from midnight and the interval's end",
                         verdict.at);
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
            if (!id) return again(turn, turn->item.detail, now_() + std::chrono::minutes{1});
            turn->correction = *id;
            shift(turn);
        });
}

void ClockJob::shift(const std::shared_ptr<Turn>& turn) {
    desk_.shift(turn->meter, shift_s(turn->before.offset), turn->job.requested_by,
                [this, turn](const std::string& fault, bool sent) {
                    if (!sent) return conclude(turn, "not_sent", fault, std::nullopt);
                    if (fault == "refused") return conclude(turn, "refused", fault, std::nullopt);
                    verify(turn);  // also when the answer was lost: the meter knows
                });
    pump_();
}

void ClockJob::verify(const std::shared_ptr<Turn>& turn) {
    desk_.measure(
        turn->meter, [this, turn](const std::string&, const std::optional<database::ClockReading>& after) {
            if (!after) return conclude(turn, "not_verified", "", std::nullopt);
            const Duration tolerance = turn->before.uncertainty + after->uncertainty + rounding;
            conclude(turn, std::chrono::abs(after->offset) <= tolerance ? "set" : "no_effect", "", after);
        });
    pump_();
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
            if (result == "not_sent" && passes(fault))
                return again(turn, fault, now_() + std::chrono::minutes{1} * (1 << turn->item.attempts));
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
            turn->done(
                {set ? database::ItemState::done : database::ItemState::failed, detail, {}, {}, record});
        });
}

}  // namespace wattmesh::headend::monitor
