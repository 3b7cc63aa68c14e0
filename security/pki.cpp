#include "security/pki.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cassert>

#include "security/x509_build.h"
#include "security/x509_text.h"

namespace wattmesh::security {

namespace {

constexpr std::size_t request_size_max = 4'096;
constexpr auto name_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-*";
void finish(X509* certificate, X509* issuer, EVP_PKEY* issuer_key, const char* purpose) {
    extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(certificate, issuer, NID_key_usage, "critical,digitalSignature");
    extend(certificate, issuer, NID_ext_key_usage, purpose);
    extend(certificate, issuer, NID_subject_key_identifier, "hash");
    extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
    check(X509_sign(certificate, issuer_key, EVP_sha256()), "certificate signature");
}

}  // namespace

std::optional<CertificateFacts> read_certificate(std::string_view pem) {
    const X509Handle certificate = x509_from_pem(pem);
    if (!certificate) return std::nullopt;
    return facts_of(certificate.get());
}

std::optional<CertificateFacts> read_certificate(Bytes der) {
    const X509Handle certificate = x509_from_der(der);
    if (!certificate) return std::nullopt;
    return facts_of(certificate.get());
}

std::string certificate_pem(Bytes der) {
    const X509Handle certificate = x509_from_der(der);
    if (!certificate) throw PkiError("not a certificate in DER form");
    const Bio bio{check(BIO_new(BIO_s_mem()), "memory bio")};
    check(PEM_write_bio_X509(bio.get(), certificate.get()), "certificate encoding");
    return bio_text(bio.get());
}

std::string request_pem(Bytes der) {
    const RequestHandle request = read_request(der);
    if (!request) throw PkiError("not a certificate request");
    const Bio bio{check(BIO_new(BIO_s_mem()), "memory bio")};
    check(PEM_write_bio_X509_REQ(bio.get(), request.get()), "certificate request");
    return bio_text(bio.get());
}

Fingerprint fingerprint(Bytes certificate_der) { return sha256(certificate_der); }

KeyAndRequest make_request(const DeviceNumber& number) {
    const KeyHandle key = generate_key(Curve::p256);
    return request_for(key.get(), Curve::p256, to_string(number));
}

CertificateAuthority::CertificateAuthority(std::shared_ptr<evp_pkey_st> key,
                                           std::shared_ptr<x509_st> certificate)
    : key_(std::move(key)),
      certificate_(std::move(certificate)),
      pem_(certificate_pem(x509_der(certificate_.get()))),
      der_(x509_der(certificate_.get())) {}

CertificateAuthority CertificateAuthority::create(const std::string& name, Instant now) {
    KeyHandle key = generate_key(Curve::p256);
    const NameHandle subject = name_of(name);
    X509Handle own = blank_certificate(subject.get(), subject.get(), key.get(), now, own_validity);
    extend(own.get(), own.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(own.get(), own.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(own.get(), own.get(), NID_subject_key_identifier, "hash");
    check(X509_sign(own.get(), key.get(), EVP_sha256()), "certificate signature");
    return {std::move(key), std::move(own)};
}

CertificateAuthority CertificateAuthority::open(std::string_view certificate_pem,
                                                const SecretBuffer& key_pem) {
    X509Handle certificate = x509_from_pem(certificate_pem);
    if (!certificate) throw PkiError("the CA certificate is not PEM text of an X.509 certificate");
    KeyHandle key = key_from_pem(key_pem);
    if (!key) throw PkiError("the CA key is not PEM text of an unencrypted private key");
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
        openssl_errors();
        throw PkiError("the CA key does not belong to the CA certificate");
    }
    if (X509_check_ca(certificate.get()) < 1) throw PkiError("the CA certificate is not one of a CA");
    return {std::move(key), std::move(certificate)};
}

SecretBuffer CertificateAuthority::key_pem() const { return key_to_pem(key_.get()); }

KeyAndCertificate CertificateAuthority::issue_server(const std::vector<std::string>& names,
                                                     Instant now) const {
    assert(!names.empty());
    std::string alternatives;
    for (const auto& name : names) {
        if (name.empty() || name.find_first_not_of(name_characters) != std::string::npos) {
            throw PkiError("\"" + name + "\" is neither a host name nor an IP address");
        }
        std::array<std::uint8_t, 16> address{};
        const bool is_address = inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
                                inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
        if (!is_address && name.find(':') != std::string::npos)
            throw PkiError("\"" + name + "\" is not an IP address");
        alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address ? "IP:" : "DNS:") + name;
    }
    const KeyHandle key = generate_key(Curve::p256);
    const X509Handle own =
        blank_certificate(name_of("Wattmesh head-end").get(), X509_get_subject_name(certificate_.get()),
                          key.get(), now, server_validity);
    extend(own.get(), certificate_.get(), NID_subject_alt_name, alternatives);
    finish(own.get(), certificate_.get(), key_.get(), "serverAuth");
    return {.key_pem = key_to_pem(key.get()),
            .certificate_pem = security::certificate_pem(x509_der(own.get()))};
}

std::variant<CertificateFacts, CertificateAuthority::Refusal> CertificateAuthority::sign(
    Bytes request, const DeviceNumber& expected, Instant now) const {
    if (request.size() > request_size_max) return Refusal{"certificate request is longer than 4096 octets"};
    const RequestHandle parsed = read_request(request);
    if (!parsed) return Refusal{"certificate request is not PKCS#10"};
    EVP_PKEY* key = X509_REQ_get0_pubkey(parsed.get());
    if (curve_of(key) != Curve::p256) return Refusal{"key of the certificate request is not on P-256"};
    if (X509_REQ_verify(parsed.get(), key) != 1) {
        openssl_errors();
        return Refusal{"certificate request is not signed with its own key"};
    }
    if (common_name_of(X509_REQ_get_subject_name(parsed.get())) != to_string(expected)) {
        return Refusal{"common name of the certificate request is not " + to_string(expected)};
    }
    const X509Handle signed_certificate =
        blank_certificate(name_of(to_string(expected)).get(), X509_get_subject_name(certificate_.get()), key,
                          now, device_validity);
    finish(signed_certificate.get(), certificate_.get(), key_.get(), "clientAuth");
    return facts_of(signed_certificate.get());
}

}  // namespace wattmesh::security
