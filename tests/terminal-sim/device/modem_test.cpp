// The driver of protocol/modem against the simulated modem, both sans-IO; an hour passes in milliseconds.
#include "protocol/modem/modem.h"

#include <catch2/catch.hpp>
#include <random>

#include "terminal-sim/device/sim_modem.h"

using namespace wattmesh;
using namespace std::chrono_literals;
using modem::ModemState;

namespace {

modem::ModemSettings usual() {
    modem::ModemSettings settings;
    settings.pin = "4711";
    settings.apn = "meters";
    settings.reset_line = true;
    return settings;
}
sim::ModemTruth usual_truth() {
    sim::ModemTruth truth;
    truth.pin = "4711";
    truth.apn = "meters";
    return truth;
}

struct Bench {
    explicit Bench(modem::ModemSettings settings = usual(), sim::ModemTruth truth = usual_truth())
        : driver(std::move(settings)), device(std::move(truth)) {
        driver.start(now);
        settle();
    }
    /// One octet in `damage` is another one, in both directions; 0: none.
    Buffer line(Buffer bytes) {
        for (auto& octet : bytes)
            if (damage > 0 && chance() % damage == 0) octet = static_cast<std::uint8_t>(chance());
        return bytes;
    }
    void settle() {
        for (bool moved = true; moved;) {
            moved = false;
            driver.tick(now);
            device.tick(now);
            while (const auto action = driver.take_action()) {
                moved = true;
                if (const auto* out = std::get_if<modem::WriteSerial>(&*action)) {
                    device.receive(line(out->bytes), now);
                    written.append(out->bytes.begin(), out->bytes.end());
                }
                if (std::holds_alternative<modem::Reset>(*action) && line_reaches) device.reset(now);
                if (std::holds_alternative<modem::SocketOpened>(*action)) ++opened;
                if (const auto* in = std::get_if<modem::SocketReceived>(&*action))
                    received.insert(received.end(), in->bytes.begin(), in->bytes.end());
                if (const auto* closed = std::get_if<modem::SocketClosed>(&*action))
                    ends.push_back(closed->reason);
            }
            while (const auto action = device.take_action()) {
                moved = true;
                if (const auto* out = std::get_if<sim::ModemWrite>(&*action))
                    driver.receive(line(out->bytes), now);
                if (const auto* call = std::get_if<sim::ModemConnect>(&*action))
                    device.connected(call->socket, answers);
                if (const auto* out = std::get_if<sim::ModemSend>(&*action))
                    sent.insert(sent.end(), out->bytes.begin(), out->bytes.end());
            }
        }
    }
    void wait(Duration time) {
        for (Duration step{}; step < time; step += 1s) {
            now += 1s;
            settle();
        }
    }
    bool ready_within(Duration time) {
        for (Duration step{}; step < time && driver.state() != ModemState::ready; step += 1s) wait(1s);
        return driver.state() == ModemState::ready;
    }
    modem::SocketId open() {
        const auto socket = driver.open("head-end", 4061, now);
        REQUIRE(socket);
        settle();
        return *socket;
    }

    Instant now{};
    modem::Modem driver;
    sim::SimModem device;
    std::mt19937 chance{7};
    unsigned damage = 0;
    bool answers = true, line_reaches = true;
    int opened = 0;
    std::string written;
    Buffer sent, received;
    std::vector<std::string> ends;
};

Buffer pattern(std::size_t size) {
    Buffer bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    return bytes;
}

}  // namespace

TEST_CASE("modem: PIN, registration, context, and octets both ways", "[modem]") {
    auto truth = usual_truth();
    truth.network = 5;
    truth.chatters = GENERATE(false, true);
    truth.packet = GENERATE(true, false);
    Bench bench{usual(), truth};
    REQUIRE(bench.ready_within(2min));
    CHECK(bench.device.counts().pins_tried == 1);
    CHECK(bench.driver.network() == modem::Network::roaming);
    CHECK(bench.driver.operator_name() == "Simulated Net");
    CHECK(bench.driver.signal_dbm() == -77);
    const auto socket = bench.open();
    CHECK(bench.opened == 1);
    bench.driver.send(socket, pattern(4'000), bench.now);
    bench.settle();
    CHECK(bench.sent == pattern(4'000));
    CHECK(bench.driver.queued(socket) == 0);
    bench.device.from_net(0, pattern(3'100));
    bench.settle();
    CHECK(bench.received == pattern(3'100));
    bench.device.truth().rssi = 5;
    bench.wait(40s);
    CHECK(bench.driver.signal_dbm() == -103);
    bench.device.net_closed(0);
    bench.settle();
    CHECK(bench.ends == std::vector<std::string>{"closed by the other end"});
    bench.open();  // the modem has let go of the number
    CHECK(bench.opened == 2);
}

TEST_CASE("modem: a PIN is never tried where that could lock the SIM", "[modem]") {
    auto settings = usual();
    auto truth = usual_truth();
    auto state = ModemState::pin_refused;
    std::uint64_t tried = 0;
    SECTION("one try is left") { truth.tries = 1; }
    SECTION("it does not say how many are left") { truth.tells_tries = false; }
    SECTION("the PIN is wrong: once, and not again") {
        settings.pin = "0815";
        tried = 1;
    }
    SECTION("none is configured") {
        settings.pin.clear();
        state = ModemState::pin_needed;
    }
    SECTION("it is too late") {
        truth.tries = 0;
        state = ModemState::puk_needed;
    }
    SECTION("there is no SIM") {
        truth.sim = false;
        state = ModemState::no_sim;
    }
    Bench bench{settings, truth};
    const int tries = truth.tries - static_cast<int>(tried);
    bench.wait(3h);
    CHECK(bench.driver.state() == state);
    CHECK_FALSE(bench.driver.reason().empty());
    CHECK(bench.device.counts().pins_tried == tried);
    CHECK(bench.device.truth().tries == tries);
    CHECK(bench.driver.counts().resets == 0);  // no reset helps a SIM
    if (state != ModemState::no_sim) return;
    bench.device.truth().sim = true;
    CHECK(bench.ready_within(15min));
}

TEST_CASE("modem: a fade is borne, a network that stays away is not", "[modem]") {
    Bench bench;
    REQUIRE(bench.ready_within(1min));
    bench.device.set_network(2);
    bench.settle();
    bench.wait(2min);
    CHECK(bench.driver.state() == ModemState::ready);
    CHECK_FALSE(bench.driver.signal_dbm());
    bench.device.set_network(1);
    bench.wait(1min);
    CHECK(bench.driver.counts().redials == 0);
    bench.open();
    bench.device.set_network(3);
    bench.wait(6min);
    CHECK(bench.driver.state() != ModemState::ready);
    CHECK(bench.ends.size() == 1);
    CHECK(bench.driver.network() == modem::Network::denied);
    CHECK_FALSE(bench.driver.open("head-end", 1, bench.now));
    bench.device.set_network(1);
    CHECK(bench.ready_within(20min));
}

TEST_CASE("modem: recovery climbs from redial over restart to the reset line, ever more slowly", "[modem]") {
    auto truth = usual_truth();
    truth.attaches = false;
    SECTION("no context comes about") {
        Bench bench{usual(), truth};
        bench.wait(12s);
        CHECK(bench.driver.counts().redials == 2);
        CHECK(bench.driver.counts().restarts == 0);
        bench.wait(2min);
        CHECK(bench.device.counts().restarts == 2);
        CHECK(bench.driver.counts().resets <= 1);
        bench.wait(1h);
        CHECK(bench.driver.counts().resets >= 4);
        CHECK(bench.driver.counts().resets <= 10);
        bench.device.truth().attaches = true;
        CHECK(bench.ready_within(12min));
        bench.open();
        // What carried octets begins at the foot of the ladder again.
        const auto redials = bench.driver.counts().redials;
        bench.device.end_context();
        bench.settle();
        CHECK(bench.driver.counts().redials == redials + 1);
        CHECK(bench.ends == std::vector<std::string>{"the network ended our context"});
        CHECK(bench.ready_within(1min));
    }
    SECTION("it hangs: only its reset line helps") {
        truth.attaches = true;
        Bench bench{usual(), truth};
        REQUIRE(bench.ready_within(1min));
        bench.open();
        bench.device.truth().hung = true;
        bench.wait(3min);
        CHECK(bench.driver.state() == ModemState::ready);
        CHECK(bench.device.counts().resets == 1);
        CHECK(bench.ends == std::vector<std::string>{"the modem does not answer"});
    }
    SECTION("it hangs, and there is no line") {
        truth.attaches = true;
        auto settings = usual();
        settings.reset_line = false;
        Bench bench{settings, truth};
        bench.device.truth().hung = true;
        bench.wait(2h);
        CHECK(bench.driver.state() == ModemState::silent);
        CHECK(bench.driver.counts().resets == 0);
        bench.device.truth().hung = false;
        CHECK(bench.ready_within(15min));
    }
    SECTION("connections do not come about: three, then a new context") {
        truth.attaches = true;
        Bench bench{usual(), truth};
        REQUIRE(bench.ready_within(1min));
        bench.answers = false;
        for (int i = 0; i < 3; ++i) bench.open();
        CHECK(bench.ends.size() == 3);
        CHECK(bench.driver.counts().redials == 1);
    }
    SECTION("it starts by itself in the middle") {
        truth.attaches = true;
        Bench bench{usual(), truth};
        REQUIRE(bench.ready_within(1min));
        bench.open();
        bench.device.reset(bench.now);
        bench.wait(2s);
        CHECK(bench.ends == std::vector<std::string>{"the modem started anew"});
        CHECK(bench.ready_within(1min));
    }
}

TEST_CASE("modem: a line with noise is survived, and works again when it is clean", "[modem]") {
    auto truth = usual_truth();
    truth.pin.clear();
    Bench bench{usual(), truth};
    bench.damage = 60;
    for (int minute = 0; minute < 120; ++minute) {
        if (const auto socket = bench.driver.open("head-end", 4061, bench.now))
            bench.driver.send(*socket, pattern(300), bench.now);
        bench.settle();
        bench.device.from_net(minute % 2, pattern(200));
        bench.wait(1min);
    }
    CHECK(bench.driver.garbled_lines() > 50);
    bench.damage = 0;
    CHECK(bench.ready_within(25min));
    CHECK(bench.driver.signal_dbm() == -77);
}
