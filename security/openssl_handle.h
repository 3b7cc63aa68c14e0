#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

/// Owners of OpenSSL objects. Only .cpp files of `security` include this: OpenSSL stays inside.
namespace wattmesh::security {

template <auto Free>
struct Release {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
template <class T, auto Free>
using Handle = std::unique_ptr<T, Release<Free>>;

using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using MacContext = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using X509Handle = Handle<X509, X509_free>;
using RequestHandle = Handle<X509_REQ, X509_REQ_free>;
using Bio = Handle<BIO, BIO_free_all>;
using TlsContextHandle = Handle<SSL_CTX, SSL_CTX_free>;
using TlsHandle = Handle<SSL, SSL_free>;

/// Empties OpenSSL's error queue of this thread into one line of text (library reasons only, never data).
std::string openssl_errors();

/// The library failed where it must not (memory, a missing provider): the process boundary reports it.
struct CryptoError : std::runtime_error {
    explicit CryptoError(const std::string& what) : std::runtime_error(what + ": " + openssl_errors()) {}
};

inline void check(int result, const char* what) {
    if (result <= 0) throw CryptoError(what);
}
template <class T>
T* check(T* object, const char* what) {
    if (object == nullptr) throw CryptoError(what);
    return object;
}

}  // namespace wattmesh::security
