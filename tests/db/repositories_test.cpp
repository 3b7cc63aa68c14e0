#include <catch2/catch.hpp>

#include "headend/database/audit_log.h"
#include "headend/database/desired_states.h"
#include "headend/database/enrolments.h"
#include "headend/database/keys.h"
#include "headend/database/on_demand_log.h"
#include "headend/database/scope.h"
#include "headend/database/users.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

TEST_CASE("concentrators: every log-in raises the epoch, a revoked or unknown one gets none", "[db]") {
    Town town;
    Concentrators concentrators{town.frontend};
    const auto first = concentrators.open_session(unit, quarter(1)).value();
    const auto second = concentrators.open_session(unit, quarter(2)).value();
    CHECK(second.epoch.value == first.epoch.value + 1);
    CHECK_FALSE(concentrators.open_session(number("900000000099"), quarter(1)));
    CHECK(concentrators.find(unit)->link == LinkState::online);

    concentrators.seen(unit, first.epoch, quarter(3),
                       LinkState::offline);  // the evicted session says good-bye late
    CHECK(concentrators.find(unit)->link == LinkState::online);
    concentrators.seen(unit, second.epoch, quarter(3), LinkState::offline);
    CHECK(concentrators.find(unit)->link == LinkState::offline);
    CHECK(concentrators.find(unit)->last_seen == quarter(3));

    // many at once: what an older session says counts for nothing there either
    concentrators.seen({{unit, second.epoch, quarter(4), LinkState::online},
                        {number("900000000099"), second.epoch, quarter(4), LinkState::online}});
    CHECK(concentrators.find(unit)->link == LinkState::online);
    CHECK(concentrators.find(unit)->last_seen == quarter(4));
    concentrators.seen({{unit, first.epoch, quarter(5), LinkState::offline}});
    CHECK(concentrators.find(unit)->link == LinkState::online);

    CHECK(Concentrators{town.monitor}.revoke(unit, quarter(4)));
    const auto revoked = concentrators.open_session(unit, quarter(5)).value();
    CHECK(revoked.state == ConcentratorState::revoked);
    CHECK(revoked.epoch == second.epoch);
    CHECK_FALSE(Concentrators{town.monitor}.revoke(number("900000000099"), quarter(4)));
    CHECK(concentrators.revoked_since(quarter(4)) == std::vector{unit});
    CHECK(concentrators.revoked_since(quarter(5)).empty());
}

TEST_CASE("concentrators: a certificate is refused once it or its concentrator is revoked", "[db]") {
    Town town;
    Concentrators concentrators{town.frontend};
    concentrators.certify(town.id, {"0A1B", midnight, quarter(100), false});
    CHECK(concentrators.find(unit)->state == ConcentratorState::enrolled);
    CHECK_FALSE(concentrators.refused(unit, "0A1B"));
    CHECK(concentrators.refused(unit, "0A1C"));
    CHECK(concentrators.refused(number("900000000002"), "0A1B"));
    Concentrators{town.monitor}.revoke(unit, quarter(1));
    CHECK(concentrators.refused(unit, "0A1B"));
    CHECK(concentrators.certificates(town.id).at(0).revoked);
}

TEST_CASE("enrolment: a code works once, in its time, and only the newest", "[db]") {
    Town town;
    const CodeHash code{1, 2, 3}, newer{4, 5, 6};
    Enrolments issuer{town.monitor}, enrolments{town.frontend};
    issuer.issue(town.id, code, midnight);
    CHECK(enrolments.redeem(unit, CodeHash{9}, quarter(1)) == Redeemed::unknown);
    CHECK(enrolments.redeem(number("900000000002"), code, quarter(1)) == Redeemed::unknown);
    SECTION("twice") {
        CHECK(enrolments.redeem(unit, code, quarter(1)) == Redeemed::accepted);
        CHECK(enrolments.redeem(unit, code, quarter(1)) == Redeemed::used);
    }
    SECTION("too late") {
        CHECK(enrolments.redeem(unit, code, midnight + std::chrono::hours{24}) == Redeemed::expired);
    }
    SECTION("after a newer one") {
        issuer.issue(town.id, newer, quarter(1));
        CHECK(enrolments.redeem(unit, code, quarter(2)) == Redeemed::expired);
        CHECK(enrolments.redeem(unit, newer, quarter(2)) == Redeemed::accepted);
    }
    SECTION("its transaction failed: the code is good again") {
        {
            const Transaction abandoned{town.frontend};
            CHECK(enrolments.redeem(unit, code, quarter(1)) == Redeemed::accepted);
        }
        CHECK(enrolments.redeem(unit, code, quarter(2)) == Redeemed::accepted);
    }
    SECTION("revoked meanwhile") {
        Concentrators{town.monitor}.revoke(unit, quarter(1));
        CHECK(enrolments.redeem(unit, code, quarter(2)) == Redeemed::unknown);
    }
}

TEST_CASE("desired state: the version rises only with the content", "[db]") {
    Town town;
    DesiredStates states{town.monitor};
    const Buffer one{1}, two{2};
    const auto& object = dcu::objects::meter_list;
    CHECK(states.desire(town.id, object, one, midnight) == 1);
    CHECK(states.desire(town.id, object, one, quarter(1)) == 1);
    CHECK(states.find(town.id, object)->pending());
    DesiredStates{town.frontend}.confirm(town.id, object, 1, quarter(2));
    CHECK_FALSE(states.find(town.id, object)->pending());
    CHECK(states.desire(town.id, object, two, quarter(3)) == 2);
    CHECK(states.find(town.id, object)->pending());
    CHECK(states.find(town.id, object)->content == two);
    states.overtake(town.id, object, 7);
    CHECK(states.find(town.id, object)->version == 8);
    states.overtake(town.id, object, 5);
    CHECK(states.of(town.id).at(0).version == 8);
}

TEST_CASE("meters: list of a concentrator, changed on the next import", "[db]") {
    Town town{2};
    Meters meters{town.admin};
    CHECK_FALSE(meters.put({.number = customer(1),
                            .role = dcu::MeterRole::summary,
                            .concentrator = town.id,
                            .installed = quarter(9)}));
    const auto list = meters.listed(town.id);
    REQUIRE(list.meters.size() == 2);
    CHECK(list.meters[0] == dcu::ListedMeter{customer(0), dcu::MeterRole::customer});
    CHECK(list.meters[1] == dcu::ListedMeter{customer(1), dcu::MeterRole::summary});
    CHECK(meters.find(customer(1))->installed == midnight);
    CHECK(meters.find(customer(1))->concentrator_number == unit);
    CHECK_FALSE(meters.find(customer(7)));
}

TEST_CASE("users: five wrong passwords lock, sessions end", "[db]") {
    Town town;
    const auto id =
        Users{town.admin}.put(TenantId{1}, "asha", "Asha Rao", {{Role::operator_, {}}}, "hash", midnight);
    Users users{town.console};
    CHECK(users.find("asha")->grants == std::vector<Grant>{{Role::operator_, {}}});
    CHECK_FALSE(users.find("nobody"));
    for (int i = 0; i < 4; ++i) users.failed(id, quarter(1));
    CHECK_FALSE(users.find(id)->locked_until);
    users.failed(id, quarter(1));
    CHECK(users.find(id)->locked_until == quarter(1) + std::chrono::minutes{5});
    users.succeeded(id, quarter(2));
    CHECK(users.find(id)->failures == 0);

    const Buffer token(32, 0x5A);
    users.open_session(id, token, quarter(2), quarter(6));
    CHECK(users.session(token, quarter(3))->user == id);
    CHECK_FALSE(users.session(token, quarter(6)));
    CHECK(users.drop_expired_sessions(quarter(6)) == 1);
    users.open_session(id, token, quarter(2), quarter(6));
    users.close_session(token);
    CHECK_FALSE(users.session(token, quarter(3)));
}

TEST_CASE("on-demand log: from request to result", "[db]") {
    Town town;
    OnDemandLog log{town.monitor};
    CHECK_FALSE(log.begin(customer(9), obis::clock, 2, "asha", quarter(1)));
    const auto id = log.begin(customer(1), obis::active_import_total, 2, "asha", quarter(1)).value();
    CHECK(log.latest(5).at(0).outcome == "running");
    log.finish(id, quarter(2), "done", "12345 Wh");
    limit(town.console, Scope::everything());
    CHECK(OnDemandLog{town.console}.latest(5).at(0).value == "12345 Wh");
    const auto meter = Meters{town.monitor}.find(customer(1))->id;
    for (int i = 0; i < 2; ++i)
        log.put({meter, obis::active_import_total, quarter(2), 12'345, 0, 30, "on_demand"});
    CHECK(town.value("select count(*) from register_reading where value = 12345") == 1);
}

TEST_CASE("roles: each may do its work and nothing else", "[db]") {
    Town town;
    town.store(town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1)})}));
    struct Row {
        const char* role;
        const char* statement;
    };
    const Row rows[] = {
        {"wm_console", "update journal_cursor set sequence = 0"},
        {"wm_console", "insert into interval_row (meter) values (1)"},
        {"wm_console", "delete from interval_row"},
        {"wm_console", "select sealed from meter_key"},
        {"wm_console", "select * from enrolment"},
        {"wm_console", "update concentrator set state = 0"},
        {"wm_console",
         "insert into audit (at_us, actor, action, subject, detail) values (0, '', '', '', '')"},
        {"wm_console", "select audit_seal(1)"},
        {"wm_console", "delete from api_token"},
        {"wm_console", "select * from wattmesh.meter"},
        {"wm_console", "select * from wattmesh.interval_row"},
        {"wm_console", "select limit_to_areas('meter_key')"},
        {"wm_console", "update user_account set password_hash = ''; drop table wattmesh.meter"},
        {"wm_console", "select make_interval_day(1)"},
        {"wm_frontend", "select sealed from meter_key"},
        {"wm_frontend", "update concentrator set number = 1"},
        {"wm_frontend", "delete from interval_row"},
        {"wm_frontend", "select * from user_account"},
        {"wm_frontend", "delete from reading_conflict"},
        {"wm_frontend", "update audit set actor = ''"},
        {"wm_monitor", "update interval_row set v1 = 0"},
        {"wm_monitor", "update journal_cursor set sequence = 0"},
        {"wm_monitor", "update concentrator set owner_epoch = 0"},
        {"wm_monitor", "select password_hash from user_account"},
        {"wm_monitor", "create table mine (a integer)"},
        {"wm_monitor", "update meter_key set sealed = ''"},
        {"wm_monitor",
         "insert into meter_key (meter, purpose, sealed, stored_us) values (1, 'master', '', 0)"},
        {"wm_frontend", "select promote_key(1, 'master', 0)"},
        {"wm_console", "select sealed from meter_key_pending"},
    };
    for (const auto& row : rows) {
        INFO(row.role << ": " << row.statement);
        Connection connection{town.database.settings(row.role)};
        try {
            connection.execute(row.statement, "trying");
            CHECK(std::string{"it was allowed"}.empty());
        } catch (const DatabaseError& error) {
            CHECK(error.state() == "42501");
            CHECK(error.trouble() == Trouble::refused);
        }
    }
}
