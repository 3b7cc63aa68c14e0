#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "headend/frontend/caller_ports.h"
#include "headend/frontend/relay.h"
#include "headend/monitor/bus_rows.h"
#include "headend/monitor/on_demand.h"
#include "headend/monitor/push_values.h"
#include "protocol/dlt645/request.h"
#include "protocol/gdw376/event.h"
#include "protocol/gdw376/measurement.h"
#include "protocol/gdw376/parameters.h"

namespace wattmesh::headend::monitor {

struct TerminalReadingSettings {
    Duration utc_offset = std::chrono::hours{8};  ///< of the wall clock that the terminals keep
    Duration history = std::chrono::days{7};      ///< of frozen days and curves that is fetched at first
    Duration clock_off_max = std::chrono::seconds{30};
    Duration clock_every = std::chrono::hours{6};
    Duration answer_max = std::chrono::seconds{30};  ///< of a meter that is asked through its terminal
    std::size_t points_max = 4;                      ///< in one question
    Duration retry_first = std::chrono::seconds{30}, retry_longest = std::chrono::minutes{15};
    Secret<16> password{std::array<std::uint8_t, 16>{}};
};

struct TerminalReadingCounters : BusRowCounters {
    std::uint64_t asked = 0, unanswered = 0, denied = 0, malformed = 0, values = 0, no_data = 0,
                  clocks_set = 0, lists_written = 0, broadcasts = 0, relayed = 0, frozen_rows = 0, events = 0,
                  registers = 0, reports = 0;
};

/// Reads the meters behind Q/GDW 376.1 terminals that call in, one question at a time for each terminal:
/// - each quarter hour counter and electrical values (0C F129, F25; of a meter that the terminal does not
///   answer for, DL/T 645-2007 through 10 F1), several points in a frame, into the rows of polled meters
///   (bus_rows.h);
/// - frozen days (0D F161, F163), power curves (F81 to F84) and the last month (F177), each with a journal
///   of its own whose sequence is the number of the day or quarter hour;
/// - events (0E) whose sequence is the terminal's own count;
/// - the terminal's clock (0C F2), set when it is off (05 F31), and once a day told to its meters (645 08);
/// - its list of meters (0A F10), written where it is not as registered (04 F10) and read again.
/// A terminal that denies setting, because it wants its security chip's proof (AFN 06) or for another reason,
/// is told in the log and read all the same. One thread.
class TerminalReading : public frontend::CallerWork {
public:
    struct Ports {
        /// The meters of a terminal, their points as units; nothing when the database does not answer.
        std::function<void(DeviceNumber terminal,
                           std::function<void(std::optional<std::vector<database::BusMeter>>)> done)>
            meters;
        std::function<void(DeviceNumber terminal, Buffer frame, frontend::Relay::Done done)> carry;
        frontend::Store& store;
        /// A register's value that no row holds, best effort.
        std::function<void(DeviceNumber meter, const PushedValue& value, Instant at, const char* source)> put;
        std::function<void(DeviceNumber terminal, OwnerEpoch epoch)> superseded;
        std::function<void(const std::string& line)> log;
        std::function<Instant()> now;
    };
    TerminalReading(TerminalReadingSettings settings, Ports ports);
    ~TerminalReading() override;

    void admitted(DeviceNumber terminal, OwnerEpoch epoch, link::Carried carries) override;
    void ended(DeviceNumber terminal) override;
    void pushed(DeviceNumber terminal, OwnerEpoch epoch, Buffer frame, Instant now) override;
    void tick(Instant now);

    /// Whether the meter is behind a terminal of this process; then a register is read from the meter itself,
    /// over 10 F1, and `done` comes once unless the terminal goes before. Faults as of OnDemand.
    bool read(DeviceNumber meter, const dlms::AttributeId& id, const OnDemand::Done& done);

    std::size_t terminals() const { return terminals_.size(); }
    const TerminalReadingCounters& counters() const { return counters_; }
    /// The journal of a terminal's events, and those of a meter's frozen days and curves.
    static JournalId events_of(DeviceNumber terminal);
    static JournalId days_of(DeviceNumber meter);
    static JournalId curves_of(DeviceNumber meter);

private:
    struct Unit;
    struct Terminal;
    struct Turn;
    struct Wanted;
    /// All frames of the answer; empty when there was none.
    using Answered = std::function<void(const std::vector<gdw376::Frame>& frames)>;
    /// The meter's answer; else why there is none, as of OnDemand.
    using Relayed = std::function<void(const dlt645::Answer* answer, const std::string& fault)>;

    void load(Terminal& terminal);
    void step(Terminal& terminal);
    void ask(Terminal& terminal, const gdw376::Frame& frame, Answered answered);
    void relay(Terminal& terminal, const dlt645::Frame& frame, Relayed relayed);
    bool denied(const std::vector<gdw376::Frame>& frames);

    void begin_quarter(Terminal& terminal, Instant quarter);
    void next_turn(Terminal& terminal);
    void on_values(Terminal& terminal, const Turn& turn, const std::vector<gdw376::Frame>& frames);
    void take_reading(Terminal& terminal, const gdw376::Reading& reading, Instant asked);
    void turn_to_relay(Terminal& terminal, Unit& unit);
    void relay_turn(Terminal& terminal, const Turn& turn);
    void on_no_data(Unit& unit);
    void serve_wanted(Terminal& terminal);

    void check_clock(Terminal& terminal, bool again);
    void set_clock(Terminal& terminal);
    void broadcast(Terminal& terminal);
    void check_list(Terminal& terminal, std::size_t from, bool again);
    void write_list(Terminal& terminal, std::size_t from, const gdw376::MeterList& wrong);
    bool tells(DeviceNumber device, const std::string& what);
    void tell_denied(Terminal& terminal, const std::string& what);

    void read_events(Terminal& terminal);
    void on_events(Terminal& terminal, const std::vector<gdw376::Frame>& frames);
    bool next_frozen(Terminal& terminal);
    void read_day(Terminal& terminal, Unit& unit);
    void read_curve(Terminal& terminal, Unit& unit);
    void read_month(Terminal& terminal, Unit& unit);
    void on_day(Terminal& terminal, Unit& unit, Instant at, const std::vector<gdw376::Frame>& frames);
    void on_curve(Terminal& terminal, Unit& unit, Instant to, const std::vector<gdw376::Frame>& frames);
    void store(Terminal& terminal, frontend::Batch batch, std::function<void(bool)> then);
    frontend::Batch batch_for(const Terminal& terminal, JournalId journal, Sequence cursor) const;

    gdw376::WallTime wall(Instant at) const;
    Instant instant(const gdw376::WallTime& wall) const;

    TerminalReadingSettings settings_;
    Ports ports_;
    std::map<DeviceNumber, std::unique_ptr<Terminal>> terminals_;
    /// What was told, so that a terminal that calls in again and again does not tell it every time.
    std::map<std::pair<DeviceNumber, std::string>, Instant> told_;
    TerminalReadingCounters counters_;
};

}  // namespace wattmesh::headend::monitor
