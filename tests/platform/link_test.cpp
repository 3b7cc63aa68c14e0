#include <catch2/catch.hpp>
#include <stdexcept>

#include "platform/acceptor.h"
#include "platform/connector.h"
#include "platform/loop.h"

namespace wattmesh::platform {

using namespace std::chrono_literals;
using security::CertificateAuthority;
using security::TlsContext;

namespace {

/// An echo server and one connector on loopback, both on one loop.
struct Town {
    std::shared_ptr<Loop> loop = std::make_shared<Loop>(std::make_shared<ScaledClock>(100));
    security::SystemRandom random;
    CertificateAuthority ca = CertificateAuthority::create("Test CA", loop->now());
    std::unique_ptr<Acceptor> acceptor;
    std::unique_ptr<Connector> connector;
    std::vector<std::unique_ptr<Link>> links;
    std::vector<std::string> refused, closed_at_server, closed;
    std::string peer_name;
    Buffer received;
    std::function<void()> on_change = [] {};
    Timer guard{*loop};

    TlsLink::Context server_context() {
        auto own = ca.issue_server({"127.0.0.1"}, loop->now());
        security::TlsSettings settings;
        settings.role = security::TlsRole::server;
        settings.certificate_pem = own.certificate_pem;
        settings.key_pem = own.key_pem;
        settings.ca_pem = ca.pem();
        return std::make_shared<TlsContext>(settings);
    }
    TlsLink::Context client_context(const CertificateAuthority& by) {
        const auto number = *DeviceNumber::parse("900000000001");
        auto made = security::make_request(number);
        security::TlsSettings settings;
        settings.certificate_pem = security::certificate_pem(
            std::get<security::CertificateFacts>(by.sign(made.request_der, number, loop->now())).der);
        settings.key_pem = made.key_pem;
        settings.ca_pem = ca.pem();
        settings.server_name = "127.0.0.1";
        return std::make_shared<TlsContext>(settings);
    }
    void listen(AcceptorSettings settings = {}) {
        acceptor = std::make_unique<Acceptor>(*loop, std::move(settings));
        acceptor->start(
            [this](std::unique_ptr<Link> link) {
                if (link->peer()) peer_name = link->peer()->common_name;
                Link& here = *links.emplace_back(std::move(link));
                here.start({.on_bytes = [&here](Bytes bytes) { here.send(bytes); },
                            .on_closed =
                                [this](const std::string& reason) {
                                    closed_at_server.push_back(reason);
                                    on_change();
                                }});
            },
            [this](const std::string&, const std::string& reason) {
                refused.push_back(reason);
                on_change();
            });
    }
    void connect(std::function<void(Link&)> on_open, ConnectorSettings settings = {}) {
        settings.host = "127.0.0.1";
        if (settings.port == 0) settings.port = acceptor->port();
        connector = std::make_unique<Connector>(*loop, random, std::move(settings));
        connector->start({.on_open = std::move(on_open),
                          .on_bytes =
                              [this](Bytes bytes) {
                                  received.insert(received.end(), bytes.begin(), bytes.end());
                                  on_change();
                              },
                          .on_closed =
                              [this](const std::string& reason, Duration) {
                                  closed.push_back(reason);
                                  on_change();
                              }});
    }
    /// Runs until `done`; gives up after a minute so that a fault is a failure, not a hang.
    void run_until(std::function<bool()> done) {
        if (done()) return;
        on_change = [this, done] {
            if (done()) loop->stop();
        };
        guard.after_real(60s, [this] { loop->stop(); });
        loop->run();
        guard.cancel();
        on_change = [] {};
        REQUIRE(done());
    }
};

}  // namespace

TEST_CASE("link: echoes over loopback, plain and with mutual TLS", "[platform]") {
    Town town;
    const bool tls = GENERATE(false, true);
    DYNAMIC_SECTION((tls ? "tls" : "plain")) {
        AcceptorSettings listening;
        ConnectorSettings connecting;
        if (tls) {
            listening.tls = town.server_context();
            connecting.tls = town.client_context(town.ca);
        }
        town.listen(listening);
        Buffer message(300'000);
        for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i * 7 >> 3);
        town.connect(
            [&](Link& link) {
                CHECK(link.protocol() == (tls ? security::uplink_protocol : ""));
                CHECK(link.send(message));
                CHECK_FALSE(link.send(Buffer(write_queue_default)));  // bounded, and nothing of it was sent
            },
            connecting);
        town.run_until([&] { return town.received.size() >= message.size(); });
        CHECK(town.received == message);
        CHECK(town.peer_name == (tls ? "900000000001" : ""));
        REQUIRE(town.connector->link() != nullptr);

        town.connector->stop();
        town.run_until([&] { return !town.closed_at_server.empty(); });
        CHECK(town.closed_at_server == std::vector<std::string>{"closed by the peer"});
        CHECK(town.connector->link() == nullptr);
        CHECK(town.closed.empty());
        CHECK_FALSE(town.links.at(0)->send(Buffer{1}));
    }
}

TEST_CASE("link: what was sent before close still arrives", "[platform]") {
    Town town;
    AcceptorSettings listening;
    listening.tls = town.server_context();
    ConnectorSettings connecting;
    connecting.tls = town.client_context(town.ca);
    Acceptor acceptor{*town.loop, listening};
    acceptor.start(
        [&](std::unique_ptr<Link> link) {
            link->send(Buffer(200'000, 7));
            link->close();
            CHECK_FALSE(link->send(Buffer{1}));
        },  // and the link goes at once
        [](const std::string&, const std::string&) {});
    connecting.port = acceptor.port();
    town.connect([](Link&) {}, connecting);
    town.run_until([&] { return !town.closed.empty(); });
    CHECK(town.received == Buffer(200'000, 7));
    CHECK(town.closed.at(0) == "closed by the peer");
}

TEST_CASE("connector: comes again after every loss and every refusal, and says why", "[platform]") {
    Town town;
    int opened = 0;
    SECTION("the server drops it") {
        town.listen();
        town.connect([&](Link&) {
            ++opened;
            town.connector->settled();
            town.on_change();
            town.loop->post([&] { town.links.clear(); });
        });
        town.run_until([&] { return opened == 3; });
        CHECK(town.closed.size() == 2);
    }
    SECTION("nobody listens, then somebody does") {
        ConnectorSettings connecting;
        {
            Acceptor nobody{*town.loop, {}};
            connecting.port = nobody.port();
        }
        town.connect(
            [&](Link&) {
                ++opened;
                town.on_change();
            },
            connecting);
        town.run_until([&] { return town.closed.size() == 2; });
        CHECK_THAT(town.closed.at(0),
                   Catch::Contains("cannot reach 127.0.0.1:" + std::to_string(connecting.port)));
        AcceptorSettings listening;
        listening.port = connecting.port;
        town.listen(listening);
        town.run_until([&] { return opened == 1; });
    }
    SECTION("the server refuses its certificate") {
        const auto other = CertificateAuthority::create("Test CA", town.loop->now());
        AcceptorSettings listening;
        listening.tls = town.server_context();
        ConnectorSettings connecting;
        connecting.tls = town.client_context(other);
        town.listen(listening);
        town.connect([](Link& link) { link.send(Buffer{1}); },
                     connecting);  // in TLS 1.3 the client is open first
        town.run_until([&] { return town.closed.size() >= 2 && town.refused.size() >= 2; });
        CHECK_THAT(town.refused.at(0), Catch::Contains("certificate"));
        CHECK_THAT(town.closed.at(0), Catch::Contains("alert"));
        CHECK(town.links.empty());
    }
    SECTION("the other side does not speak TLS") {
        town.listen();
        ConnectorSettings connecting;
        connecting.tls = town.client_context(town.ca);
        town.connect([&](Link&) { ++opened; }, connecting);
        town.run_until([&] { return !town.closed.empty(); });
        CHECK_THAT(town.closed.at(0), Catch::Contains("TLS with 127.0.0.1"));
        CHECK(opened == 0);
    }
}

TEST_CASE("acceptor: a client that does not finish its handshake is dropped, others come in", "[platform]") {
    Town town;
    AcceptorSettings listening;
    listening.tls = town.server_context();
    listening.handshake_real_max = 50ms;
    town.listen(listening);
    town.connect([](Link&) {});  // plain TCP, silent
    town.run_until([&] { return !town.refused.empty(); });
    CHECK_THAT(town.refused.at(0), Catch::Contains("too long"));
}

TEST_CASE("acceptor: says which address it cannot have", "[platform]") {
    Town town;
    town.listen();
    AcceptorSettings taken;
    taken.port = town.acceptor->port();
    CHECK_THROWS_WITH(
        Acceptor(*town.loop, taken),
        Catch::Contains("127.0.0.1:" + std::to_string(taken.port)) && Catch::Contains("in use"));
    taken.address = "localhost";
    CHECK_THROWS_WITH(Acceptor(*town.loop, taken),
                      Catch::Contains("\"localhost\" is not a numeric IP address"));
}

TEST_CASE("link: an owner that throws loses its link, not the loop", "[platform]") {
    Town town;
    std::string reason;
    Acceptor acceptor{*town.loop, {}};
    std::unique_ptr<Link> kept;
    acceptor.start(
        [&](std::unique_ptr<Link> link) {
            kept = std::move(link);
            kept->start({.on_bytes = [](Bytes) { throw std::runtime_error("no such thing"); },
                         .on_closed =
                             [&](const std::string& why) {
                                 reason = why;
                                 town.on_change();
                             }});
        },
        [](const std::string&, const std::string&) {});
    ConnectorSettings connecting;
    connecting.port = acceptor.port();
    town.connect([](Link& link) { link.send(Buffer{1}); }, connecting);
    town.run_until([&] { return !reason.empty(); });
    CHECK_THAT(reason, Catch::Contains("no such thing"));
}

TEST_CASE("link: pausing holds the peer back until it is lifted", "[platform]") {
    Town town;
    town.listen();
    town.connect([&](Link& link) {
        link.pause(true);
        link.send(Buffer{1, 2, 3});
    });
    Timer wait{*town.loop};
    bool waited = false;
    wait.after_real(50ms, [&] {
        waited = true;
        town.on_change();
    });
    town.run_until([&] { return waited; });
    CHECK(town.received.empty());
    town.connector->link()->pause(false);
    town.run_until([&] { return town.received.size() == 3; });
}

}  // namespace wattmesh::platform
