#include "headend/monitor/meter_security.h"

#include "headend/database/meter_certificates.h"
#include "headend/database/shipped_device.h"
#include "headend/monitor/sealed_keys.h"

namespace wattmesh::headend::monitor {

using database::KeyPurpose;
using security::CertificateUse;

std::optional<security::SecretBuffer> MeterSecurity::open(database::Connection& connection,
                                                          const database::Meter& meter,
                                                          KeyPurpose purpose) const {
    const auto sealed = database::Keys{connection}.find(meter.id, purpose);
    return sealed ? master_.unwrap(purpose_of(meter.number, purpose), *sealed) : std::nullopt;
}

std::optional<dlms::ClientKeys> MeterSecurity::keys(database::Connection& connection,
                                                    const database::Meter& meter) const {
    const std::size_t size = dlms::key_size(static_cast<dlms::Suite>(meter.suite));
    const auto key = [&](KeyPurpose purpose) -> std::optional<SymmetricKey> {
        const auto plain = open(connection, meter, purpose);
        return plain && plain->reveal().size() == size ? SymmetricKey::from(plain->reveal()) : std::nullopt;
    };
    const auto encryption = key(KeyPurpose::management_ek), authentication = key(KeyPurpose::management_ak);
    if (!encryption || !authentication) return std::nullopt;
    dlms::ClientKeys keys{*encryption, *authentication};
    if (meter.form.framing == dlms::Framing::wrapped_key) {
        keys.master = key(KeyPurpose::master);
        if (!keys.master) return std::nullopt;
    }
    return keys;
}

std::variant<dlms::SecuritySettings, KeyFault> MeterSecurity::of(database::Connection& connection,
                                                                 const database::Meter& meter,
                                                                 Instant now) const {
    dlms::SecuritySettings settings;
    settings.suite = static_cast<dlms::Suite>(meter.suite);
    settings.random = &random_;
    meter.form.apply(settings);
    if (meter.form.needs_secret()) {
        const auto stored = open(connection, meter, KeyPurpose::management_secret);
        const auto secret = stored ? database::unpadded(stored->reveal()) : std::nullopt;
        if (!secret) return KeyFault::no_key;
        settings.secret = to_buffer(*secret);
    }
    if (meter.form.needs_certificates() && !certify(connection, meter, now, settings))
        return KeyFault::no_certificate;
    return settings;
}

bool MeterSecurity::certify(database::Connection& connection, const database::Meter& meter, Instant now,
                            dlms::SecuritySettings& settings) const {
    const auto peer_key = [&](CertificateUse use) -> Buffer {
        const auto stored = database::MeterCertificates{connection}.current(meter.id, use, meter.suite, now);
        const auto read = stored ? security::read_device_certificate(stored->der) : std::nullopt;
        return read && read->title == meter.title ? read->public_key : Buffer{};
    };
    settings.signing_key = own_key_(meter.suite, CertificateUse::signature);
    settings.peer_signing_key = peer_key(CertificateUse::signature);
    if (!settings.signing_key || settings.peer_signing_key.empty()) return false;
    if (meter.form.framing < dlms::Framing::one_pass_dh) return true;
    settings.agreement_key = own_key_(meter.suite, CertificateUse::agreement);
    settings.peer_agreement_key = peer_key(CertificateUse::agreement);
    return settings.agreement_key && !settings.peer_agreement_key.empty();
}

}  // namespace wattmesh::headend::monitor
