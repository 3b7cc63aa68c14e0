#pragma once
#include <filesystem>
#include <memory>
#include <optional>

#include "security/pki.h"
#include "security/tls.h"

namespace wattmesh::concentrator {

/// Who this concentrator is: what enrolment brought.
struct Identity {
    DeviceNumber number;
    security::SecretBuffer key_pem;
    std::string certificate_pem, ca_pem;
    Key128 kek;
};

/// The identity's files in the state folder, each 0600 and replaced whole: `number`, `ca.pem`, `kek`, and
/// `identity.pem` with key and certificate together, so that no crash separates them. Throws
/// security::FileError.
class IdentityFiles {
public:
    /// Makes the folder (0700) when it is not there.
    explicit IdentityFiles(std::filesystem::path folder);

    /// The number of an earlier start; nothing when there was none.
    std::optional<DeviceNumber> number() const;
    /// Nothing before enrolment. Throws when a part is damaged, and says what to do.
    std::optional<Identity> load() const;
    void store(const Identity& identity);
    void store_certificate(const security::SecretBuffer& key_pem, const std::string& certificate_pem);
    std::filesystem::path journal() const { return folder_ / "journal.sqlite"; }

private:
    std::filesystem::path folder_;
};

/// Renews the certificate over the uplink: a new key each time; nothing replaces the old one before the
/// certificate has come.
class CertificateOffice {
public:
    CertificateOffice(DeviceNumber number, std::string ca_pem)
        : number_(number), ca_pem_(std::move(ca_pem)) {}
    /// PKCS#10 DER over a fresh key.
    Buffer request();
    /// Key and certificate, if the certificate is for the key of the last request and in our name.
    std::optional<security::KeyAndCertificate> accept(Bytes certificate_der) const;

private:
    DeviceNumber number_;
    std::string ca_pem_;
    std::optional<security::KeyAndRequest> pending_;
};

/// TLS context of the uplink; throws security::PkiError when the parts do not belong together.
std::shared_ptr<const security::TlsContext> uplink_context(const security::SecretBuffer& key_pem,
                                                           const std::string& certificate_pem,
                                                           const std::string& ca_pem);

}  // namespace wattmesh::concentrator
