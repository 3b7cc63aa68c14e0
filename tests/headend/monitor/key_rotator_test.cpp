#include "headend/monitor/key_rotator.h"

#include <catch2/catch.hpp>

#include "headend/monitor/rotation_work.h"
#include "protocol/dlms/server.h"
#include "security/ciphers.h"
#include "tests/headend/monitor/rotation_process.h"
#include "tests/protocol/dlms/nonce_watch.h"

namespace wattmesh::headend::monitor {
namespace {

using dlms::KeyKind;
using frontend::RelayStatus;

constexpr ObisCode counter_name{{0, 0, 43, 1, 1, 255}};
constexpr dlms::AttributeId energy{1, obis::active_import_total, 2};

struct Counter : CounterStore {
    std::optional<std::uint32_t> next() override { return ++last; }
    bool accept(std::uint32_t received) override {
        if (received <= last) return false;
        last = received;
        return true;
    }
    void raise(std::uint32_t next) override { last = std::max(last, next - 1); }
    void restart() override { last = 0; }
    std::uint32_t last = 0;
};

/// A meter that takes keys under its master key. Its counters begin anew with a new encryption key.
struct Meter : dlms::ObjectModel {
    Meter(Ciphers& with, Random& random)
        : ciphers(with), server(system_title(number), {management(), open()}, *this, with, random) {}
    dlms::ClientAccess management() {
        dlms::ClientAccess client;
        client.client = management_client;
        client.mechanism = dlms::Mechanism::high_gmac;
        client.ciphered = true;
        client.keys = keys;
        client.pdu_size_max = 200;
        client.send = &sent;
        client.receive = &received;
        return client;
    }
    static dlms::ClientAccess open() {
        dlms::ClientAccess client;
        client.client = public_client;
        return client;
    }
    void get(const dlms::AttributeId& id, const dlms::Selection&, Sap client, Instant,
             std::function<void(dlms::ReadOutcome)> done) override {
        if (id.object == counter_name) return done(dlms::Data{received.last});
        if (client == management_client) return done(dlms::Data{std::uint32_t{9'108}});
        done(dlms::AccessResult::read_write_denied);
    }
    void set(const dlms::AttributeId&, const dlms::Data&, Sap, Instant,
             std::function<void(dlms::AccessResult)> done) override {
        done(dlms::AccessResult::read_write_denied);
    }
    void act(const dlms::MethodId& id, const std::optional<dlms::Data>& argument, Sap, Instant,
             std::function<void(dlms::ActionOutcome)> done) override {
        CHECK(id == dlms::MethodId{64, ObisCode{{0, 0, 43, 0, 0, 255}}, 2});
        const auto taken =
            argument ? decode_key_transfer(*argument, *ciphers.key_wrap(*keys.master), dlms::Suite::zero)
                     : std::nullopt;
        if (!taken || refuses) return done({dlms::AccessResult::other_reason, {}});
        for (const auto& fresh : *taken) {
            keys.set(fresh.kind, fresh.key);
            CHECK(server.replace_keys(management_client, fresh.kind, fresh.key));
        }
        ++transfers;
        done({dlms::AccessResult::success, {}});
    }
    Ciphers& ciphers;
    dlms::ClientKeys keys = first_keys();
    bool refuses = false;
    int transfers = 0;
    Counter sent, received;
    dlms::Server server;
};

enum class Loss : std::uint8_t { none, request, answer };

/// The meter, the store, and one process after the other; carries one thing at a time.
struct World {
    World() { start(); }
    void start() { process = std::make_unique<Process>(store, ciphers, random, now); }
    void order(const std::vector<KeyKind>& kinds) {
        store.left = kinds;
        again();
    }
    void again() {
        result.reset();
        process->rotator.rotate({1, number, store.left, "ada", "yearly"},
                                [this](const RotationResult& ended) { result = ended.trouble; });
    }
    /// One job or one exchange; false when there is nothing to do.
    bool step() {
        if (!process->jobs.empty()) {
            auto job = std::move(process->jobs.front());
            process->jobs.pop_front();
            job();
        } else if (!process->requests.empty()) {
            auto request = std::move(process->requests.front());
            process->requests.pop_front();
            exchange(request);
        } else {
            return false;
        }
        ++steps;
        check();
        return true;
    }
    void exchange(Process::Request& request) {
        now += std::chrono::seconds{1};
        const Loss loss = exchanges++ == lose_at ? lost : Loss::none;
        std::optional<Buffer> answer;
        if (loss != Loss::request)
            meter.server.handle(request.client, request.apdu, now,
                                [&](Buffer apdu) { answer = std::move(apdu); });
        if (answer && loss == Loss::none) return request.done({RelayStatus::answered, std::move(*answer)});
        request.done({RelayStatus::timed_out, {}});
    }
    /// The invariants of all: what opens the meter is in the store, and no nonce was used twice.
    void check() {
        for (const auto kind : every_kind) {
            const auto pending = store.pending(kind);
            const auto& there = *dlms::find_key(meter.keys, kind);
            REQUIRE((dlms::holds(store.keys, kind, there) ||
                     (pending && equal_constant_time(pending->reveal(), there.reveal()))));
        }
        REQUIRE(ciphers.repeated() == 0);
    }
    void run() {
        while (step()) REQUIRE(steps < 3'000);
    }
    /// The order's further attempts.
    void conclude() {
        run();
        for (int attempts = 0; !result || !result->empty(); ++attempts) {
            REQUIRE(attempts < 4);
            again();
            run();
        }
        CHECK(process->rotator.open() == 0);
        CHECK(store.waiting.empty());
        CHECK(store.left.empty());
    }
    bool agreed() const {
        return std::ranges::all_of(every_kind, [&](KeyKind kind) {
            return dlms::holds(store.keys, kind, *dlms::find_key(meter.keys, kind));
        });
    }
    bool all_new() const {
        const auto before = first_keys();
        return std::ranges::none_of(every_kind, [&](KeyKind kind) {
            return dlms::holds(store.keys, kind, *dlms::find_key(before, kind));
        });
    }
    std::string read() {
        std::string outcome = "none";
        process->on_demand.read(number, energy,
                                [&](const OnDemandResult& got) { outcome = got.ok() ? "ok" : got.fault; });
        run();
        return outcome;
    }

    Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    security::OpensslCiphers inner;
    dlms::test::NonceWatch ciphers{inner};
    security::SystemRandom random;
    Meter meter{ciphers, random};
    Store store;
    std::unique_ptr<Process> process;
    std::optional<std::string> result;
    int steps = 0, exchanges = 0, lose_at = -1;
    Loss lost = Loss::none;
};

/// How many steps and exchanges a rotation of every key takes when nothing is lost.
std::pair<int, int> plain_run() {
    World world;
    world.order(every_kind);
    world.conclude();
    return {world.steps, world.exchanges};
}

}  // namespace

TEST_CASE("key rotation: every key is replaced over the road of reads, which go on after it", "[monitor]") {
    World world;
    CHECK(world.read() == "ok");
    world.order(every_kind);
    world.run();
    CHECK(world.result == "");
    CHECK(world.agreed());
    CHECK(world.all_new());
    CHECK(world.store.replaced.size() == 4);
    CHECK(world.meter.transfers == 5);  // the master key twice, the second time under itself
    CHECK(world.store.refused.empty());
    CHECK(world.process->raises.empty());
    CHECK(world.read() == "ok");
    CHECK(world.ciphers.sealed() > 20);
}

TEST_CASE("key rotation: reads asked meanwhile wait, and are answered", "[monitor]") {
    World world;
    std::vector<std::string> outcomes;
    const auto ask = [&] {
        world.process->on_demand.read(number, energy, [&](const OnDemandResult& got) {
            outcomes.push_back(got.ok() ? "ok" : got.fault);
        });
    };
    ask();
    REQUIRE(world.step());
    world.order({KeyKind::unicast_encryption});  // while a read is under way
    for (int i = 0; i < 3 && world.step(); ++i) ask();
    world.run();
    CHECK(world.result == "");
    CHECK(outcomes == std::vector<std::string>(4, "ok"));
    CHECK(world.store.replaced.size() == 1);
}

TEST_CASE("key rotation: whichever exchange is lost, the order ends with keys that both know", "[monitor]") {
    const int exchanges = plain_run().second;
    REQUIRE(exchanges > 20);
    for (const auto loss : {Loss::request, Loss::answer}) {
        for (int at = 0; at < exchanges; ++at) {
            INFO("exchange " << at << (loss == Loss::request ? " request" : " answer"));
            World world;
            world.lose_at = at;
            world.lost = loss;
            world.order(every_kind);
            world.conclude();
            REQUIRE(world.agreed());
            REQUIRE(world.all_new());
            REQUIRE(world.store.refused.empty());
            world.lose_at = -1;
            REQUIRE(world.read() == "ok");
        }
    }
}

TEST_CASE("key rotation: wherever the head-end stops, its next process goes on from the ledger",
          "[monitor]") {
    const int steps = plain_run().first;
    for (int at = 0; at <= steps; ++at) {
        INFO("crash after step " << at);
        World world;
        world.order(every_kind);
        for (int i = 0; i < at; ++i) REQUIRE(world.step());
        world.start();
        world.again();
        world.conclude();
        REQUIRE(world.agreed());
        REQUIRE(world.all_new());
        REQUIRE(world.read() == "ok");
    }
}

TEST_CASE("key rotation: a database that goes away at any write stops it, and nothing is lost", "[monitor]") {
    for (int writes = 0; writes < 8; ++writes) {
        INFO("after write " << writes);
        World world;
        world.store.writes_left = writes;
        world.order(every_kind);
        world.run();
        CHECK(world.result == "unavailable");
        world.store.writes_left = 1'000'000;
        world.conclude();
        REQUIRE(world.agreed());
        REQUIRE(world.all_new());
    }
}

TEST_CASE("key rotation: a meter that refuses keeps its keys, and the order is over", "[monitor]") {
    World world;
    world.meter.refuses = true;
    world.order(every_kind);
    world.conclude();
    CHECK(world.agreed());
    CHECK(world.store.replaced.empty());
    CHECK(world.store.refused.size() == 4);
    CHECK(dlms::holds(world.store.keys, KeyKind::master, key(4)));
    CHECK(world.read() == "ok");
}

TEST_CASE("key rotation: a meter that nobody reaches is left for later with nothing in doubt", "[monitor]") {
    World world;
    world.order({KeyKind::authentication});
    REQUIRE(world.step());
    REQUIRE(world.process->requests.size() == 1);
    auto request = std::move(world.process->requests.front());
    world.process->requests.clear();
    request.done({RelayStatus::offline, {}});
    CHECK(world.result == "offline");
    CHECK(world.store.left.size() == 1);
    world.conclude();
    CHECK(world.store.replaced.size() == 1);
}

TEST_CASE("key rotation: a meter ahead of our counters is asked once, and the rotation goes on",
          "[monitor]") {
    World world;
    world.meter.received.last = 5'000;
    world.order({KeyKind::unicast_encryption});
    world.run();
    CHECK(world.result == "");
    CHECK(world.process->raises == std::vector<std::string>{"ada 5001"});
    CHECK(world.agreed());
}

TEST_CASE("on demand: a meter ahead of our counters is asked once, and read then", "[monitor]") {
    World world;
    world.meter.received.last = 5'000;
    CHECK(world.read() == "ok");
    CHECK(world.process->raises == std::vector<std::string>{"on-demand read 5001"});
    CHECK(world.read() == "ok");
    CHECK(world.process->raises.size() == 1);
}

TEST_CASE("on demand: a refusal that no counter explains is asked about once and stays one", "[monitor]") {
    World world;
    world.store.keys.authentication = key(9);
    const int before = world.exchanges;
    std::string outcome;
    world.process->on_demand.read(number, energy, [&](const OnDemandResult& got) { outcome = got.fault; });
    while (!world.process->jobs.empty() || !world.process->requests.empty()) {
        if (!world.process->jobs.empty()) {
            auto job = std::move(world.process->jobs.front());
            world.process->jobs.pop_front();
            job();
            continue;
        }
        auto request = std::move(world.process->requests.front());
        world.process->requests.pop_front();
        world.exchange(request);
    }
    CHECK_FALSE(outcome.empty());
    CHECK(world.exchanges - before <= 5);  // AARQ, two as public client, AARQ
    CHECK(world.process->raises.size() <= 1);
    CHECK(world.ciphers.repeated() == 0);
}

TEST_CASE("key rotation: an order that stopped is tried again, later each time, and not for ever",
          "[monitor]") {
    const RotationWorkSettings settings;
    using std::chrono::minutes;
    CHECK(try_again(settings, 1) == minutes{1});
    CHECK(try_again(settings, 2) == minutes{2});
    CHECK(try_again(settings, 4) == minutes{8});
    CHECK(try_again(settings, 11) == minutes{60});
    CHECK_FALSE(try_again(settings, 12));
}

TEST_CASE("role rules: new keys go through rotation alone", "[monitor]") {
    const Operation transfer{OperationKind::execute, 64, ObisCode{{0, 0, 43, 0, 0, 255}}, 2},
        agreement{OperationKind::execute, 64, ObisCode{{0, 0, 43, 0, 0, 255}}, 3},
        policy{OperationKind::execute, 64, ObisCode{{0, 0, 43, 0, 0, 255}}, 1},
        energy_read{OperationKind::read, 3, obis::active_import_total, 2};
    CHECK(may(Role::rotation, transfer));
    for (const auto role : {Role::reading, Role::vending, Role::management}) {
        CHECK_FALSE(may(role, transfer));
        CHECK_FALSE(may(role, agreement));
    }
    CHECK(may(Role::management, policy));
    CHECK_FALSE(may(Role::rotation, policy));
    CHECK_FALSE(may(Role::rotation, agreement));
    CHECK_FALSE(may(Role::rotation, energy_read));
}

}  // namespace wattmesh::headend::monitor
