#include "security/meter_pki.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "security/x509_build.h"
#include "security/x509_text.h"

namespace wattmesh::security {
namespace {

constexpr std::size_t request_size_max = 8'192, certificates_size_max = 65'536, certificates_max = 32;

/// The stack, not its certificates.
void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }

std::string common_name(const SystemTitle& title) { return to_hex(title.octets); }

std::optional<SystemTitle> title_of(const std::string& name) {
    const auto octets =
        name.size() == 16 && name.find(' ') == std::string::npos ? from_hex(name) : std::nullopt;
    SystemTitle title;
    if (!octets || octets->size() != title.octets.size()) return std::nullopt;
    std::copy(octets->begin(), octets->end(), title.octets.begin());
    return title;
}

Buffer public_key_of(EVP_PKEY* key) {
    std::array<std::uint8_t, 1 + 2 * 48> point{};
    std::size_t size = 0;
    check(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size),
          "public key");
    return {point.begin() + 1, point.begin() + static_cast<std::ptrdiff_t>(size)};
}

/// The certificates of a PEM text, or the one of a DER; empty when something else is among them.
std::vector<X509Handle> read_certificates(Bytes content) {
    std::vector<X509Handle> found;
    if (content.empty() || content.size() > certificates_size_max) return found;
    if (content.front() == 0x30) {
        if (auto one = x509_from_der(content)) found.push_back(std::move(one));
        return found;
    }
    const Bio bio = memory_bio(content);
    while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        found.emplace_back(one);
        if (found.size() > certificates_max) return {};
    }
    const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    openssl_errors();
    if (!ended) found.clear();
    return found;
}

/// The profile, but for the chain.
std::variant<DlmsCertificate, CertificateRefused> read_device(X509* certificate) {
    const auto facts = facts_of(certificate);
    const auto title = title_of(facts.common_name);
    if (!title) return CertificateRefused{"the common name is not a system title (16 hexadecimal digits)"};
    EVP_PKEY* key = X509_get0_pubkey(certificate);
    const auto curve = curve_of(key);
    if (!curve) return CertificateRefused{"the key is neither on P-256 nor on P-384"};
    if (X509_check_ca(certificate) != 0)
        return CertificateRefused{"it is the certificate of a CA, not of a device"};
    const bool limited = (X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) != 0;
    const auto usage = limited ? X509_get_key_usage(certificate) : 0;
    const bool signs = (usage & KU_DIGITAL_SIGNATURE) != 0, agrees = (usage & KU_KEY_AGREEMENT) != 0;
    if (signs == agrees)
        return CertificateRefused{"its key usage is not one of digitalSignature and keyAgreement"};
    return DlmsCertificate{.title = *title,
                           .use = signs ? CertificateUse::signature : CertificateUse::agreement,
                           .curve = *curve,
                           .serial = facts.serial,
                           .issuer = common_name_of(X509_get_issuer_name(certificate)),
                           .not_before = facts.not_before,
                           .not_after = facts.not_after,
                           .public_key = public_key_of(key),
                           .der = facts.der};
}

void sign_authority(X509* certificate, X509* issuer, EVP_PKEY* issuer_key, Curve issuer_curve,
                    const char* constraints) {
    extend(certificate, issuer, NID_basic_constraints, constraints);
    extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(certificate, issuer, NID_subject_key_identifier, "hash");
    if (certificate != issuer) extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
    check(X509_sign(certificate, issuer_key, digest_for(issuer_curve)), "certificate signature");
}

}  // namespace

std::string_view to_string(CertificateUse use) {
    return use == CertificateUse::signature ? "signature" : "agreement";
}

KeyAndRequest make_title_request(const SystemTitle& title, Curve curve) {
    const KeyHandle key = generate_key(curve);
    return request_for(key.get(), curve, common_name(title));
}

std::optional<SystemTitle> title_of_request(Bytes request) {
    if (request.size() > request_size_max) return std::nullopt;
    const RequestHandle parsed = read_request(request);
    if (!parsed) return std::nullopt;
    return title_of(common_name_of(X509_REQ_get_subject_name(parsed.get())));
}

KeyAndRequest title_request(const SystemTitle& title, const SecretBuffer& key_pem) {
    const KeyHandle key = key_from_pem(key_pem);
    const auto curve = key ? curve_of(key.get()) : std::nullopt;
    if (!curve) throw PkiError("the key is not a private key on P-256 or P-384");
    return request_for(key.get(), *curve, common_name(title));
}

std::optional<DlmsCertificate> read_device_certificate(Bytes der) {
    const X509Handle certificate = x509_from_der(der);
    if (!certificate) return std::nullopt;
    auto read = read_device(certificate.get());
    auto* device = std::get_if<DlmsCertificate>(&read);
    return device ? std::optional{std::move(*device)} : std::nullopt;
}

bool belongs(const SecretBuffer& key_pem, Bytes certificate_der) {
    const KeyHandle key = key_from_pem(key_pem);
    const X509Handle certificate = x509_from_der(certificate_der);
    const bool fits = key && certificate && X509_check_private_key(certificate.get(), key.get()) == 1;
    openssl_errors();
    return fits;
}

struct TrustAnchors::State {
    Handle<X509_STORE, X509_STORE_free> store{check(X509_STORE_new(), "trust store")};

    /// Empty when the first of `chain` leads to an anchor.
    std::string verify(const std::vector<X509Handle>& chain, Instant now) const {
        const Handle<X509_STORE_CTX, X509_STORE_CTX_free> context{
            check(X509_STORE_CTX_new(), "verification")};
        const Handle<STACK_OF(X509), free_stack> others{check(sk_X509_new_null(), "verification")};
        for (std::size_t i = 1; i < chain.size(); ++i)
            check(sk_X509_push(others.get(), chain[i].get()), "chain");
        check(X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), others.get()),
              "verification");
        const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
        X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
        X509_VERIFY_PARAM_set_time(rules, static_cast<time_t>(seconds));
        X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
        if (X509_verify_cert(context.get()) == 1) return {};
        const int code = X509_STORE_CTX_get_error(context.get());
        openssl_errors();
        return X509_verify_cert_error_string(code);
    }
};

TrustAnchors::TrustAnchors(const std::string& pem) : state_(std::make_unique<State>()) {
    const auto anchors = read_certificates(as_bytes(pem));
    if (anchors.empty()) throw PkiError("the trust anchors are not PEM text of X.509 certificates");
    for (const auto& anchor : anchors) {
        if (X509_check_ca(anchor.get()) < 1)
            throw PkiError("a trust anchor, " + common_name_of(X509_get_subject_name(anchor.get())) +
                           ", is not the certificate of a CA");
        check(X509_STORE_add_cert(state_->store.get(), anchor.get()), "trust anchor");
    }
    openssl_errors();
}
TrustAnchors::~TrustAnchors() = default;

std::variant<DlmsCertificate, CertificateRefused> TrustAnchors::check_device(Bytes content,
                                                                             Instant now) const {
    const auto chain = read_certificates(content);
    if (chain.empty()) return CertificateRefused{"it is neither PEM text nor DER of X.509 certificates"};
    auto device = read_device(chain.front().get());
    if (std::holds_alternative<CertificateRefused>(device)) return device;
    if (auto why = state_->verify(chain, now); !why.empty())
        return CertificateRefused{"it does not lead to a trust anchor: " + why};
    return device;
}

std::string TrustAnchors::check_authority(Bytes content, Instant now) const {
    const auto chain = read_certificates(content);
    if (chain.empty()) return "it is neither PEM text nor DER of X.509 certificates";
    if (X509_check_ca(chain.front().get()) < 1) return "it is not the certificate of a CA";
    const auto why = state_->verify(chain, now);
    return why.empty() ? why : "it does not lead to a trust anchor: " + why;
}

MeterAuthority::MeterAuthority(std::shared_ptr<evp_pkey_st> key, std::shared_ptr<x509_st> certificate,
                               Curve curve)
    : key_(std::move(key)), certificate_(std::move(certificate)), curve_(curve) {}

AuthorityFiles MeterAuthority::create_root(const std::string& name, Curve curve, Instant now) {
    const KeyHandle key = generate_key(curve);
    const NameHandle subject = name_of(name);
    const X509Handle own =
        blank_certificate(subject.get(), subject.get(), key.get(), now, authority_validity);
    sign_authority(own.get(), own.get(), key.get(), curve, "critical,CA:TRUE,pathlen:1");
    return {key_to_pem(key.get()), security::certificate_pem(x509_der(own.get()))};
}

AuthorityFiles MeterAuthority::create(const std::string& name, const AuthorityFiles& root, Instant now) {
    const auto authority = open(root.certificate_pem, root.key_pem);
    const KeyHandle key = generate_key(authority.curve_);
    X509* const issuer = authority.certificate_.get();
    const X509Handle own = blank_certificate(name_of(name).get(), X509_get_subject_name(issuer), key.get(),
                                             now, authority_validity - std::chrono::days{1});
    sign_authority(own.get(), issuer, authority.key_.get(), authority.curve_, "critical,CA:TRUE,pathlen:0");
    return {key_to_pem(key.get()), security::certificate_pem(x509_der(own.get()))};
}

KeyAndRequest MeterAuthority::request(const std::string& name, Curve curve) {
    const KeyHandle key = generate_key(curve);
    return request_for(key.get(), curve, name);
}

MeterAuthority MeterAuthority::open(const std::string& certificate_pem, const SecretBuffer& key_pem) {
    X509Handle certificate = x509_from_pem(certificate_pem);
    if (!certificate) throw PkiError("the meter CA's certificate is not PEM text of an X.509 certificate");
    KeyHandle key = key_from_pem(key_pem);
    if (!key) throw PkiError("the meter CA's key is not PEM text of an unencrypted private key");
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
        openssl_errors();
        throw PkiError("the meter CA's key does not belong to its certificate");
    }
    if (X509_check_ca(certificate.get()) < 1) throw PkiError("the meter CA's certificate is not one of a CA");
    const auto curve = curve_of(key.get());
    if (!curve) throw PkiError("the meter CA's key is neither on P-256 nor on P-384");
    return {std::move(key), std::move(certificate), *curve};
}

std::variant<DlmsCertificate, CertificateRefused> MeterAuthority::sign(Bytes request,
                                                                       const SystemTitle& expected,
                                                                       CertificateUse use,
                                                                       Instant now) const {
    if (request.size() > request_size_max)
        return CertificateRefused{"the certificate request is longer than 8192 octets"};
    const RequestHandle parsed = read_request(request);
    if (!parsed) return CertificateRefused{"the certificate request is not PKCS#10"};
    EVP_PKEY* key = X509_REQ_get0_pubkey(parsed.get());
    if (curve_of(key) != curve_)
        return CertificateRefused{
            std::string{"the key of the certificate request is not on this CA's curve, "} +
            (curve_ == Curve::p256 ? "P-256" : "P-384")};
    if (X509_REQ_verify(parsed.get(), key) != 1) {
        openssl_errors();
        return CertificateRefused{"the certificate request is not signed with its own key"};
    }
    if (title_of(common_name_of(X509_REQ_get_subject_name(parsed.get()))) != expected)
        return CertificateRefused{"the common name of the certificate request is not " +
                                  common_name(expected)};
    const Instant end = facts_of(certificate_.get()).not_after;
    const auto left = std::chrono::floor<std::chrono::days>(end - now);
    if (left < std::chrono::days{1})
        return CertificateRefused{"the meter CA's certificate has come to its end"};
    const X509Handle made =
        blank_certificate(name_of(common_name(expected)).get(), X509_get_subject_name(certificate_.get()),
                          key, now, std::min(left, device_validity));
    extend(made.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
    extend(made.get(), certificate_.get(), NID_key_usage,
           use == CertificateUse::signature ? "critical,digitalSignature" : "critical,keyAgreement");
    extend(made.get(), certificate_.get(), NID_subject_key_identifier, "hash");
    extend(made.get(), certificate_.get(), NID_authority_key_identifier, "keyid:always");
    check(X509_sign(made.get(), key_.get(), digest_for(curve_)), "certificate signature");
    return read_device(made.get());
}

}  // namespace wattmesh::security
