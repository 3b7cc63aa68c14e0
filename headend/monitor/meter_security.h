#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "headend/database/keys.h"
#include "headend/database/meters.h"
#include "headend/monitor/key_service.h"
#include "protocol/dlms/security.h"
#include "security/master_key.h"
#include "security/meter_pki.h"

namespace wattmesh::headend::monitor {

/// What protects the associations of the management client with a meter, from the database and from the
/// head-end's own keys. Any thread, with a connection of its own.
class MeterSecurity {
public:
    /// The head-end's own static key of a suite; null when there is none with a certificate. Any thread.
    using OwnKey = std::function<std::shared_ptr<PrivateKey>(int suite, security::CertificateUse use)>;
    /// The references outlive this object; `random` is thread safe.
    MeterSecurity(const security::MasterKey& master, OwnKey own_key, Random& random)
        : master_(master), own_key_(std::move(own_key)), random_(random) {}

    /// Nothing when one is missing, does not unwrap or is not of the meter's suite.
    std::optional<dlms::ClientKeys> keys(database::Connection& connection,
                                         const database::Meter& meter) const;
    /// Suite, form of the association, HLS secret and, where the form needs them, both ends' certified keys.
    /// Faults: no_key (the HLS secret, or the master key that wraps one-time keys), no_certificate.
    std::variant<dlms::SecuritySettings, KeyFault> of(database::Connection& connection,
                                                      const database::Meter& meter, Instant now) const;
    const security::MasterKey& master() const { return master_; }

private:
    std::optional<security::SecretBuffer> open(database::Connection& connection, const database::Meter& meter,
                                               database::KeyPurpose purpose) const;
    /// False when a certificate is missing.
    bool certify(database::Connection& connection, const database::Meter& meter, Instant now,
                 dlms::SecuritySettings& settings) const;

    const security::MasterKey& master_;
    OwnKey own_key_;
    Random& random_;
};

}  // namespace wattmesh::headend::monitor
