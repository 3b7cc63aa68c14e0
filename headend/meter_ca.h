#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "security/meter_pki.h"

namespace wattmesh::headend {

/// The folder (setting pki.meters) with everything about meters' certificates but the certificates of meters:
/// sub-CAs of suites 1 and 2, whom we trust, the head-end's own keys. Keys have mode 0600. Failures are
/// std::runtime_error or security::PkiError in words for the operator.
class MeterCa {
public:
    explicit MeterCa(std::filesystem::path folder);

    /// Makes a root and a sub-CA under it: for demonstrations, or a utility without a CA.
    void create(int suite, const std::string& name, Instant now);
    /// Makes the sub-CA's key and gives the request for its certificate, PEM.
    std::string request(int suite, const std::string& name);
    /// Takes what the utility's CA made of the request; `root` is trusted from now on.
    void install(int suite, const std::string& certificate_pem, const std::string& root_pem, Instant now);
    /// Trusts a manufacturer's root; certificates it signed can be imported.
    void trust(const std::string& pem);
    /// Makes a key of the head-end itself and gives the request for its certificate, PEM.
    std::string own_request(int suite, security::CertificateUse use);
    /// Keeps the certificate of a key that own_request made.
    void keep_own(const security::DlmsCertificate& certificate);

    /// The head-end's own key, once it has a certificate; else null. Any thread.
    std::shared_ptr<PrivateKey> own_key(int suite, security::CertificateUse use) const;

    /// By the sub-CA whose curve the request has.
    std::variant<security::DlmsCertificate, security::CertificateRefused> sign(Bytes request,
                                                                               const SystemTitle& title,
                                                                               security::CertificateUse use,
                                                                               Instant now) const;
    std::variant<security::DlmsCertificate, security::CertificateRefused> check(Bytes content,
                                                                                Instant now) const;
    /// The sub-CA's certificate and what is above it, PEM, to hand out with what it signed.
    std::string chain(int suite) const;

private:
    std::filesystem::path sub_file(int suite, const char* extension) const;
    std::filesystem::path own_file(int suite, security::CertificateUse use, const char* extension) const;
    std::string anchors() const;

    std::filesystem::path folder_;
};

}  // namespace wattmesh::headend
