#include "headend/monitor/bus_rows.h"

#include <algorithm>

#include "headend/monitor/direct_reading.h"

namespace wattmesh::headend::monitor {
namespace {

using frontend::Batch, frontend::StoreOutcome;

/// Bank 3; what the head-end polled itself.
constexpr ObisCode polled_registers{{1, 0, 99, 2, 0, 255}};
/// No profile has this name.
constexpr ObisCode reports{{0, 0, 96, 11, 0, 255}};
constexpr std::size_t reports_max = 4;

std::uint64_t quarter_number(Instant at) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch() / BusMeter::period));
}

}  // namespace

BusRows::BusRows(const database::BusMeter& known, Owner& owner, Duration retry_first, Duration retry_longest)
    : meter(known), owner_(owner), backoff_(retry_first, retry_longest) {}

JournalId BusRows::journal_of(DeviceNumber meter) {
    return DirectReading::journal_of(meter, polled_registers);
}
JournalId BusRows::reports_of(DeviceNumber meter) { return DirectReading::journal_of(meter, reports); }

void BusRows::tell(frontend::RejectedEntry rejected) {
    if (reports_.size() < reports_max) reports_.push_back({std::move(rejected), {}});
}
void BusRows::tell(dcu::Entry event) {
    if (reports_.size() < reports_max) reports_.push_back({{}, std::move(event)});
}

void BusRows::store_next() {
    if (storing_ || owner_.stopped || owner_.now() < store_at_) return;
    if (reports_.empty() && meter.waiting().empty()) return;
    storing_ = true;
    storing_report_ = !reports_.empty();
    const JournalId journal = storing_report_ ? reports_of(meter.number()) : journal_of(meter.number());
    owner_.store.cursor(journal, owner_.number, guard_.expect([this](std::optional<Sequence> cursor) {
        if (cursor) return store(*cursor);
        on_stored(StoreOutcome::unavailable, 0);
    }));
}

void BusRows::store(Sequence cursor) {
    Batch batch;
    batch.concentrator = owner_.number;
    batch.epoch = owner_.epoch;
    batch.from = batch.to = cursor;
    batch.received = batch.session_since = owner_.now();
    std::size_t rows = 0;
    if (storing_report_) {
        batch.journal = reports_of(meter.number());
        ++batch.to.value;
        auto report = reports_.front();
        if (report.rejected) report.rejected->sequence = batch.to;
        if (report.event) report.event->sequence = batch.to;
        if (report.rejected) batch.rejected.push_back(*std::move(report.rejected));
        if (report.event) batch.events.push_back({*std::move(report.event)});
    } else {
        batch.journal = journal_of(meter.number());
        const auto& next = meter.waiting().front();
        batch.to.value = quarter_number(next.polled.at);
        // Another process, or this one before its connection broke, has stored it.
        if (batch.to <= cursor) return on_stored(StoreOutcome::stored, 0);
        batch.intervals.push_back({meter.number(), polled_registers, {next.polled}, batch.to, false});
        if (next.interval)
            batch.intervals.push_back(
                {meter.number(), obis::load_profile, {*next.interval}, batch.to, false});
        if (!next.fault.empty()) batch.rejected.push_back({batch.to, meter.number(), Buffer{}, next.fault});
        rows = batch.intervals.size();
    }
    owner_.store.store(std::move(batch),
                       guard_.expect([this, rows](StoreOutcome outcome) { on_stored(outcome, rows); }));
}

void BusRows::on_stored(StoreOutcome outcome, std::size_t rows) {
    storing_ = false;
    switch (outcome) {
        case StoreOutcome::stored:
            ++owner_.counters.batches;
            owner_.counters.rows += rows;
            backoff_.succeeded();
            if (storing_report_)
                reports_.pop_front();
            else
                meter.waiting().pop_front();
            return store_next();
        case StoreOutcome::superseded:
            owner_.stopped = true;
            return owner_.superseded();
        case StoreOutcome::lost_race:
            ++owner_.counters.lost_races;
            break;
        case StoreOutcome::unavailable:
            ++owner_.counters.failures;
            break;
    }
    store_at_ = owner_.now() + backoff_.next();
}

}  // namespace wattmesh::headend::monitor
