#pragma once
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "security/meter_pki.h"

namespace wattmesh::headend::database {

struct StoredCertificate {
    DeviceNumber meter;
    security::CertificateUse use{};
    int suite = 0;
    std::string issuer, serial;
    Instant not_before{}, not_after{};
    Buffer der;
};

/// Table meter_certificate.
class MeterCertificates {
public:
    explicit MeterCertificates(Connection& connection) : connection_(connection) {}

    /// False when it is there already (same issuer and serial).
    bool put(MeterId meter, const security::DlmsCertificate& certificate, Instant now);
    /// The one to use: of those valid at `now`, what came last.
    std::optional<StoredCertificate> current(MeterId meter, security::CertificateUse use, int suite,
                                             Instant now);
    /// Ordered by meter, use, suite and time.
    std::vector<StoredCertificate> all();

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
