#include "security/meter_pki.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/security/folder.h"

namespace wattmesh::security {
namespace {

// A little later than what openssl makes in a test.
const Instant now =
    std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + std::chrono::hours{1};
const SystemTitle title = system_title(*DeviceNumber::parse("540000000001"));
const std::string name = to_hex(title.octets);

/// A folder in which the openssl command is the foreign peer.
struct Foreign : Folder {
    std::string at(const std::string& file) const { return (path / file).string(); }
    void save(const std::string& file, const std::string& text) const { put(path / file, as_bytes(text)); }
    Buffer content(const std::string& file) const { return content_of(path / file); }
    bool openssl(const std::string& words) const {
        return std::system(("cd " + path.string() + " && openssl " + words + " >out.log 2>&1").c_str()) ==
               0;  // NOLINT
    }
    /// A meter's request, made by openssl.
    Buffer request(const std::string& curve, const std::string& subject,
                   const std::string& file = "meter") const {
        REQUIRE(openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:" + curve + " -nodes -keyout " +
                        file + ".key -subj " + subject + " -out " + file + ".csr"));
        return content(file + ".csr");
    }
    /// A certificate that openssl's root (root.pem, root.key) signs, with extensions of one's own.
    Buffer issue(const std::string& curve, const std::string& subject, const std::string& extensions,
                 const std::string& more = "-days 30") const {
        request(curve, subject);
        save("ext", extensions);
        REQUIRE(openssl("x509 -req -in meter.csr -CA root.pem -CAkey root.key -extfile ext -out meter.pem " +
                        more));
        return content("meter.pem");
    }
    void make_root() const {
        REQUIRE(
            openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout root.key -subj "
                    "/CN=Maker -days 60 -addext keyUsage=critical,keyCertSign -out root.pem"));
    }
    TrustAnchors anchors() const {
        const auto pem = content("root.pem");
        return TrustAnchors{std::string{pem.begin(), pem.end()}};
    }
};

std::string reason(const std::variant<DlmsCertificate, CertificateRefused>& outcome) {
    const auto* refused = std::get_if<CertificateRefused>(&outcome);
    return refused != nullptr ? refused->reason : "";
}

const std::string signs =
                      "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                      "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
                  agrees =
                      "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,keyAgreement\n"
                      "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";

}  // namespace

TEST_CASE("meter pki: signs a meter's request, and the openssl command follows the chain to the root",
          "[security]") {
    const auto curve = GENERATE(Curve::p256, Curve::p384);
    const auto use = GENERATE(CertificateUse::signature, CertificateUse::agreement);
    const Foreign foreign;
    const auto root = MeterAuthority::create_root("Utility", curve, now);
    const auto sub = MeterAuthority::create("Meters", root, now);
    const auto authority = MeterAuthority::open(sub.certificate_pem, sub.key_pem);
    const auto request = foreign.request(curve == Curve::p256 ? "P-256" : "P-384", "/CN=" + name);
    const auto made = std::get<DlmsCertificate>(authority.sign(request, title, use, now));
    CHECK(made.title == title);
    CHECK(made.use == use);
    CHECK(made.suite() == (curve == Curve::p256 ? 1 : 2));
    CHECK(made.public_key.size() == 2 * coordinate_size(curve));
    CHECK(made.issuer == "Meters");

    foreign.save("root.pem", root.certificate_pem);
    foreign.save("sub.pem", sub.certificate_pem);
    foreign.save("leaf.pem", certificate_pem(made.der));
    CHECK(foreign.openssl("verify -x509_strict -CAfile root.pem -untrusted sub.pem leaf.pem"));
    CHECK_FALSE(foreign.openssl("verify -x509_strict -CAfile root.pem leaf.pem"));
    // The key in the certificate is the one that openssl made.
    REQUIRE(foreign.openssl("ec -in meter.key -pubout -out a.pub"));
    REQUIRE(foreign.openssl("x509 -in leaf.pem -noout -pubkey"));
    CHECK(foreign.content("out.log") == foreign.content("a.pub"));
    const auto key = foreign.content("meter.key");
    CHECK(belongs(SecretBuffer{Bytes{key}}, made.der));
    CHECK_FALSE(belongs(sub.key_pem, made.der));

    const TrustAnchors anchors{root.certificate_pem};
    const auto chain = certificate_pem(made.der) + sub.certificate_pem;
    CHECK(reason(anchors.check_device(as_bytes(chain), now)).empty());
    CHECK(std::get<DlmsCertificate>(anchors.check_device(as_bytes(chain), now)).serial == made.serial);
    CHECK_THAT(reason(anchors.check_device(made.der, now)),
               Catch::Contains("trust anchor"));  // no sub-CA with it
    CHECK(anchors.check_authority(as_bytes(sub.certificate_pem), now).empty());
    CHECK_THAT(anchors.check_authority(as_bytes(chain), now), Catch::Contains("not the certificate of a CA"));
}

TEST_CASE("meter pki: a request that is not what was expected is refused, and the reason said",
          "[security]") {
    const Foreign foreign;
    const auto root = MeterAuthority::create_root("Utility", Curve::p256, now);
    const auto authority = MeterAuthority::open(root.certificate_pem, root.key_pem);
    const auto refusal = [&](const Buffer& request) {
        return reason(authority.sign(request, title, CertificateUse::signature, now));
    };
    auto good = foreign.request("P-256", "/CN=" + name);
    CHECK(refusal(good).empty());
    CHECK_THAT(refusal(foreign.request("P-384", "/CN=" + name)), Catch::Contains("P-256"));
    CHECK_THAT(refusal(foreign.request("P-256", "/CN=574D540000000002")), Catch::Contains(name));
    CHECK_THAT(refusal(foreign.request("P-256", "/CN=540000000001")), Catch::Contains(name));
    CHECK_THAT(refusal(foreign.request("P-256", "/CN=" + name + "/CN=" + name)), Catch::Contains(name));
    CHECK_THAT(refusal(Buffer(9'000)), Catch::Contains("8192"));
    REQUIRE(foreign.openssl("req -in meter.csr -outform DER -out meter.der"));
    auto der = make_title_request(title, Curve::p256).request_der;
    CHECK(refusal(der).empty());
    for (std::size_t size = 0; size < der.size(); ++size)
        CHECK_FALSE(
            reason(authority.sign(Bytes{der}.first(size), title, CertificateUse::signature, now)).empty());
    der.back() ^= 1;
    CHECK_FALSE(refusal(der).empty());
    REQUIRE(
        foreign.openssl("req -new -newkey rsa:2048 -nodes -keyout r.key -subj /CN=" + name + " -out r.csr"));
    CHECK_THAT(refusal(foreign.content("r.csr")), Catch::Contains("curve"));
    const auto late = now + MeterAuthority::authority_validity;
    CHECK_THAT(reason(authority.sign(make_title_request(title, Curve::p256).request_der, title,
                                     CertificateUse::signature, late)),
               Catch::Contains("end"));
    const auto last_year = now + MeterAuthority::authority_validity - std::chrono::days{100};
    const auto shortened = std::get<DlmsCertificate>(authority.sign(
        make_title_request(title, Curve::p256).request_der, title, CertificateUse::signature, last_year));
    CHECK(shortened.not_after <= now + MeterAuthority::authority_validity);
}

TEST_CASE("meter pki: a sub-CA that openssl signed works, one that is none is refused", "[security]") {
    const Foreign foreign;
    foreign.make_root();
    const auto asked = MeterAuthority::request("Meters", Curve::p384);
    foreign.save("sub.csr", asked.request_pem);
    foreign.save("ext",
                 "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
                 "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
    REQUIRE(foreign.openssl(
        "x509 -req -in sub.csr -CA root.pem -CAkey root.key -extfile ext -days 30 -out sub.pem"));
    const auto sub = foreign.content("sub.pem");
    const auto anchors = foreign.anchors();
    CHECK(anchors.check_authority(sub, now).empty());
    const auto authority = MeterAuthority::open({sub.begin(), sub.end()}, asked.key_pem);
    CHECK(authority.curve() == Curve::p384);
    const auto made = std::get<DlmsCertificate>(
        authority.sign(foreign.request("P-384", "/CN=" + name), title, CertificateUse::agreement, now));
    foreign.save("leaf.pem", certificate_pem(made.der));
    CHECK(foreign.openssl("verify -x509_strict -CAfile root.pem -untrusted sub.pem leaf.pem"));
    CHECK(made.not_after <= now + std::chrono::days{31});

    foreign.save("ext", signs);
    REQUIRE(foreign.openssl(
        "x509 -req -in sub.csr -CA root.pem -CAkey root.key -extfile ext -days 30 -out no.pem"));
    const auto none = foreign.content("no.pem");
    CHECK_THAT(anchors.check_authority(none, now), Catch::Contains("not the certificate of a CA"));
    CHECK_THROWS_AS(MeterAuthority::open({none.begin(), none.end()}, asked.key_pem), PkiError);
    CHECK_THROWS_WITH(
        MeterAuthority::open({sub.begin(), sub.end()}, make_title_request(title, Curve::p384).key_pem),
        Catch::Contains("does not belong"));
}

TEST_CASE(
    "meter pki: a manufacturer's certificate is taken when it keeps to the profile, by chain, time and use",
    "[security]") {
    const Foreign foreign;
    foreign.make_root();
    const auto anchors = foreign.anchors();
    const auto check = [&](const Buffer& content, Instant at = now) {
        return reason(anchors.check_device(content, at));
    };
    const auto good = foreign.issue("P-256", "/O=Maker/CN=" + name, signs);
    const auto taken = std::get<DlmsCertificate>(anchors.check_device(good, now));
    CHECK(taken.title == title);
    CHECK(taken.use == CertificateUse::signature);
    CHECK(taken.issuer == "Maker");
    CHECK(check(foreign.issue("P-384", "/CN=" + name, agrees)).empty());
    CHECK_THAT(check(good, now + std::chrono::days{31}), Catch::Contains("expired"));
    CHECK_THAT(check(good, now - std::chrono::days{1}), Catch::Contains("not yet valid"));
    CHECK_THAT(check(foreign.issue("P-521", "/CN=" + name, signs)), Catch::Contains("P-384"));
    CHECK_THAT(check(foreign.issue("P-256", "/CN=meter1", signs)), Catch::Contains("system title"));
    CHECK_THAT(check(foreign.issue("P-256", "/O=" + name, signs)), Catch::Contains("system title"));
    CHECK_THAT(check(foreign.issue("P-256", "/CN=" + name, "basicConstraints=critical,CA:FALSE\n")),
               Catch::Contains("key usage"));
    CHECK_THAT(
        check(foreign.issue("P-256", "/CN=" + name,
                            "basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature,keyAgreement\n")),
        Catch::Contains("key usage"));
    CHECK_THAT(check(foreign.issue("P-256", "/CN=" + name,
                                   "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")),
               Catch::Contains("CA"));
    CHECK_THAT(reason(TrustAnchors{MeterAuthority::create_root("Other", Curve::p256, now).certificate_pem}
                          .check_device(good, now)),
               Catch::Contains("trust anchor"));

    REQUIRE(foreign.openssl("x509 -in meter.pem -outform DER -out meter.der"));
    foreign.issue("P-256", "/CN=" + name, signs);
    REQUIRE(foreign.openssl("x509 -in meter.pem -outform DER -out meter.der"));
    auto der = foreign.content("meter.der");
    CHECK(check(der).empty());
    for (std::size_t size = 0; size < der.size(); ++size)
        CHECK_FALSE(check({der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size)}).empty());
    der.back() ^= 1;  // the signature
    CHECK_FALSE(check(der).empty());
    CHECK_THAT(check(to_buffer(as_bytes("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))),
               Catch::Contains("neither"));
    CHECK_THROWS_AS(TrustAnchors{"nothing"}, PkiError);
    CHECK_THROWS_WITH((TrustAnchors{std::string{good.begin(), good.end()}}),
                      Catch::Contains("not the certificate of a CA"));
}

}  // namespace wattmesh::security
