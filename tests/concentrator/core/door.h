#pragma once
#include "concentrator/program/station.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>
#include <list>
#include <set>
#include <sstream>

#include "concentrator/program/enrolment.h"
#include "platform/acceptor.h"
#include "protocol/dlms/date_time.h"
#include "security/base64.h"
#include "tests/concentrator/journal/scratch.h"
#include "tests/concentrator/uplink/head_end.h"

namespace wattmesh::concentrator {

using namespace std::chrono_literals;

inline const DeviceNumber self = *DeviceNumber::parse("900000000001");

inline Instant real_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

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
        context = std::make_shared<const security::TlsContext>(std::move(tls));
        acceptor = listen(0);
    }
    /// A second one is a front-end that comes back; a port of 0 is any.
    std::unique_ptr<platform::Acceptor> listen(std::uint16_t port) {
        platform::AcceptorSettings settings;
        settings.tls = context;
        settings.port = port;
        auto opened = std::make_unique<platform::Acceptor>(loop, settings);
        opened->start(
            [this, at = opened.get()](std::unique_ptr<platform::Link> made) { on_link(std::move(made), at); },
            [this](const std::string&, const std::string& reason) { refusals.push_back(reason); });
        return opened;
    }
    /// Who says something is the one that is meant: a probe says nothing.
    void on_link(std::unique_ptr<platform::Link> made, const platform::Acceptor* at) {
        links.push_back(std::move(made));
        auto* opened = links.back().get();
        if (link == nullptr) link = opened;
        if (opened->peer()) serial = opened->peer()->serial;
        opened->start({.on_bytes =
                           [this, opened, at](Bytes bytes) {
                               link = opened;
                               if (heard.insert(opened).second &&
                                   link->protocol() == security::uplink_protocol) {
                                   ++uplinks;
                                   called = at;
                               }
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
    std::shared_ptr<const security::TlsContext> context;
    std::list<std::unique_ptr<platform::Link>> links;
    platform::Link* link = nullptr;
    std::set<const platform::Link*> heard;
    const platform::Acceptor* called = nullptr;  ///< where the newest uplink logged in
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

}  // namespace wattmesh::concentrator
