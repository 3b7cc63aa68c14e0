// The head-end's rotation against the simulated meter, which its concentrator reads meanwhile.
#include "security/ciphers.h"
#include "terminal-sim/meter/held_keys.h"
#include "tests/headend/monitor/rotation_process.h"
#include "tests/protocol/dlms/nonce_watch.h"
#include "tests/terminal-sim/field/scratch.h"
#include "tests/terminal-sim/meter/town_street.h"

namespace wattmesh::headend::monitor {
namespace {

using namespace std::chrono_literals;
using frontend::RelayStatus;

dlms::ClientKeys reading_keys() { return {key(5), key(6), {}, {}}; }

/// A simulated meter over radio from one start to the next.
struct Life {
    Life(const std::filesystem::path& folder, Ciphers& ciphers, Random& random)
        : counters(folder / "counters", 7, 2),
          file(folder / "keys"),
          held_keys(number, {first_keys(), reading_keys(), {}}, file, ciphers) {
        sim::MeterSettings made{.number = number, .seed = 5, .installed_at = sim::monday};
        made.over_radio = true;
        made.accepted_counter = [this](Sap client) {
            return counters.accepted(client == management_client ? sim::management_slot(0)
                                                                 : sim::reading_slot(0));
        };
        made.replace_keys = [this](sim::KeyOwner owner, const dlms::Data& argument) {
            return held_keys.take(owner, argument);
        };
        meter.emplace(made, *street.customers[1], &street.customers[1]->supply(), nullptr);
        server = std::make_shared<dlms::Server>(
            system_title(number), sim::radio_access(held_keys.keys(), system_title(unit), counters, 0),
            *meter, ciphers, random);
        held_keys.tell(server);
    }
    sim::CounterFile counters;
    sim::KeyFile file;
    sim::Street street{5};
    sim::HeldKeys held_keys;
    std::optional<sim::Meter> meter;
    std::shared_ptr<dlms::Server> server;
};

/// The concentrator's reading client, pre-established.
struct Reader {
    Reader(Ciphers& ciphers, Random& random)
        : client(config(), ciphers, random, counters.send(0), counters.receive(0)) {}
    static dlms::ClientConfig config() {
        dlms::ClientConfig made;
        made.ciphered = made.pre_established = true;
        made.keys = reading_keys();
        made.own_title = system_title(unit);
        made.server_title = system_title(number);
        return made;
    }
    bool reads(dlms::Server& server, Instant now) {
        client.get({8, obis::clock, 2});
        while (const auto request = client.take_output())
            server.handle(reading_client, *request, now, [&](Buffer answer) { client.receive(answer); });
        bool read = false;
        while (const auto event = client.take_event())
            read = read || std::holds_alternative<dlms::ReadCompleted>(*event);
        return read;
    }
    sim::CounterFile counters{1};
    dlms::Client client;
};

}  // namespace

TEST_CASE("key rotation: the simulated meter changes every key and loses no reading, cut off anywhere",
          "[monitor]") {
    const int restart_at = GENERATE(range(0, 36));
    CAPTURE(restart_at);
    const sim::Scratch folder;
    security::OpensslCiphers inner;
    dlms::test::NonceWatch ciphers{inner};
    security::SystemRandom random;
    auto life = std::make_unique<Life>(folder.path, ciphers, random);
    Reader reader{ciphers, random};
    Store store;
    store.left = every_kind;
    Instant now = sim::monday + 2h;
    auto process = std::make_unique<Process>(store, ciphers, random, now);
    std::optional<std::string> result;
    const auto order = [&] {
        result.reset();
        process->rotator.rotate({1, number, store.left, "ada", "yearly"},
                                [&](const RotationResult& ended) { result = ended.trouble; });
    };
    order();
    int exchanges = 0, lost_readings = 0, attempts = 0;
    while (!result || !result->empty()) {
        if (!process->jobs.empty()) {
            auto job = std::move(process->jobs.front());
            process->jobs.pop_front();
            job();
        } else if (!process->requests.empty()) {
            auto request = std::move(process->requests.front());
            process->requests.pop_front();
            now += 1s;
            std::optional<Buffer> answer;
            life->server->handle(request.client, request.apdu, now,
                                 [&](Buffer apdu) { answer = std::move(apdu); });
            lost_readings += reader.reads(*life->server, now) ? 0 : 1;
            if (exchanges++ == restart_at) {  // the meter loses power before its answer is out
                life.reset();
                life = std::make_unique<Life>(folder.path, ciphers, random);
                answer.reset();
            }
            if (answer)
                request.done({RelayStatus::answered, std::move(*answer)});
            else
                request.done({RelayStatus::timed_out, {}});
        } else {
            REQUIRE(++attempts < 5);
            order();
        }
    }
    CHECK(lost_readings == 0);
    CHECK(exchanges > 20);
    CHECK(store.waiting.empty());
    CHECK(store.refused.empty());
    const auto& keys = *life->held_keys.keys().management;
    const auto before = first_keys();
    for (const auto kind : every_kind) {
        CHECK(dlms::holds(store.keys, kind, *dlms::find_key(keys, kind)));
        CHECK_FALSE(dlms::holds(before, kind, *dlms::find_key(keys, kind)));
    }
    CHECK(ciphers.repeated() == 0);
}

}  // namespace wattmesh::headend::monitor
