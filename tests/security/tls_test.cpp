#include "security/tls.h"

#include <catch2/catch.hpp>

namespace wattmesh::security {

namespace {

const Instant now = from_epoch_us(1'800'000'000'000'000);
const DeviceNumber concentrator = *DeviceNumber::parse("900000000001");

/// A CA and both ends of an uplink; a test changes what it is about.
struct Uplink {
    CertificateAuthority ca = CertificateAuthority::create("Test CA", now);
    TlsSettings server, client;
    std::optional<Instant> server_now = now, client_now = now;

    Uplink() {
        auto identity = ca.issue_server({"head-end.test", "127.0.0.1"}, now);
        server = {.role = TlsRole::server,
                  .certificate_pem = identity.certificate_pem,
                  .key_pem = identity.key_pem,
                  .ca_pem = ca.pem(),
                  .ca_fingerprint = {},
                  .protocols = {std::string{uplink_protocol}, std::string{enrolment_protocol}},
                  .protocols_without_certificate = {std::string{enrolment_protocol}},
                  .server_name = {},
                  .revoked = {}};
        client.ca_pem = ca.pem();
        client.server_name = "head-end.test";
        identify(ca);
    }
    void identify(const CertificateAuthority& by) {
        auto made = make_request(concentrator);
        client.certificate_pem =
            certificate_pem(std::get<CertificateFacts>(by.sign(made.request_der, concentrator, now)).der);
        client.key_pem = made.key_pem;
    }
    void enrol() {
        client.certificate_pem.clear();
        client.key_pem = {};
        client.protocols = {std::string{enrolment_protocol}};
    }
};

struct Pair {
    explicit Pair(const Uplink& uplink)
        : server(std::make_shared<TlsContext>(uplink.server), uplink.server_now),
          client(std::make_shared<TlsContext>(uplink.client), uplink.client_now) {}

    static bool move(TlsSession& from, TlsSession& to, std::size_t chunk) {
        const Buffer bytes = from.take_output();
        for (std::size_t at = 0; at < bytes.size(); at += chunk) {
            to.receive(Bytes{bytes}.subspan(at, std::min(chunk, bytes.size() - at)));
        }
        return !bytes.empty();
    }
    void run(std::size_t chunk = 100'000) {
        for (bool more = true; more;) {
            more = move(client, server, chunk);
            more = move(server, client, chunk) || more;
        }
    }
    bool open() const {
        return server.state() == TlsSession::State::open && client.state() == TlsSession::State::open;
    }
    TlsSession server, client;
};

}  // namespace

TEST_CASE("tls: both ends know each other and talk, however the octets are cut", "[security][tls]") {
    const Uplink uplink;
    const std::size_t chunk = GENERATE(100'000U, 1U, 7U, 1'460U);
    DYNAMIC_SECTION("chunks of " << chunk) {
        Pair pair{uplink};
        CHECK(pair.server.state() == TlsSession::State::handshake);
        CHECK_FALSE(pair.client.send(Buffer{1}));
        pair.run(chunk);
        INFO(pair.server.error() << " / " << pair.client.error());
        REQUIRE(pair.open());
        CHECK(pair.server.protocol() == uplink_protocol);
        CHECK(pair.client.protocol() == uplink_protocol);
        CHECK(pair.server.peer()->common_name == to_string(concentrator));
        CHECK(pair.server.peer()->serial == read_certificate(uplink.client.certificate_pem)->serial);
        CHECK(pair.client.peer()->common_name == "Wattmesh head-end");

        Buffer large(40'000, 0x5A);  // three records
        large.back() = 1;
        CHECK(pair.client.send(large));
        CHECK(pair.server.send(Buffer{1, 2, 3}));
        pair.run(chunk);
        CHECK(pair.server.take_plain() == large);
        CHECK(pair.client.take_plain() == Buffer{1, 2, 3});
        CHECK(pair.server.take_plain().empty());

        CHECK(pair.client.send(Buffer{9}));
        pair.client.close();
        pair.run(chunk);
        CHECK(pair.server.take_plain() == Buffer{9});
        CHECK(pair.server.state() == TlsSession::State::closed);
        CHECK(pair.client.state() == TlsSession::State::closed);
        CHECK_FALSE(pair.server.send(Buffer{1}));
        CHECK(pair.server.error().empty());
    }
}

TEST_CASE("tls: a peer that must not come in is refused with its reason", "[security][tls]") {
    Uplink uplink;
    const CertificateAuthority other = CertificateAuthority::create("Test CA", now);  // same name, other key
    std::string server_says, client_says;
    SECTION("client certificate of another CA") {
        uplink.identify(other);
        server_says = "the peer's certificate is refused";
        client_says = "alert";
    }
    SECTION("no client certificate on the uplink") {
        uplink.client.certificate_pem.clear();
        uplink.client.key_pem = {};
        server_says = "peer did not return a certificate";
        client_says = "alert";
    }
    SECTION("revoked serial") {
        const auto serial = read_certificate(uplink.client.certificate_pem)->serial;
        uplink.server.revoked = [serial](const CertificateFacts& facts) { return facts.serial == serial; };
        server_says = "revoked: serial " + serial;
        client_says = "revoked";
    }
    SECTION("client certificate out of date") {
        uplink.server_now = now + std::chrono::days{91};
        server_says = "certificate has expired";
        client_says = "expired";
    }
    SECTION("client certificate of the future") {
        uplink.server_now = now - std::chrono::days{2};
        server_says = "not yet valid";
        client_says = "alert";
    }
    SECTION("a server's certificate as a client's") {
        auto identity = uplink.ca.issue_server({"x"}, now);
        uplink.client.certificate_pem = identity.certificate_pem;
        uplink.client.key_pem = identity.key_pem;
        server_says = "unsuitable certificate purpose";
        client_says = "alert";
    }
    SECTION("no common protocol") {
        uplink.client.protocols = {"http/1.1"};
        server_says = "none of our protocols";
        client_says = "no application protocol";
    }
    SECTION("server of another CA") {
        uplink.client.ca_pem = other.pem();
        server_says = "alert";
        client_says = "the peer's certificate is refused";
    }
    SECTION("server under another name") {
        uplink.client.server_name = "elsewhere.test";
        server_says = "alert";
        client_says = "hostname mismatch";
    }
    SECTION("server at another address") {
        uplink.client.server_name = "127.0.0.2";
        server_says = "alert";
        client_says = "IP address mismatch";
    }
    SECTION("a concentrator as a server") {
        auto made = make_request(concentrator);
        uplink.server.certificate_pem = certificate_pem(
            std::get<CertificateFacts>(uplink.ca.sign(made.request_der, concentrator, now)).der);
        uplink.server.key_pem = made.key_pem;
        uplink.client.server_name.clear();
        server_says = "alert";
        client_says = "unsuitable certificate purpose";
    }
    Pair pair{uplink};
    pair.run();
    CHECK(pair.server.state() == TlsSession::State::failed);
    CHECK(pair.client.state() == TlsSession::State::failed);
    CHECK_THAT(pair.server.error(), Catch::Contains(server_says));
    CHECK_THAT(pair.client.error(), Catch::Contains(client_says));
    CHECK_FALSE(pair.server.send(Buffer{1}));
    CHECK(pair.server.take_plain().empty());
}

TEST_CASE("tls: a device without trusted time does not look at the server's dates", "[security][tls]") {
    Uplink uplink;
    uplink.client_now = from_epoch_us(0);
    Pair refused{uplink};
    refused.run();
    CHECK_THAT(refused.client.error(), Catch::Contains("not yet valid"));
    uplink.client_now = std::nullopt;
    Pair accepted{uplink};
    accepted.run();
    CHECK(accepted.open());
}

TEST_CASE("tls enrolment: no client certificate, the CA known by fingerprint only", "[security][tls]") {
    Uplink uplink;
    uplink.enrol();
    uplink.client.ca_pem.clear();
    uplink.client.server_name = GENERATE("", "127.0.0.1");
    const auto print = fingerprint(uplink.ca.der());
    uplink.client.ca_fingerprint.assign(print.begin(), print.begin() + 8);
    SECTION("the right CA") {
        Pair pair{uplink};
        pair.run();
        INFO(pair.server.error() << " / " << pair.client.error());
        REQUIRE(pair.open());
        CHECK_FALSE(pair.server.peer());
        CHECK(pair.server.protocol() == enrolment_protocol);
        CHECK(pair.client.send(Buffer{4}));
        pair.run();
        CHECK(pair.server.take_plain() == Buffer{4});
    }
    SECTION("another CA") {
        uplink.client.ca_fingerprint[7] ^= 1;
        Pair pair{uplink};
        pair.run();
        CHECK(pair.client.state() == TlsSession::State::failed);
        CHECK_THAT(pair.client.error(), Catch::Contains("expected CA fingerprint"));
    }
    SECTION("the right CA shown by a server that it did not sign") {
        const auto other = CertificateAuthority::create("Test CA", now);
        const auto identity = other.issue_server({"127.0.0.1"}, now);
        uplink.server.certificate_pem = identity.certificate_pem;
        uplink.server.key_pem = identity.key_pem;
        Pair pair{uplink};
        pair.run();
        CHECK(pair.client.state() == TlsSession::State::failed);
        CHECK_THAT(pair.client.error(), Catch::Contains("certificate"));
    }
    SECTION("a client that offers both and has no certificate gets no uplink") {
        uplink.client.protocols = {std::string{enrolment_protocol}, std::string{uplink_protocol}};
        Pair pair{uplink};
        pair.run();
        CHECK(pair.server.state() == TlsSession::State::failed);
    }
}

TEST_CASE("tls: an end that is cut off is not a close", "[security][tls]") {
    Pair pair{Uplink{}};
    SECTION("in the handshake") {
        pair.server.transport_ended();
        CHECK_THAT(pair.server.error(), Catch::Contains("during the TLS handshake"));
    }
    SECTION("when open") {
        pair.run();
        pair.server.transport_ended();
        CHECK_THAT(pair.server.error(), Catch::Contains("without a TLS close notify"));
    }
}

TEST_CASE("tls: garbage and changed octets fail the session", "[security][tls]") {
    Pair pair{Uplink{}};
    SECTION("not TLS at all") {
        pair.server.receive(as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        CHECK(pair.server.state() == TlsSession::State::failed);
    }
    SECTION("a changed record") {
        pair.run();
        pair.client.send(Buffer{1, 2, 3});
        Buffer record = pair.client.take_output();
        record.back() ^= 1;
        pair.server.receive(record);
        CHECK(pair.server.state() == TlsSession::State::failed);
        CHECK(pair.server.take_plain().empty());
        CHECK_FALSE(pair.server.take_output().empty());  // the alert
    }
}

TEST_CASE("tls settings: what does not fit together is named", "[security][tls]") {
    Uplink uplink;
    std::string says;
    SECTION("no key") {
        uplink.server.key_pem = {};
        says = "TLS key";
    }
    SECTION("a foreign key") {
        uplink.server.key_pem = make_request(concentrator).key_pem;
        says = "does not belong";
    }
    SECTION("no certificate") {
        uplink.server.certificate_pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        says = "TLS certificate";
    }
    SECTION("no CA") {
        uplink.server.ca_pem.clear();
        says = "CA certificate";
    }
    SECTION("a fingerprint at a server") {
        uplink.server.ca_fingerprint = Buffer(8);
        says = "fingerprint";
    }
    CHECK_THROWS_WITH(TlsContext(uplink.server), Catch::Contains(says));
}

}  // namespace wattmesh::security
