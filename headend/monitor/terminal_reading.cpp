#include "headend/monitor/terminal_reading.h"

#include <algorithm>
#include <cmath>

#include "headend/monitor/terminal_state.h"
#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/terminal_number.h"

namespace wattmesh::headend::monitor {
namespace {

using frontend::RelayStatus;
using gdw376::Afn, gdw376::Frame;

constexpr Duration load_again = std::chrono::minutes{1}, rest = std::chrono::seconds{2};
constexpr std::uint8_t radio_port = 31;

OnDemandResult failed(const char* fault) {
    OnDemandResult result;
    result.fault = fault;
    return result;
}

}  // namespace

TerminalReading::TerminalReading(TerminalReadingSettings settings, Ports ports)
    : settings_(std::move(settings)), ports_(std::move(ports)) {}

TerminalReading::~TerminalReading() = default;

gdw376::WallTime TerminalReading::wall(Instant at) const {
    const Instant local = at + settings_.utc_offset;
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(local - day)};
    return {day, static_cast<std::uint8_t>(time.hours().count()),
            static_cast<std::uint8_t>(time.minutes().count()),
            static_cast<std::uint8_t>(time.seconds().count())};
}

Instant TerminalReading::instant(const gdw376::WallTime& wall) const {
    return Instant{std::chrono::sys_days{wall.date}} + std::chrono::hours{wall.hour} +
           std::chrono::minutes{wall.minute} + std::chrono::seconds{wall.second} - settings_.utc_offset;
}

void TerminalReading::admitted(DeviceNumber terminal, OwnerEpoch epoch, link::Carried) {
    const auto address = gdw376::terminal_address(terminal);
    if (!address) return;
    auto& entry = terminals_[terminal];
    entry = std::make_unique<Terminal>(
        BusRows::Owner{.number = terminal,
                       .epoch = epoch,
                       .store = ports_.store,
                       .now = ports_.now,
                       .superseded = [this, terminal, epoch] { ports_.superseded(terminal, epoch); },
                       .counters = counters_},
        *address);
    entry->address.master = 1;
    load(*entry);
}

void TerminalReading::ended(DeviceNumber terminal) {
    auto gone = terminals_.extract(terminal);
    if (!gone) return;
    const auto& last = *gone.mapped();
    if (last.serving) last.serving->done(failed("offline"));
    for (const auto& wanted : last.wanted) wanted.done(failed("offline"));
}

void TerminalReading::load(Terminal& terminal) {
    terminal.loading = true;
    ports_.meters(
        terminal.number,
        terminal.load_guard.expect(
            [this, &terminal](const std::optional<std::vector<database::BusMeter>>& meters) {
                terminal.loading = false;
                terminal.load_at = ports_.now() + load_again;
                if (!meters || meters->empty()) {
                    ++counters_.failures;
                    ports_.log("terminal " + to_string(terminal.number) +
                               (meters ? ": no meter is registered behind it"
                                       : ": the database does not say who is behind it"));
                    return;
                }
                for (const auto& known : *meters)
                    if (known.map.empty())
                        terminal.units.push_back(std::make_unique<Unit>(known, terminal.owner, settings_));
                terminal.loaded = true;
                // What is asked late in a quarter hour makes no row.
                terminal.quarter = quarter_of(ports_.now());
                step(terminal);
            }));
}

void TerminalReading::tick(Instant now) {
    for (auto& [number, terminal] : terminals_) {
        if (!terminal->loaded) {
            if (!terminal->loading && now >= terminal->load_at) load(*terminal);
            continue;
        }
        for (const auto& unit : terminal->units) {
            unit->meter.tick(now);
            unit->store_next();
        }
        step(*terminal);
    }
}

/// What comes next, the most urgent first. Every branch but the last ends with another step.
void TerminalReading::step(Terminal& terminal) {
    const Instant now = ports_.now();
    if (terminal.busy || !terminal.loaded || terminal.owner.stopped || now < terminal.rests_until) return;
    if (!terminal.wanted.empty()) return serve_wanted(terminal);
    if (quarter_of(now) != terminal.quarter) begin_quarter(terminal, quarter_of(now));
    if (!terminal.turns.empty()) return next_turn(terminal);
    if (now >= terminal.clock_due) return check_clock(terminal, false);
    if (now >= terminal.list_due) return check_list(terminal, 0, false);
    if (now >= terminal.broadcast_due) return broadcast(terminal);
    if (terminal.counters && now >= terminal.events_due &&
        (!terminal.events_cursor ||
         static_cast<std::uint8_t>(terminal.events_cursor->value) != terminal.counters->important))
        return read_events(terminal);
    next_frozen(terminal);
}

void TerminalReading::ask(Terminal& terminal, const Frame& frame, Answered answered) {
    terminal.busy = true;
    ++counters_.asked;
    ports_.carry(terminal.number, gdw376::encode(frame),
                 terminal.guard.expect([this, &terminal, answered = std::move(answered)](
                                           const frontend::RelayOutcome& outcome) {
                     terminal.busy = false;
                     std::vector<Frame> frames;
                     if (outcome.status == RelayStatus::answered) {
                         gdw376::Decoder decoder;
                         decoder.feed(outcome.apdu);
                         while (auto part = decoder.next()) {
                             if (part->events) terminal.counters = part->events;
                             frames.push_back(*std::move(part));
                         }
                     } else {
                         ++counters_.unanswered;
                         // Its link is gone or full: nothing more is to be had at this moment.
                         if (outcome.status != RelayStatus::timed_out)
                             terminal.rests_until = ports_.now() + rest;
                     }
                     answered(frames);
                     step(terminal);
                 }));
}

bool TerminalReading::denied(const std::vector<Frame>& frames) {
    const bool no = !frames.empty() && gdw376::is_denial(frames.front());
    if (no) ++counters_.denied;
    return no;
}

void TerminalReading::relay(Terminal& terminal, const dlt645::Frame& frame, Relayed relayed) {
    ++counters_.relayed;
    gdw376::RelayRequest request;
    request.port = radio_port;
    request.answer_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.answer_max);
    request.octets = dlt645::encode(frame, 0);
    ask(terminal, gdw376::relay(terminal.address, request, settings_.password, 0),
        [this, frame, relayed = std::move(relayed)](const std::vector<Frame>& frames) {
            if (frames.empty()) return relayed(nullptr, "no_answer");
            if (denied(frames)) return relayed(nullptr, "refused");
            const auto answer = gdw376::decode_relay_answer(frames.front());
            if (!answer) return relayed(nullptr, "malformed");
            dlt645::Decoder decoder;
            decoder.feed(answer->octets);
            const auto said = decoder.next();
            if (!said) return relayed(nullptr, "no_answer");
            const auto what = dlt645::take_answer(*said, frame);
            if (!what) return relayed(nullptr, "malformed");
            relayed(&*what, {});
        });
}

void TerminalReading::pushed(DeviceNumber terminal, OwnerEpoch, Buffer frame, Instant) {
    const auto found = terminals_.find(terminal);
    if (found == terminals_.end()) return;
    gdw376::Decoder decoder;
    decoder.feed(frame);
    const auto report = decoder.next();
    if (!report) return;
    ++counters_.reports;
    if (report->events) found->second->counters = report->events;
    // What it reports is asked for by its number, so that each event is stored once.
    if (const auto events = gdw376::decode_events(*report)) found->second->counters = events->counters;
    if (report->afn == Afn::authenticate) found->second->demands_chip = true;
}

bool TerminalReading::read(DeviceNumber meter, const dlms::AttributeId& id, const OnDemand::Done& done) {
    constexpr std::uint16_t register_class = 3;
    for (auto& [number, terminal] : terminals_)
        for (const auto& unit : terminal->units) {
            if (unit->meter.number() != meter) continue;
            const dlt645::Item* item = dlt645::item_of(id.object);
            if (id.class_id != register_class || id.attribute != 2 || item == nullptr) {
                done(failed("refused"));
                return true;
            }
            terminal->wanted.push_back({unit.get(), item, id.object, ports_.now(), done});
            step(*terminal);
            return true;
        }
    return false;
}

void TerminalReading::serve_wanted(Terminal& terminal) {
    terminal.serving = std::move(terminal.wanted.front());
    terminal.wanted.pop_front();
    const Wanted& asked = *terminal.serving;
    relay(terminal, dlt645::read(asked.unit->meter.number().bcd, asked.item->id),
          [this, &terminal](const dlt645::Answer* answer, const std::string& fault) {
              const Wanted wanted = *std::exchange(terminal.serving, std::nullopt);
              OnDemandResult result;
              result.fault = fault;
              result.took = ports_.now() - wanted.asked;
              const auto* data = answer != nullptr ? std::get_if<dlt645::ReadData>(answer) : nullptr;
              if (answer != nullptr && data == nullptr) result.fault = "refused";
              if (data != nullptr) {
                  const auto values = dlt645::decode_values(*wanted.item, data->octets);
                  const auto place =
                      static_cast<std::size_t>(std::ranges::find(wanted.item->quantities, wanted.quantity) -
                                               wanted.item->quantities.begin());
                  if (!values || place >= values->size() || !(*values)[place]) {
                      result.fault = values ? "refused" : "malformed";
                  } else {
                      const int power = static_cast<int>(std::lround(std::log10(wanted.item->scale)));
                      result.scaler = power - wanted.item->decimals;
                      result.unit = wanted.item->unit;
                      result.value = dlms::Data{
                          std::int64_t{std::llround(*(*values)[place] * std::pow(10.0, -*result.scaler))}};
                  }
              }
              wanted.done(std::move(result));
          });
}

}  // namespace wattmesh::headend::monitor
