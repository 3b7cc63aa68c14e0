#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

using AlarmId = Id<struct AlarmTag, std::int64_t>;

/// ISA-18.2, 5.3; `latched`: over and seen, and waits to be reset.
enum class AlarmState { normal, unacked, acked, returned, latched, shelved, suppressed, out_of_service };
std::string_view to_string(AlarmState state);
std::optional<AlarmState> parse_alarm_state(std::string_view word);

enum class AlarmPriority { high = 1, medium = 2, low = 3 };
std::string_view to_string(AlarmPriority priority);
std::optional<AlarmPriority> parse_alarm_priority(std::string_view word);

/// What an alarm is about: "concentrator" 900000000001, "transformer" TX-17, "head-end" aggregates.
struct AlarmObject {
    std::string kind, name;
    friend auto operator<=>(const AlarmObject&, const AlarmObject&) = default;
};

/// Put aside by a person.
struct AlarmAside {
    std::string by, reason;
    friend bool operator==(const AlarmAside&, const AlarmAside&) = default;
};

/// One rule's alarm of one object; what the core of alarms needs to go on lies in the row, so that any
/// monitor can.
struct Alarm {
    AlarmId id;  ///< 0: not stored yet
    std::optional<TenantId> tenant;
    std::optional<AreaId> area;
    std::string rule;
    AlarmObject object;
    AlarmPriority priority = AlarmPriority::low;
    AlarmState state = AlarmState::normal;
    bool active = false, acked = true;
    std::string text;
    int members = 1;  ///< objects it stands for
    int hides = 0;    ///< signs that raise nothing because of it
    int count = 0;    ///< how often it was raised since it was normal
    Instant raised{}, last{};
    std::optional<Instant> gone, returned;
    Instant burst_from{};
    int burst = 0;
    bool chattering = false, first_up = false;
    std::optional<std::string> suppressed_by;
    std::optional<Instant> shelved_until;
    std::optional<AlarmAside> aside;  ///< of shelved and out of service
    bool out_of_service = false;
    std::optional<std::string> acked_by, assigned_to;
    std::optional<Instant> acked_at;
    friend bool operator==(const Alarm&, const Alarm&) = default;
};

/// A line of an alarm's journal: what happened to it and who did it ("head-end": itself).
struct AlarmNote {
    Instant at{};
    std::string what, who, text;
};
/// What is to be stored of one alarm.
struct AlarmChange {
    Alarm alarm;
    std::vector<AlarmNote> notes;
};

struct AlarmQuery {
    std::optional<AlarmState> state;  ///< none: all but normal
    std::optional<AlarmPriority> priority;
    std::string rule, object;          ///< empty: any
    std::optional<AlarmObject> about;  ///< exactly this object
    int count = 200;
};
/// Of those that stand.
struct AlarmCounts {
    int unacked[3] = {}, acked[3] = {}, returned[3] = {};  ///< by priority, high first
    int shelved = 0, suppressed = 0, out_of_service = 0, latched = 0;
};
/// How the alarms behave (ISA-18.2, 16.5; EEMUA 191).
struct AlarmConduct {
    struct Top {
        std::string rule;
        AlarmObject object;
        std::int64_t raised = 0;
    };
    std::int64_t last_10_min = 0, last_day = 0, worst_10_min = 0, floods = 0;  ///< of the last 24 hours
    int standing = 0, stale = 0, chattering = 0;                               ///< stale: active for 24 hours
    std::int64_t by_priority[3] = {};                                          ///< raised in the last 7 days
    std::vector<Top> top;                                                      ///< ten, of the last 7 days
};

/// Tables alarm and alarm_journal. A connection of wm_console sees and changes what its scope shows.
class Alarms {
public:
    explicit Alarms(Connection& connection) : connection_(connection) {}

    /// Makes this transaction the one that looks after alarms; false when another one is at it.
    bool take_turn();
    /// All that is not normal, and what returned since; locked until the transaction ends.
    std::vector<Alarm> working_set(Instant returned_since);
    /// Stores alarms and their notes. An alarm without id takes the row of its rule and object, if there is
    /// one.
    void put(const std::vector<AlarmChange>& changes);
    /// Locked until the transaction ends.
    std::vector<Alarm> lock(const std::vector<AlarmId>& ids);
    /// For a person's act on what is stored already.
    void update(const AlarmChange& change);

    std::optional<Alarm> find(AlarmId id);
    /// What wants somebody first: by state, priority, then newest.
    std::vector<Alarm> list(const AlarmQuery& query);
    AlarmCounts counts();
    std::vector<AlarmNote> journal(AlarmId id, int count_max);
    AlarmConduct conduct(Instant now);
    /// The journal's newest line, for pages that follow: lines after it came later.
    std::int64_t newest_note();
    /// How many lines came after, by area of the alarm.
    std::vector<std::pair<std::optional<AreaId>, int>> notes_after(std::int64_t note);

private:
    void note(AlarmId id, const AlarmNote& note);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
