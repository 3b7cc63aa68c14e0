#include "concentrator/program/identity.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "concentrator/program/enrolment.h"
#include "security/base64.h"
#include "security/private_file.h"
#include "tests/concentrator/journal/scratch.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
namespace fs = std::filesystem;

namespace {

const DeviceNumber self = *DeviceNumber::parse("900000000001"), other = *DeviceNumber::parse("900000000002");
const Instant now = at(1'700'000'000);

struct Office {
    security::CertificateAuthority ca = security::CertificateAuthority::create("test", now);
    security::SystemRandom random;
    security::OneTimeCode code = security::make_one_time_code(random, ca.der());
    security::KeyAndRequest request = security::make_request(self);

    std::string certificate(const DeviceNumber& number, Bytes csr) const {
        return security::certificate_pem(std::get<security::CertificateFacts>(ca.sign(csr, number, now)).der);
    }
    static std::string escaped(std::string text) {
        for (std::size_t i = 0; (i = text.find('\n', i)) != std::string::npos;) text.replace(i, 1, "\\n");
        return text;
    }
    std::string answer(const std::string& certificate_pem, const std::string& ca_pem,
                       const std::string& kek) const {
        return R"({"certificate":")" + escaped(certificate_pem) + R"(","ca":")" + escaped(ca_pem) +
               R"(","kek":")" + kek + R"(","renew_after_s":100})";
    }
};
const std::string kek = security::to_base64(Buffer(16, 7));

}  // namespace

TEST_CASE("enrolment: a good answer becomes an identity that survives", "[concentrator]") {
    const Office office;
    const Scratch scratch;
    const auto folder = fs::path{scratch.file("state")};
    IdentityFiles files(folder);
    CHECK_FALSE(files.number());
    CHECK_FALSE(files.load());
    const auto line =
        office.answer(office.certificate(self, office.request.request_der), office.ca.pem(), kek);
    files.store(enrolment_answer(line, self, office.code, office.request.key_pem));
    const auto identity = IdentityFiles(folder).load();
    REQUIRE(identity);
    CHECK(identity->number == self);
    CHECK(to_buffer(identity->kek.reveal()) == Buffer(16, 7));
    CHECK(uplink_context(identity->key_pem, identity->certificate_pem, identity->ca_pem));
    for (const auto& file : fs::directory_iterator(folder)) {
        CHECK((file.status().permissions() & (fs::perms::group_all | fs::perms::others_all)) ==
              fs::perms::none);
    }
    fs::remove(folder / "kek");
    CHECK_THROWS(files.load());
}

TEST_CASE("enrolment: every wrong answer is refused by name", "[concentrator]") {
    const Office office, stranger;
    const auto good = office.certificate(self, office.request.request_der);
    struct Row {
        const char* why;
        std::string line, says;
    };
    const std::vector<Row> rows{
        {"refusal", R"({"error":"the code has been used"})", "the code has been used"},
        {"no JSON", "HTTP/1.1 400", "not a JSON object"},
        {"nothing in it", "{}", "certificate"},
        {"other number",
         office.answer(office.certificate(other, security::make_request(other).request_der), office.ca.pem(),
                       kek),
         "not in the name of 900000000001"},
        {"other CA", office.answer(good, stranger.ca.pem(), kek), "not the one that the code names"},
        {"short key", office.answer(good, office.ca.pem(), security::to_base64(Buffer(15, 7))), "16 octets"},
        {"other key",
         office.answer(office.certificate(self, security::make_request(self).request_der), office.ca.pem(),
                       kek),
         ""},
    };
    for (const auto& row : rows) {
        DYNAMIC_SECTION(row.why) {
            CHECK_THROWS_WITH(enrolment_answer(row.line, self, office.code, office.request.key_pem),
                              Catch::Contains(row.says));
        }
    }
}

TEST_CASE("renewal: only a certificate for the last request's key, in our name, is taken", "[concentrator]") {
    const Office office;
    CertificateOffice renewals(self, office.ca.pem());
    const auto der = [&](const DeviceNumber& number, const Buffer& csr) {
        return std::get<security::CertificateFacts>(office.ca.sign(csr, number, now)).der;
    };
    CHECK_FALSE(renewals.accept(der(self, office.request.request_der)));  // nothing was asked for
    const Buffer first = renewals.request();
    const Buffer second = renewals.request();
    CHECK_FALSE(renewals.accept(der(self, first)));
    CHECK_FALSE(renewals.accept(Buffer{1, 2, 3}));
    CHECK_FALSE(renewals.accept(der(other, security::make_request(other).request_der)));
    const auto renewed = renewals.accept(der(self, second));
    REQUIRE(renewed);
    CHECK(uplink_context(renewed->key_pem, renewed->certificate_pem, office.ca.pem()));
}
