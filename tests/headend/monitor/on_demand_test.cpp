#include "headend/monitor/on_demand.h"

#include "protocol/dlms/server.h"
#include "tests/headend/monitor/fixed_keys.h"

namespace wattmesh::headend::monitor {
namespace {

using namespace fixed;

/// A meter with one register and one text, for the management client only.
struct Meter : dlms::ObjectModel {
    Meter() : server(system_title(meter), {access()}, *this, ciphers, random) {}
    dlms::ClientAccess access() {
        dlms::ClientAccess client;
        client.client = management_client;
        client.mechanism = dlms::Mechanism::high_gmac;
        client.ciphered = true;
        client.keys = dlms::ClientKeys{key(1), key(2)};
        client.pdu_size_max = 200;
        client.send = &sent;
        client.receive = &received;
        return client;
    }
    void get(const dlms::AttributeId& id, const dlms::Selection&, Sap, Instant,
             std::function<void(dlms::ReadOutcome)> done) override {
        if (id.object == obis::active_import_total && id.attribute == 2)
            return done(dlms::Data{std::uint32_t{9'108}});
        if (id.object == obis::active_import_total && id.attribute == 3) {
            return done(dlms::structure({std::int8_t{1}, dlms::Enum{30}}));
        }
        if (id.object == obis::logical_device_name)
            return done(dlms::octet_string(Buffer(300, 'x')));  // several blocks
        done(dlms::AccessResult::object_undefined);
    }
    void set(const dlms::AttributeId&, const dlms::Data&, Sap, Instant,
             std::function<void(dlms::AccessResult)> done) override {
        done(dlms::AccessResult::read_write_denied);
    }
    void act(const dlms::MethodId&, const std::optional<dlms::Data>&, Sap, Instant,
             std::function<void(dlms::ActionOutcome)> done) override {
        done({dlms::AccessResult::read_write_denied, {}});
    }

    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    MemoryCounters sent, received;
    dlms::Server server;
};

/// The whole way from a question to the meter, one step at a time.
struct World {
    World()
        : on_demand(
              {}, keys,
              [this](DeviceNumber to, DeviceNumber number, Sap client, Buffer apdu,
                     frontend::Relay::Done done) {
                  CHECK((client == management_client || client == public_client));
                  CHECK(to == concentrator);
                  CHECK(number == meter);
                  CHECK(apdu.size() <= 200);
                  ++carried;
                  requests.push_back({std::move(apdu), std::move(done)});
              },
              [this] { return now; }, ciphers, random) {}

    OnDemand::Done note() {
        return [this](OnDemandResult result) { results.push_back(std::move(result)); };
    }
    void run() {
        while (!keys.waiting.empty() || !requests.empty()) {
            for (auto& answer : std::exchange(keys.waiting, {})) answer();
            for (auto& [apdu, done] : std::exchange(requests, {})) {
                now += std::chrono::milliseconds{100};
                if (status != frontend::RelayStatus::answered) {
                    done({status, {}});
                    continue;
                }
                device.server.handle(management_client, apdu, now, [&](Buffer answer) {
                    largest = std::max(largest, answer.size());
                    done({frontend::RelayStatus::answered, std::move(answer)});
                });
            }
        }
    }

    struct Request {
        Buffer apdu;
        frontend::Relay::Done done;
    };
    Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    Meter device;
    FixedKeys keys;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    frontend::RelayStatus status = frontend::RelayStatus::answered;
    std::vector<Request> requests;
    std::vector<OnDemandResult> results;
    int carried = 0;
    std::size_t largest = 0;
    OnDemand on_demand;
};

constexpr dlms::AttributeId energy{3, obis::active_import_total, 2}, name{1, obis::logical_device_name, 2};

}  // namespace

TEST_CASE("on demand: a register comes with scaler and unit, through an association of its own",
          "[monitor]") {
    World world;
    world.on_demand.read(meter, energy, world.note());
    world.run();
    REQUIRE(world.results.size() == 1);
    CHECK(world.results[0].fault.empty());
    CHECK(world.results[0].value.integer() == 9'108);
    CHECK(world.results[0].scaler == 1);
    CHECK(world.results[0].unit == 30);
    CHECK(world.results[0].took >= std::chrono::milliseconds{400});
    CHECK(world.carried == 5);  // AARQ, proof, value, scaler, release
    CHECK(world.on_demand.open() == 0);
    CHECK_FALSE(world.device.server.associated(management_client));
}

TEST_CASE("on demand: what is asked meanwhile uses the same association, long answers come in blocks",
          "[monitor]") {
    World world;
    world.on_demand.read(meter, energy, world.note());
    world.on_demand.read(meter, name, world.note());
    world.run();
    REQUIRE(world.results.size() == 2);
    CHECK(world.results[1].value.octets().size() == 300);
    CHECK(world.largest <= 200);
    CHECK(world.on_demand.open() == 0);
    world.on_demand.read(meter, name, world.note());
    world.run();
    CHECK(world.results.size() == 3);
    CHECK(world.results[2].ok());
}

TEST_CASE("on demand: what is asked for while a result is told is asked once, in the same association",
          "[monitor]") {
    World world;
    world.on_demand.read(meter, name, [&](const OnDemandResult&) {
        world.on_demand.read(meter, energy, world.note());
        world.on_demand.read(meter, name, world.note());
    });
    world.run();
    REQUIRE(world.results.size() == 2);
    CHECK(world.results[0].value.integer() == 9'108);
    CHECK(world.results[0].unit == 30);
    CHECK(world.results[1].value.octets().size() == 300);
    CHECK(world.on_demand.open() == 0);
}

TEST_CASE("on demand: every way it can fail has its word", "[monitor]") {
    World world;
    SECTION("the relay") {
        struct Row {
            frontend::RelayStatus status;
            const char* fault;
        };
        const auto row = GENERATE(values<Row>({{frontend::RelayStatus::unreachable, "unreachable"},
                                               {frontend::RelayStatus::timed_out, "no_answer"},
                                               {frontend::RelayStatus::offline, "offline"},
                                               {frontend::RelayStatus::full, "busy"}}));
        world.status = row.status;
        world.on_demand.read(meter, energy, world.note());
        world.on_demand.read(meter, name, world.note());
        world.run();
        REQUIRE(world.results.size() == 2);
        CHECK(world.results[0].fault == row.fault);
        CHECK(world.results[1].fault == row.fault);
    }
    SECTION("the keys") {
        const auto fault =
            GENERATE(KeyFault::unknown_meter, KeyFault::no_concentrator, KeyFault::no_key,
                     KeyFault::no_certificate, KeyFault::unavailable, KeyFault::too_many_disconnects);
        world.keys.fault = fault;
        world.on_demand.read(meter, energy, world.note());
        world.run();
        REQUIRE(world.results.size() == 1);
        CHECK(world.results[0].fault == to_string(fault));
    }
    SECTION("the object") {
        world.on_demand.read(meter, {3, obis::clock, 2}, world.note());
        world.on_demand.read(meter, energy, world.note());
        world.run();
        REQUIRE(world.results.size() == 2);
        CHECK(world.results[0].fault == "refused");
        CHECK(world.results[1].ok());
    }
    CHECK(world.on_demand.open() == 0);
}

TEST_CASE("on demand: a meter with another key is not believed, a replayed answer neither", "[monitor]") {
    World world;
    SECTION("another key") {
        world.keys.keys = {key(7), key(8)};
        world.on_demand.read(meter, energy, world.note());
        for (auto& answer : std::exchange(world.keys.waiting, {})) answer();
        REQUIRE(world.requests.size() == 1);
        // The meter cannot even read the request; whatever comes back instead is not authentic.
        auto request = std::move(world.requests.front());
        world.requests.clear();
        world.device.server.handle(management_client, request.apdu, world.now, [&](Buffer answer) {
            request.done({frontend::RelayStatus::answered, std::move(answer)});
        });
        if (world.results.empty()) request.done({frontend::RelayStatus::timed_out, {}});
        REQUIRE(world.results.size() == 1);
        CHECK_FALSE(world.results[0].ok());
    }
    SECTION("replayed") {
        world.on_demand.read(meter, energy, world.note());
        world.run();
        REQUIRE(world.results.at(0).ok());
        world.device.sent.sent = 0;  // the same counters once more
        world.on_demand.read(meter, energy, world.note());
        world.run();
        REQUIRE(world.results.size() == 2);
        CHECK_FALSE(world.results[1].ok());
    }
    CHECK(world.on_demand.open() == 0);
}

}  // namespace wattmesh::headend::monitor
