#include "headend/monitor/alarm_core.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <random>

using namespace wattmesh;
using namespace wattmesh::headend;
using namespace wattmesh::headend::monitor;
using namespace std::chrono_literals;
using database::Alarm;
using database::AlarmObject;
using database::AlarmState;

namespace {

const Instant start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};

/// What the table would hold: every change is stored, and the next look sees what was stored.
struct Desk {
    std::vector<Alarm> rows;
    std::vector<database::AlarmNote> notes;
    Instant now = start;

    std::vector<database::AlarmChange> look(const std::vector<AlarmSign>& signs, Duration later = {}) {
        now += later;
        std::vector<Alarm> known;
        for (const auto& row : rows)
            if (row.state != AlarmState::normal || (row.returned && *row.returned > now - alarm_memory))
                known.push_back(row);
        auto changes = look_at_alarms(known, signs, now);
        for (const auto& change : changes) {
            store(change.alarm);
            notes.insert(notes.end(), change.notes.begin(), change.notes.end());
        }
        return changes;
    }
    void store(const Alarm& alarm) {
        for (auto& row : rows)
            if (row.rule == alarm.rule && row.object == alarm.object) {
                row = alarm;
                return;
            }
        rows.push_back(alarm);
    }
    Alarm& at(const std::string& rule, const std::string& name) {
        for (auto& row : rows)
            if (row.rule == rule && row.object.name == name) return row;
        FAIL("no alarm " << rule << " of " << name);
        throw 0;
    }
    bool has(const std::string& rule, const std::string& name) const {
        return std::any_of(rows.begin(), rows.end(),
                           [&](const auto& row) { return row.rule == rule && row.object.name == name; });
    }
    int in(AlarmState state) const {
        return static_cast<int>(
            std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.state == state; }));
    }
    int noted(const std::string& what) const {
        return static_cast<int>(
            std::count_if(notes.begin(), notes.end(), [&](const auto& note) { return note.what == what; }));
    }
    bool act(Alarm& alarm, AlarmAct::Verb verb, Instant until = {}) {
        const auto note =
            monitor::act(alarm, {.verb = verb, .by = "ada", .text = "why", .until = until}, now);
        if (note) notes.push_back(*note);
        return note.has_value();
    }
};

AlarmSign sign(const std::string& rule, const std::string& kind, const std::string& name,
               Instant since = start, std::vector<AlarmObject> places = {}) {
    return {.rule = rule,
            .tenant = TenantId{1},
            .area = AreaId{1},
            .object = {kind, name},
            .since = since,
            .text = rule + " of " + name,
            .value = {},
            .members = 1,
            .places = std::move(places)};
}
AlarmSign gap(const std::string& name) { return sign("journal_gap", "concentrator", name); }
AlarmSign lost(int meter, const std::string& concentrator, Instant since = start - 1h) {
    return sign("meter_lost", "meter", std::to_string(meter), since,
                {{"concentrator", concentrator}, {"area", "North"}});
}

}  // namespace

TEST_CASE("alarms: raised, acknowledged, returned: normal; the other order waits for the acknowledgement",
          "[alarms]") {
    Desk desk;
    desk.look({gap("1"), gap("2")});
    CHECK(desk.in(AlarmState::unacked) == 2);
    CHECK(desk.act(desk.at("journal_gap", "1"), AlarmAct::Verb::acknowledge));
    CHECK(desk.at("journal_gap", "1").state == AlarmState::acked);
    CHECK_FALSE(desk.act(desk.at("journal_gap", "1"), AlarmAct::Verb::acknowledge));
    desk.look({}, 10s);
    CHECK(desk.at("journal_gap", "1").state == AlarmState::normal);
    CHECK(desk.at("journal_gap", "2").state == AlarmState::returned);
    CHECK(desk.act(desk.at("journal_gap", "2"), AlarmAct::Verb::acknowledge));
    CHECK(desk.at("journal_gap", "2").state == AlarmState::normal);
    CHECK(desk.noted("raised") == 2);
    CHECK(desk.noted("returned") == 2);
}

TEST_CASE("alarms: a second look at the same signs changes nothing, whoever looks", "[alarms]") {
    Desk desk;
    const std::vector<AlarmSign> signs{gap("1"), lost(1, "7"), lost(2, "7"),
                                       sign("concentrator_offline", "concentrator", "9", start - 1h)};
    CHECK(desk.look(signs).size() == 4);
    CHECK(desk.look(signs, 5s).empty());
}

TEST_CASE("alarms: on-delay and off-delay keep short troubles and short returns away", "[alarms]") {
    Desk desk;
    const auto offline = sign("concentrator_offline", "concentrator", "9");  // 3 min on, 30 s off
    CHECK(desk.look({offline}, 179s).empty());
    desk.look({offline}, 1s);
    CHECK(desk.at("concentrator_offline", "9").state == AlarmState::unacked);
    desk.look({}, 5s);
    desk.look({}, 29s);
    CHECK(desk.at("concentrator_offline", "9").active);
    desk.look({offline}, 1s);  // back in time: it was never away
    desk.look({}, 5s);
    desk.look({}, 29s);
    CHECK(desk.at("concentrator_offline", "9").active);
    desk.look({}, 1s);
    CHECK(desk.at("concentrator_offline", "9").state == AlarmState::returned);
    CHECK(desk.noted("raised") == 1);
}

TEST_CASE("alarms: the dead band of a value", "[alarms]") {
    Desk desk;
    auto behind = sign("aggregates_behind", "head-end", "aggregates");  // raised at 600, over below 120
    struct Row {
        double value;
        bool active;
    };
    for (const auto& row : {Row{599, false}, Row{600, true}, Row{130, true}, Row{119, true}}) {
        behind.value = row.value;
        desk.look({behind}, 10s);
        INFO(row.value);
        CHECK(desk.has("aggregates_behind", "aggregates") == row.active);
    }
    desk.look({behind}, 60s);  // off-delay
    CHECK_FALSE(desk.at("aggregates_behind", "aggregates").active);
    behind.value = 599;
    desk.look({behind}, 10s);
    CHECK_FALSE(desk.at("aggregates_behind", "aggregates").active);
}

TEST_CASE("alarms: three times in a minute is chatter, and is held until it is quiet", "[alarms]") {
    Desk desk;
    for (int i = 0; i < 3; ++i) {
        desk.look({gap("1")}, 5s);
        if (i < 2) desk.look({}, 5s);
    }
    CHECK(desk.at("journal_gap", "1").chattering);
    for (int i = 0; i < 20; ++i) desk.look(i % 2 == 0 ? std::vector<AlarmSign>{} : std::vector{gap("1")}, 5s);
    CHECK(desk.noted("raised") == 3);
    CHECK(desk.noted("chattered") == 1);
    desk.look({}, 5s);
    desk.look({}, 599s);
    CHECK(desk.at("journal_gap", "1").active);
    desk.look({}, 1s);
    CHECK_FALSE(desk.at("journal_gap", "1").active);
    desk.look({gap("1")}, 5s);
    CHECK_FALSE(desk.at("journal_gap", "1").chattering);
}

TEST_CASE("alarms: a shelved one comes back by itself, counted while it lay there", "[alarms]") {
    Desk desk;
    desk.look({gap("1")});
    auto& alarm = desk.at("journal_gap", "1");
    CHECK(desk.act(alarm, AlarmAct::Verb::shelve, desk.now + 1h));
    CHECK(alarm.state == AlarmState::shelved);
    desk.look({}, 1min);
    desk.look({gap("1")}, 1min);
    CHECK(alarm.state == AlarmState::shelved);
    CHECK(alarm.count == 2);
    CHECK(desk.noted("raised") == 1);
    desk.look({gap("1")}, 57min);
    CHECK(alarm.state == AlarmState::shelved);
    desk.look({gap("1")}, 1min);
    CHECK(alarm.state == AlarmState::unacked);
    CHECK_FALSE(alarm.aside);
}

TEST_CASE("alarms: out of service until somebody puts it back", "[alarms]") {
    Desk desk;
    desk.look({gap("1")});
    auto& alarm = desk.at("journal_gap", "1");
    CHECK(desk.act(alarm, AlarmAct::Verb::take_out));
    desk.look({gap("1")}, 720h);
    CHECK(alarm.state == AlarmState::out_of_service);
    CHECK(desk.act(alarm, AlarmAct::Verb::put_in));
    CHECK(alarm.state == AlarmState::unacked);
}

TEST_CASE("alarms: a latched one wants to be reset", "[alarms]") {
    Desk desk;
    desk.look({sign("join_forged", "concentrator", "1")});
    auto& alarm = desk.at("join_forged", "1");
    CHECK_FALSE(desk.act(alarm, AlarmAct::Verb::reset));
    desk.act(alarm, AlarmAct::Verb::acknowledge);
    desk.look({}, 1min);
    CHECK(alarm.state == AlarmState::latched);
    CHECK(desk.act(alarm, AlarmAct::Verb::reset));
    CHECK(alarm.state == AlarmState::normal);
}

TEST_CASE("alarms: a concentrator that is down hides its meters' alarms, and a while longer", "[alarms]") {
    Desk desk;
    desk.look({lost(1, "7"), lost(2, "8")});
    const auto offline = sign("concentrator_offline", "concentrator", "7");
    std::vector<AlarmSign> signs{offline, lost(1, "7"), lost(2, "8")};
    for (int i = 10; i < 50; ++i) signs.push_back(lost(i, "7"));
    desk.look(signs, 5min);
    CHECK(desk.at("meter_lost", "1").state == AlarmState::suppressed);
    CHECK(desk.at("meter_lost", "2").state == AlarmState::unacked);
    CHECK(desk.at("concentrator_offline", "7").hides == 41);
    CHECK(desk.rows.size() == 3);
    signs.erase(signs.begin());
    desk.look(signs, 1min);
    desk.look(signs, 30s);  // the concentrator is back; its meters get ten minutes to be found
    desk.look(signs, 9min);
    CHECK(desk.rows.size() == 3);
    CHECK(desk.at("meter_lost", "1").state == AlarmState::suppressed);
    desk.look(signs, 1min);
    CHECK(desk.at("meter_lost", "7").members == 41);
}

TEST_CASE("alarms: five of one place are one alarm of the place, until the last of them is over",
          "[alarms]") {
    Desk desk;
    desk.look({lost(1, "7"), lost(2, "7"), lost(3, "7")});
    CHECK(desk.in(AlarmState::unacked) == 3);
    std::vector<AlarmSign> signs;
    for (int i = 1; i <= 312; ++i) signs.push_back(lost(i, "7"));
    desk.look(signs, 1min);
    CHECK(desk.in(AlarmState::unacked) == 1);
    CHECK(desk.in(AlarmState::suppressed) == 3);
    CHECK(desk.at("meter_lost", "7").text == "312 meters without contact under concentrator 7");
    CHECK(desk.at("meter_lost", "7").object == AlarmObject{"concentrator", "7"});
    signs.resize(2);
    desk.look(signs, 1min);
    CHECK(desk.at("meter_lost", "7").members == 2);
    CHECK(desk.in(AlarmState::unacked) == 1);
    desk.look({}, 1min);
    desk.look({}, 1min);
    CHECK(desk.in(AlarmState::returned) == 1);
    CHECK(desk.in(AlarmState::normal) == 3);
}

TEST_CASE("alarms: one that was seen and then doubled wants to be seen again", "[alarms]") {
    Desk desk;
    std::vector<AlarmSign> signs;
    for (int i = 1; i <= 60; ++i) signs.push_back(lost(i, "7"));
    desk.look({signs.begin(), signs.begin() + 20});
    desk.act(desk.at("meter_lost", "7"), AlarmAct::Verb::acknowledge);
    desk.look({signs.begin(), signs.begin() + 30}, 1min);  // from 20 to 30: no news
    CHECK(desk.at("meter_lost", "7").state == AlarmState::acked);
    desk.look(signs, 1min);
    CHECK(desk.at("meter_lost", "7").state == AlarmState::unacked);
    CHECK(desk.noted("grew") == 1);
}

TEST_CASE("alarms: the first of those that came together is marked", "[alarms]") {
    Desk desk;
    auto first = gap("3");
    first.since = start - 2s;
    auto other = sign("rejected_entries", "concentrator", "3", start - 1s);
    desk.look({other, first, gap("4")});
    CHECK(desk.at("journal_gap", "3").first_up);
    CHECK_FALSE(desk.at("rejected_entries", "3").first_up);
    CHECK_FALSE(desk.at("journal_gap", "4").first_up);
}

TEST_CASE("alarms: ten thousand at once are few, and a look at them is quick", "[alarms]") {
    // 200 concentrators in 4 areas; 10 000 of 20 000 meters fall silent within a minute, told in random order
    std::mt19937 chance{20261123};
    std::vector<int> meters(20'000);
    for (int i = 0; i < 20'000; ++i) meters[static_cast<std::size_t>(i)] = i;
    std::shuffle(meters.begin(), meters.end(), chance);
    Desk desk;
    std::vector<AlarmSign> signs;
    std::size_t most = 0;
    Duration longest{};
    for (int second = 0; second <= 60; second += 5) {
        while (signs.size() < static_cast<std::size_t>(10'000 * second / 60)) {
            const int meter = meters[signs.size()];
            signs.push_back(
                sign("meter_lost", "meter", std::to_string(meter), start - 1h,
                     {{"concentrator", std::to_string(meter % 200)}, {"area", std::to_string(meter % 4)}}));
        }
        const auto began = std::chrono::steady_clock::now();
        desk.look(signs, 5s);
        longest = std::max(
            longest,
            Duration{std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began)});
        most = std::max(most, static_cast<std::size_t>(desk.in(AlarmState::unacked)));
    }
    CHECK(most <= 10);
    CHECK(desk.rows.size() <= 10);
    int members = 0;
    for (const auto& row : desk.rows)
        if (row.state == AlarmState::unacked) members += row.members;
    CHECK(members == 10'000);
    UNSCOPED_INFO("longest look " << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count()
                                  << " ms");
    CHECK(desk.noted("raised") <= 10);
}
