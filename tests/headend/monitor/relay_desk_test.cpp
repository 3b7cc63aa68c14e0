#include "headend/monitor/relay_desk.h"

#include "protocol/dlms/server.h"
#include "tests/headend/monitor/fixed_keys.h"

namespace wattmesh::headend::monitor {
namespace {

using namespace fixed;

using frontend::RelayStatus;

/// A meter with nothing but a disconnector, by the table of transitions in Blue Book ed. 14, 4.5.8.
struct Disconnector : dlms::ObjectModel {
    explicit Disconnector(int mode_)
        : mode(mode_), server(system_title(meter), {access()}, *this, ciphers, random) {}
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
        if (id.class_id != 70 || id.object != ObisCode{{0, 0, 96, 3, 10, 255}})
            return done(dlms::AccessResult::object_undefined);
        if (id.attribute == 2) return done(dlms::Data{state == 1});
        if (id.attribute == 3) return done(dlms::Data{dlms::Enum{static_cast<std::uint8_t>(state)}});
        if (id.attribute == 4) return done(dlms::Data{dlms::Enum{static_cast<std::uint8_t>(mode)}});
        done(dlms::AccessResult::object_undefined);
    }
    void set(const dlms::AttributeId&, const dlms::Data&, Sap, Instant,
             std::function<void(dlms::AccessResult)> done) override {
        done(dlms::AccessResult::read_write_denied);
    }
    void act(const dlms::MethodId& id, const std::optional<dlms::Data>&, Sap, Instant,
             std::function<void(dlms::ActionOutcome)> done) override {
        calls.push_back(id.method);
        if (refuses) return done({dlms::AccessResult::temporary_failure, {}});
        if (!stuck && id.method == 1) state = 0;
        if (!stuck && id.method == 2) state = mode == 2 || mode == 4 ? 1 : 2;
        done({dlms::AccessResult::success, {}});
    }

    int mode, state = 1;  ///< disconnected, connected, ready for reconnection
    bool refuses = false, stuck = false;
    std::vector<int> calls;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    MemoryCounters sent, received;
    dlms::Server server;
};

struct World {
    explicit World(int mode = 4)
        : device(mode),
          on_demand(
              {}, keys, carry(), [this] { return now; }, ciphers, random),
          desk(keys, on_demand, carry(), ciphers, random) {}
    Carry carry() {
        return [this](DeviceNumber, DeviceNumber, Sap, Buffer apdu, frontend::Relay::Done done) {
            requests.push_back({std::move(apdu), std::move(done)});
        };
    }
    RelayResult run(RelayVerb verb) {
        std::optional<RelayResult> result;
        desk.run(meter, verb, "ada", [&](RelayResult ended) {
            REQUIRE_FALSE(result);
            result = std::move(ended);
        });
        turn();
        REQUIRE(result);
        CHECK(on_demand.open() == 0);
        return *result;
    }
    void turn() {
        while (!keys.waiting.empty() || !requests.empty()) {
            for (auto& answer : std::exchange(keys.waiting, {})) answer();
            for (auto& [apdu, done] : std::exchange(requests, {})) {
                now += std::chrono::milliseconds{100};
                const auto before = device.calls.size();
                Buffer answered;
                if (status == RelayStatus::answered)
                    device.server.handle(management_client, apdu, now,
                                         [&](Buffer answer) { answered = std::move(answer); });
                const bool lost =
                    status != RelayStatus::answered || (lose_answer && device.calls.size() > before);
                lost ? done({status == RelayStatus::answered ? RelayStatus::timed_out : status, {}})
                     : done({RelayStatus::answered, std::move(answered)});
            }
        }
    }

    struct Request {
        Buffer apdu;
        frontend::Relay::Done done;
    };
    Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    Disconnector device;
    FixedKeys keys;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    RelayStatus status = RelayStatus::answered;
    bool lose_answer = false;  ///< of the method
    std::vector<Request> requests;
    OnDemand on_demand;
    RelayDesk desk;
};

}  // namespace

TEST_CASE("relay: a meter is cut off, says so afterwards, and is connected again", "[monitor]") {
    World world;
    auto result = world.run(RelayVerb::disconnect);
    CHECK(result.fault == "");
    CHECK(result.sent);
    CHECK(to_string(*result.before) == "connected");
    CHECK(to_string(*result.after) == "disconnected");
    CHECK(world.device.state == 0);
    result = world.run(RelayVerb::disconnect);
    CHECK(result.fault == "");
    CHECK_FALSE(result.sent);  // as wanted: no second command
    CHECK(world.device.calls == std::vector<int>{1});
    result = world.run(RelayVerb::reconnect);
    CHECK(result.fault == "");
    CHECK(to_string(*result.after) == "connected");
    CHECK(world.device.calls == std::vector<int>{1, 2});
}

TEST_CASE("relay: the control mode decides whether a reconnection closes or arms", "[monitor]") {
    struct Row {
        int mode;
        const char* after;
    };
    const auto row = GENERATE(values<Row>({{1, "ready for reconnection by hand"},
                                           {2, "connected"},
                                           {3, "ready for reconnection by hand"},
                                           {4, "connected"},
                                           {5, "ready for reconnection by hand"},
                                           {6, "ready for reconnection by hand"}}));
    CAPTURE(row.mode);
    World world{row.mode};
    world.device.state = 0;
    const auto result = world.run(RelayVerb::reconnect);
    CHECK(result.fault == "");
    CHECK(to_string(*result.after) == row.after);
    CHECK(world.run(RelayVerb::reconnect).sent == false);
}

TEST_CASE("relay: control mode 0 is always connected, and nothing is sent", "[monitor]") {
    World world{0};
    const auto result = world.run(RelayVerb::disconnect);
    CHECK(result.fault == "always_connected");
    CHECK_FALSE(result.sent);
    CHECK(world.device.calls.empty());
}

TEST_CASE("relay: what was not seen to happen is not said to have happened", "[monitor]") {
    World world;
    SECTION("the meter refuses") {
        world.device.refuses = true;
        const auto result = world.run(RelayVerb::disconnect);
        CHECK(result.fault == "refused");
        CHECK(result.sent);
    }
    SECTION("the breaker is stuck") {
        world.device.stuck = true;
        const auto result = world.run(RelayVerb::disconnect);
        CHECK(result.fault == "no_effect");
        CHECK(to_string(*result.after) == "connected");
    }
    SECTION("the answer is lost: the meter is asked") {
        world.lose_answer = true;
        const auto result = world.run(RelayVerb::disconnect);
        CHECK(result.fault == "");
        CHECK(to_string(*result.after) == "disconnected");
        CHECK(world.device.calls == std::vector<int>{1});
    }
    SECTION("nobody is there") {
        world.status = RelayStatus::unreachable;
        const auto result = world.run(RelayVerb::disconnect);
        CHECK(result.fault == "unreachable");
        CHECK_FALSE(result.sent);
        CHECK_FALSE(result.before);
    }
    SECTION("the key service gives no disconnect") {
        std::optional<RelayResult> result;
        world.desk.run(meter, RelayVerb::disconnect, "ada",
                       [&](RelayResult ended) { result = std::move(ended); });
        while (world.device.calls.empty() && !result) {
            // reading is allowed, the command is not
            for (auto& answer : std::exchange(world.keys.waiting, {})) {
                if (world.device.server.associated(management_client) || !world.requests.empty()) continue;
                answer();
                world.keys.fault = KeyFault::too_many_disconnects;
            }
            world.turn();
        }
        REQUIRE(result);
        CHECK(result->fault == "too_many_disconnects");
        CHECK_FALSE(result->sent);
        CHECK(world.device.calls.empty());
        // reads of the meter go on
        world.keys.fault.reset();
        CHECK(world.run(RelayVerb::disconnect).fault.empty());
    }
}

TEST_CASE("relay: reads that are asked meanwhile wait, and none is lost", "[monitor]") {
    World world;
    int read = 0;
    const auto ask = [&] {
        world.on_demand.read(meter, {70, obis::disconnect_control, 2}, [&](const OnDemandResult& result) {
            CHECK(result.ok());
            ++read;
        });
    };
    std::optional<RelayResult> result;
    ask();
    world.desk.run(meter, RelayVerb::disconnect, "ada",
                   [&](RelayResult ended) { result = std::move(ended); });
    ask();
    world.turn();
    ask();
    world.turn();
    CHECK(read == 3);
    CHECK(result->fault.empty());
}

TEST_CASE("relay: two orders for one meter at once are done one after the other", "[monitor]") {
    World world;
    std::vector<RelayResult> results;
    const auto take = [&](RelayResult ended) { results.push_back(std::move(ended)); };
    world.desk.run(meter, RelayVerb::disconnect, "ada", take);
    world.desk.run(meter, RelayVerb::disconnect, "bob", take);
    world.turn();
    REQUIRE(results.size() == 2);
    for (const auto& result : results) {
        CHECK(result.fault.empty());
        CHECK(to_string(*result.after) == "disconnected");
    }
    CHECK(world.on_demand.open() == 0);
}

TEST_CASE("relay: words there and back", "[monitor]") {
    for (const auto verb : {RelayVerb::disconnect, RelayVerb::reconnect})
        CHECK(parse_relay_verb(to_string(verb)) == verb);
    CHECK_FALSE(parse_relay_verb("limit"));
}

}  // namespace wattmesh::headend::monitor
