#include "security/master_key.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "security/openssl_handle.h"
#include "security/token_master_key.h"

namespace wattmesh::security {

namespace {
constexpr std::size_t file_size = 32;
}

Key256 hkdf_sha256(Bytes key, std::string_view info) {
    static EVP_KDF* const hkdf = check(EVP_KDF_fetch(nullptr, "HKDF", nullptr), "HKDF");
    const Handle<EVP_KDF_CTX, EVP_KDF_CTX_free> context{check(EVP_KDF_CTX_new(hkdf), "hkdf")};
    char digest[] = "SHA256";
    SecretBuffer copy{key};  // the parameters want pointers that are not const
    Buffer info_copy = to_buffer(as_bytes(info));
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(copy.reveal().data()),
                                          key.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info_copy.data(), info_copy.size()),
        OSSL_PARAM_construct_end()};
    std::array<std::uint8_t, 32> out{};
    check(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters), "hkdf");
    const Key256 derived{out};
    wipe(out);
    return derived;
}

FileMasterKey FileMasterKey::create(const std::filesystem::path& file, Random& random) {
    const auto key = random_secret<file_size>(random);
    create_private_file(file, key.reveal());
    return FileMasterKey{key};
}

FileMasterKey FileMasterKey::open(const std::filesystem::path& file) {
    const SecretBuffer content = read_private_file(file);
    const auto key = Key256::from(content.reveal());
    if (!key) throw FileError(file.string() + " is not a master key: it must hold exactly 32 octets");
    return FileMasterKey{*key};
}

Key256 FileMasterKey::key_for(std::string_view purpose) const {
    return hkdf_sha256(key_.reveal(), "wattmesh key wrap 1: " + std::string{purpose});
}

std::unique_ptr<MasterKey> open_master_key(const std::string& place) {
    if (!place.starts_with("pkcs11:")) return std::make_unique<FileMasterKey>(FileMasterKey::open(place));
    const auto uri = Pkcs11Uri::parse(place);
    if (!uri) {
        throw TokenError(
            place + " is not pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE (RFC 7512)");
    }
    return std::make_unique<TokenMasterKey>(Pkcs11Key::open(*uri));
}

Buffer MasterKey::wrap(std::string_view purpose, Bytes key) const {
    return OpensslCiphers{}.key_wrap(key_for(purpose))->wrap(key);
}

std::optional<SecretBuffer> MasterKey::unwrap(std::string_view purpose, Bytes wrapped) const {
    auto key = OpensslCiphers{}.key_wrap(key_for(purpose))->unwrap(wrapped);
    if (!key) return std::nullopt;
    return SecretBuffer{std::move(*key)};
}

}  // namespace wattmesh::security
