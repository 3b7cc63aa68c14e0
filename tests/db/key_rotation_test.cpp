#include "headend/database/key_rotations.h"

#include <catch2/catch.hpp>

#include "headend/database/audit_log.h"
#include "headend/database/key_counters.h"
#include "headend/monitor/pg_key_ledger.h"
#include "headend/monitor/pg_rotation_desk.h"
#include "headend/monitor/sealed_keys.h"
#include "security/ciphers.h"
#include "tests/db/key_process.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace wattmesh::headend::monitor;
using dlms::KeyKind;

namespace {

SymmetricKey key(std::uint8_t fill) { return SymmetricKey::from(Buffer(16, fill)).value(); }

struct RotatingTown : Town {
    RotatingTown() {
        give(KeyPurpose::management_ek, key(1));
        give(KeyPurpose::management_ak, key(2));
        give(KeyPurpose::master, key(4));
    }
    void give(KeyPurpose purpose, const SymmetricKey& value) {
        Keys{admin}.put(meter.id, purpose,
                        master.wrap(headend::monitor::purpose_of(meter.number, purpose), value.reveal()),
                        midnight);
    }
    RotationOrder ordered(const std::string& kinds) {
        const auto placed = KeyRotations{admin}.order(meter.id, kinds, "ada", "yearly", midnight);
        return {placed.value().value, meter.number, key_kinds(kinds).value(), "ada", "yearly"};
    }
    const security::FileMasterKey master{security::Key256{std::array<std::uint8_t, 32>{7}}};
    security::OpensslCiphers ciphers;
    Meter meter = Meters{admin}.find(customer(0)).value();
    PgKeyLedger::Tools tools{master, ciphers, midnight};
    security::SystemRandom random;
    MeterSecurity security{master, [](int, security::CertificateUse) { return nullptr; }, random};
};

}  // namespace

TEST_CASE("key ledger: a new key lies beside the old one until it is promoted or dropped", "[db]") {
    RotatingTown town;
    auto order = town.ordered("encryption,master,broadcast");
    PgKeyLedger ledger{town.monitor, town.tools, town.meter, order};
    CHECK(ledger.trouble().empty());
    CHECK(dlms::holds(ledger.current(), KeyKind::unicast_encryption, key(1)));
    CHECK(dlms::holds(ledger.current(), KeyKind::authentication, key(2)));
    CHECK(dlms::holds(ledger.current(), KeyKind::master, key(4)));
    CHECK_FALSE(ledger.current().broadcast);
    CHECK_FALSE(ledger.pending(KeyKind::unicast_encryption));

    ledger.set_pending(KeyKind::unicast_encryption, key(11));
    {
        // Another process sees both at once: it is durable.
        Connection later{town.database.settings("wm_monitor")};
        PgKeyLedger other{later, town.tools, town.meter, order};
        CHECK(to_hex(other.pending(KeyKind::unicast_encryption).value().reveal()) ==
              to_hex(key(11).reveal()));
        CHECK(dlms::holds(other.current(), KeyKind::unicast_encryption, key(1)));
    }
    ledger.promote(KeyKind::unicast_encryption);
    CHECK(dlms::holds(ledger.current(), KeyKind::unicast_encryption, key(11)));
    CHECK_FALSE(ledger.pending(KeyKind::unicast_encryption));
    CHECK_THROWS(ledger.promote(KeyKind::unicast_encryption));

    ledger.set_pending(KeyKind::master, key(14));
    ledger.drop_pending(KeyKind::master);
    CHECK(dlms::holds(ledger.current(), KeyKind::master, key(4)));
    ledger.set_pending(KeyKind::broadcast_encryption, key(13));
    ledger.promote(KeyKind::broadcast_encryption);
    CHECK(dlms::holds(ledger.current(), KeyKind::broadcast_encryption, key(13)));
    CHECK(town.value("select count(*) from meter_key_pending") == 0);
}

TEST_CASE("key ledger: every change is audited with who, why and check values, and no key is shown", "[db]") {
    RotatingTown town;
    const auto order = town.ordered("encryption");
    PgKeyLedger ledger{town.monitor, town.tools, town.meter, order};
    ledger.set_pending(KeyKind::unicast_encryption, key(11));
    ledger.promote(KeyKind::unicast_encryption);
    ledger.set_pending(KeyKind::authentication, key(12));
    ledger.drop_pending(KeyKind::authentication);
    const auto before = check_value(town.ciphers, key(1)), after = check_value(town.ciphers, key(11));
    CHECK(before != after);
    CHECK(before.size() == 6);
    const auto records = AuditLog{town.console}.latest(4);
    CHECK(records[3].action == "key rotation");
    CHECK(records[2].action == "key replaced");
    CHECK(records[2].actor == "ada");
    CHECK(records[2].subject == to_string(town.meter.number));
    CHECK(records[2].detail == "encryption " + before + " -> " + after + ": yearly");
    CHECK(records[0].action == "key kept");
    for (const auto& record : records)
        for (const auto fill : std::to_array<std::uint8_t>({1, 2, 11, 12}))
            CHECK(record.detail.find(to_hex(key(fill).reveal())) == std::string::npos);
    CHECK(AuditLog{town.console}.first_broken() == std::nullopt);
    CHECK_THROWS_AS(town.console.execute("select sealed from meter_key_pending", "looking at keys"),
                    DatabaseError);
}

TEST_CASE("key ledger: without keys or a master key there is nothing to begin with", "[db]") {
    RotatingTown town;
    const auto order = town.ordered("encryption");
    PgKeyLedger ledger{town.monitor, town.tools, town.meter, order};
    town.admin.execute("delete from meter_key where purpose = 'master'", "losing a key");
    CHECK(ledger.trouble() == "no_master_key");
    town.admin.execute("delete from meter_key where purpose = 'management_ek'", "losing a key");
    CHECK(ledger.trouble() == "no_key");
}

TEST_CASE("orders of new keys: one open for each meter, claimed by one, and done when they say so", "[db]") {
    RotatingTown town;
    KeyRotations admin{town.admin}, worker{town.monitor};
    const auto id = admin.order(town.meter.id, "encryption,master", "ada", "yearly", midnight);
    REQUIRE(id);
    CHECK_FALSE(admin.order(town.meter.id, "master", "bob", "again", midnight));
    using std::chrono::minutes;
    CHECK(worker.claim(midnight - minutes{1}, midnight + minutes{30}, 4).empty());
    const auto claimed = worker.claim(midnight, midnight + minutes{30}, 4);
    REQUIRE(claimed.size() == 1);
    CHECK(claimed[0].id == *id);
    CHECK(claimed[0].meter == town.meter.number);
    CHECK(claimed[0].kinds == "encryption,master");
    CHECK(worker.claim(midnight + minutes{29}, midnight + minutes{60}, 4).empty());
    CHECK(worker.claim(midnight + minutes{30}, midnight + minutes{60}, 4).size() == 1);  // its owner is gone
    worker.postpone(*id, midnight + minutes{40}, "no_answer");
    CHECK(admin.find(*id)->attempts == 1);
    CHECK(admin.find(*id)->trouble == "no_answer");
    CHECK(worker.claim(midnight + minutes{40}, midnight + minutes{60}, 4).size() == 1);
    worker.ended(*id, "master", "encryption replaced\n");
    worker.finish(*id, midnight + minutes{41}, "");
    const auto order = admin.find(*id).value();
    CHECK(order.finished == midnight + minutes{41});
    CHECK(order.kinds == "master");
    CHECK(order.report == "encryption replaced\n");
    CHECK(worker.claim(midnight + minutes{90}, midnight + minutes{91}, 4).empty());
    CHECK(admin.order(town.meter.id, "master", "bob", "again", midnight));
}

TEST_CASE("rotation desk: after a new encryption key received counters begin anew, sent ones go on", "[db]") {
    RotatingTown town;
    AtOnce executor;
    QueryQueue queue{town.database.settings("wm_monitor"), 1, executor, [](auto f) { f(); },
                     [](const std::string&) {}};
    CounterHorizon horizon;
    CounterBlocks counters{queue, horizon};
    PgRotationDesk desk{own_title, queue, town.security, counters, town.ciphers, [] { return midnight; }};
    const auto order = town.ordered("encryption");
    const auto sit = [&](const RotationDesk::Work& work) {
        std::string outcome = "never";
        desk.sit(order, work, [&](std::string fault) { outcome = std::move(fault); });
        return outcome;
    };
    std::uint32_t sent = 0;
    CHECK(sit([&](RotationSeat& seat) {
              CHECK(seat.concentrator == unit);
              CHECK(seat.own_title == own_title);
              CHECK(seat.meter_title == system_title(customer(0)));
              sent = seat.counters().next().value();
              CHECK(seat.counters().accept(900));
              seat.ledger().set_pending(KeyKind::unicast_encryption, key(11));
          }) == "");
    CHECK(sit([&](RotationSeat& seat) {
              seat.ledger().promote(KeyKind::unicast_encryption);
              seat.encryption_replaced(5);
              CHECK_FALSE(seat.counters().accept(5));
              CHECK(seat.counters().accept(6));
              CHECK(seat.counters().next().value() > sent);
              sent = seat.counters().next().value();
          }) == "");
    CHECK(KeyRotations{town.admin}.find(KeyRotationId{order.id})->kinds.empty());

    // After a restart of the process.
    CounterBlocks again{queue, horizon};
    PgRotationDesk later{own_title, queue, town.security, again, town.ciphers, [] { return midnight; }};
    later.sit(
        order,
        [&](RotationSeat& seat) {
            CHECK(seat.counters().next().value() > sent);
            CHECK_FALSE(seat.counters().accept(5));
        },
        [](const std::string& fault) { CHECK(fault.empty()); });

    int times = 0;
    CHECK(sit([&](RotationSeat&) {
              ++times;
              throw DatabaseError(Trouble::contention, "40001", "two at once");
          }) == "unavailable");
    CHECK(times == 1);
    RotationOrder stranger = order;
    stranger.meter = customer(99);
    desk.sit(
        stranger, [](RotationSeat&) { FAIL_CHECK("nobody's seat"); },
        [](const std::string& fault) { CHECK(fault == "unknown_meter"); });
    town.admin.execute("delete from meter_key where purpose = 'master'", "losing a key");
    CHECK(sit([](RotationSeat&) { FAIL_CHECK("no seat"); }) == "no_master_key");
}
