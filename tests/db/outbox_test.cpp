// What partners are told of, and that nobody is told of what did not happen.
#include "headend/database/outbox.h"

#include <catch2/catch.hpp>

#include "headend/database/alarms.h"
#include "headend/database/jobs.h"
#include "headend/database/webhooks.h"
#include "tests/db/town.h"
#include "tests/db/work_bench.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

struct Partner {
    explicit Partner(std::vector<std::string> wanted = {"event", "readings", "outage", "alarm", "job"}) {
        contract.name = "mis";
        contract.topics = std::move(wanted);
        put();
    }
    void put() { contract.id = Contracts{town.admin}.put(contract, midnight, "tester"); }
    std::vector<OutboxMessage> told() {
        Outbox outbox{exchange};
        while (outbox.seal(quarter(50), 1'000) > 0) {
        }
        return outbox.after(contract, contract.topics, {}, 0, 1'000).messages;
    }
    std::vector<std::string> types() {
        std::vector<std::string> types;
        for (const auto& message : told()) types.push_back(message.type + " " + message.subject);
        return types;
    }
    Batch power_lost() {
        auto batch = town.batch(0, 1, {});
        headend::frontend::JournalEvent event;
        event.entry.sequence = Sequence{1};
        event.entry.meter = customer(0);
        event.entry.kind = dcu::EntryKind::power_lost;
        event.entry.time = quarter(3);
        event.entry.payload = dcu::encode(dcu::PowerLoss{});
        batch.events.push_back(event);
        return batch;
    }
    Contract contract;
    Town town;
    Connection exchange{town.database.settings("wm_exchange")};
};

}  // namespace

TEST_CASE("outbox: an event and readings are told in the transaction that stores them", "[db]") {
    Partner partner;
    auto batch = partner.power_lost();
    batch.to = Sequence{2};
    batch.intervals.push_back(Town::entry(1, 2, {interval(quarter(1), 5), interval(quarter(2), 6)}));
    REQUIRE(partner.town.store(batch).outcome == StoreOutcome::stored);
    const auto told = partner.told();
    REQUIRE(told.size() == 2);
    CHECK(told[0].type == "meter.power_lost");
    CHECK(told[0].subject == to_string(customer(0)));
    CHECK(told[0].at == quarter(3));
    CHECK(told[0].data.find(R"("code": "3.26.0.85")") != std::string::npos);
    CHECK(told[0].data.find(R"("concentrator": "900000000001")") != std::string::npos);
    CHECK(told[1].type == "readings.stored");
    CHECK(told[1].data.find(R"("rows": 2)") != std::string::npos);
    CHECK(told[1].data.find(R"("from": "2026-03-10T00:15:00.000Z")") != std::string::npos);
    CHECK(told[1].data.find(R"("to": "2026-03-10T00:30:00.000Z")") != std::string::npos);

    // The same entries again are no news.
    auto again = batch;
    again.journal = journal(1);
    partner.town.store(again);
    CHECK(partner.told().size() == 2);
}

TEST_CASE("outbox: every kind of event that is stored has a name for partners", "[db]") {
    Partner partner;
    CHECK(partner.town.value("select count(*) from generate_series(3, " +
                             std::to_string(static_cast<int>(dcu::EntryKind::meter_cloned)) +
                             ") k where k <> " + std::to_string(static_cast<int>(dcu::EntryKind::pushed)) +
                             " and not exists (select from event_type t where t.kind = k)") == 0);
}

TEST_CASE("outbox: without a contract that wants it nothing is written", "[db]") {
    Partner partner{{"outage"}};
    REQUIRE(partner.town.store(partner.power_lost()).outcome == StoreOutcome::stored);
    CHECK(partner.town.value("select count(*) from outbox") == 0);
}

TEST_CASE("outbox: what is rolled back is not told", "[db]") {
    Partner partner;
    {
        Transaction transaction{partner.town.admin};
        partner.town.admin.execute("select tell(1, 1, 'event', 'meter.joined', 'x', 1, 1, '{}')", "telling");
    }
    CHECK(partner.told().empty());
}

TEST_CASE("outbox: a message that commits late gets a place behind, and nobody who follows misses it",
          "[db]") {
    Partner partner;
    const auto say = [](Connection& connection, const char* subject) {
        connection.execute(
            std::string{"select tell(1, 1, 'event', 'meter.joined', '"} + subject + "', 1, 1, '{}')",
            "telling");
    };
    Connection other{partner.town.database.settings()};
    Transaction slow{partner.town.admin};
    say(partner.town.admin, "slow");  // has the lower id
    say(other, "quick");
    CHECK(partner.types() == std::vector<std::string>{"meter.joined quick"});
    const auto position = partner.told().back().position;
    slow.commit();
    Outbox outbox{partner.exchange};
    CHECK(outbox.seal(quarter(51), 10) == 1);
    const auto page = outbox.after(partner.contract, partner.contract.topics, {}, position, 10);
    REQUIRE(page.messages.size() == 1);
    CHECK(page.messages[0].subject == "slow");
    CHECK(page.position == outbox.head());
}

TEST_CASE("outbox: a partner sees his areas and topics, in his own codes", "[db]") {
    Partner partner;
    partner.town.admin.execute("insert into area values (2, 1, 'North')", "an area");
    const AreaId north{2};
    partner.town.admin.execute(
        "select tell(1, 1, 'event', 'meter.joined', 'south', 1, 1, '{\"name\": \"joined\", \"code\": "
        "\"3.23.5.42\"}'), "
        "tell(1, " +
            std::to_string(north.value) +
            ", 'event', 'meter.joined', 'north', 2, 1, '{\"name\": \"joined\", \"code\": \"3.23.5.42\"}'), "
            "tell(1, null, 'alarm', 'alarm.raised', 'everywhere', 3, 1, '{}')",
        "telling");
    CHECK(partner.told().size() == 3);
    partner.contract.areas = {north};
    partner.contract.event_codes = {{"joined", "J1"}};
    partner.put();
    const auto told = partner.told();
    REQUIRE(told.size() == 1);
    CHECK(told[0].subject == "north");
    CHECK(told[0].data.find(R"("code": "J1")") != std::string::npos);
    partner.contract.topics = {"alarm"};
    CHECK(partner.told().empty());  // no area is not his area

    partner.contract.areas = {AreaId{999}};
    CHECK_THROWS_AS(partner.put(), DatabaseError);
    partner.contract.areas.reset();
    partner.contract.event_codes = {{"nonsense", "J1"}};
    CHECK_THROWS_AS(partner.put(), DatabaseError);
}

TEST_CASE("outbox: lanes share what there is, and a page says how far it looked", "[db]") {
    Partner partner;
    partner.town.admin.execute(
        "select tell(1, 1, 'event', 'meter.joined', g::text, g, 1, '{}') from "
        "generate_series(1, 100) g",
        "telling");
    CHECK(partner.told().size() == 100);
    Outbox outbox{partner.exchange};
    std::set<std::string> seen;
    for (int lane = 0; lane < 4; ++lane) {
        std::int64_t position = 0;
        for (int page = 0; page < 3; ++page) {
            const auto some =
                outbox.after(partner.contract, partner.contract.topics, {4, lane}, position, 10);
            CHECK(some.messages.size() == (page < 2 ? 10 : 5));
            for (const auto& message : some.messages) seen.insert(message.subject);
            position = some.position;
        }
        CHECK(position == 100);
    }
    CHECK(seen.size() == 100);
}

TEST_CASE("outbox: is not forgotten while a webhook waits for it", "[db]") {
    Partner partner;
    Webhook webhook;
    webhook.contract = partner.contract;
    webhook.name = "main";
    webhook.url = "https://mis.example/";
    webhook.topics = {"event"};
    webhook.secret = Buffer(40);
    Webhooks webhooks{partner.town.admin};
    webhooks.put(webhook, midnight);
    partner.town.admin.execute("select tell(1, 1, 'event', 'meter.joined', 'x', 1, 1, '{}')", "telling");
    CHECK(partner.told().size() == 1);
    Outbox outbox{partner.exchange};
    CHECK(outbox.drop(quarter(60)) == 0);
    partner.town.admin.execute("update webhook_lane set position = 1", "delivered");
    CHECK(outbox.drop(quarter(40)) == 0);  // too young
    CHECK(outbox.drop(quarter(60)) == 1);
    // Places go on where they were.
    partner.town.admin.execute("select tell(1, 1, 'event', 'meter.joined', 'y', 1, 1, '{}')", "telling");
    CHECK(partner.told().at(0).position == 2);
}

TEST_CASE("outbox: is forgotten in slices, and disabled contracts hold nothing", "[db]") {
    Partner partner;
    Webhook webhook;
    webhook.contract = partner.contract;
    webhook.name = "main";
    webhook.url = "https://mis.example/";
    webhook.topics = {"event"};
    webhook.secret = Buffer(40);
    Webhooks webhooks{partner.town.admin};
    webhooks.put(webhook, midnight);
    Outbox outbox{partner.exchange};
    outbox.confirm(partner.contract.id, 0, quarter(70));
    partner.town.admin.execute(
        "select tell(1, 1, 'event', 'meter.joined', 'x', 1, 1, '{}') from generate_series(1, 5)", "telling");
    CHECK(partner.told().size() == 5);
    CHECK(outbox.drop(quarter(60)) == 0);
    partner.contract.disabled = true;
    partner.put();
    CHECK(outbox.drop(quarter(60), 2) == 2);
    CHECK(outbox.dropped() == 2);
    CHECK(outbox.drop(quarter(60), 2) == 2);
    CHECK(outbox.drop(quarter(60), 2) == 1);
    CHECK(outbox.dropped() == 5);

    CHECK(webhooks.pass_forgotten(webhooks.all().at(0).id) == 5);
    CHECK(webhooks.pass_forgotten(webhooks.all().at(0).id) == 0);
    CHECK(partner.town.value("select min(position) from webhook_lane") == 5);

    partner.town.admin.execute(
        "insert into webhook_message select id, g, g, 0, 1, 200, g, '' from webhook, generate_series(1, 5) g",
        "what was sent");
    CHECK(webhooks.drop(from_epoch_us(5), 3) == 3);
    CHECK(webhooks.drop(from_epoch_us(5), 3) == 1);
}

TEST_CASE("outbox: the items of his own jobs and alarms are told, too", "[db]") {
    Partner partner;
    Connection& monitor = partner.town.monitor;
    Job job;
    job.kind = "relay";
    job.title = "Switch";
    job.parameters = "{}";
    job.requested_by = "partner:" + partner.contract.name;
    job.reason = "debt";
    job.scope = Scope::of(TenantId{1});
    job.created = quarter(0);
    job.deadline = quarter(96);
    const auto id = Jobs{monitor}.add(job, {to_string(customer(2))});
    end_item(monitor, id, 1, {ItemState::done, "disconnected"}, quarter(1));
    for (const auto* somebody : {"ada", "partner:other"}) {
        job.requested_by = somebody;
        end_item(monitor, Jobs{monitor}.add(job, {to_string(customer(1))}), 1, {ItemState::done, "secret"},
                 quarter(1));
    }
    Alarm alarm;
    alarm.tenant = TenantId{1};
    alarm.area = AreaId{1};
    alarm.rule = "offline";
    alarm.object = {"concentrator", to_string(unit)};
    alarm.state = AlarmState::unacked;
    alarm.active = true;
    alarm.text = "Concentrator 900000000001 is away";
    Alarms{monitor}.put({{alarm, {{quarter(2), "raised", "head-end", ""}}}});
    CHECK(partner.types() == std::vector<std::string>{"job.item_done " + to_string(customer(2)),
                                                      "alarm.raised concentrator 900000000001"});
}
