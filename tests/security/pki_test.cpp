#include "security/pki.h"

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/security/folder.h"

namespace wattmesh::security {

namespace {
const DeviceNumber number = *DeviceNumber::parse("900000000001");
const Instant now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());

void save(const std::filesystem::path& file, const std::string& text) { put(file, as_bytes(text)); }
bool runs(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}  // NOLINT
std::string refusal(const CertificateAuthority& ca, Bytes request) {
    const auto outcome = ca.sign(request, number, now);
    const auto* refused = std::get_if<CertificateAuthority::Refusal>(&outcome);
    return refused != nullptr ? refused->reason : "";
}
}  // namespace

TEST_CASE("pki: signs a concentrator's request, DER or PEM, for ninety days", "[security]") {
    const auto ca = CertificateAuthority::create("Wattmesh CA", now);
    const auto made = make_request(number);
    const auto der = std::get<CertificateFacts>(ca.sign(made.request_der, number, now));
    const auto pem = std::get<CertificateFacts>(ca.sign(as_bytes(made.request_pem), number, now));
    CHECK(der.common_name == "900000000001");
    CHECK(der.not_after == now + std::chrono::days{90});
    CHECK(der.not_before == now - std::chrono::days{1});
    CHECK(der.serial.size() == 32);
    CHECK(der.serial != pem.serial);
    CHECK(read_certificate(certificate_pem(der.der))->serial == der.serial);
    CHECK_FALSE(read_certificate(certificate_pem(der.der).substr(0, 200)));
    CHECK_FALSE(read_certificate(Bytes{der.der}.first(der.der.size() - 1)));
    CHECK(fingerprint(der.der) != fingerprint(pem.der));
}

TEST_CASE("pki: refuses a request that is not what was expected, and says why", "[security]") {
    const auto ca = CertificateAuthority::create("Wattmesh CA", now);
    auto made = make_request(number);
    CHECK_THAT(refusal(ca, make_request(*DeviceNumber::parse("900000000002")).request_der),
               Catch::Contains("is not 900000000001"));
    for (std::size_t size = 0; size < made.request_der.size(); ++size) {
        CHECK_FALSE(refusal(ca, Bytes{made.request_der}.first(size)).empty());
    }
    made.request_der.back() ^= 1;
    CHECK_THAT(refusal(ca, made.request_der),
               Catch::Contains("signed with its own key") || Catch::Contains("PKCS#10"));
    CHECK_THAT(refusal(ca, Buffer(5'000)), Catch::Contains("4096"));
    const Folder folder;
    const auto file = (folder.path / "rsa").string();
    REQUIRE(runs("openssl req -new -newkey rsa:2048 -nodes -keyout " + file +
                 ".key -subj /CN=900000000001 -out " + file));
    CHECK_THAT(refusal(ca, content_of(file)), Catch::Contains("P-256"));
    REQUIRE(runs("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + file +
                 ".key -subj /CN=900000000001/CN=900000000002 -out " + file));
    CHECK_THAT(refusal(ca, content_of(file)), Catch::Contains("common name"));
    REQUIRE(runs("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + file +
                 ".key -subj /O=x/CN=900000000001 -addext basicConstraints=CA:TRUE -out " + file));
    CHECK(refusal(ca, content_of(file))
              .empty());  // made by another program, and its wish to be a CA is ignored
}

TEST_CASE("pki: the openssl command agrees with what we issue", "[security]") {
    const Folder folder;
    const auto path = [&](const char* name) { return (folder.path / name).string(); };
    const auto ca = CertificateAuthority::create("Wattmesh CA", now);
    const auto other = CertificateAuthority::create("Wattmesh CA", now);
    const auto server = ca.issue_server({"head-end.example", "192.0.2.7", "2001:db8::7"}, now);
    const auto made = make_request(number);
    const auto device = std::get<CertificateFacts>(ca.sign(made.request_der, number, now));
    save(path("ca.pem"), ca.pem());
    save(path("other.pem"), other.pem());
    save(path("server.pem"), server.certificate_pem);
    save(path("device.pem"), certificate_pem(device.der));
    const std::string verify = "openssl verify -x509_strict -CAfile " + path("ca.pem");
    CHECK(runs(verify + " -purpose sslserver -verify_hostname head-end.example " + path("server.pem")));
    CHECK(runs(verify + " -purpose sslserver -verify_ip 192.0.2.7 " + path("server.pem")));
    CHECK(runs(verify + " -purpose sslserver -verify_ip 2001:db8::7 " + path("server.pem")));
    CHECK_FALSE(
        runs(verify + " -purpose sslserver -verify_hostname elsewhere.example " + path("server.pem")));
    CHECK(runs(verify + " -purpose sslclient " + path("device.pem")));
    CHECK_FALSE(runs(verify + " -purpose sslserver " + path("device.pem")));
    CHECK_FALSE(runs(verify + " -purpose sslclient " + path("server.pem")));
    CHECK_FALSE(runs(verify + " -purpose sslclient -attime " +
                     std::to_string(epoch_us(now + std::chrono::days{91}) / 1'000'000) + " " +
                     path("device.pem")));
    CHECK_FALSE(runs("openssl verify -CAfile " + path("other.pem") + " " + path("device.pem")));
    // the device's certificate cannot issue another one
    CHECK_FALSE(runs("openssl verify -CAfile " + path("device.pem") + " " + path("server.pem")));
}

TEST_CASE("pki: a CA is opened again, and only with its own key", "[security]") {
    const auto ca = CertificateAuthority::create("Wattmesh CA", now);
    const auto again = CertificateAuthority::open(ca.pem(), ca.key_pem());
    CHECK(again.der() == ca.der());
    CHECK(refusal(again, make_request(number).request_der).empty());
    const auto other = CertificateAuthority::create("Wattmesh CA", now);
    CHECK_THROWS_WITH(CertificateAuthority::open(ca.pem(), other.key_pem()),
                      Catch::Contains("does not belong"));
    CHECK_THROWS_WITH(CertificateAuthority::open("x", ca.key_pem()), Catch::Contains("CA certificate"));
    CHECK_THROWS_WITH(CertificateAuthority::open(ca.pem(), SecretBuffer{}), Catch::Contains("CA key"));
    const auto server = ca.issue_server({"a"}, now);
    CHECK_THROWS_WITH(CertificateAuthority::open(server.certificate_pem, server.key_pem),
                      Catch::Contains("not one of a CA"));
    CHECK_THROWS_WITH(ca.issue_server({"a,DNS:b"}, now), Catch::Contains("neither a host name"));
    CHECK_THROWS_WITH(ca.issue_server({""}, now), Catch::Contains("neither a host name"));
    CHECK_THROWS_WITH(ca.issue_server({"a:b"}, now), Catch::Contains("not an IP address"));
}

}  // namespace wattmesh::security
