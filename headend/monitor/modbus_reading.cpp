#include "headend/monitor/modbus_reading.h"

#include <algorithm>
#include <set>

#include "protocol/base/writer.h"

namespace wattmesh::headend::monitor {
namespace {

using frontend::RelayStatus;

constexpr Duration told_for = std::chrono::hours{24}, load_again = std::chrono::minutes{1};
constexpr unsigned dead_after = 2;

Buffer octets_of(const std::vector<std::uint16_t>& registers) {
    Writer out;
    for (const auto value : registers) out.u16(value);
    return out.take();
}

}  // namespace

struct ModbusReading::Unit : BusRows {
    using BusRows::BusRows;
};

struct ModbusReading::Bus {
    explicit Bus(BusRows::Owner its_owner) : owner(std::move(its_owner)), number(owner.number) {}
    BusRows::Owner owner;
    DeviceNumber number;
    std::vector<std::unique_ptr<Unit>> units;
    std::optional<modbus::BusMaster> master;
    bool loading = false, asked = false;
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

void ModbusReading::admitted(DeviceNumber bus, OwnerEpoch epoch, link::Carried) {
    auto& entry = buses_[bus];
    entry = std::make_unique<Bus>(BusRows::Owner{.number = bus,
                                                 .epoch = epoch,
                                                 .store = ports_.store,
                                                 .now = ports_.now,
                                                 .superseded = [this, bus, epoch] { superseded(bus, epoch); },
                                                 .counters = counters_});
    load(*entry);
}

void ModbusReading::superseded(DeviceNumber bus, OwnerEpoch epoch) {
    buses_.at(bus)->poll_guard.cancel();
    ports_.superseded(bus, epoch);
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
        auto unit = std::make_unique<Unit>(known, bus.owner, settings_.retry_first, settings_.retry_longest);
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
        if (bus->master && !bus->owner.stopped && !bus->asked) first = std::min(first, bus->master->wake());
    return first;
}

void ModbusReading::tick(Instant now) {
    for (auto& [number, bus] : buses_) {
        if (bus->owner.stopped) continue;
        if (!bus->master && !bus->loading && now >= bus->load_at) load(*bus);
        if (!bus->master) continue;
        for (const auto& unit : bus->units) {
            unit->meter.tick(now);
            unit->store_next();
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
    unit.tell(
        frontend::RejectedEntry{{},
                                unit.meter.number(),
                                octets_of(registers.values),
                                "registers from " + std::to_string(read.start) + ": " + unit.meter.why()});
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
                unit.meter.take(read->point->quantity, *read->value, asked);
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
        unit.store_next();
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
    unit.tell(
        dcu::Entry{.sequence = {},
                   .meter = unit.meter.number(),
                   .kind = dcu::EntryKind::read_failed,
                   .time = now,
                   .clock_doubtful = false,
                   .payload = encode(dcu::ReadFailure{dcu::ReadFault::no_answer, quarter_of(now), now})});
}

}  // namespace wattmesh::headend::monitor
