// A vending machine at a concentrator, end to end: RS-232 or Ethernet, uplink, front-end, vending, database.
#include <algorithm>

#include "tests/machine/road.h"

namespace wattmesh::test {
namespace {

using Ended = sim::MachineOutcome::State;

bool holds(const Buffer& octets, std::string_view what) {
    return std::search(octets.begin(), octets.end(), what.begin(), what.end()) != octets.end();
}

/// A machine that lost its power and came back has the file only.
struct Machine {
    Machine(Road& road, sim::MachineTalkSettings settings)
        : talk(std::move(settings), random), till(talk, random, "T1", road.order_file()) {}
    security::SystemRandom random;
    sim::MachineTalk talk;
    sim::MachineTill till;
};

}  // namespace

TEST_CASE("machine: sells over a serial line, and the concentrator sees neither who asks nor what he gets",
          "[db]") {
    Road road;
    Machine machine{road, road.serial()};
    const auto quote = machine.till.quote(road.counter.meter(0), 10'000);
    INFO(quote.reason << " " << quote.text);
    REQUIRE(quote.state == Ended::sold);
    CHECK(quote.receipt.find("\"units\"") != std::string::npos);
    machine.till.keep(road.counter.meter(0), 10'000);
    const auto key = machine.till.pending()->key;
    const auto sale = machine.till.sell();
    REQUIRE(sale.state == Ended::sold);
    const auto said = machine.talk.said();
    const auto digits = digits_in(sale.receipt);
    REQUIRE(digits.size() == 1);
    CHECK(road.sales() == 1);
    CHECK(road.counter.shop.books().empty());
    CHECK(machine.till.confirm(road.counter.shop.value("select max(id) from sale")).state == Ended::sold);
    CHECK(road.counter.shop.value("select count(*) from sale where confirmed_us is not null") == 1);
    machine.till.forget();
    CHECK_FALSE(std::filesystem::exists(road.order_file()));

    const auto& token = road.counter.operator_;
    std::string blocks = digits[0];
    for (const std::size_t at : {16U, 12U, 8U, 4U}) blocks.insert(at, " ");
    const Buffer vending_key = *from_hex("abababababababab949494949494949401234567");
    const std::vector<std::string> secrets{token,
                                           "Bearer",
                                           key,
                                           digits[0],
                                           blocks,
                                           "Idempotency",
                                           "/api/vend",
                                           "\"tender\"",
                                           road.counter.meter(0),
                                           {vending_key.begin(), vending_key.end()},
                                           to_hex(vending_key)};
    for (const auto& octets : {road.cable.seen(), road.witness.all()}) {
        CHECK(octets.size() > 8'000);
        for (const auto& secret : secrets) CHECK_FALSE(holds(octets, secret));
    }
    // What is looked for is what was said: in clear it would have been found.
    const Buffer clear{said.begin(), said.end()};
    CHECK(holds(clear, token));
    CHECK(holds(clear, "/api/vend"));
    CHECK(holds({sale.receipt.begin(), sale.receipt.end()}, blocks));
}

TEST_CASE("machine: with the uplink down before the payment it takes no money", "[db]") {
    Road road;
    Machine machine{road, road.ethernet()};
    CHECK(machine.till.quote(road.counter.meter(0), 10'000).state == Ended::sold);
    road.cut();
    Road::wait_for(
        [&] { return machine.till.quote(road.counter.meter(0), 10'000).state == Ended::not_known; });
    const auto began = std::chrono::steady_clock::now();
    const auto quote = machine.till.quote(road.counter.meter(0), 10'000);
    CHECK(quote.state == Ended::not_known);
    CHECK(quote.reason == "uplink_down");
    CHECK(std::chrono::steady_clock::now() - began < 5s);  // at once, not by waiting
    CHECK_FALSE(machine.till.pending());
    CHECK_FALSE(std::filesystem::exists(road.order_file()));
    CHECK(road.sales(false) == 0);
    CHECK(road.counter.shop.calls() == 0);
    road.mend();
    CHECK(machine.till.quote(road.counter.meter(0), 10'000).state == Ended::sold);
}

TEST_CASE("machine: with the uplink down after the payment the sale goes on by its key", "[db]") {
    Road road;
    std::string key;
    {
        Machine machine{road, road.serial()};
        REQUIRE(machine.till.quote(road.counter.meter(1), 5'000).state == Ended::sold);
        road.cut();
        machine.till.keep(road.counter.meter(1), 5'000);
        key = machine.till.pending()->key;
        CHECK(machine.till.sell().state == Ended::not_known);
        CHECK(road.sales(false) == 0);
    }
    Machine machine{road, road.serial()};  // and it lost its power, too
    REQUIRE(machine.till.pending());
    CHECK(machine.till.pending()->key == key);
    CHECK(machine.till.sell().reason == "uplink_down");
    road.mend();
    const auto sale = machine.till.sell();
    REQUIRE(sale.state == Ended::sold);
    CHECK(digits_in(sale.receipt).size() == 1);
    CHECK(road.sales() == 1);
    CHECK(road.counter.shop.calls() == 1);
    CHECK(road.counter.shop.value("select count(*) from sale where key = '" + key + "'") == 1);
    CHECK(machine.till.sell().receipt == sale.receipt);
}

TEST_CASE("machine: with the uplink cut while vending sells, the same token comes by the key", "[db]") {
    Road road;
    Machine machine{road, road.ethernet()};
    REQUIRE(machine.till.quote(road.counter.meter(2), 7'000).state == Ended::sold);
    machine.till.keep(road.counter.meter(2), 7'000);
    Connection holder{road.counter.shop.database.settings()};
    std::optional<Transaction> held{std::in_place, holder};
    holder.execute("lock table sale in exclusive mode", "holding the sale back");
    auto selling = std::async(std::launch::async, [&] { return machine.till.sell(); });
    Road::wait_for(
        [&] { return road.counter.shop.value("select count(*) from pg_locks where not granted") > 0; });
    road.cut();  // vending has the order, and its answer will find nobody
    CHECK(selling.get().state == Ended::not_known);
    held.reset();
    Road::wait_for([&] { return road.sales() == 1; });
    road.mend();
    const auto sale = machine.till.sell();
    REQUIRE(sale.state == Ended::sold);
    CHECK(road.sales() == 1);
    CHECK(road.sales(false) == 1);
    CHECK(road.counter.shop.calls() == 1);
    CHECK(digits_in(sale.receipt).size() == 1);
    CHECK(road.counter.shop.books().empty());
}

TEST_CASE("machine: is refused by name where the front-end connects none, and by somebody who is not vending",
          "[db]") {
    SECTION("not configured") {
        Road road{false};
        Machine machine{road, road.serial()};
        const auto quote = machine.till.quote(road.counter.meter(0), 10'000);
        CHECK(quote.state == Ended::not_known);
        CHECK(quote.reason == "not_configured");
    }
    SECTION("another authority") {
        Road road;
        auto settings = road.ethernet();
        settings.ca_pem = security::CertificateAuthority::create("stranger", real_now()).pem();
        Machine machine{road, settings};
        CHECK(machine.till.quote(road.counter.meter(0), 10'000).state == Ended::not_known);
    }
    SECTION("a certificate for another name") {
        Road road;
        auto settings = road.ethernet();
        settings.name = "other.test";
        Machine machine{road, settings};
        CHECK(machine.till.quote(road.counter.meter(0), 10'000).state == Ended::not_known);
    }
    SECTION("vending's own refusal is one") {
        Road road;
        Machine machine{road, road.ethernet()};
        const auto quote = machine.till.quote(road.counter.meter(0), 10);
        CHECK(quote.state == Ended::refused);
        CHECK(quote.reason == "tender");
    }
}

TEST_CASE("machine: a browser's TLS goes through as it is, plain HTTP goes nowhere", "[db]") {
    Road road;
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    security::SystemRandom random;
    security::TlsSettings tls;
    tls.ca_pem = road.papers.authority.pem();
    tls.server_name = "vending.test";
    tls.protocols = {};
    tls.without_protocol = true;
    platform::ConnectorSettings settings;
    settings.host = "127.0.0.1";
    settings.port = road.machine_port();
    std::string answer, end;
    const bool plain = GENERATE(false, true);
    if (!plain) settings.tls = std::make_shared<const security::TlsContext>(std::move(tls));
    platform::Connector browser{loop, random, settings};
    const std::string request =
        "GET /api/vend/desk HTTP/1.1\r\nHost: vending.test\r\nConnection: close\r\nAuthorization: Bearer " +
        road.counter.operator_ + "\r\n\r\n";
    browser.start({.on_open = [&](platform::Link& link) { link.send(as_bytes(request)); },
                   .on_bytes = [&](Bytes octets) { answer.append(octets.begin(), octets.end()); },
                   .on_closed =
                       [&](const std::string& reason, Duration) {
                           end = reason;
                           loop.stop();
                       }});
    platform::Timer limit{loop};
    limit.after_real(30s, [&] { loop.stop(); });
    loop.run();
    CHECK_FALSE(end.empty());
    CHECK((answer.find("\"terminal\":\"T1\"") != std::string::npos) != plain);
    CHECK(holds(road.witness.all(), "HTTP/1.1") == false);
}

}  // namespace wattmesh::test
