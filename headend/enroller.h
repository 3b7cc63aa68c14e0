#pragma once
#include <memory>

#include "headend/database/query_queue.h"
#include "headend/frontend/enrolment.h"
#include "headend/frontend/ports.h"
#include "security/master_key.h"
#include "security/pki.h"

namespace wattmesh::headend {

/// Certificates of concentrators: the first by one-time code, the later ones over the uplink. Signing and
/// storing run on the queue's threads, in one transaction, so that a failure gives the code back.
class ConcentratorCertificates : public frontend::Enroller, public frontend::Renewals {
public:
    /// `enrolled` runs on the loop after a success.
    ConcentratorCertificates(database::QueryQueue& queue,
                             std::shared_ptr<const security::CertificateAuthority> authority,
                             const security::MasterKey& master, Random& random,
                             std::function<void(DeviceNumber)> enrolled);

    void enrol(frontend::EnrolmentRequest request, Instant now,
               std::function<void(frontend::EnrolmentAnswer)> done) override;
    void renew(DeviceNumber concentrator, Buffer request, Instant now,
               std::function<void(std::optional<Buffer>)> done) override;

private:
    database::QueryQueue& queue_;
    std::shared_ptr<const security::CertificateAuthority> authority_;
    const security::MasterKey& master_;
    Random& random_;
    std::function<void(DeviceNumber)> enrolled_;
};

}  // namespace wattmesh::headend
