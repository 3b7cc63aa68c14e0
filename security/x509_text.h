#pragma once
#include "security/openssl_handle.h"
#include "security/pki.h"

/// Between OpenSSL's objects and ours. Only .cpp files of `security` include this.
namespace wattmesh::security {

Bio memory_bio(Bytes content);
std::string bio_text(BIO* bio);
X509Handle x509_from_pem(std::string_view pem);
X509Handle x509_from_der(Bytes der);
Buffer x509_der(X509* certificate);
CertificateFacts facts_of(X509* certificate);
/// Nothing when the text is not a private key or is encrypted.
KeyHandle key_from_pem(const SecretBuffer& pem);
SecretBuffer key_to_pem(EVP_PKEY* key);
/// The one common name of a subject; empty when there is none or several.
std::string common_name_of(const X509_NAME* subject);

}  // namespace wattmesh::security
