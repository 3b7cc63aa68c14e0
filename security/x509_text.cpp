#include "security/x509_text.h"

#include <openssl/bn.h>
#include <openssl/pem.h>

#include <ctime>
#include <limits>

namespace wattmesh::security {

namespace {

int no_password(char*, int, int, void*) { return -1; }

Instant instant_of(const ASN1_TIME* time) {
    std::tm parts{};
    check(ASN1_TIME_to_tm(time, &parts), "certificate time");
    return Instant{std::chrono::seconds{timegm(&parts)}};
}

std::string serial_of(X509* certificate) {
    const Handle<BIGNUM, BN_free> number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr)};
    char* hex = check(BN_bn2hex(check(number.get(), "certificate serial")), "certificate serial");
    std::string text{hex};
    OPENSSL_free(hex);
    const auto start = text.find_first_not_of('0');
    return start == std::string::npos ? "0" : text.substr(start);
}

}  // namespace

Bio memory_bio(Bytes content) {
    static const char empty = 0;
    if (content.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) content = {};
    const void* data = content.empty() ? static_cast<const void*>(&empty) : content.data();
    return Bio{check(BIO_new_mem_buf(data, static_cast<int>(content.size())), "memory bio")};
}

std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

X509Handle x509_from_pem(std::string_view pem) {
    const Bio bio = memory_bio(as_bytes(pem));
    X509Handle certificate{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)};
    if (!certificate) openssl_errors();
    return certificate;
}

X509Handle x509_from_der(Bytes der) {
    const unsigned char* at = der.data();
    X509Handle certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (!certificate) openssl_errors();
    if (certificate && at != der.data() + der.size()) certificate.reset();
    return certificate;
}

Buffer x509_der(X509* certificate) {
    unsigned char* data = nullptr;
    const int size = i2d_X509(certificate, &data);
    check(size, "certificate encoding");
    Buffer der(data, data + size);
    OPENSSL_free(data);
    return der;
}

std::string common_name_of(const X509_NAME* subject) {
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return {};
    unsigned char* data = nullptr;
    const int size = ASN1_STRING_to_UTF8(&data, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0) {
        openssl_errors();
        return {};
    }
    std::string name(data, data + size);  // with its NULs, if any: it will not equal a number
    OPENSSL_free(data);
    return name;
}

CertificateFacts facts_of(X509* certificate) {
    return {.common_name = common_name_of(X509_get_subject_name(certificate)),
            .serial = serial_of(certificate),
            .not_before = instant_of(X509_get0_notBefore(certificate)),
            .not_after = instant_of(X509_get0_notAfter(certificate)),
            .der = x509_der(certificate)};
}

KeyHandle key_from_pem(const SecretBuffer& pem) {
    const Bio bio = memory_bio(pem.reveal());
    KeyHandle key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr)};
    if (!key) openssl_errors();
    return key;
}

SecretBuffer key_to_pem(EVP_PKEY* key) {
    const Bio bio{check(BIO_new(BIO_s_secmem()), "memory bio")};  // wiped when freed
    check(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr),
          "key encoding");
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return SecretBuffer{as_bytes({data, static_cast<std::size_t>(size)})};
}

}  // namespace wattmesh::security
