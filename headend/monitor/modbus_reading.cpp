#include "headend/monitor/modbus_reading.h"

#include <algorithm>
#include <set>

#include "headend/monitor/direct_reading.h"
#include "protocol/base/writer.h"

namespace wattmesh::headend::monitor {
namespace {

using frontend::Batch, frontend::RelayStatus, frontend::StoreOutcome;

/// Bank 3; what the head-end polled itself.
constexpr ObisCode polled_registers{{1, 0, 99, 2, 0, 255}};
/// No profile has this name.
constexpr ObisCode reports{{0, 0, 96, 11, 0, 255}};
constexpr Duration told_for = std::chrono::hours{24}, load_again = std::chrono::minutes{1};
constexpr unsigned dead_after = 2;
constexpr std::size_t reports_max = 4;

std::uint64_t quarter_number(Instant at) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch() / BusMeter::period));
}

Buffer octets_of(const std::vector<std::uint16_t>& registers) {
    Writer out;
    for (const auto value : registers) out.u16(value);
    return out.take();
}

}  // namespace

struct ModbusReading::Unit {
    Unit(const database::BusMeter& known, const ModbusReadingSettings& settings)
        : meter(known), backoff(settings.retry_first, settings.retry_longest) {}
    /// What is to be told: one of the two.
    struct Report {
        std::optional<frontend::RejectedEntry> rejected;
        std::optional<dcu::Entry> event;
    };
    BusMeter meter;
    std::deque<Report> reports;
    bool storing = false, storing_report = false;
    Instant store_at{};
    frontend::Backoff backoff;
    frontend::Guard guard;
};

struct ModbusReading::Bus {
    Bus(DeviceNumber whose, OwnerEpoch newest) : number(whose), epoch(newest) {}
    DeviceNumber number;
    OwnerEpoch epoch;
    std::vector<std::unique_ptr<Unit>> units;
    std::optional<modbus::BusMaster> master;
    bool loading = false, asked = false, stopped = false;
    Instant load_at{};
    frontend::Guard load_guard, poll_guard;

    Unit* unit(std::uint8_t number_on_bus) {
        for (const auto& one : units)
            if (one->meter.unit() == number_on_bus) return one.get();
        return nullptr;
    }
};

ModbusReading::ModbusReading(ModbusReadingSettings settings, Ports ports)
    : settings_(settings), ports_(std::move(ports)) {}

ModbusReading::~ModbusReading() = default;

JournalId ModbusReading::journal_of(DeviceNumber meter) {
    return DirectReading::journal_of(meter, polled_registers);
}
JournalId ModbusReading::reports_of(DeviceNumber meter) { return DirectReading::journal_of(meter, reports); }

void ModbusReading::admitted(DeviceNumber bus, OwnerEpoch epoch, link::Carried) {
    auto& entry = buses_[bus];
    entry = std::make_unique<Bus>(bus, epoch);
    load(*entry);
}

void ModbusReading::ended(DeviceNumber bus) { buses_.erase(bus); }

void ModbusReading::load(Bus& bus) {
    bus.loading = true;
    ports_.meters(bus.number, bus.load_guard.expect(
                                  [this, &bus](const std::optional<std::vector<database::BusMeter>>& meters) {
                                      bus.loading = false;
                                      bus.load_at = ports_.now() + load_again;
                                      if (meters && !meters->empty()) return begin(bus, *meters);
                                      ++counters_.failures;
                                      ports_.log("bus " + to_string(bus.number) +
                                                 (meters ? ": no meter is registered on it"
                                                         : ": the database does not say who is on it"));
                                  }));
}

void ModbusReading::begin(Bus& bus, const std::vector<database::BusMeter>& meters) {
    std::vector<modbus::BusUnit> units;
    for (const auto& known : meters) {
        auto unit = std::make_unique<Unit>(known, settings_);
        if (unit->meter.map() == nullptr) {
            ports_.log("meter " + to_string(known.number) + ": there is no register map " + known.map);
            continue;
        }
        units.push_back({unit->meter.unit(), unit->meter.map()});
        bus.units.push_back(std::move(unit));
    }
    bus.master.emplace(units, modbus::BusPlan{.fast_period = settings_.fast_period,
                                              .slow_period = BusMeter::period,
                                              .slow_on_the_clock = true,
                                              .answer_max = settings_.answer_max,
                                              .dead_after = dead_after,
                                              .limits = {}});
    poll(bus);
    ports_.moved();
}

Instant ModbusReading::wake() const {
    Instant first = never;
    for (const auto& [number, bus] : buses_)
        if (bus->master && !bus->stopped && !bus->asked) first = std::min(first, bus->master->wake());
    return first;
}

void ModbusReading::tick(Instant now) {
    for (auto& [number, bus] : buses_) {
        if (bus->stopped) continue;
        if (!bus->master && !bus->loading && now >= bus->load_at) load(*bus);
        if (!bus->master) continue;
        for (const auto& unit : bus->units) {
            unit->meter.tick(now);
            store_next(*bus, *unit);
        }
        poll(*bus);
    }
}

void ModbusReading::poll(Bus& bus) {
    const Instant now = ports_.now();
    if (bus.asked) return;
    const auto ask = bus.master->next(now);
    if (!ask) return;
    bus.asked = true;
    ports_.carry(bus.number, ask->unit, modbus::encode(ask->request),
                 bus.poll_guard.expect([this, &bus, ask = *ask, now](const frontend::RelayOutcome& outcome) {
                     on_answer(bus, ask, now, outcome);
                 }));
}

/// The session keeps the time of an answer: it knows when the request really left.
void ModbusReading::on_answer(Bus& bus, const modbus::BusMaster::Ask& ask, Instant asked,
                              const frontend::RelayOutcome& outcome) {
    const Instant now = ports_.now();
    bus.asked = false;
    if (outcome.status == RelayStatus::timed_out) {
        bus.master->expire(std::max(now, asked + settings_.answer_max));
    } else if (outcome.status != RelayStatus::answered) {
        bus.master->answered(Error{Fault::truncated, 0}, now);
    } else {
        const auto response = modbus::decode_response(outcome.apdu, ask.request);
        Unit* unit = bus.unit(ask.unit);
        const auto* read = std::get_if<modbus::Read>(&ask.request);
        if (response && unit != nullptr && read != nullptr)
            if (const auto* registers = std::get_if<modbus::Registers>(&*response))
                judge(*unit, *read, *registers);
        bus.master->answered(response, now);
    }
    take_events(bus, asked);
    ports_.moved();
}

void ModbusReading::judge(Unit& unit, const modbus::Read& read, const modbus::Registers& registers) {
    using Verdict = modbus::MapCheck::Verdict;
    if (!unit.meter.judge(read, registers.values) || unit.meter.verdict() != Verdict::wrong) return;
    ++counters_.wrong_maps;
    const Instant now = ports_.now();
    auto& told = told_[unit.meter.number()];
    if (told.wrong && now - *told.wrong < told_for) return;
    told.wrong = now;
    ports_.log("meter " + to_string(unit.meter.number()) + " unit " + std::to_string(unit.meter.unit()) +
               ": nothing of it is stored, its map does not fit: " + unit.meter.why());
    if (unit.reports.size() >= reports_max) return;
    unit.reports.push_back(
        {frontend::RejectedEntry{{},
                                 unit.meter.number(),
                                 octets_of(registers.values),
                                 "registers from " + std::to_string(read.start) + ": " + unit.meter.why()},
         {}});
}

void ModbusReading::take_events(Bus& bus, Instant asked) {
    while (const auto event = bus.master->take_event()) {
        const auto number = std::visit([](const auto& what) { return what.unit; }, *event);
        Unit& unit = *bus.unit(number);
        if (const auto* read = std::get_if<modbus::PointRead>(&*event)) {
            if (unit.meter.verdict() != modbus::MapCheck::Verdict::fits) {
                ++counters_.withheld;
            } else if (read->value) {
                ++counters_.values;
                unit.meter.take(*read->point, *read->value, asked);
            }
        } else if (std::holds_alternative<modbus::UnitSilent>(*event)) {
            on_silent(unit);
        } else if (std::holds_alternative<modbus::UnitBack>(*event)) {
            ++counters_.back;
            told_[unit.meter.number()].silent.reset();
            ports_.log("meter " + to_string(unit.meter.number()) + ": answers again");
        } else if (const auto* refused = std::get_if<modbus::BlockRefused>(&*event)) {
            ++counters_.failures;
            ports_.log("meter " + to_string(unit.meter.number()) + ": refuses registers from " +
                       std::to_string(refused->read.start) + ": " + std::string{to_string(refused->code)});
        }
        store_next(bus, unit);
    }
}

void ModbusReading::on_silent(Unit& unit) {
    ++counters_.silent;
    const Instant now = ports_.now();
    auto& told = told_[unit.meter.number()];
    if (told.silent && now - *told.silent < told_for) return;
    told.silent = now;
    ports_.log("meter " + to_string(unit.meter.number()) + " unit " + std::to_string(unit.meter.unit()) +
               ": does not answer, asked more rarely from now on");
    if (unit.reports.size() >= reports_max) return;
    unit.reports.push_back(
        {{},
         dcu::Entry{.sequence = {},
                    .meter = unit.meter.number(),
                    .kind = dcu::EntryKind::read_failed,
                    .time = now,
                    .clock_doubtful = false,
                    .payload = encode(dcu::ReadFailure{dcu::ReadFault::no_answer, quarter_of(now), now})}});
}

/// One at a time for each meter: what there is to tell, then rows.
void ModbusReading::store_next(Bus& bus, Unit& unit) {
    if (unit.storing || bus.stopped || ports_.now() < unit.store_at) return;
    if (unit.reports.empty() && unit.meter.waiting().empty()) return;
    unit.storing = true;
    unit.storing_report = !unit.reports.empty();
    const JournalId journal =
        unit.storing_report ? reports_of(unit.meter.number()) : journal_of(unit.meter.number());
    ports_.store.cursor(journal, bus.number,
                        unit.guard.expect([this, &bus, &unit](std::optional<Sequence> cursor) {
                            if (cursor) return store(bus, unit, *cursor);
                            on_stored(bus, unit, StoreOutcome::unavailable, 0);
                        }));
}

void ModbusReading::store(Bus& bus, Unit& unit, Sequence cursor) {
    Batch batch;
    batch.concentrator = bus.number;
    batch.epoch = bus.epoch;
    batch.from = batch.to = cursor;
    batch.received = batch.session_since = ports_.now();
    std::size_t rows = 0;
    if (unit.storing_report) {
        batch.journal = reports_of(unit.meter.number());
        ++batch.to.value;
        auto report = unit.reports.front();
        if (report.rejected) report.rejected->sequence = batch.to;
        if (report.event) report.event->sequence = batch.to;
        if (report.rejected) batch.rejected.push_back(*std::move(report.rejected));
        if (report.event) batch.events.push_back({*std::move(report.event)});
    } else {
        batch.journal = journal_of(unit.meter.number());
        const auto& next = unit.meter.waiting().front();
        batch.to.value = quarter_number(next.polled.at);
        // Another process, or this one before its connection broke, has stored it.
        if (batch.to <= cursor) return on_stored(bus, unit, StoreOutcome::stored, 0);
        batch.intervals.push_back({unit.meter.number(), polled_registers, {next.polled}, batch.to, false});
        if (next.interval)
            batch.intervals.push_back(
                {unit.meter.number(), obis::load_profile, {*next.interval}, batch.to, false});
        if (!next.fault.empty())
            batch.rejected.push_back({batch.to, unit.meter.number(), Buffer{}, next.fault});
        rows = batch.intervals.size();
    }
    ports_.store.store(std::move(batch), unit.guard.expect([this, &bus, &unit, rows](StoreOutcome outcome) {
        on_stored(bus, unit, outcome, rows);
    }));
}

void ModbusReading::on_stored(Bus& bus, Unit& unit, StoreOutcome outcome, std::size_t rows) {
    unit.storing = false;
    switch (outcome) {
        case StoreOutcome::stored:
            ++counters_.batches;
            counters_.rows += rows;
            unit.backoff.succeeded();
            if (unit.storing_report)
                unit.reports.pop_front();
            else
                unit.meter.waiting().pop_front();
            return store_next(bus, unit);
        case StoreOutcome::superseded:
            bus.stopped = true;
            bus.poll_guard.cancel();
            return ports_.superseded(bus.number, bus.epoch);
        case StoreOutcome::lost_race:
            ++counters_.lost_races;
            break;
        case StoreOutcome::unavailable:
            ++counters_.failures;
            break;
    }
    unit.store_at = ports_.now() + unit.backoff.next();
}

}  // namespace wattmesh::headend::monitor
