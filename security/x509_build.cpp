#include "security/x509_build.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "security/x509_text.h"

namespace wattmesh::security {

KeyHandle generate_key(Curve curve) {
    return KeyHandle{check(EVP_EC_gen(curve == Curve::p256 ? "P-256" : "P-384"), "key generation")};
}

std::optional<Curve> curve_of(EVP_PKEY* key) {
    char group[32] = {};
    std::size_t size = 0;
    const bool known =
        key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &size) > 0;
    if (!known) openssl_errors();
    const std::string_view name{group};
    if (known && name == "prime256v1") return Curve::p256;
    if (known && name == "secp384r1") return Curve::p384;
    return std::nullopt;
}

const EVP_MD* digest_for(Curve curve) { return curve == Curve::p256 ? EVP_sha256() : EVP_sha384(); }

NameHandle name_of(const std::string& common_name) {
    NameHandle name{check(X509_NAME_new(), "subject")};
    check(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8, as_bytes(common_name).data(),
                                     static_cast<int>(common_name.size()), -1, 0),
          "subject");
    return name;
}

static void set_time(ASN1_TIME* time, Instant at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    check(ASN1_TIME_set(time, static_cast<time_t>(seconds)), "certificate time");
}

X509Handle blank_certificate(const X509_NAME* subject, const X509_NAME* issuer, EVP_PKEY* key, Instant now,
                             std::chrono::days validity) {
    X509Handle certificate{check(X509_new(), "certificate")};
    std::array<std::uint8_t, 16> serial{};
    check(RAND_bytes(serial.data(), static_cast<int>(serial.size())), "certificate serial");
    serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7F) | 0x40);
    const Handle<BIGNUM, BN_free> number{BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr)};
    check(X509_set_version(certificate.get(), X509_VERSION_3), "certificate version");
    check(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())), "certificate serial");
    check(X509_set_subject_name(certificate.get(), subject), "subject");
    check(X509_set_issuer_name(certificate.get(), issuer), "issuer");
    check(X509_set_pubkey(certificate.get(), key), "certificate key");
    set_time(X509_getm_notBefore(certificate.get()), now - std::chrono::days{1});  // clocks differ
    set_time(X509_getm_notAfter(certificate.get()), now + validity);
    return certificate;
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension{
        check(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), "certificate extension")};
    check(X509_add_ext(certificate, extension.get(), -1), "certificate extension");
}

RequestHandle read_request(Bytes request) {
    const unsigned char* at = request.data();
    RequestHandle parsed{d2i_X509_REQ(nullptr, &at, static_cast<long>(request.size()))};
    if (!parsed) {
        const Bio bio = memory_bio(request);
        parsed.reset(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
    }
    openssl_errors();
    return parsed;
}

KeyAndRequest request_for(EVP_PKEY* key, Curve curve, const std::string& common_name) {
    const RequestHandle request{check(X509_REQ_new(), "certificate request")};
    check(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1), "certificate request");
    check(X509_REQ_set_subject_name(request.get(), name_of(common_name).get()), "certificate request");
    check(X509_REQ_set_pubkey(request.get(), key), "certificate request");
    check(X509_REQ_sign(request.get(), key, digest_for(curve)), "certificate request");
    const Bio bio{check(BIO_new(BIO_s_mem()), "memory bio")};
    check(PEM_write_bio_X509_REQ(bio.get(), request.get()), "certificate request");
    unsigned char* data = nullptr;
    const int size = i2d_X509_REQ(request.get(), &data);
    check(size, "certificate request");
    Buffer der(data, data + size);
    OPENSSL_free(data);
    return {.key_pem = key_to_pem(key), .request_pem = bio_text(bio.get()), .request_der = std::move(der)};
}

}  // namespace wattmesh::security
