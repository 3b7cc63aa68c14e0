#include "concentrator/program/station.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "concentrator/program/enrolment.h"
#include "platform/acceptor.h"
#include "protocol/dlms/date_time.h"
#include "security/base64.h"
#include "tests/concentrator/journal/scratch.h"
#include "tests/concentrator/uplink/head_end.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;

namespace {

const DeviceNumber self = *DeviceNumber::parse("900000000001");

Instant real_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

/// A head-end's door on real sockets: enrols, and plays the front-end.
struct Door {
    explicit Door(platform::Loop& on)
        : loop(on), ca(security::CertificateAuthority::create("test", real_now())), head(ciphers, random) {
        const auto server = ca.issue_server({"127.0.0.1"}, real_now());
        security::TlsSettings tls;
        tls.role = security::TlsRole::server;
        tls.certificate_pem = server.certificate_pem;
        tls.key_pem = server.key_pem;
        tls.ca_pem = ca.pem();
        tls.protocols = {std::string{security::uplink_protocol}, std::string{security::enrolment_protocol}};
        tls.protocols_without_certificate = {std::string{security::enrolment_protocol}};
        tls.revoked = [this](const security::CertificateFacts&) { return revoked; };
        platform::AcceptorSettings settings;
        settings.tls = std::make_shared<const security::TlsContext>(std::move(tls));
        acceptor = std::make_unique<platform::Acceptor>(loop, settings);
        acceptor->start(
            [this](std::unique_ptr<platform::Link> opened) { on_link(std::move(opened)); },
            [this](const std::string&, const std::string& reason) { refusals.push_back(reason); });
    }
    void on_link(std::unique_ptr<platform::Link> opened) {
        link = std::move(opened);
        if (link->protocol() == security::uplink_protocol) ++uplinks;
        if (link->peer()) serial = link->peer()->serial;
        link->start({.on_bytes =
                         [this](Bytes bytes) {
                             if (link->protocol() == security::uplink_protocol) return on_uplink(bytes);
                             request.append(bytes.begin(), bytes.end());
                             if (request.find('\n') != std::string::npos) answer_enrolment();
                         },
                     .on_closed = [](const std::string&) {}});
    }
    void on_uplink(Bytes bytes) {
        head.receive(bytes);
        flush();
    }
    void flush() {
        const auto out = head.take_output();
        if (!out.empty()) link->send(out);
    }
    void answer_enrolment() {
        const auto asked = Poco::JSON::Parser{}.parse(request).extract<Poco::JSON::Object::Ptr>();
        request.clear();
        const auto number = asked->getValue<std::string>("number");
        const auto csr = asked->getValue<std::string>("csr");
        Poco::JSON::Object answer;
        if (refuses) {
            answer.set("error", "the code has been used already");
        } else {
            const auto facts = std::get<security::CertificateFacts>(
                ca.sign(as_bytes(csr), *DeviceNumber::parse(number), real_now()));
            answer.set("certificate", security::certificate_pem(facts.der));
            answer.set("ca", ca.pem());
            answer.set("kek", security::to_base64(Buffer(16, 7)));
            answer.set("renew_after_s", 100);
        }
        std::ostringstream line;
        answer.stringify(line);
        link->send(as_bytes(line.str() + "\n"));
        link->close();
    }
    platform::HostPort address() const { return {"127.0.0.1", acceptor->port()}; }

    platform::Loop& loop;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    security::CertificateAuthority ca;
    HeadEnd head;
    std::unique_ptr<platform::Acceptor> acceptor;
    std::unique_ptr<platform::Link> link;
    std::string request, serial;
    std::vector<std::string> refusals;
    int uplinks = 0;
    bool refuses = false, revoked = false;
};

/// Runs the loop until something is so; the test's own time limit ends it otherwise.
template <class Condition>
void run_until(platform::Loop& loop, Condition condition) {
    platform::Timer look(loop), limit(loop);
    bool over = false;
    std::function<void()> again = [&] {
        if (condition()) return loop.stop();
        look.after_real(5ms, again);
    };
    look.after_real(5ms, again);
    limit.after_real(60s, [&] {
        over = true;
        loop.stop();
    });
    loop.run();
    REQUIRE_FALSE(over);
}

}  // namespace

TEST_CASE("station: enrols with a code, calls in over mutual TLS, renews, and is shut out when revoked",
          "[concentrator]") {
    constexpr double speed = 20;
    platform::Loop loop(std::make_shared<platform::ScaledClock>(speed));
    Door door(loop);
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    const Scratch scratch;
    IdentityFiles files(scratch.file("state"));
    const auto code = security::make_one_time_code(random, door.ca.der());

    const auto enrolled = enrol(loop, random, door.address(), self, code.text());
    REQUIRE(enrolled);
    files.store(*enrolled);

    // nobody listens at the radio's address: the uplink does not mind
    StationSettings settings{{door.address()}, {"127.0.0.1", 9}, speed};
    auto station = std::make_unique<Station>(loop, settings, *files.load(), files, ciphers, random);
    station->start();
    run_until(loop, [&] { return door.uplinks == 1 && !door.head.hellos.empty(); });
    CHECK(door.head.hellos[0].address == to_string(self));
    const auto first_serial = door.serial;

    door.head.configuration.associate();
    door.head.replication.associate();
    const auto clock =
        door.head.configuration.set({8, obis::clock, 2}, dlms::date_time_octets({loop.now(), 0, 0}));
    const auto directory = door.head.replication.get({1, dcu::objects::journal_directory, 2});
    const auto csr = door.head.configuration.get({1, dcu::objects::certificate_request, 2});
    door.flush();
    run_until(loop, [&] { return door.head.reads.count(csr) == 1 && door.head.reads.count(directory) == 1; });
    CHECK(door.head.writes.at(clock) == dlms::AccessResult::success);
    const auto journals = dcu::directory_from_data(std::get<dlms::Data>(door.head.reads.at(directory)));
    REQUIRE(journals);
    CHECK(journals->back().last == Sequence{1});  // "started"

    const auto der = std::get<dlms::Data>(door.head.reads.at(csr)).octets();
    const auto renewed = std::get<security::CertificateFacts>(door.ca.sign(der, self, real_now()));
    const auto write = door.head.configuration.set({1, dcu::objects::certificate_request, 2},
                                                   dlms::octet_string(renewed.der));
    door.flush();
    run_until(loop, [&] { return door.head.writes.count(write) == 1; });
    CHECK(door.head.writes.at(write) == dlms::AccessResult::success);
    CHECK(security::read_certificate(files.load()->certificate_pem)->serial == renewed.serial);

    door.link->close();  // the next call shows the new certificate
    run_until(loop, [&] { return door.uplinks == 2; });
    CHECK(door.serial == renewed.serial);
    CHECK(door.serial != first_serial);

    door.revoked = true;
    door.link->close();
    run_until(loop, [&] { return !door.refusals.empty(); });
    CHECK(door.uplinks == 2);
    door.revoked = false;
    run_until(loop, [&] { return door.uplinks == 3; });  // it never gives up
}

TEST_CASE("station: a refused enrolment and a head-end that is another one end with words",
          "[concentrator]") {
    platform::Loop loop(std::make_shared<platform::ScaledClock>(20));
    Door door(loop);
    security::SystemRandom random;
    SECTION("refused") {
        door.refuses = true;
        const auto code = security::make_one_time_code(random, door.ca.der());
        CHECK_THROWS_WITH(enrol(loop, random, door.address(), self, code.text()),
                          Catch::Contains("has been used"));
    }
    SECTION("not a code") {
        CHECK_THROWS_WITH(enrol(loop, random, door.address(), self, "WM1-X"),
                          Catch::Contains("headend enrol 900000000001"));
    }
    SECTION("another head-end gets nothing of us") {
        const auto stranger = security::CertificateAuthority::create("stranger", real_now());
        const auto code = security::make_one_time_code(random, stranger.der());
        platform::Timer stop(loop);
        stop.after_real(1s, [&] { loop.stop(); });
        CHECK_FALSE(enrol(loop, random, door.address(), self, code.text()));
        CHECK(door.request.empty());
    }
}
