#pragma once
#include "headend/monitor/terminal_reading.h"
#include "protocol/gdw376/answer.h"

/// What TerminalReading knows of a terminal; private to it.
namespace wattmesh::headend::monitor {

struct TerminalReading::Unit : BusRows {
    Unit(const database::BusMeter& known, Owner& owner, const TerminalReadingSettings& settings)
        : BusRows(known, owner, settings.retry_first, settings.retry_longest),
          place(known),
          backoff(settings.retry_first, settings.retry_longest) {}
    std::uint16_t point() const { return static_cast<std::uint16_t>(place.place.unit); }

    database::BusMeter place;
    bool by_relay = false;  ///< the terminal does not answer for it
    /// Rows up to here are stored, or are not there; nothing: the store was not asked yet.
    struct Frozen {
        std::optional<Instant> position;
        Sequence cursor;
        Instant due{};
    } day, curve, month;
    frontend::Backoff backoff;
};

/// One question of a quarter hour's round.
struct TerminalReading::Turn {
    std::uint16_t item = 0;  ///< of 0C; 0: `data` is read through the terminal
    dlt645::DataId data = 0;
    std::vector<Unit*> units;
};

/// A read on demand.
struct TerminalReading::Wanted {
    Unit* unit = nullptr;
    const dlt645::Item* item = nullptr;
    ObisCode quantity;
    Instant asked{};
    OnDemand::Done done;
};

struct TerminalReading::Terminal {
    Terminal(BusRows::Owner its_owner, gdw376::Address its_address)
        : owner(std::move(its_owner)), number(owner.number), address(its_address) {}
    Unit* unit_at(std::uint16_t point) {
        for (const auto& unit : units)
            if (unit->point() == point) return unit.get();
        return nullptr;
    }

    BusRows::Owner owner;
    DeviceNumber number;
    gdw376::Address address;
    std::vector<std::unique_ptr<Unit>> units;
    bool loaded = false, loading = false;
    bool busy = false;  ///< a question is open, or an answer on its way into the store
    Instant rests_until{}, load_at{}, clock_due{}, list_due{}, events_due{}, broadcast_due{};
    Duration drift{};  ///< the terminal's clock less ours, where it could not be set
    Instant quarter{};
    std::deque<Turn> turns;
    std::deque<Wanted> wanted;
    std::optional<Wanted> serving;
    std::optional<gdw376::EventCounters> counters;
    std::optional<Sequence> events_cursor;
    bool demands_chip = false;
    frontend::Guard load_guard, guard;
};

}  // namespace wattmesh::headend::monitor
