#pragma once
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "security/secret_buffer.h"

struct evp_pkey_st;
struct x509_st;

namespace wattmesh::security {

/// What a certificate says. Nothing here is checked: TlsSession and CertificateAuthority do that.
struct CertificateFacts {
    std::string common_name;  ///< empty unless there is exactly one
    std::string serial;       ///< upper-case hexadecimal, no leading zeros: the key of a revocation
    Instant not_before{}, not_after{};
    Buffer der;
};
std::optional<CertificateFacts> read_certificate(std::string_view pem);
std::optional<CertificateFacts> read_certificate(Bytes der);
std::string certificate_pem(Bytes der);
/// The PEM form of a PKCS#10 request.
std::string request_pem(Bytes der);

using Fingerprint = std::array<std::uint8_t, 32>;
/// SHA-256 over the DER form.
Fingerprint fingerprint(Bytes certificate_der);

/// Reasons an operator can act on: they name the file's content that does not fit, never key material.
struct PkiError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A new P-256 key and the PKCS#10 request for a certificate in the name of `number`.
struct KeyAndRequest {
    SecretBuffer key_pem;  ///< PKCS#8, not encrypted: keep it in a file of mode 0600
    std::string request_pem;
    Buffer request_der;
};
KeyAndRequest make_request(const DeviceNumber& number);

/// The key of a PEM text, to sign and agree with; its objects may be shared by threads. Null unless it is on
/// P-256 or P-384.
std::unique_ptr<PrivateKey> private_key_from_pem(const SecretBuffer& pem);

/// Certificate with its key, for a TLS server.
struct KeyAndCertificate {
    SecretBuffer key_pem;
    std::string certificate_pem;
};

/// Wattmesh's own small CA: signs one server certificate per head-end and one client certificate per
/// concentrator. Every certificate names its one purpose, so that a concentrator's certificate cannot pose as
/// a head-end.
class CertificateAuthority {
public:
    static constexpr std::chrono::days device_validity{90}, server_validity{825}, own_validity{3650};
    struct Refusal {
        std::string reason;
    };

    static CertificateAuthority create(const std::string& name, Instant now);
    /// Throws PkiError when either text does not parse or they do not belong together.
    static CertificateAuthority open(std::string_view certificate_pem, const SecretBuffer& key_pem);

    /// `names` are DNS names or IP addresses for subjectAltName, at least one.
    KeyAndCertificate issue_server(const std::vector<std::string>& names, Instant now) const;
    /// `request` is PKCS#10, DER or PEM, from the device. Its key must be P-256, its signature its own and
    /// its common name exactly `expected`; everything else in it is ignored. Valid from one day before `now`,
    /// for 90 days.
    std::variant<CertificateFacts, Refusal> sign(Bytes request, const DeviceNumber& expected,
                                                 Instant now) const;

    const std::string& pem() const { return pem_; }
    const Buffer& der() const { return der_; }
    SecretBuffer key_pem() const;

private:
    CertificateAuthority(std::shared_ptr<evp_pkey_st> key, std::shared_ptr<x509_st> certificate);
    std::shared_ptr<evp_pkey_st> key_;
    std::shared_ptr<x509_st> certificate_;
    std::string pem_;
    Buffer der_;
};

}  // namespace wattmesh::security
