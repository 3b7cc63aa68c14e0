// What is asked each quarter hour, and of a terminal's own state.
#include <algorithm>

#include "headend/monitor/terminal_state.h"
#include "protocol/gdw376/exchange.h"

namespace wattmesh::headend::monitor {
namespace {

using dlt645::DataId;
using gdw376::Afn, gdw376::Frame;

constexpr std::uint16_t item_clock = 2, item_electrical = 25, item_counter = 129;
/// Asked of a meter for which the terminal itself has no answer: counter, power, voltages, currents.
constexpr DataId relayed[]{0x00010000, 0x02030000, 0x0201FF00, 0x0202FF00};
constexpr std::size_t listed_at_once = 7;  ///< entries of 27 octets in a frame of a small terminal
constexpr Duration told_for = std::chrono::hours{24};
/// Times of readings are cut to the minute: whatever was read within the minute behind a quarter hour counts.
constexpr Duration minute_rest = std::chrono::seconds{59};

gdw376::ListedMeter listed(const database::BusMeter& known) {
    gdw376::ListedMeter entry;
    entry.sequence = entry.point = static_cast<std::uint16_t>(known.place.unit);
    entry.meter = known.number;
    return entry;
}

/// Whether the terminal would ask the right meter.
bool is_as_registered(const gdw376::ListedMeter& has, const gdw376::ListedMeter& wanted) {
    return has.point == wanted.point && has.meter == wanted.meter && has.protocol == wanted.protocol;
}

}  // namespace

void TerminalReading::begin_quarter(Terminal& terminal, Instant quarter) {
    terminal.quarter = quarter;
    terminal.turns.clear();
    for (const auto item : {item_counter, item_electrical}) {
        Turn turn{.item = item, .data = 0, .units = {}};
        for (const auto& unit : terminal.units) {
            if (unit->by_relay) continue;
            turn.units.push_back(unit.get());
            if (turn.units.size() < settings_.points_max) continue;
            terminal.turns.push_back(std::exchange(turn, {.item = item, .data = 0, .units = {}}));
        }
        if (!turn.units.empty()) terminal.turns.push_back(std::move(turn));
    }
    for (const auto& unit : terminal.units)
        if (unit->by_relay)
            for (const auto data : relayed)
                terminal.turns.push_back({.item = 0, .data = data, .units = {unit.get()}});
}

void TerminalReading::next_turn(Terminal& terminal) {
    const Turn turn = std::move(terminal.turns.front());
    terminal.turns.pop_front();
    if (turn.item == 0) return relay_turn(terminal, turn);
    std::vector<gdw376::Query> queries;
    queries.reserve(turn.units.size());
    for (const Unit* unit : turn.units)
        queries.push_back({.point = unit->point(), .item = turn.item, .at = {}});
    ask(terminal, gdw376::ask(terminal.address, Afn::class_1, queries, 0),
        [this, &terminal, turn](const std::vector<Frame>& frames) { on_values(terminal, turn, frames); });
}

void TerminalReading::on_values(Terminal& terminal, const Turn& turn, const std::vector<Frame>& frames) {
    if (denied(frames)) {
        if (turn.units.size() == 1) return turn_to_relay(terminal, *turn.units.front());
        for (auto unit = turn.units.rbegin(); unit != turn.units.rend(); ++unit)
            terminal.turns.push_front({.item = turn.item, .data = 0, .units = {*unit}});
        return;
    }
    const Instant now = ports_.now();
    for (const Frame& frame : frames) {
        const auto measured = gdw376::decode_measurements(frame);
        if (!measured) {
            ++counters_.malformed;
            if (tells(terminal.number, "values"))
                ports_.log("terminal " + to_string(terminal.number) + ": values that make no sense, " +
                           std::string{to_string(measured.error().fault)} + ": " +
                           to_hex(gdw376::encode(frame)));
            continue;
        }
        for (const auto& one : *measured)
            if (const auto* reading = std::get_if<gdw376::Reading>(&one))
                take_reading(terminal, *reading, now);
    }
}

void TerminalReading::take_reading(Terminal& terminal, const gdw376::Reading& reading, Instant asked) {
    Unit* unit = terminal.unit_at(reading.point);
    if (unit == nullptr) return;  // not ours
    const bool empty =
        std::ranges::none_of(reading.values, [](const auto& one) { return one.value.has_value(); });
    if (empty) return on_no_data(*unit);
    told_.erase({unit->meter.number(), "silent"});
    const Instant at = reading.read ? instant(*reading.read) - terminal.drift + minute_rest : asked;
    for (const auto& one : reading.values) {
        if (!one.value) continue;
        ++counters_.values;
        unit->meter.take(one.quantity, *one.value, at);
    }
    unit->store_next();
}

void TerminalReading::turn_to_relay(Terminal& terminal, Unit& unit) {
    unit.by_relay = true;
    if (tells(unit.meter.number(), "relay"))
        ports_.log("meter " + to_string(unit.meter.number()) + ": its terminal " +
                   to_string(terminal.number) + " does not answer for it, it is asked itself");
    std::erase_if(terminal.turns,
                  [&](const Turn& turn) { return turn.units.size() == 1 && turn.units.front() == &unit; });
    for (const auto data : relayed) terminal.turns.push_front({.item = 0, .data = data, .units = {&unit}});
}

void TerminalReading::relay_turn(Terminal& terminal, const Turn& turn) {
    Unit& unit = *turn.units.front();
    const Instant asked = ports_.now();
    relay(terminal, dlt645::read(unit.meter.number().bcd, turn.data),
          [this, &unit, data = turn.data, asked](const dlt645::Answer* answer, const std::string& fault) {
              const auto* read = answer != nullptr ? std::get_if<dlt645::ReadData>(answer) : nullptr;
              if (fault == "no_answer") return on_no_data(unit);
              const dlt645::Item& item = *dlt645::find_item(data);
              const auto values = read != nullptr
                                      ? dlt645::decode_values(item, read->octets)
                                      : Result<std::vector<std::optional<double>>>{Error{Fault::refused, 0}};
              if (!values) {
                  ++counters_.malformed;
                  return;
              }
              told_.erase({unit.meter.number(), "silent"});
              for (std::size_t i = 0; i < values->size() && i < item.quantities.size(); ++i)
                  if ((*values)[i]) {
                      ++counters_.values;
                      unit.meter.take(item.quantities[i], *(*values)[i], asked);
                  }
              unit.store_next();
          });
}

bool TerminalReading::tells(DeviceNumber device, const std::string& what) {
    const Instant now = ports_.now();
    const auto [told, first] = told_.try_emplace({device, what}, now);
    if (!first && now - told->second < told_for) return false;
    told->second = now;
    return true;
}

void TerminalReading::on_no_data(Unit& unit) {
    ++counters_.no_data;
    const DeviceNumber number = unit.meter.number();
    if (!tells(number, "silent")) return;
    const Instant now = ports_.now();
    ports_.log("meter " + to_string(number) + ": its terminal has nothing of it");
    unit.tell(
        dcu::Entry{.sequence = {},
                   .meter = number,
                   .kind = dcu::EntryKind::read_failed,
                   .time = now,
                   .clock_doubtful = false,
                   .payload = encode(dcu::ReadFailure{dcu::ReadFault::no_answer, quarter_of(now), now})});
    unit.store_next();
}

/// `again`: it was set just now.
void TerminalReading::check_clock(Terminal& terminal, bool again) {
    const Instant asked = ports_.now();
    terminal.clock_due = asked + settings_.clock_every;
    ask(terminal, gdw376::request(terminal.address, Afn::class_1, {.items = {item_clock}}, 0),
        [this, &terminal, again, asked](const std::vector<Frame>& frames) {
            if (frames.empty()) {
                terminal.clock_due = ports_.now() + settings_.retry_longest;
                return;
            }
            const auto measured = gdw376::decode_measurements(frames.front());
            const auto* clock = measured && !measured->empty()
                                    ? std::get_if<gdw376::TerminalClock>(&measured->front())
                                    : nullptr;
            if (clock == nullptr || !clock->time) {
                ++counters_.malformed;
                return;
            }
            const Instant shown = instant(*clock->time);
            const Duration drift = shown < asked ? shown - asked : std::max(shown - ports_.now(), Duration{});
            terminal.drift = std::chrono::abs(drift) > settings_.clock_off_max ? drift : Duration{};
            if (terminal.drift != Duration{} && !again) set_clock(terminal);
        });
}

void TerminalReading::set_clock(Terminal& terminal) {
    const auto off = std::chrono::duration_cast<std::chrono::seconds>(terminal.drift).count();
    ask(terminal, gdw376::set_clock(terminal.address, wall(ports_.now()), settings_.password, 0),
        [this, &terminal, off](const std::vector<Frame>& frames) {
            if (denied(frames)) return tell_denied(terminal, "setting its clock");
            if (frames.empty()) return;
            ++counters_.clocks_set;
            ports_.log("terminal " + to_string(terminal.number) + ": its clock was " + std::to_string(off) +
                       " s off and is set");
            check_clock(terminal, true);
        });
}

void TerminalReading::tell_denied(Terminal& terminal, const std::string& what) {
    if (!tells(terminal.number, what)) return;
    ports_.log(
        "terminal " + to_string(terminal.number) + " denies " + what +
        (terminal.demands_chip ? ": it wants the proof of a security chip (AFN 06), which is not here" : "") +
        "; reading goes on");
}

/// Meters follow a broadcast once a day and never answer; what the terminal says to it does not matter.
void TerminalReading::broadcast(Terminal& terminal) {
    terminal.broadcast_due = ports_.now() + std::chrono::hours{24};
    if (terminal.drift != Duration{}) return step(terminal);  // its own clock first
    const auto now = wall(ports_.now());
    ++counters_.broadcasts;
    relay(terminal, dlt645::set_time(dlt645::broadcast_address, {now.date, now.hour, now.minute, now.second}),
          [](const dlt645::Answer*, const std::string&) {});
}

/// Are the meters from place `from` on in the terminal's list as they are registered? `again`: they were
/// written just now.
void TerminalReading::check_list(Terminal& terminal, std::size_t from, bool again) {
    terminal.list_due = ports_.now() + told_for;
    std::vector<std::uint16_t> places;
    for (std::size_t i = from; i < terminal.units.size() && places.size() < listed_at_once; ++i)
        places.push_back(terminal.units[i]->point());
    if (places.empty()) return step(terminal);
    ask(terminal, gdw376::query_meters(terminal.address, places, 0),
        [this, &terminal, from, again](const std::vector<Frame>& frames) {
            if (frames.empty()) {
                terminal.list_due = ports_.now() + settings_.retry_longest;
                return;
            }
            gdw376::MeterList has, wrong;
            for (const Frame& frame : frames)
                if (const auto parameters = gdw376::decode_parameters(frame))
                    for (const auto& one : *parameters)
                        if (const auto* list = std::get_if<gdw376::MeterList>(&one))
                            has.insert(has.end(), list->begin(), list->end());
            const auto to = std::min(from + listed_at_once, terminal.units.size());
            for (std::size_t i = from; i < to; ++i) {
                const auto wanted = listed(terminal.units[i]->place);
                if (std::ranges::none_of(has, [&](const auto& one) { return is_as_registered(one, wanted); }))
                    wrong.push_back(wanted);
            }
            if (!wrong.empty() && !again) return write_list(terminal, from, wrong);
            if (!wrong.empty() && tells(terminal.number, "list"))
                ports_.log("terminal " + to_string(terminal.number) + ": " + std::to_string(wrong.size()) +
                           " of its meters are not in its list, although it took them");
            if (to < terminal.units.size()) check_list(terminal, to, false);
        });
}

void TerminalReading::write_list(Terminal& terminal, std::size_t from, const gdw376::MeterList& wrong) {
    ask(terminal, gdw376::set_parameters(terminal.address, {wrong}, settings_.password, 0),
        [this, &terminal, from, wrong](const std::vector<Frame>& frames) {
            if (denied(frames)) return tell_denied(terminal, "a change of its list of meters");
            if (frames.empty()) return;
            ++counters_.lists_written;
            ports_.log("terminal " + to_string(terminal.number) + ": " + std::to_string(wrong.size()) +
                       " meters are written to its list");
            check_list(terminal, from, true);
        });
}

}  // namespace wattmesh::headend::monitor
