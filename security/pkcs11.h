#pragma once
#include <memory>
#include <stdexcept>

#include "protocol/sts/derivation.h"
#include "security/pkcs11_uri.h"

namespace wattmesh::security {

/// A token that cannot be used: says what was done, PKCS#11's word for what happened and what to do. Never a
/// PIN.
struct TokenError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One key in a token, logged in to; of pkcs11.cpp.
struct Pkcs11Session;

/// An AES-256 key that never leaves its PKCS#11 token (OASIS PKCS #11 2.40), used for AES-CMAC. The module is
/// loaded at run time, nothing links it. One session, used by one thread at a time; when the token was away
/// it is opened once more. Thread safe; every call may take as long as the token wants.
class Pkcs11Key {
public:
    /// Throws TokenError or FileError (the PIN's file): no module, no token, wrong PIN, no such key or
    /// several, a key that may be extracted.
    static std::unique_ptr<Pkcs11Key> open(const Pkcs11Uri& uri);
    /// Makes the key in the token; throws TokenError also when it exists.
    static std::unique_ptr<Pkcs11Key> create(const Pkcs11Uri& uri);
    ~Pkcs11Key();
    Pkcs11Key(const Pkcs11Key&) = delete;
    Pkcs11Key& operator=(const Pkcs11Key&) = delete;

    /// AES-CMAC (NIST SP 800-38B), 16 octets. Throws TokenError.
    Buffer cmac(Bytes message);

private:
    explicit Pkcs11Key(std::unique_ptr<Pkcs11Session> session);
    std::unique_ptr<Pkcs11Session> session_;
};

/// A secret that never leaves its token, used for HMAC-SHA-256 (CKM_SHA256_HMAC): an STS vending key of 160
/// bits, put there by its issuer. Otherwise as Pkcs11Key.
class Pkcs11HashKey final : public sts::KeyedHash {
public:
    /// Throws as Pkcs11Key::open.
    static std::unique_ptr<Pkcs11HashKey> open(const Pkcs11Uri& uri);
    ~Pkcs11HashKey() override;
    Pkcs11HashKey(const Pkcs11HashKey&) = delete;
    Pkcs11HashKey& operator=(const Pkcs11HashKey&) = delete;

    std::array<std::uint8_t, 32> compute(Bytes message) override;

private:
    explicit Pkcs11HashKey(std::unique_ptr<Pkcs11Session> session);
    std::unique_ptr<Pkcs11Session> session_;
};

}  // namespace wattmesh::security
