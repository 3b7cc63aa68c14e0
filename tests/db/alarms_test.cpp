#include <catch2/catch.hpp>

#include "headend/database/alarm_facts.h"
#include "headend/database/scope.h"
#include "headend/monitor/alarm_watch.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using headend::monitor::AlarmAct;
using headend::monitor::look_after_alarms;

namespace {

const Instant noon = midnight + std::chrono::hours{12};

/// An event of the town's concentrator, `ago` before noon.
std::string event(int kind, const std::string& meter, int sequence, std::chrono::minutes ago,
                  const std::string& more_columns = "", const std::string& more_values = "") {
    const auto at = std::to_string(epoch_us(noon - ago));
    return "insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, "
           "clock_doubtful, received_us" +
           more_columns + ") select " + meter + ", 1, " + std::to_string(sequence) + ", id, 1, 1, " +
           std::to_string(kind) + ", " + at + ", false, " + at + more_values + " from concentrator limit 1;";
}

Alarm only(Connection& connection, const std::string& rule) {
    AlarmQuery query;
    query.rule = rule;
    const auto found = Alarms{connection}.list(query);
    REQUIRE(found.size() == 1);
    return found.front();
}

}  // namespace

TEST_CASE("alarms: each fact of the database is found under its rule", "[db]") {
    using std::chrono::minutes;
    struct Row {
        const char* rule;
        std::string statements, object, text;
    };
    const auto us = [](Instant at) { return std::to_string(epoch_us(at)); };
    const Row rows[] = {
        {"concentrator_offline",
         "update concentrator set state = 1, link = 0, last_seen_us = " + us(noon - minutes{10}),
         "900000000001", "Does not call in: Station 1"},
        {"power_cut", event(12, "0", 1, minutes{5}, ", members, reported, silent", ", 101, 74, 12"),
         "900000000001", "86 of 101 meters dark, 74 said so"},
        {"meter_lost", event(3, "540000000001", 1, minutes{90}) + event(4, "540000000001", 2, minutes{60}),
         "540000000001", "Not reached over the mesh"},
        {"journal_gap", event(7, "0", 1, minutes{5}, ", gap_first, gap_last", ", 11, 40"), "900000000001",
         "30 entries lost"},
        {"join_forged", event(15, "540000000001", 1, minutes{5}), "900000000001",
         "1 attempts under 1 numbers, first 540000000001"},
        {"meter_cloned", event(19, "540000000001", 1, minutes{5}), "540000000001",
         "Two devices answer under this number"},
        {"relay_evicted", event(18, "540000000001", 1, minutes{5}), "540000000001",
         "Dropped packets of others as a relay"},
        {"pan_clash", event(17, "0", 1, minutes{5}, ", parent", ", 900000000002"), "900000000001",
         "Same PAN as concentrator 900000000002"},
        {"unknown_meter", event(6, "540000009999", 1, minutes{5}), "900000000001",
         "1 unknown, first 540000009999"},
        {"clock_doubtful", event(8, "0", 1, minutes{6}) + "update event set clock_doubtful = true",
         "900000000001", "Writes with a clock that nobody confirmed"},
        {"rejected_entries",
         "insert into rejected_entry select 540000000001, 1, 1, 0, id, 1, 1, 'a year of 2099', '', " +
             us(noon - minutes{1}) + " from concentrator",
         "900000000001", "1 entries: a year of 2099"},
        {"reading_conflicts",
         "insert into reading_conflict select id, 1, 0, 1, 1, 1, 1, 2, 1, 2, 1, 1, " + us(noon - minutes{1}) +
             " from meter",
         "900000000001", "3 readings of 3 meters"},
        {"certificate_expiring",
         "update concentrator set state = 1, link = 1; insert into concentrator_certificate select id, 'A', "
         "0, " +
             us(noon + std::chrono::hours{24 * 29}) + " from concentrator",
         "900000000001", "Expires 2026-04-08"},
        {"relay_failed",
         "insert into job (tenant, areas, kind, title, parameters, requested_by, reason, failed, total, "
         "created_us, deadline_us) values (1, '*', 'relay', 'Disconnect 2 meters', '', 'ada', '', 1, 2, " +
             us(noon - minutes{9}) +
             ", 0); insert into job_item (job, place, subject, state, finished_us) select id, 1, "
             "'540000000001', 'failed', " +
             us(noon - minutes{8}) + " from job",
         "1", "Disconnect 2 meters: 1 not done, first 540000000001"},
        {"aggregates_behind", "insert into dirty_day values (1, 20000, 1, 1, " + us(noon - minutes{10}) + ")",
         "aggregates", "1 days wait to be added up"},
        {"audit_broken",
         "select audit_append(" + us(noon - minutes{1}) +
             ", null, 'head-end', 'alarm', 'audit log', 'cut off', '', null, null)",
         "audit log", "cut off"},
        {"disconnects_capped",
         "select audit_append(" + us(noon - minutes{1}) +
             ", null, 'ada', 'alarm', '540000000001', 'the 101st', '', null, null)",
         "disconnects", "the 101st"},
    };
    for (const auto& row : rows) {
        DYNAMIC_SECTION(row.rule) {
            Town town;
            CHECK(look_after_alarms(town.monitor, {}, noon) == 0);
            town.admin.execute(row.statements, "making trouble");
            CHECK(look_after_alarms(town.monitor, {}, noon) == 1);
            const auto alarm = only(town.monitor, row.rule);
            CHECK(alarm.object.name == row.object);
            CHECK(alarm.text == row.text);
            CHECK(alarm.state == AlarmState::unacked);
            CHECK(look_after_alarms(town.monitor, {}, noon) == 0);
            CHECK(Alarms{town.monitor}.journal(alarm.id, 10).size() == 1);
        }
    }
}

TEST_CASE("alarms: what is over returns, and the row of an earlier time is used again", "[db]") {
    Town town;
    town.admin.execute(event(7, "0", 1, std::chrono::minutes{5}, ", gap_first, gap_last", ", 1, 2"), "a gap");
    look_after_alarms(town.monitor, {}, noon);
    const auto id = only(town.monitor, "journal_gap").id;
    look_after_alarms(town.monitor, {}, noon + std::chrono::hours{1});
    CHECK(only(town.monitor, "journal_gap").state == AlarmState::returned);
    {
        Transaction transaction{town.monitor};
        auto alarm = Alarms{town.monitor}.lock({id}).at(0);
        const auto note =
            headend::monitor::act(alarm, {AlarmAct::Verb::acknowledge, "ada"}, noon + std::chrono::hours{2});
        Alarms{town.monitor}.update({alarm, {note.value()}});
        transaction.commit();
    }
    CHECK(Alarms{town.monitor}.list({}).empty());
    town.admin.execute(
        "update event set received_us = received_us + 86400000000, at_us = at_us + 86400000000", "next day");
    CHECK(look_after_alarms(town.monitor, {}, noon + std::chrono::hours{24}) == 1);
    const auto again = only(town.monitor, "journal_gap");
    CHECK(again.id == id);
    CHECK(again.count == 1);
    CHECK(again.raised == noon + std::chrono::hours{24});
    CHECK_FALSE(again.acked_by);
    const auto notes = Alarms{town.monitor}.journal(id, 10);
    REQUIRE(notes.size() == 4);
    CHECK(notes[0].what == "raised");
    CHECK(notes[1].what == "acknowledged");
    CHECK(notes[1].who == "ada");
    const auto conduct = Alarms{town.monitor}.conduct(noon + std::chrono::hours{24});
    CHECK(conduct.last_10_min == 1);
    CHECK(conduct.standing == 1);
    CHECK(conduct.stale == 0);
    REQUIRE(conduct.top.size() == 1);
    CHECK(conduct.top[0].raised == 2);
    CHECK(conduct.by_priority[1] == 2);
    CHECK(Alarms{town.monitor}.conduct(noon + std::chrono::hours{49}).stale == 1);
    CHECK(Alarms{town.monitor}.counts().unacked[1] == 1);
}

TEST_CASE("alarms: one monitor at a time looks after them", "[db]") {
    Town town;
    town.admin.execute(event(7, "0", 1, std::chrono::minutes{5}, ", gap_first, gap_last", ", 1, 2"), "a gap");
    Connection other{town.database.settings("wm_monitor")};
    {
        Transaction transaction{other};
        REQUIRE(Alarms{other}.take_turn());
        CHECK(look_after_alarms(town.monitor, {}, noon) == 0);
        CHECK(Alarms{town.monitor}.list({}).empty());
    }
    CHECK(look_after_alarms(town.monitor, {}, noon) == 1);
}

TEST_CASE("alarms: seen in their areas; those of no area by who sees the whole tenant", "[db]") {
    Town town;
    town.admin.execute("insert into area values (2, 1, 'East');" +
                           event(7, "0", 1, std::chrono::minutes{5}, ", gap_first, gap_last", ", 1, 2") +
                           "insert into dirty_day values (1, 20000, 1, 1, 0)",
                       "two troubles");
    REQUIRE(look_after_alarms(town.monitor, {}, noon) == 2);
    const auto seen = [&](const Scope& scope) {
        limit(town.console, scope);
        return Alarms{town.console}.list({}).size();
    };
    CHECK(seen(Scope::of(TenantId{1})) == 2);
    CHECK(seen(Scope::of(TenantId{1}, {AreaId{1}})) == 1);
    CHECK(seen(Scope::of(TenantId{1}, {AreaId{2}})) == 0);
    CHECK(seen(Scope::nothing()) == 0);
    const auto id = only(town.monitor, "journal_gap").id;
    limit(town.console, Scope::of(TenantId{1}, {AreaId{2}}));
    CHECK(Alarms{town.console}.journal(id, 10).empty());
    Transaction transaction{town.console};
    CHECK(Alarms{town.console}.lock({id}).empty());
}

TEST_CASE("alarms: no role changes or deletes a line of the journal", "[db]") {
    Town town;
    for (auto* role : {&town.monitor, &town.console, &town.frontend})
        for (const char* statement : {"update alarm_journal set who = 'nobody'", "delete from alarm_journal",
                                      "delete from alarm", "truncate alarm_journal"})
            CHECK_THROWS_AS(role->execute(statement, "covering traces"), DatabaseError);
}
