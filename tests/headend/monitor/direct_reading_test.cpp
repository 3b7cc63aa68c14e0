// Meters that call in, read and heard by the simulated meter: what is stored is compared with its truth.
#include "headend/monitor/direct_reading.h"

#include <catch2/catch.hpp>
#include <ranges>

#include "headend/monitor/guarded_protection.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/meter.h"
#include "tests/headend/frontend/memory_store.h"

namespace wattmesh::headend::monitor {
namespace {

using namespace std::chrono_literals;
using frontend::RelayStatus;

const DeviceNumber number = DeviceNumber::parse("549000000001").value();
constexpr Instant start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 2};

dlms::ClientKeys keys() {
    std::array<std::uint8_t, 16> ek{}, ak{};
    ek.fill(1);
    ak.fill(2);
    return {Key128{ek}, Key128{ak}, {}, {}};
}

struct FixedKeys : KeyService {
    explicit FixedKeys(sim::CounterFile& its_counters) : counters(its_counters) {}
    void access(KeyRequest request, std::function<void(KeyAnswer)> done) override {
        waiting.push_back([this, request, done] { answer(request, done); });
    }
    void answer(const KeyRequest& request, const std::function<void(KeyAnswer)>& done) {
        if (fault) return done(*fault);
        auto keyed = std::make_unique<dlms::SecurityContext>(keys(), own_title, system_title(number), ciphers,
                                                             counters.send(0), counters.receive(0));
        done(GuardedAccess{.concentrator = request.meter,
                           .own_title = own_title,
                           .meter_title = system_title(number),
                           .protection = std::make_unique<GuardedProtection>(
                               std::move(keyed), request.role, 0,
                               [](const std::string& why) { FAIL_CHECK("refused: " << why); }),
                           .pdu_size_least = 1'024});
    }
    void raise(DeviceNumber, const dlms::CounterRaised&, const std::string&) override {}
    bool complete() {
        auto due = std::exchange(waiting, {});
        for (auto& one : due) one();
        return !due.empty();
    }
    std::vector<std::function<void()>> waiting;
    std::optional<KeyFault> fault;
    sim::CounterFile& counters;
    security::OpensslCiphers ciphers;
};

struct Site {
    Site() {
        sim::MeterSettings made{.number = number, .kind = sim::LoadKind::shop, .seed = 3};
        made.installed_at = start - 24h;
        made.accepted_counter = [this](Sap) { return meter_counters.accepted(sim::management_slot(0)); };
        made.push_destination.destination = {'x'};
        made.send_push = [this](const sim::PushOrder& order) {
            push =
                sim::protected_push(order, access, system_title(number), ciphers, meter_counters, 0).value();
            plain_push = order.apdu;
        };
        access.management = keys();
        load.emplace(made.seed, number, made.kind, false);
        meter.emplace(made, *load, &load->supply(), &truth);
        meter->advance(now);
        server = std::make_shared<dlms::Server>(
            system_title(number), sim::bench_access(access, meter_counters, 0), *meter, ciphers, random);
        make_reading();
    }
    void make_reading() {
        reading.emplace(settings, DirectReading::Ports{
                                      .on_demand = on_demand,
                                      .keys = key_service,
                                      .store = store,
                                      .put =
                                          [this](DeviceNumber meter_number, const PushedValue& value,
                                                 Instant at, const char* source) {
                                              CHECK(meter_number == number);
                                              registers.push_back({value, at, source});
                                          },
                                      .superseded = [this](DeviceNumber, OwnerEpoch other) { newer = other; },
                                      .log = [this](const std::string& line) { lines.push_back(line); },
                                      .now = [this] { return now; }});
    }
    static DirectReadingSettings plan() {
        DirectReadingSettings made;
        made.profiles = {{.profile = obis::load_profile, .period = 15min, .delay = 20s, .depth = 12h}};
        made.rows_max = 10;  // several requests for twelve hours
        return made;
    }
    void admit() {
        store.epochs[number].value = ++epoch;
        reading->admitted(number, OwnerEpoch{epoch}, link::Carried::wrapper);
    }
    /// Everything that moves, moves.
    void settle() {
        reading->tick(now);
        for (bool moved = true; moved;) {
            moved = store.complete();
            moved = key_service.complete() || moved;
            for (auto& [apdu, done] : std::exchange(requests, {})) {
                moved = true;
                ++carried;
                if (!connected) {
                    done({RelayStatus::offline, {}});
                    continue;
                }
                server->handle(management_client, apdu, now,
                               [&](Buffer answer) { done({RelayStatus::answered, std::move(answer)}); });
            }
            reading->tick(now);
        }
    }
    void pass(Duration duration) {
        for (const Instant end = now + duration; now < end;) {
            now += 10s;
            meter->advance(now);
            settle();
        }
    }
    /// Rows of the truth in (from, to] that are not stored exactly once with the same values.
    int wrong(Instant from, Instant to) const {
        std::map<std::int64_t, std::vector<dcu::IntervalRow>> stored;
        for (const auto& batch : store.batches)
            for (const auto& rows : batch.intervals)
                for (const auto& row : rows.rows) stored[epoch_us(row.at) / 1'000'000].push_back(row);
        int wrong = 0, expected = 0;
        for (const auto& [key, energies] : truth.rows()) {
            const Instant at{std::chrono::seconds{key.second}};
            if (at <= from || at > to) continue;
            ++expected;
            const auto& found = stored[key.second];
            const bool same = found.size() == 1 &&
                              std::ranges::equal(energies.channels, found[0].values | std::views::take(4),
                                                 [](auto a, const auto& b) { return b == a; });
            wrong += same ? 0 : 1;
        }
        CHECK(expected > 0);
        return wrong;
    }

    struct Request {
        Buffer apdu;
        frontend::Relay::Done done;
    };
    struct Put {
        PushedValue value;
        Instant at;
        std::string source;
    };
    Instant now = start + 10h;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    sim::CounterFile meter_counters{2}, own_counters{1};
    sim::AccessKeys access;
    sim::Truth truth;
    std::optional<sim::CustomerLoad> load;
    std::optional<sim::Meter> meter;
    std::shared_ptr<dlms::Server> server;
    Buffer push, plain_push;
    std::vector<Request> requests;
    bool connected = true;
    int carried = 0;
    std::int64_t epoch = 0;
    FixedKeys key_service{own_counters};
    OnDemand on_demand{{},
                       key_service,
                       [this](DeviceNumber to, DeviceNumber meter_number, Sap client, Buffer apdu,
                              frontend::Relay::Done done) {
                           CHECK((to == number && meter_number == number && client == management_client));
                           requests.push_back({std::move(apdu), std::move(done)});
                       },
                       [this] { return now; },
                       ciphers,
                       random};
    frontend::MemoryStore store;
    DirectReadingSettings settings = plan();
    std::vector<Put> registers;
    std::vector<std::string> lines;
    std::optional<OwnerEpoch> newer;
    std::optional<DirectReading> reading;
};

}  // namespace

TEST_CASE(
    "direct reading: what a meter measured before it called in, and while it is there, is stored as it was",
    "[monitor]") {
    Site site;
    site.admit();
    site.settle();
    CHECK(site.wrong(site.now - 12h, site.now) == 0);
    REQUIRE(site.registers.size() == 1);
    CHECK(site.registers[0].source == "scheduled");
    CHECK(site.registers[0].value.value == site.meter->registers(site.now).total().channels[0]);
    CHECK(site.registers[0].value.unit == 30);
    const auto before = site.now;
    site.pass(2h + 1min);
    CHECK(site.wrong(before - 12h, start + 12h) == 0);
    CHECK(site.registers.size() == 3);
    CHECK(site.reading->counters().failures == 0);
    CHECK(site.reading->busy() == 0);
}

TEST_CASE(
    "direct reading: a store that is away, a link that breaks and a process that dies lose and double "
    "nothing",
    "[monitor]") {
    Site site;
    site.admit();
    const int trouble = GENERATE(0, 1, 2, 3, 4);
    CAPTURE(trouble);
    if (trouble == 0) {
        site.store.down = true;
        site.pass(5min);
        CHECK(site.store.batches.empty());
        site.store.down = false;
    } else if (trouble == 1) {
        site.reading->tick(site.now);
        site.store.complete();  // the cursor is known, the meter is being asked
        site.connected = false;
        site.settle();
        site.reading->ended(number);
        CHECK(site.reading->busy() == 0);
        site.connected = true;
        site.admit();
    } else if (trouble == 2) {
        site.reading->tick(site.now);
        while (site.store.batches.empty()) {
            site.store.complete();
            site.key_service.complete();
            for (auto& [apdu, done] : std::exchange(site.requests, {}))
                site.server->handle(management_client, apdu, site.now,
                                    [&](Buffer answer) { done({RelayStatus::answered, std::move(answer)}); });
        }
        site.make_reading();  // stored, and the answer of the store never came
        for (auto& [apdu, done] : std::exchange(site.requests, {})) done({RelayStatus::offline, {}});
        site.admit();
    } else {
        site.store.mute = true;
        site.settle();
        site.store.mute = false;
        if (trouble == 3) site.admit();  // a new session begins anew
    }
    site.pass(20min);
    CHECK(site.wrong(start, site.now - 1min) == 0);
    CHECK(site.reading->busy() == 0);
}

TEST_CASE("direct reading: a newer session elsewhere is noticed at the store", "[monitor]") {
    Site site;
    site.admit();
    site.store.epochs[number].value = 7;
    site.settle();
    CHECK(site.newer == OwnerEpoch{1});
    CHECK(site.store.batches.empty());
    CHECK(site.reading->busy() == 0);
}

TEST_CASE("direct reading: a ciphered push is opened, its values are stored with scaler and unit",
          "[monitor]") {
    Site site;
    site.admit();
    site.settle();
    site.registers.clear();
    site.pass(3min);
    site.meter->act({40, site.meter->object_named(cosem::Quantity::push_setup), 1},
                    dlms::Data{std::int8_t{0}}, management_client, site.now,
                    [](const dlms::ActionOutcome&) {});
    REQUIRE_FALSE(site.push.empty());
    CHECK(site.push.front() == 0xDB);
    const auto energy = site.meter->registers(site.now).total().channels[0];
    site.reading->pushed(number, OwnerEpoch{1}, site.push, site.now);
    site.settle();
    REQUIRE(site.registers.size() == 1);
    CHECK(site.registers[0].source == "pushed");
    CHECK(site.registers[0].value == PushedValue{obis::active_import_total, energy, 0, 30});
    CHECK(site.registers[0].at == site.now);
    const auto events = [&] {
        std::size_t count = 0;
        for (const auto& batch : site.store.batches) count += batch.events.size();
        return count;
    };
    CHECK(events() == 1);
    // the same again is a replay: kept raw with the reason, and not believed
    site.reading->pushed(number, OwnerEpoch{1}, site.push, site.now);
    site.settle();
    CHECK(site.registers.size() == 1);
    CHECK(events() == 1);
    CHECK(site.store.batches.back().rejected.at(0).reason == "a push: replayed");
    // one octet of it changed
    site.push[site.push.size() - 1] ^= 1;
    site.reading->pushed(number, OwnerEpoch{1}, site.push, site.now);
    site.settle();
    CHECK(site.store.batches.back().rejected.at(0).reason == "a push: not_authentic");
    CHECK(site.reading->counters().pushes_refused == 2);
}

TEST_CASE("direct reading: a push in clear is noted and makes us read, its values are not believed",
          "[monitor]") {
    Site site;
    site.admit();
    site.settle();
    site.registers.clear();
    site.meter->act({40, site.meter->object_named(cosem::Quantity::push_setup), 1},
                    dlms::Data{std::int8_t{0}}, management_client, site.now,
                    [](const dlms::ActionOutcome&) {});
    site.now += 16min;
    site.meter->advance(site.now);
    const auto rows = site.store.rows();
    site.reading->pushed(number, OwnerEpoch{1}, site.plain_push, site.now);
    site.settle();
    CHECK(site.registers.empty());
    CHECK(site.store.rows() == rows + 1);
}

TEST_CASE("direct reading: pushes that wait are bounded", "[monitor]") {
    Site site;
    site.admit();
    for (int i = 0; i < 20; ++i) site.reading->pushed(number, OwnerEpoch{1}, {0x0F}, site.now);
    CHECK(site.reading->counters().pushes_dropped == 12);
    site.reading->pushed(DeviceNumber{}, OwnerEpoch{1}, {0x0F}, site.now);  // nobody
    site.settle();
    CHECK(site.reading->counters().pushes_refused == 8);  // truncated notifications
}

TEST_CASE("push values: a push that describes itself, as captured from a Kaifa meter", "[monitor]") {
    // uplink fact sheet 9.2, shortened to three of its twelve elements
    const auto body = dlms::structure(
        {dlms::octet_string(from_hex("0000010000FF").value()),
         dlms::structure({dlms::octet_string(from_hex("0100200700FF").value()), std::uint16_t{2'308},
                          dlms::structure({std::int8_t{-1}, dlms::Enum{35}})}),
         dlms::structure({dlms::octet_string(from_hex("0100010800FF").value()), std::uint32_t{9'108},
                          dlms::structure({std::int8_t{0}, dlms::Enum{30}})})});
    const auto values = self_described_values(body);
    REQUIRE(values.size() == 2);
    CHECK(values[0] == PushedValue{ObisCode{{1, 0, 32, 7, 0, 255}}, 2'308, -1, 35});
    CHECK(values[1] == PushedValue{obis::active_import_total, 9'108, 0, 30});
    CHECK_FALSE(push_setup_of(body));
    dlms::Data nested = dlms::structure({});
    for (int i = 0; i < 40; ++i) nested = dlms::structure({nested});
    CHECK(self_described_values(nested).empty());
}

}  // namespace wattmesh::headend::monitor
