#include <catch2/catch.hpp>

#include <thread>

#include "headend/database/audit_log.h"
#include "headend/database/disconnect_grants.h"
#include "headend/database/shipped_device.h"
#include "headend/monitor/pg_key_service.h"
#include "headend/monitor/sealed_keys.h"
#include "protocol/dlms/security.h"
#include "security/ciphers.h"
#include "tests/db/key_process.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace wattmesh::headend::monitor;

namespace {

// tests/vectors/dlms.json: ACT-DISC, GET-1.
const Buffer disconnect = from_hex("C301C10046000060030AFF01010F00").value();
const Buffer get_clock = from_hex("C001C100080000010000FF0200").value();
const Buffer key_a(16, 0xA1), key_b(16, 0xB2);

struct TownWithKeys : Town {
    TownWithKeys() : Town(3) {
        for (int i = 0; i < 3; ++i) give_keys(*this, i);
    }
};

struct Heard : CounterStore {
    std::optional<std::uint32_t> next() override { return std::nullopt; }
    bool accept(std::uint32_t received) override {
        const bool higher = received > last;
        last = received;
        return higher;
    }
    void raise(std::uint32_t) override {}
    std::uint32_t last = 0;
};

}  // namespace

TEST_CASE("key service: what it ciphers the meter opens, what the role may not do it writes down", "[db]") {
    TownWithKeys town;
    Process process{town};
    auto answer = process.ask(0, Role::reading);
    auto& access = std::get<GuardedAccess>(answer);
    CHECK(access.concentrator == unit);
    CHECK(access.meter_title == system_title(customer(0)));
    Heard heard;
    const dlms::ClientKeys keys{SymmetricKey::from(key_a).value(), SymmetricKey::from(key_b).value(), {}, {}};
    dlms::SecurityContext meter{keys, access.meter_title, own_title, process.ciphers, heard, heard};
    for (int i = 0; i < 3; ++i)
        CHECK(meter.open(access.protection->protect(get_clock).value()).value() == get_clock);

    CHECK_FALSE(access.protection->protect(disconnect));
    const auto record = AuditLog{town.admin}.latest(1).at(0);
    CHECK(record.actor == "tester");
    CHECK(record.action == "refused");
    CHECK(record.subject == to_string(customer(0)));
    CHECK_THAT(record.detail, Catch::Contains("reading") && Catch::Contains("70/0-0:96.3.10*255/1"));
    CHECK(access.protection->protect(get_clock));
}

TEST_CASE("key service: ciphers in the suite of the meter, and not with keys of another", "[db]") {
    Town town;
    town.admin.execute("update meter set security_suite = 2", "making the meters modern");
    give_keys(town, 0, 32);
    give_keys(town, 1, 16);
    Process process{town};
    auto answer = process.ask(0, Role::reading);
    auto& access = std::get<GuardedAccess>(answer);
    const auto sent = access.protection->protect(get_clock).value();
    CHECK(sent.at(2) == 0x32);  // security control: authenticated, encrypted, suite 2
    Heard heard;
    dlms::SecuritySettings modern;
    modern.suite = dlms::Suite::two;
    dlms::SecurityContext meter{dlms::ClientKeys{SymmetricKey::from(Buffer(32, 0xA1)).value(),
                                                 SymmetricKey::from(Buffer(32, 0xB2)).value()},
                                access.meter_title,
                                own_title,
                                process.ciphers,
                                heard,
                                heard,
                                modern};
    CHECK(meter.open(sent).value() == get_clock);
    CHECK(std::get<KeyFault>(process.ask(1, Role::reading)) == KeyFault::no_key);
}

TEST_CASE("key service: says why there is no protection", "[db]") {
    Town town;
    give_keys(town, 0);
    Process process{town};
    CHECK(std::get<KeyFault>(process.ask(1, Role::reading)) == KeyFault::no_key);
    CHECK(std::get<KeyFault>(process.ask(9, Role::reading)) == KeyFault::unknown_meter);
    town.admin.execute("update meter set concentrator = null", "taking the meters away");
    CHECK(std::get<KeyFault>(process.ask(0, Role::reading)) == KeyFault::no_concentrator);
}

TEST_CASE("key service: counts disconnects over processes and restarts, within a sliding hour", "[db]") {
    TownWithKeys town;
    Process first{town};
    CHECK(first.granted(0));
    first.now += std::chrono::minutes{30};
    CHECK(first.granted(1));
    {
        Process other{town};
        other.now = first.now;
        CHECK_FALSE(other.granted(0, 2));  // two more would be one too many
        CHECK(other.granted(0));
        CHECK_FALSE(other.granted(2));
    }
    Process restarted{town};
    restarted.now = first.now;
    CHECK_FALSE(restarted.granted(2));
    CHECK(std::holds_alternative<GuardedAccess>(restarted.ask(2, Role::management)));  // the rest goes on
    CHECK(town.value("select count(*) from audit where action = 'alarm'") == 1);

    restarted.now = midnight + std::chrono::minutes{60};
    CHECK(restarted.granted(2));  // the first one is an hour old
    CHECK_FALSE(restarted.granted(2));
    restarted.now = midnight - std::chrono::hours{24};
    CHECK_FALSE(restarted.granted(2));  // putting the clock back does not help
    restarted.now = midnight + std::chrono::hours{2};
    CHECK(restarted.granted(2, 3));
    CHECK_FALSE(restarted.granted(2));
    CHECK(town.value("select count(*) from audit where action = 'alarm'") == 2);
    CHECK(town.value("select sum(operations) from disconnect_grant") == 7);
}

TEST_CASE("key service: a granted disconnect is ciphered once", "[db]") {
    TownWithKeys town;
    Process process{town};
    auto answer = process.ask(0, Role::management, 1);
    auto& access = std::get<GuardedAccess>(answer);
    CHECK(access.protection->protect(disconnect));
    CHECK_FALSE(access.protection->protect(disconnect));
    CHECK(AuditLog{town.admin}.latest(1).at(0).action == "refused");
}

TEST_CASE("key service: a cap of nothing refuses every disconnect", "[db]") {
    TownWithKeys town;
    Process process{town, 0};
    CHECK_FALSE(process.granted(0));
}

TEST_CASE("disconnect grants: a feeder has a cap of its own, other feeders and unknown places go on",
          "[db]") {
    Town town{4};
    town.admin.execute(
        "insert into network_node (tenant, area, kind, number, name) values (1, 1, 1, 'S1', ''), (1, 1, 2, "
        "'F1', ''), (1, "
        "1, 2, 'F2', ''), (1, 1, 3, 'T1', ''), (1, 1, 3, 'T2', ''), (1, 1, 4, 'U0', ''), (1, 1, 4, 'U1', "
        "''), (1, 1, 4, "
        "'U2', ''); insert into network_link (node, kind, parent, from_us, tenant, area) select n.id, "
        "n.kind, p.id, 0, 1, 1 "
        "from (values ('F1', 'S1'), ('F2', 'S1'), ('T1', 'F1'), ('T2', 'F2'), ('U0', 'T1'), ('U1', 'T1'), "
        "('U2', 'T2')) "
        "v(child, parent) join network_node n on n.number = v.child join network_node p on p.number = "
        "v.parent; "
        "insert into meter_installation (meter, node, kind, from_us, tenant, area) select m.id, n.id, 4, 0, "
        "1, 1 from meter "
        "m join network_node n on n.number = 'U' || (m.number - 540000000000)",
        "drawing a network");
    const auto granted = [&](int i) {
        const auto id = Meters{town.admin}.find(customer(i)).value().id;
        return DisconnectGrants{town.monitor}.acquire(id, customer(i), "ada", 1,
                                                      {.total = 10, .per_feeder = 2}, midnight);
    };
    CHECK(granted(0));
    CHECK(granted(1));
    CHECK_FALSE(granted(0));
    CHECK_FALSE(granted(1));
    CHECK(granted(2));
    CHECK(granted(2));
    CHECK_FALSE(granted(2));
    for (int i = 0; i < 4; ++i) CHECK(granted(3));
    CHECK(AuditLog{town.admin}.latest(1).at(0).detail ==
          "disconnects refused: more than 2 within an hour on feeder F1 were asked for");
}

TEST_CASE("disconnect grants: many that ask at once get no more than the cap", "[db]") {
    Town town;
    const auto id = Meters{town.admin}.find(customer(0)).value().id;
    std::atomic<int> granted = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            Connection connection{town.database.settings("wm_monitor")};
            for (int j = 0; j < 10; ++j)
                granted += DisconnectGrants{connection}.acquire(id, customer(0), "thread", 1, {.total = 17},
                                                                midnight)
                               ? 1
                               : 0;
        });
    for (auto& thread : threads) thread.join();
    CHECK(granted == 17);
    CHECK(town.value("select count(*) from audit where action = 'alarm'") == 1);
}
