#include <catch2/catch.hpp>

#include <set>

#include "headend/database/counter_blocks.h"
#include "headend/database/shipment_import.h"
#include "headend/monitor/sealed_keys.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const security::MasterKey master{security::Key256{std::array<std::uint8_t, 32>{7}}};
const std::string key_a(32, 'A'), key_b(32, 'B');

std::string meter_json(const DeviceNumber& meter, const std::string& key,
                       const std::string& more = R"("model":"WM-SIM-3")") {
    return R"({"number":")" + to_string(meter) + R"(","system_title":")" +
           to_hex(system_title(meter).octets) + R"(","concentrator":"900000000001","role":"customer",)" +
           more + R"(,"ek_management":")" + key + R"(","ak_management":")" + key + R"(","ek_reading":")" +
           key + R"(","ak_reading":")" + key + R"(","join":")" + key +
           R"(","lls_password":"PASSWORD12345678"})";
}
std::string shipment(const std::string& meters) {
    return R"({"wattmesh":"shipment","version":1,"concentrators":[{"number":"900000000001","system_title":")" +
           to_hex(system_title(unit).octets) + R"("}],"meters":[)" + meters + "]}";
}
const ShipmentOptions options{.now = midnight, .installed = midnight};

}  // namespace

TEST_CASE("shipment: registers everything, wrapped for its own row, and a second run changes nothing",
          "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    const auto text = shipment(meter_json(customer(0), key_a) + "," + meter_json(customer(1), key_b));
    const auto first = import.run(text, options);
    CHECK(first.complete());
    CHECK(first.concentrators_known == 1);
    CHECK(first.meters_new == 2);
    const auto again = import.run(text, options);
    CHECK(again.complete());
    CHECK(again.meters_new == 0);
    CHECK(again.meters_known == 2);
    CHECK(again.keys_replaced == 0);
    CHECK(town.value("select count(*) from meter_key") == 12);

    const auto meter = Meters{town.monitor}.find(customer(0)).value();
    CHECK(meter.concentrator == town.id);
    const auto sealed = Keys{town.monitor}.find(meter.id, KeyPurpose::reading_ek).value();
    CHECK(to_hex(sealed).find(key_a) == std::string::npos);
    using headend::monitor::open_key;
    using headend::monitor::purpose_of;
    const auto opened = open_key(master, purpose_of(customer(0), KeyPurpose::reading_ek), sealed);
    REQUIRE(opened);
    CHECK(to_hex(opened->reveal()) == key_a);
    CHECK_FALSE(open_key(master, purpose_of(customer(1), KeyPurpose::reading_ek), sealed));
    CHECK(Keys{town.monitor}.reading_keys_of(town.id).size() == 2);
}

TEST_CASE("shipment: a device that is wrong is named and skipped, the others are imported", "[db]") {
    Town town{0};
    struct Row {
        const char* why;
        std::string meter, says;
    };
    const auto row = GENERATE(values<Row>({
        {"short key", meter_json(customer(1), "AB"), "ek_management"},
        {"unknown model", meter_json(customer(1), key_a, R"("model":"X-1")"), "X-1"},
        {"no model", meter_json(customer(1), key_a, R"("colour":"blue")"), "model"},
        {"number too short", R"({"number":"12"})", "12 decimal digits"},
        {"not an object", "5", "not an object"},
        {"twice", meter_json(customer(0), key_a), "twice"},
        {"title of another", R"({"number":"540000000001","system_title":"0011223344556677"})",
         "system_title"},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto report = ShipmentImport{town.admin, master}.run(
            shipment(meter_json(customer(0), key_a) + "," + row.meter + "," + meter_json(customer(2), key_a)),
            options);
        REQUIRE(report.faults.size() == 1);
        CHECK_THAT(report.faults[0].where, Catch::StartsWith("meters[1]"));
        CHECK_THAT(report.faults[0].why, Catch::Contains(row.says));
        CHECK(report.meters_new == 2);
    }
}

TEST_CASE("shipment: other keys for a known meter need consent", "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    import.run(shipment(meter_json(customer(0), key_a)), options);
    const auto refused = import.run(shipment(meter_json(customer(0), key_b)), options);
    REQUIRE(refused.faults.size() == 1);
    CHECK_THAT(refused.faults[0].why, Catch::Contains("--replace-keys"));
    auto consent = options;
    consent.replace_keys = true;
    CHECK(import.run(shipment(meter_json(customer(0), key_b)), consent).keys_replaced == 1);
    CHECK(import.run(shipment(meter_json(customer(0), key_b)), options).complete());
}

TEST_CASE("shipment: a text that is no shipment is refused in words", "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    CHECK_THROWS_WITH(import.run("{", options), Catch::Contains("JSON"));
    CHECK_THROWS_WITH(import.run("[1]", options), Catch::Contains("JSON") || Catch::Contains("shipment"));
    CHECK_THROWS_WITH(import.run(R"({"wattmesh":"town","version":1})", options), Catch::Contains("shipment"));
    CHECK_THROWS_WITH(import.run(R"({"wattmesh":"shipment","version":1,"concentrators":[]})", options),
                      Catch::Contains("meters"));
}

TEST_CASE("counters: never repeat over processes, crashes and restores", "[db]") {
    Town town;
    const auto meter = Meters{town.monitor}.find(customer(0))->id;
    KeyCounters counters{town.monitor};
    std::set<std::uint32_t> used;
    std::uint32_t highest = 0;
    const auto take = [&](Connection& connection, Instant now) {
        const auto block = KeyCounters{connection}.reserve(meter, KeyPurpose::management_ek, 64, now).value();
        CHECK(block.last - block.first == 63);
        CHECK(block.first > highest);  // strictly increasing, whoever asks
        for (std::uint64_t i = block.first; i <= block.last; ++i)
            CHECK(used.insert(static_cast<std::uint32_t>(i)).second);
        highest = block.last;
        return block;
    };
    const auto first = take(town.monitor, midnight);
    Connection other{town.database.settings("wm_monitor")};
    take(other, midnight);
    take(town.monitor, midnight - std::chrono::hours{24 * 365});  // a clock that went back

    SECTION("a restored server jumps") {
        town.admin.execute("update server_identity set system_identifier = 1", "pretending to be restored");
        CHECK(take(town.monitor, midnight).first > highest - 64 + (1 << 20) - 64);
        const auto after = take(town.monitor, midnight);
        CHECK(after.first < used.size() + (1U << 21) + first.first);  // once, not every time
    }
    SECTION("a copy put back cannot know, but time has passed") {
        town.admin.execute("update key_counter set reserved = 0", "pretending to be an old copy");
        take(town.monitor, midnight + std::chrono::hours{1});
    }
    SECTION("used up") {
        town.admin.execute("update key_counter set reserved = 4294967290", "using it up");
        CHECK_FALSE(counters.reserve(meter, KeyPurpose::management_ek, 64, midnight));
    }
    SECTION("what was accepted from the meter only rises") {
        counters.received(meter, KeyPurpose::management_ek, 500);
        counters.received(meter, KeyPurpose::management_ek, 400);
        CHECK(counters.reserve(meter, KeyPurpose::management_ek, 64, midnight)->received == 500);
    }
}

TEST_CASE("counters: a loop thread works from memory, and a new process starts above", "[db]") {
    struct AtOnce : platform::Executor {
        bool try_post(std::function<void()> job, Completion completion) override {
            job();
            completion(nullptr);
            return true;
        }
    } executor;
    Town town;
    const auto meter = Meters{town.monitor}.find(customer(0))->id;
    QueryQueue queue{town.database.settings("wm_monitor"), 1, executor, [](auto f) { f(); },
                     [](const auto&) {}};
    std::uint32_t last = 0;
    {
        CounterBlocks blocks{queue};
        CounterStore& counter = blocks.of(customer(0));
        CHECK_FALSE(counter.next());  // nothing reserved yet
        REQUIRE(blocks.refill(town.monitor, customer(0), meter, midnight));
        for (std::uint32_t i = 0; i < 200; ++i) {
            const auto value = counter.next().value();
            CHECK(value > last);
            last = value;
        }
        REQUIRE(blocks.refill(town.monitor, customer(0), meter, midnight));
        CHECK(counter.next().value() > last);
        last = counter.next().value();
        CHECK(counter.accept(10));
        CHECK_FALSE(counter.accept(10));
        CHECK(counter.accept(12));
    }
    CHECK(town.value("select received from key_counter") == 12);
    CounterBlocks restarted{queue};
    CounterStore& counter = restarted.of(customer(0));
    REQUIRE(restarted.refill(town.monitor, customer(0), meter, midnight));
    CHECK(counter.next().value() > last);
    CHECK_FALSE(counter.accept(12));
    CHECK(counter.accept(13));
}
