#include "headend/database/alarms.h"

#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<std::string_view, 8> state_words{"normal",  "unacked", "acked",      "returned",
                                                      "latched", "shelved", "suppressed", "out_of_service"};
constexpr std::array<std::string_view, 3> priority_words{"high", "medium", "low"};
constexpr int turn = 1'464'683'620;

constexpr const char* alarm_columns =
    "select id, tenant, area, rule, kind, object, priority, state, active::int, acked::int, text, members, "
    "hides, count, raised_us, last_us, gone_us, returned_us, burst_us, burst, chattering::int, "
    "first_up::int, suppressed_by, shelved_until_us, aside_by, aside_reason, out_of_service::int, acked_by, "
    "acked_us, assigned_to from alarm ";

std::optional<std::string> text_at(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<std::string>(column);
}

Alarm alarm_of(const soci::row& row) {
    Alarm alarm;
    alarm.id = row.get<AlarmId>(0);
    alarm.tenant = row.get<std::optional<TenantId>>(1);
    alarm.area = row.get<std::optional<AreaId>>(2);
    alarm.rule = row.get<std::string>(3);
    alarm.object = {row.get<std::string>(4), row.get<std::string>(5)};
    alarm.priority = static_cast<AlarmPriority>(row.get<int>(6));
    alarm.state = static_cast<AlarmState>(row.get<int>(7));
    alarm.active = row.get<int>(8) != 0;
    alarm.acked = row.get<int>(9) != 0;
    alarm.text = row.get<std::string>(10);
    alarm.members = row.get<int>(11);
    alarm.hides = row.get<int>(12);
    alarm.count = row.get<int>(13);
    alarm.raised = row.get<Instant>(14);
    alarm.last = row.get<Instant>(15);
    alarm.gone = row.get<std::optional<Instant>>(16);
    alarm.returned = row.get<std::optional<Instant>>(17);
    alarm.burst_from = row.get<Instant>(18);
    alarm.burst = row.get<int>(19);
    alarm.chattering = row.get<int>(20) != 0;
    alarm.first_up = row.get<int>(21) != 0;
    alarm.suppressed_by = text_at(row, 22);
    alarm.shelved_until = row.get<std::optional<Instant>>(23);
    if (const auto by = text_at(row, 24)) alarm.aside = AlarmAside{*by, text_at(row, 25).value_or("")};
    alarm.out_of_service = row.get<int>(26) != 0;
    alarm.acked_by = text_at(row, 27);
    alarm.acked_at = row.get<std::optional<Instant>>(28);
    alarm.assigned_to = text_at(row, 29);
    return alarm;
}

/// What of an alarm changes, in the form that binds.
struct Bound {
    explicit Bound(const Alarm& alarm)
        : priority(static_cast<int>(alarm.priority)),
          state(static_cast<int>(alarm.state)),
          active(alarm.active ? 1 : 0),
          acked(alarm.acked ? 1 : 0),
          chattering(alarm.chattering ? 1 : 0),
          first_up(alarm.first_up ? 1 : 0),
          out_of_service(alarm.out_of_service ? 1 : 0) {
        if (alarm.aside) {
            aside_by = alarm.aside->by;
            aside_reason = alarm.aside->reason;
        }
    }
    int priority, state, active, acked, chattering, first_up, out_of_service;
    std::optional<std::string> aside_by, aside_reason;
};

constexpr const char* changed =
    "priority = :priority, state = :state, active = :active <> 0, acked = :acked <> 0, text = :text, "
    "members = :members, hides = :hides, count = :count, raised_us = :raised, last_us = :last, "
    "gone_us = :gone, returned_us = :returned, burst_us = :burst_from, burst = :burst, "
    "chattering = :chattering <> 0, first_up = :first_up <> 0, suppressed_by = :suppressed_by, "
    "shelved_until_us = :shelved, aside_by = :aside_by, aside_reason = :aside_reason, "
    "out_of_service = :out <> 0, acked_by = :acked_by, acked_us = :acked_at, assigned_to = :assigned";

std::vector<Alarm> rows_of(const soci::rowset<soci::row>& rows) {
    std::vector<Alarm> found;
    for (const auto& row : rows) found.push_back(alarm_of(row));
    return found;
}

}  // namespace

std::string_view to_string(AlarmState state) { return state_words[static_cast<std::size_t>(state)]; }
std::optional<AlarmState> parse_alarm_state(std::string_view word) {
    for (std::size_t i = 0; i < state_words.size(); ++i)
        if (state_words[i] == word) return static_cast<AlarmState>(i);
    return std::nullopt;
}
std::string_view to_string(AlarmPriority priority) {
    return priority_words[static_cast<std::size_t>(priority) - 1];
}
std::optional<AlarmPriority> parse_alarm_priority(std::string_view word) {
    for (std::size_t i = 0; i < priority_words.size(); ++i)
        if (priority_words[i] == word) return static_cast<AlarmPriority>(i + 1);
    return std::nullopt;
}

bool Alarms::take_turn() {
    return connection_.run("taking the turn at the alarms", [&](soci::session& sql) {
        int mine = 0;
        sql << "select pg_try_advisory_xact_lock(:turn)::int", use(turn), soci::into(mine);
        return mine != 0;
    });
}

std::vector<Alarm> Alarms::working_set(Instant returned_since) {
    return connection_.run("reading the alarms that stand", [&](soci::session& sql) {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{alarm_columns} +
                                "where state <> 0 or returned_us > :since for update",
             use(returned_since));
        return rows_of(rows);
    });
}

std::vector<Alarm> Alarms::lock(const std::vector<AlarmId>& ids) {
    return connection_.run("taking alarms in hand", [&](soci::session& sql) {
        const auto list = array_text(ids);
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{alarm_columns} +
                                "where id = any (cast(:ids as bigint[])) order by id for update",
             use(list));
        return rows_of(rows);
    });
}

void Alarms::note(AlarmId id, const AlarmNote& note) {
    connection_.run("writing an alarm's journal", [&](soci::session& sql) {
        long long line = 0;
        sql << "insert into alarm_journal (alarm, at_us, what, who, text) values (:alarm, :at, :what, :who, "
               ":text) returning id",
            use(id), use(note.at), use(note.what), use(note.who), use(note.text), soci::into(line);
        sql << "select tell_alarm(:line)", use(line);
    });
}

void Alarms::update(const AlarmChange& change) {
    connection_.run("changing an alarm", [&](soci::session& sql) {
        const Bound bound{change.alarm};
        const auto& alarm = change.alarm;
        sql << std::string{"update alarm set "} + changed + " where id = :id", use(bound.priority),
            use(bound.state), use(bound.active), use(bound.acked), use(alarm.text), use(alarm.members),
            use(alarm.hides), use(alarm.count), use(alarm.raised), use(alarm.last), use(alarm.gone),
            use(alarm.returned), use(alarm.burst_from), use(alarm.burst), use(bound.chattering),
            use(bound.first_up), use(alarm.suppressed_by), use(alarm.shelved_until), use(bound.aside_by),
            use(bound.aside_reason), use(bound.out_of_service), use(alarm.acked_by), use(alarm.acked_at),
            use(alarm.assigned_to), use(alarm.id);
    });
    for (const auto& line : change.notes) note(change.alarm.id, line);
}

void Alarms::put(const std::vector<AlarmChange>& changes) {
    for (const auto& change : changes) {
        const auto& alarm = change.alarm;
        if (alarm.id.value != 0) {
            update(change);
            continue;
        }
        AlarmId id;
        connection_.run("storing an alarm", [&](soci::session& sql) {
            // The row first, then what changes: an older row of the same rule and object keeps its id.
            const int priority = static_cast<int>(alarm.priority);
            sql << "insert into alarm (tenant, area, rule, kind, object, priority, state, active, acked, "
                   "text, members, hides, count, raised_us, last_us, burst_us, burst, chattering, first_up, "
                   "out_of_service) values (:tenant, :area, :rule, :kind, :object, :priority, 0, false, "
                   "true, '', 1, 0, 0, 0, 0, 0, 0, false, false, false) on conflict (tenant, rule, kind, "
                   "object) do update set area = excluded.area returning id",
                use(alarm.tenant), use(alarm.area), use(alarm.rule), use(alarm.object.kind),
                use(alarm.object.name), use(priority), soci::into(id);
        });
        auto stored = change;
        stored.alarm.id = id;
        update(stored);
    }
}

std::optional<Alarm> Alarms::find(AlarmId id) {
    return connection_.run("looking up an alarm", [&](soci::session& sql) -> std::optional<Alarm> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{alarm_columns} + "where id = :id", use(id));
        const auto found = rows_of(rows);
        return found.empty() ? std::nullopt : std::optional{found.front()};
    });
}

std::vector<Alarm> Alarms::list(const AlarmQuery& query) {
    return connection_.run("listing alarms", [&](soci::session& sql) {
        const int state = query.state ? static_cast<int>(*query.state) : -1;
        const int priority = query.priority ? static_cast<int>(*query.priority) : 0;
        const std::string kind = query.about ? query.about->kind : "";
        const std::string name = query.about ? query.about->name : "";
        // Unacknowledged first, put aside last; what has returned stands behind what is still there.
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{alarm_columns} +
                        "where (state = :state or :state < 0 and state <> 0) "
                        "and (:priority = 0 or priority = :priority) and (:rule = '' or rule = :rule) "
                        "and (:object = '' or strpos(object, :object) > 0) "
                        "and (:kind = '' or kind = :kind and object = :name) "
                        "order by case when state <= 4 then 0 else 1 end, priority, "
                        "case state when 1 then 0 when 3 then 1 when 2 then 2 else 3 end, "
                        "raised_us desc, id desc limit :count",
             soci::use(state, "state"), soci::use(priority, "priority"), soci::use(query.rule, "rule"),
             soci::use(query.object, "object"), soci::use(kind, "kind"), soci::use(name, "name"),
             soci::use(query.count, "count"));
        return rows_of(rows);
    });
}

AlarmCounts Alarms::counts() {
    return connection_.run("counting alarms", [&](soci::session& sql) {
        AlarmCounts counts;
        const soci::rowset<soci::row> rows =
            (sql.prepare
             << "select state, priority, count(*)::int from alarm where state <> 0 group by 1, 2");
        for (const auto& row : rows) {
            const auto at = static_cast<std::size_t>(row.get<int>(1) - 1);
            const int number = row.get<int>(2);
            switch (static_cast<AlarmState>(row.get<int>(0))) {
                case AlarmState::normal:
                    break;
                case AlarmState::unacked:
                    counts.unacked[at] += number;
                    break;
                case AlarmState::acked:
                    counts.acked[at] += number;
                    break;
                case AlarmState::returned:
                    counts.returned[at] += number;
                    break;
                case AlarmState::latched:
                    counts.latched += number;
                    break;
                case AlarmState::shelved:
                    counts.shelved += number;
                    break;
                case AlarmState::suppressed:
                    counts.suppressed += number;
                    break;
                case AlarmState::out_of_service:
                    counts.out_of_service += number;
                    break;
            }
        }
        return counts;
    });
}

std::vector<AlarmNote> Alarms::journal(AlarmId id, int count_max) {
    return connection_.run("reading an alarm's journal", [&](soci::session& sql) {
        std::vector<AlarmNote> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select at_us, what, who, text from alarm_journal where alarm = :id "
                            "order by id desc limit :count",
             use(id), use(count_max));
        for (const auto& row : rows)
            found.push_back({row.get<Instant>(0), row.get<std::string>(1), row.get<std::string>(2),
                             row.get<std::string>(3)});
        return found;
    });
}

std::int64_t Alarms::newest_note() {
    return connection_.run("looking for news of alarms", [&](soci::session& sql) {
        long long newest = 0;
        sql << "select coalesce(max(id), 0) from alarm_journal", soci::into(newest);
        return std::int64_t{newest};
    });
}

std::vector<std::pair<std::optional<AreaId>, int>> Alarms::notes_after(std::int64_t note) {
    return connection_.run("looking for news of alarms", [&](soci::session& sql) {
        std::vector<std::pair<std::optional<AreaId>, int>> found;
        const long long after = note;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select a.area, count(*)::int from alarm_journal j join alarm a on a.id = "
                            "j.alarm where j.id > :after group by 1",
             use(after));
        for (const auto& row : rows) found.emplace_back(row.get<std::optional<AreaId>>(0), row.get<int>(1));
        return found;
    });
}

}  // namespace wattmesh::headend::database
