#pragma once
#include <deque>
#include <map>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/iec104/event_buffer.h"
#include "protocol/iec104/link.h"

namespace wattmesh::iec104 {

struct OutstationSettings {
    LinkSettings link{};
    Duration select_timeout = std::chrono::seconds{30};
    Duration command_age_max = std::chrono::seconds{30};  ///< of commands with time
    Duration clock_tolerance = std::chrono::seconds{1};   ///< a master's clock that is farther off is refused
};

/// Masters that stand in for each other: one of them is active, the one that started last.
struct GroupSettings {
    std::size_t events_max = 100'000;
    bool commands = false;  ///< whether its masters may command at all
};

using ConnectionId = Id<struct Iec104ConnectionTag, std::uint64_t>;
using CommandId = Id<struct Iec104CommandTag, std::uint64_t>;

/// A command that passed select, rights and age. The owner answers with confirm() and, when that was
/// positive, later with finish().
struct Command {
    CommandId id{};
    ConnectionId connection{};
    PointKey key{};
    Value value{};  ///< SingleCommand, DoubleCommand or FloatSetpoint
    std::uint8_t originator = 0;
};

struct OutstationCounters {
    std::uint64_t malformed = 0;      ///< ASDUs that do not decode
    std::uint64_t unknown = 0;        ///< answered with causes 44..47
    std::uint64_t refused = 0;        ///< answered with a negative confirmation
    std::uint64_t clock_refused = 0;  ///< among them
};

/// A controlled station with one point table and several masters. Octets and instants in, octets and commands
/// out: after any call the owner writes take() of every connection, and closes those with a fault.
class Outstation {
public:
    Outstation(const OutstationSettings& settings, std::vector<PointDefinition> points);

    std::size_t add_group(const GroupSettings& settings);
    ConnectionId connect(std::size_t group, Instant now);
    void disconnect(ConnectionId id);
    void feed(ConnectionId id, Bytes octets, Instant now);
    Buffer take(ConnectionId id);
    std::optional<LinkFault> fault(ConnectionId id) const;
    bool active(ConnectionId id) const;

    const PointImage& image() const { return image_; }
    /// Civil time, which commands with time and clock synchronisations are compared with; `now` everywhere
    /// else is for waiting. Until it is set, both are the same.
    void set_clock(Instant civil) { civil_ = civil; }
    /// Reports go out with the next pump().
    void set(std::size_t index, const PointState& state, Instant now, Cause cause = Cause::spontaneous);
    void pump(Instant now);
    void tick(Instant now);
    Instant wake() const;
    /// A new version of the point table. States stay where key and type stay; running interrogations end,
    /// selections fall.
    void replace(std::vector<PointDefinition> points, Instant now);

    std::vector<Command> take_commands() { return std::exchange(commands_, {}); }
    /// Whether the command is on its way. Unknown ids (the master has gone) are nothing.
    void confirm(CommandId id, bool accepted, Instant now);
    void finish(CommandId id, bool done, Instant now);

    std::uint64_t dropped(std::size_t group) const { return groups_.at(group).events.dropped(); }
    std::size_t waiting(std::size_t group) const { return groups_.at(group).events.size(); }
    const OutstationCounters& counters() const { return counters_; }

private:
    struct Frozen {
        std::map<PointKey, PointState> states;
        std::uint8_t sequence = 0;
    };
    struct Group {
        GroupSettings settings;
        EventBuffer events;
        bool armed = false;  ///< a master has started once: reports are kept from then on
        std::optional<ConnectionId> active;
        std::map<std::uint16_t, Frozen> frozen;  ///< by station
    };
    struct Interrogating {
        Buffer request;
        std::uint16_t station = 0;
        bool counters = false;
        int group = 0;  ///< 0: all
        std::size_t next = 0, end = 0;
    };
    struct Connection {
        Link link;
        std::size_t group = 0;
        std::deque<Buffer> replies;
        std::deque<Interrogating> interrogations;
        std::deque<std::vector<Event>> in_flight;  ///< per I frame; empty: it held no reports
        std::uint64_t acknowledged = 0;
    };
    struct Selection {
        ConnectionId connection{};
        Value value{};
        Instant until = never;
    };
    struct Pending {
        ConnectionId connection{};
        PointKey key{};
        Buffer request;
        bool confirmed = false;
    };

    void report(const Event& event);
    void after_link(ConnectionId id, Connection& connection);
    void activate(ConnectionId id, Connection& connection);
    void give_back(Connection& connection);
    void pump(ConnectionId id, Connection& connection, Instant now);
    void send(Connection& connection, Buffer asdu, std::vector<Event> events, Instant now);

    void on_asdu(ConnectionId id, Connection& connection, Bytes asdu, Instant now);
    void on_station_command(Connection& connection, const Asdu& asdu, Bytes raw, Instant now);
    void interrogate(Connection& connection, const Asdu& asdu, Bytes raw, std::uint16_t station);
    void interrogate_counters(Connection& connection, const Asdu& asdu, Bytes raw, std::uint16_t station);
    void stop_interrogation(Connection& connection, Bytes raw, std::uint16_t station);
    void read(Connection& connection, const Asdu& asdu, Bytes raw);
    void answer_clock(Connection& connection, const Asdu& asdu, Instant now);
    void on_process_command(ConnectionId id, Connection& connection, const Asdu& asdu, Bytes raw,
                            Instant now);
    bool acceptable(const Connection& connection, const PointDefinition& point, const Asdu& asdu,
                    Instant now) const;
    void execute(ConnectionId id, Connection& connection, const Asdu& asdu, Bytes raw);
    void reply(Connection& connection, Bytes raw, Cause cause, bool negative);
    void refuse(Connection& connection, Bytes raw, Cause cause = Cause::activation_confirmation);

    bool shown(const PointImage::Point& point, const Interrogating& work) const;
    /// The next ASDU of a running interrogation, its termination at the end.
    Buffer continue_interrogation(Connection& connection);
    PointState interrogated(const Connection& connection, const Interrogating& work, std::size_t index) const;

    Instant civil(Instant now) const { return civil_.value_or(now); }

    OutstationSettings settings_;
    std::optional<Instant> civil_;
    PointImage image_;
    std::vector<Group> groups_;
    std::map<ConnectionId, Connection> connections_;
    std::map<PointKey, Selection> selections_;
    std::map<CommandId, Pending> pending_;
    std::vector<Command> commands_;
    std::uint64_t last_connection_ = 0, last_command_ = 0;
    OutstationCounters counters_;
};

}  // namespace wattmesh::iec104
