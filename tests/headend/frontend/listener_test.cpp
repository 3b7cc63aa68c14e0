// The front-end on real sockets and real TLS, in one loop on one thread.
#include "headend/frontend/listener.h"

#include <catch2/catch.hpp>
#include <thread>

#include "platform/connector.h"
#include "tests/headend/frontend/fake_concentrator.h"
#include "tests/headend/frontend/memory_store.h"

namespace wattmesh::headend::frontend {
namespace {

const std::string number_1 = "900000000001", number_2 = "900000000002";

struct FixedEnroller : Enroller {
    void enrol(EnrolmentRequest request, Instant, std::function<void(EnrolmentAnswer)> done) override {
        codes.push_back(request.code);
        done(request.code == "good"
                 ? EnrolmentAnswer{EnrolmentGrant{"CERT", "CA", Buffer(16, 1), 100}}
                 : EnrolmentAnswer{EnrolmentRefusal{"the code is not this concentrator's"}});
    }
    std::vector<std::string> codes;
};

/// Head-end side and a certificate authority; clients are made by the tests.
struct Site {
    Site() : loop(std::make_shared<platform::ScaledClock>()) {
        listener = std::make_unique<Listener>(loop, ListenerSettings{}, server_tls(), core, enroller);
        listener->start();
    }
    platform::TlsLink::Context server_tls() {
        const auto server = authority.issue_server({"127.0.0.1"}, loop.now());
        security::TlsSettings tls;
        tls.role = security::TlsRole::server;
        tls.certificate_pem = server.certificate_pem;
        tls.key_pem = server.key_pem;
        tls.ca_pem = authority.pem();
        tls.protocols = {std::string{security::uplink_protocol}, std::string{security::enrolment_protocol}};
        tls.protocols_without_certificate = {std::string{security::enrolment_protocol}};
        tls.revoked = [this](const security::CertificateFacts& facts) {
            return facts.common_name == revoked;
        };
        return std::make_shared<security::TlsContext>(std::move(tls));
    }
    platform::TlsLink::Context device_tls(const std::string& number) {
        const auto device = DeviceNumber::parse(number).value();
        const auto request = security::make_request(device);
        const auto facts =
            std::get<security::CertificateFacts>(authority.sign(request.request_der, device, loop.now()));
        security::TlsSettings tls;
        tls.certificate_pem = security::certificate_pem(facts.der);
        tls.key_pem = request.key_pem;
        tls.ca_pem = authority.pem();
        return std::make_shared<security::TlsContext>(std::move(tls));
    }
    platform::TlsLink::Context nameless_tls(const std::string_view protocol) {
        security::TlsSettings tls;
        tls.ca_pem = authority.pem();
        tls.protocols = {std::string{protocol}};
        return std::make_shared<security::TlsContext>(std::move(tls));
    }
    /// Works until `done`, or gives up after thousands of turns of the loop (a hang, not a slow machine: each
    /// turn waits).
    bool until(const std::function<bool()>& done) {
        for (int turn = 0; turn < 20'000 && !done(); ++turn) {
            loop.poll();
            if (store.complete()) listener->pump_soon();
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        return done();
    }

    platform::Loop loop;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    MemoryStore store;
    Core core{{}, store, store, store, ciphers, random};
    FixedEnroller enroller;
    security::CertificateAuthority authority = security::CertificateAuthority::create("Test", loop.now());
    std::string revoked;
    std::unique_ptr<Listener> listener;
};

/// One outgoing connection to the site.
struct Caller {
    Caller(Site& site, platform::TlsLink::Context tls)
        : connector(site.loop, site.random,
                    {.host = "127.0.0.1",
                     .port = site.listener->port(),
                     .tls = std::move(tls),
                     .certificate_time = {},
                     .wait_min = std::chrono::hours{1},
                     .wait_max = std::chrono::hours{1}}) {}
    void start(std::function<void(platform::Link&)> on_open, std::function<void(Bytes)> on_bytes) {
        connector.start({std::move(on_open), std::move(on_bytes),
                         [this](const std::string& reason, Duration) { ended = reason; }});
    }
    platform::Connector connector;
    std::optional<std::string> ended;
};

}  // namespace

TEST_CASE("listener: a concentrator with its certificate logs in and its journal arrives", "[frontend]") {
    Site site;
    FakeConcentrator unit{number_1};
    unit.journals.push_back(
        {{{1}},
         {unit.interval_entry(1, "540000000001", std::chrono::floor<std::chrono::days>(site.loop.now()), 4)},
         {},
         0});
    Caller caller{site, site.device_tls(number_1)};
    const auto flush = [&](platform::Link& link) {
        while (const auto pdu = unit.take()) link.send(*pdu);
    };
    caller.start([&](platform::Link& link) { link.send(unit.login()); },
                 [&](Bytes bytes) {
                     unit.receive(bytes, site.loop.now());
                     flush(*caller.connector.link());
                 });
    CHECK(site.until([&] { return site.store.rows() == 4 && unit.journals[0].acknowledged == Sequence{1}; }));
    CHECK(unit.hello_acks == 1);
    CHECK(site.core.sessions().size() == 1);
    caller.connector.stop();
    CHECK(site.until([&] { return site.core.sessions().empty(); }));
}

TEST_CASE("listener: no certificate, a revoked one, or somebody else's number: no session", "[frontend]") {
    Site site;
    SECTION("no certificate") {
        Caller caller{site, site.nameless_tls(security::uplink_protocol)};
        caller.start([](platform::Link&) {}, [](Bytes) {});
        CHECK(site.until([&] { return caller.ended.has_value(); }));
        CHECK(site.core.counters().accepted == 0);
    }
    SECTION("revoked") {
        site.revoked = number_1;
        Caller caller{site, site.device_tls(number_1)};
        caller.start([](platform::Link&) {}, [](Bytes) {});
        CHECK(site.until([&] { return caller.ended.has_value(); }));
        CHECK(site.core.counters().accepted == 0);
    }
    SECTION("somebody else's number") {
        FakeConcentrator unit{number_2};
        Caller caller{site, site.device_tls(number_1)};
        caller.start([&](platform::Link& link) { link.send(unit.login()); }, [](Bytes) {});
        CHECK(site.until([&] { return caller.ended.has_value(); }));
        CHECK(site.core.counters().identity_mismatches == 1);
        CHECK(site.store.opened == 0);
    }
}

TEST_CASE("listener: enrolment needs no certificate, only a code, and gets nothing else", "[frontend]") {
    Site site;
    std::string answer;
    Caller caller{site, site.nameless_tls(security::enrolment_protocol)};
    const auto ask = [&](const std::string& line) {
        caller.start([line](platform::Link& link) { link.send(as_bytes(line)); },
                     [&](Bytes bytes) { answer.append(bytes.begin(), bytes.end()); });
        CHECK(site.until([&] { return caller.ended.has_value(); }));
    };
    SECTION("the right code") {
        ask(R"({"number":"900000000001","code":"good","csr":"CSR"})"
            "\n");
        CHECK(answer.find("\"certificate\":\"CERT\"") != std::string::npos);
    }
    SECTION("a wrong code") {
        ask(R"({"number":"900000000001","code":"bad","csr":"CSR"})"
            "\n");
        CHECK(answer == "{\"error\":\"the code is not this concentrator's\"}\n");
    }
    SECTION("a log-in instead") {
        const Buffer login = FakeConcentrator{number_1}.login();
        ask(std::string(login.begin(), login.end()) + "\n");
        CHECK(answer.find("\"error\"") != std::string::npos);
        CHECK(site.enroller.codes.empty());
    }
    CHECK(site.core.counters().accepted == 0);
}

}  // namespace wattmesh::headend::frontend
