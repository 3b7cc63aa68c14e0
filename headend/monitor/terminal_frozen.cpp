// What a terminal keeps: frozen days and months, curves, events.
#include <algorithm>
#include <cmath>

#include "headend/monitor/direct_reading.h"
#include "headend/monitor/terminal_state.h"

namespace wattmesh::headend::monitor {
namespace {

using frontend::Batch, frontend::StoreOutcome;
using gdw376::Afn, gdw376::Frame;

constexpr ObisCode daily{{1, 0, 98, 2, 0, 255}}, power_curve{{1, 0, 99, 3, 0, 255}},
    events{{0, 0, 99, 98, 0, 255}};
constexpr std::uint16_t day_forward = 161, day_reverse = 163, month_forward = 177, curve_first = 81,
                        curve_last = 84;
constexpr Duration day = std::chrono::hours{24}, period = BusMeter::period;
/// A terminal freezes and reads on its own time: it is asked a little later.
constexpr Duration day_delay = std::chrono::minutes{10}, curve_delay = std::chrono::minutes{2},
                   curve_every = std::chrono::hours{1}, give_up = std::chrono::hours{6};
constexpr std::int64_t curve_points_max = 24, events_at_once = 16;
constexpr int watt_hour = 30;

std::optional<std::int64_t> raw_of(std::optional<double> value, int scaler) {
    if (!value) return std::nullopt;
    return std::llround(*value * std::pow(10.0, -scaler));
}

/// Puts a value where its register's channel is.
void put(dcu::IntervalRow& row, const std::vector<database::BusChannel>& channels, const ObisCode& quantity,
         std::optional<double> value) {
    for (const auto& channel : channels) {
        if (channel.register_ != quantity || channel.channel < 1 ||
            channel.channel > int{dcu::IntervalRow::channel_count_max})
            continue;
        row.values[static_cast<std::size_t>(channel.channel - 1)] = raw_of(value, channel.scaler);
        row.channels = std::max(row.channels, static_cast<std::uint8_t>(channel.channel));
    }
}
bool has_value(const dcu::IntervalRow& row) {
    return std::ranges::any_of(row.values, [](const auto& one) { return one.has_value(); });
}

}  // namespace

JournalId TerminalReading::events_of(DeviceNumber terminal) {
    return DirectReading::journal_of(terminal, events);
}
JournalId TerminalReading::days_of(DeviceNumber meter) { return DirectReading::journal_of(meter, daily); }
JournalId TerminalReading::curves_of(DeviceNumber meter) {
    return DirectReading::journal_of(meter, power_curve);
}

Batch TerminalReading::batch_for(const Terminal& terminal, JournalId journal, Sequence cursor) const {
    Batch batch;
    batch.concentrator = terminal.number;
    batch.journal = journal;
    batch.epoch = terminal.owner.epoch;
    batch.from = batch.to = cursor;
    batch.received = batch.session_since = ports_.now();
    return batch;
}

/// `then` hears whether it is stored; afterwards the next thing is done.
void TerminalReading::store(Terminal& terminal, Batch batch, std::function<void(bool)> then) {
    terminal.busy = true;
    ports_.store.store(
        std::move(batch),
        terminal.guard.expect([this, &terminal, then = std::move(then)](StoreOutcome outcome) {
            terminal.busy = false;
            if (outcome == StoreOutcome::superseded) {
                terminal.owner.stopped = true;
                return terminal.owner.superseded();
            }
            if (outcome == StoreOutcome::stored)
                ++counters_.batches;
            else
                ++(outcome == StoreOutcome::lost_race ? counters_.lost_races : counters_.failures);
            then(outcome == StoreOutcome::stored);
            step(terminal);
        }));
}

void TerminalReading::read_events(Terminal& terminal) {
    if (!terminal.events_cursor) {
        terminal.busy = true;
        ports_.store.cursor(events_of(terminal.number), terminal.number,
                            terminal.guard.expect([this, &terminal](std::optional<Sequence> cursor) {
                                terminal.busy = false;
                                terminal.events_cursor = cursor;
                                if (!cursor) terminal.events_due = ports_.now() + settings_.retry_first;
                                step(terminal);
                            }));
        return;
    }
    const auto first = static_cast<std::uint8_t>(terminal.events_cursor->value);
    const auto missing = static_cast<std::uint8_t>(terminal.counters->important - first);
    const auto count = std::min<std::int64_t>(missing, events_at_once);
    ask(terminal,
        gdw376::request_events(terminal.address, gdw376::EventRank::important, first,
                               static_cast<std::uint8_t>(first + count), 0),
        [this, &terminal](const std::vector<Frame>& frames) { on_events(terminal, frames); });
}

void TerminalReading::on_events(Terminal& terminal, const std::vector<Frame>& frames) {
    terminal.events_due = ports_.now() + settings_.retry_longest;
    Batch batch = batch_for(terminal, events_of(terminal.number), *terminal.events_cursor);
    for (const Frame& frame : frames) {
        const auto list = gdw376::decode_events(frame);
        if (!list) {
            if (!denied(frames)) ++counters_.malformed;
            return;
        }
        for (const auto& event : list->events) {
            ++batch.to.value;
            const Instant at = event.at ? instant(*event.at) - terminal.drift : ports_.now();
            Buffer payload{event.code};
            payload.insert(payload.end(), event.body.begin(), event.body.end());
            batch.events.push_back(
                {{batch.to, DeviceNumber{}, dcu::EntryKind::reported, at, !event.at, std::move(payload)}});
        }
    }
    if (batch.to == batch.from) return;  // it has none of them any more
    terminal.events_due = ports_.now();
    const auto count = batch.events.size();
    store(terminal, batch, [this, &terminal, to = batch.to, count](bool stored) {
        terminal.events_cursor = stored ? std::optional{to} : std::nullopt;
        if (stored) counters_.events += count;
        if (!stored) terminal.events_due = ports_.now() + settings_.retry_first;
    });
}

/// True when there was something to do.
bool TerminalReading::next_frozen(Terminal& terminal) {
    const Instant now = ports_.now();
    for (const auto& unit : terminal.units) {
        for (auto* frozen : {&unit->day, &unit->curve}) {
            if (now < frozen->due) continue;
            const bool is_day = frozen == &unit->day;
            if (frozen->position) {
                is_day ? read_day(terminal, *unit) : read_curve(terminal, *unit);
                return true;
            }
            terminal.busy = true;
            const auto journal = is_day ? days_of(unit->meter.number()) : curves_of(unit->meter.number());
            ports_.store.cursor(
                journal, terminal.number,
                terminal.guard.expect([this, &terminal, frozen, is_day](std::optional<Sequence> cursor) {
                    terminal.busy = false;
                    if (!cursor) {
                        frozen->due = ports_.now() + settings_.retry_first;
                        return step(terminal);
                    }
                    frozen->cursor = *cursor;
                    const auto count = static_cast<std::int64_t>(cursor->value);
                    const Instant stored =
                        is_day ? Instant{day * count} - settings_.utc_offset : Instant{period * count};
                    const Instant oldest = ports_.now() - settings_.history;
                    const Instant begin =
                        is_day ? Instant{day * ((oldest + settings_.utc_offset).time_since_epoch() / day)} -
                                     settings_.utc_offset
                               : quarter_of(oldest);
                    frozen->position = std::max(stored, begin);
                    step(terminal);
                }));
            return true;
        }
        if (now >= unit->month.due) {
            read_month(terminal, *unit);
            return true;
        }
    }
    return false;
}

/// The day that ends with the next midnight behind the position.
void TerminalReading::read_day(Terminal& terminal, Unit& unit) {
    const Instant at = *unit.day.position + day;
    if (at + day_delay > ports_.now()) {
        unit.day.due = at + day_delay;
        return step(terminal);
    }
    const auto frozen = wall(at - std::chrono::hours{12});
    std::vector<gdw376::Query> queries;
    for (const auto item : {day_forward, day_reverse})
        queries.push_back({.point = unit.point(), .item = item, .at = frozen});
    ask(terminal, gdw376::ask(terminal.address, Afn::class_2, queries, 0),
        [this, &terminal, &unit, at](const std::vector<Frame>& frames) {
            on_day(terminal, unit, at, frames);
        });
}

void TerminalReading::on_day(Terminal& terminal, Unit& unit, Instant at, const std::vector<Frame>& frames) {
    dcu::IntervalRow row{.at = at, .status = 0, .channels = 0};
    const auto wanted = wall(at - std::chrono::hours{12}).date;
    for (const Frame& frame : frames)
        if (const auto measured = gdw376::decode_measurements(frame))
            for (const auto& one : *measured) {
                const auto* reading = std::get_if<gdw376::Reading>(&one);
                if (reading == nullptr || reading->point != unit.point() || !reading->frozen ||
                    reading->frozen->date != wanted)
                    continue;
                for (const auto& value : reading->values)
                    put(row, unit.place.daily, value.quantity, value.value);
            }
    const bool no = denied(frames);
    if (!has_value(row)) {
        if (!no && ports_.now() - at < give_up + day) {
            unit.day.due = ports_.now() + unit.backoff.next();
        } else {
            unit.day.position = at;  // nobody has it any more
        }
        return;
    }
    unit.backoff.succeeded();
    Batch batch = batch_for(terminal, days_of(unit.meter.number()), unit.day.cursor);
    batch.to.value = static_cast<std::uint64_t>((at + settings_.utc_offset).time_since_epoch() / day);
    batch.intervals.push_back({unit.meter.number(), daily, {row}, batch.to, false});
    store(terminal, batch, [this, &unit, at, to = batch.to](bool stored) {
        if (!stored) {
            unit.day.position.reset();
            unit.day.due = ports_.now() + unit.backoff.next();
            return;
        }
        ++counters_.frozen_rows;
        unit.day.position = at;
        unit.day.cursor = to;
    });
}

void TerminalReading::read_curve(Terminal& terminal, Unit& unit) {
    const Instant from = *unit.curve.position + period;
    const Instant newest = quarter_of(ports_.now() - curve_delay);
    const auto count = std::min<std::int64_t>((newest - *unit.curve.position) / period, curve_points_max);
    if (count <= 0) {
        const Instant hour{curve_every * (ports_.now().time_since_epoch() / curve_every + 1)};
        unit.curve.due = hour + curve_delay;
        return step(terminal);
    }
    std::vector<gdw376::Query> queries;
    for (auto item = curve_first; item <= curve_last; ++item)
        queries.push_back({.point = unit.point(),
                           .item = item,
                           .at = wall(from),
                           .step = std::chrono::minutes{15},
                           .count = static_cast<std::uint8_t>(count)});
    ask(terminal, gdw376::ask(terminal.address, Afn::class_2, queries, 0),
        [this, &terminal, &unit, to = *unit.curve.position + period * count](
            const std::vector<Frame>& frames) { on_curve(terminal, unit, to, frames); });
}

void TerminalReading::on_curve(Terminal& terminal, Unit& unit, Instant to, const std::vector<Frame>& frames) {
    std::map<Instant, dcu::IntervalRow> rows;
    for (const Frame& frame : frames)
        if (const auto measured = gdw376::decode_measurements(frame))
            for (const auto& one : *measured) {
                const auto* curve = std::get_if<gdw376::LoadCurve>(&one);
                if (curve == nullptr || curve->point != unit.point()) continue;
                for (std::size_t i = 0; i < curve->values.size(); ++i) {
                    const Instant at = instant(curve->start) + curve->step * static_cast<std::int64_t>(i);
                    const bool asked = at > *unit.curve.position && at <= to && at == quarter_of(at);
                    if (!asked || !curve->values[i]) continue;
                    auto& row = rows.try_emplace(at, dcu::IntervalRow{.at = at, .status = 0, .channels = 0})
                                    .first->second;
                    put(row, unit.place.curve, curve->quantity, curve->values[i]);
                }
            }
    const bool no = denied(frames);
    if (no || rows.empty()) {
        if (!no && (frames.empty() || ports_.now() - to < give_up)) {
            unit.curve.due = ports_.now() + unit.backoff.next();
        } else {
            unit.curve.position = to;
        }
        return;
    }
    unit.backoff.succeeded();
    Batch batch = batch_for(terminal, curves_of(unit.meter.number()), unit.curve.cursor);
    const Instant last = rows.rbegin()->first;
    batch.to.value = static_cast<std::uint64_t>(last.time_since_epoch() / period);
    std::vector<dcu::IntervalRow> all;
    all.reserve(rows.size());
    for (auto& [at, row] : rows) all.push_back(row);
    const auto count = all.size();
    batch.intervals.push_back({unit.meter.number(), power_curve, std::move(all), batch.to, false});
    store(terminal, batch, [this, &unit, last, count, to = batch.to](bool stored) {
        if (!stored) {
            unit.curve.position.reset();
            unit.curve.due = ports_.now() + unit.backoff.next();
            return;
        }
        counters_.frozen_rows += count;
        unit.curve.position = last;
        unit.curve.cursor = to;
    });
}

/// The registers as they stood at the end of the last month, for billing.
void TerminalReading::read_month(Terminal& terminal, Unit& unit) {
    const auto today = wall(ports_.now()).date;
    const auto month = today.year() / today.month();
    const auto last = month - std::chrono::months{1};
    const Instant end = instant({month / 1}), next = instant({(month + std::chrono::months{1}) / 1});
    unit.month.due = next + day_delay;
    ask(terminal, gdw376::request_month(terminal.address, unit.point(), month_forward, {last / 1}, 0),
        [this, &unit, end, last](const std::vector<Frame>& frames) {
            if (frames.empty()) {
                unit.month.due = ports_.now() + settings_.retry_longest;
                return;
            }
            if (denied(frames)) return;
            for (const Frame& frame : frames)
                if (const auto measured = gdw376::decode_measurements(frame))
                    for (const auto& one : *measured) {
                        const auto* reading = std::get_if<gdw376::Reading>(&one);
                        if (reading == nullptr || reading->point != unit.point() || !reading->frozen ||
                            reading->frozen->date != last / 1)
                            continue;
                        for (const auto& value : reading->values) {
                            if (!value.value) continue;
                            ++counters_.registers;
                            ports_.put(unit.meter.number(),
                                       {value.quantity, std::llround(*value.value), 0, watt_hour}, end,
                                       "billing");
                        }
                    }
        });
}

}  // namespace wattmesh::headend::monitor
