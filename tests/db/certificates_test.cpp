#include <catch2/catch.hpp>

#include "headend/database/meter_certificates.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using security::CertificateUse;

namespace {

security::DlmsCertificate make(const security::MeterAuthority& authority, int meter, CertificateUse use,
                               Instant now) {
    const auto title = system_title(customer(meter));
    const auto request = security::make_title_request(title, authority.curve());
    return std::get<security::DlmsCertificate>(authority.sign(request.request_der, title, use, now));
}

}  // namespace

TEST_CASE("certificates: are kept once, and the newest valid one of its use and suite is the one to use",
          "[db]") {
    Town town;
    const auto root = security::MeterAuthority::create_root("Utility", Curve::p256, midnight);
    const auto authority = security::MeterAuthority::open(root.certificate_pem, root.key_pem);
    const auto meter = Meters{town.admin}.find(system_title(customer(0))).value();
    CHECK(meter.number == customer(0));
    MeterCertificates certificates{town.admin};
    const auto first = make(authority, 0, CertificateUse::signature, midnight);
    const auto second = make(authority, 0, CertificateUse::signature, midnight + std::chrono::days{10});
    const auto agreement = make(authority, 0, CertificateUse::agreement, midnight);
    CHECK(certificates.put(meter.id, first, midnight));
    CHECK_FALSE(certificates.put(meter.id, first, midnight));
    CHECK(certificates.put(meter.id, second, midnight + std::chrono::hours{1}));
    CHECK(certificates.put(meter.id, agreement, midnight + std::chrono::hours{2}));

    MeterCertificates seen{town.monitor};
    const auto current = [&](Instant now, CertificateUse use = CertificateUse::signature, int suite = 1) {
        const auto found = seen.current(meter.id, use, suite, now);
        return found ? found->serial : "none";
    };
    CHECK(current(midnight) == first.serial);  // the second is not valid yet
    CHECK(current(midnight + std::chrono::days{20}) == second.serial);
    CHECK(current(midnight, CertificateUse::agreement) == agreement.serial);
    CHECK(current(midnight, CertificateUse::signature, 2) == "none");
    CHECK(current(second.not_after + std::chrono::seconds{1}) == "none");
    const auto all = seen.all();
    REQUIRE(all.size() == 3);
    CHECK(all[0].meter == customer(0));
    CHECK(all[0].der == agreement.der);
    CHECK(all[0].use == CertificateUse::agreement);
}

TEST_CASE("meters: are found by the title they have, derived or their own", "[db]") {
    Town town;
    Meters meters{town.admin};
    const SystemTitle foreign{{'K', 'F', 'M', 0x10, 0, 0, 0, 1}};
    meters.put({.number = customer(1), .concentrator = town.id, .installed = midnight, .title = foreign});
    CHECK(meters.find(foreign).value().number == customer(1));
    CHECK_FALSE(meters.find(system_title(customer(1))));  // it is no longer its title
    CHECK_FALSE(meters.find(system_title(customer(77))));
    CHECK_FALSE(meters.find(SystemTitle{{'K', 'F', 'M', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}));
}
