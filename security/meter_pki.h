#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/cipher.h"
#include "security/pki.h"

/// Certificates of DLMS security suites 1 (P-256) and 2 (P-384), for meters and for the head-end as their
/// client. Profile: the subject's common name is the system title, 16 upper-case hexadecimal digits; a
/// certificate is for signing (key usage digitalSignature) or for key agreement (keyAgreement), never both.
/// Source: Green Book (DLMS UA 1000-2) ed. 10, 9.2.6; RFC 5280.
namespace wattmesh::security {

enum class CertificateUse : std::uint8_t { signature, agreement };
std::string_view to_string(CertificateUse use);

struct DlmsCertificate {
    SystemTitle title;
    CertificateUse use{};
    Curve curve{};
    std::string serial;  ///< upper-case hexadecimal
    std::string issuer;  ///< common name of who signed it
    Instant not_before{}, not_after{};
    Buffer public_key;  ///< x || y
    Buffer der;
    /// 1 or 2.
    int suite() const { return curve == Curve::p256 ? 1 : 2; }
};

struct CertificateRefused {
    std::string reason;
};

/// A new key and a request for a certificate in the name of `title`.
KeyAndRequest make_title_request(const SystemTitle& title, Curve curve);
/// A request in the name of `title` for a key that is there. Throws PkiError when it is no key on a curve of
/// ours.
KeyAndRequest title_request(const SystemTitle& title, const SecretBuffer& key_pem);
/// In whose name a request is, PKCS#10; nothing when it is none or names no system title.
std::optional<SystemTitle> title_of_request(Bytes request);
/// What a device's certificate (DER) says, when it keeps to the profile. Who signed it is not looked at: for
/// one that check_device() took before.
std::optional<DlmsCertificate> read_device_certificate(Bytes der);
/// Whether a private key belongs to a certificate.
bool belongs(const SecretBuffer& key_pem, Bytes certificate_der);

/// Whom we believe: the roots of the utility and of meters' manufacturers.
class TrustAnchors {
public:
    /// `pem`: certificates of CAs, one after another. Throws PkiError when there is none, or something else.
    explicit TrustAnchors(const std::string& pem);
    ~TrustAnchors();
    TrustAnchors(const TrustAnchors&) = delete;
    TrustAnchors& operator=(const TrustAnchors&) = delete;

    /// A device's certificate, PEM (with sub-CAs behind it, if any) or DER: it must chain to an anchor, be
    /// valid at `now` and keep to the profile above.
    std::variant<DlmsCertificate, CertificateRefused> check_device(Bytes content, Instant now) const;
    /// A sub-CA's certificate, likewise; the reason when it is not one, empty when it is.
    std::string check_authority(Bytes content, Instant now) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A certificate with its key, of a CA.
struct AuthorityFiles {
    SecretBuffer key_pem;
    std::string certificate_pem;
};

/// The sub-CA that signs meters' certificates (and the head-end's own). Its root is the utility's; for
/// demonstrations one is made here.
class MeterAuthority {
public:
    static constexpr std::chrono::days device_validity{3'650}, authority_validity{7'300};

    /// A root of its own.
    static AuthorityFiles create_root(const std::string& name, Curve curve, Instant now);
    /// A sub-CA under `root`, on its curve, which may sign devices and no further CA.
    static AuthorityFiles create(const std::string& name, const AuthorityFiles& root, Instant now);
    /// Key and request for a sub-CA that somebody else's root signs.
    static KeyAndRequest request(const std::string& name, Curve curve);
    /// Throws PkiError when either text does not parse or they do not belong together.
    static MeterAuthority open(const std::string& certificate_pem, const SecretBuffer& key_pem);

    /// `request` is PKCS#10, DER or PEM. Its key must be on this CA's curve, its signature its own and its
    /// common name `expected`; everything else in it is ignored. Never outlives the CA's certificate.
    std::variant<DlmsCertificate, CertificateRefused> sign(Bytes request, const SystemTitle& expected,
                                                           CertificateUse use, Instant now) const;
    Curve curve() const { return curve_; }

private:
    MeterAuthority(std::shared_ptr<evp_pkey_st> key, std::shared_ptr<x509_st> certificate, Curve curve);
    std::shared_ptr<evp_pkey_st> key_;
    std::shared_ptr<x509_st> certificate_;
    Curve curve_;
};

}  // namespace wattmesh::security
