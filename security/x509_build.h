#pragma once
#include <chrono>
#include <string>

#include "protocol/base/cipher.h"
#include "security/openssl_handle.h"
#include "security/pki.h"

/// How certificates and requests are put together. Only .cpp files of `security` include this.
namespace wattmesh::security {

using NameHandle = Handle<X509_NAME, X509_NAME_free>;

KeyHandle generate_key(Curve curve);
/// The curve of a key; nothing unless it is P-256 or P-384.
std::optional<Curve> curve_of(EVP_PKEY* key);
/// What signatures with a key on this curve hash with: SHA-256 on P-256, SHA-384 on P-384.
const EVP_MD* digest_for(Curve curve);
NameHandle name_of(const std::string& common_name);
/// A certificate with everything but its extensions and signature, valid from a day before `now`. Serial: 127
/// random bits (RFC 5280 4.1.2.2).
X509Handle blank_certificate(const X509_NAME* subject, const X509_NAME* issuer, EVP_PKEY* key, Instant now,
                             std::chrono::days validity);
/// Adds an extension in OpenSSL's notation.
void extend(X509* certificate, X509* issuer, int nid, const std::string& value);
/// PKCS#10, DER or PEM; null when it is neither.
RequestHandle read_request(Bytes request);
/// A request in the name of `common_name`, signed with `key`.
KeyAndRequest request_for(EVP_PKEY* key, Curve curve, const std::string& common_name);

}  // namespace wattmesh::security
