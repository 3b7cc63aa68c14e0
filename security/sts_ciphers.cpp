#include "security/sts_ciphers.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <cassert>

#include "security/ciphers.h"
#include "security/openssl_handle.h"

namespace wattmesh::security {
namespace {

class OpensslKeyedHash final : public sts::KeyedHash {
public:
    explicit OpensslKeyedHash(Bytes key) {
        static EVP_MAC* const mac = check(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "HMAC");
        keyed_.reset(check(EVP_MAC_CTX_new(mac), "hmac"));
        char digest[] = "SHA256";
        const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                         OSSL_PARAM_construct_end()};
        check(EVP_MAC_init(keyed_.get(), key.data(), key.size(), parameters), "hmac key");
    }

    std::array<std::uint8_t, 32> compute(Bytes message) override {
        std::array<std::uint8_t, 32> hash{};
        std::size_t written = 0;
        check(EVP_MAC_init(keyed_.get(), nullptr, 0, nullptr), "hmac restart");  // keeps the key
        check(EVP_MAC_update(keyed_.get(), message.data(), message.size()), "hmac");
        check(EVP_MAC_final(keyed_.get(), hash.data(), &written, hash.size()), "hmac");
        assert(written == hash.size());
        return hash;
    }

private:
    MacContext keyed_;
};

}  // namespace

std::uint64_t OpensslDerivationCiphers::des_encrypt(const Secret<8>& key, std::uint64_t block) {
    static EVP_CIPHER* const cipher =
        check(EVP_CIPHER_fetch(nullptr, "DES-EDE3-ECB", nullptr), "DES-EDE3-ECB");
    std::array<std::uint8_t, 24> thrice{};
    for (std::size_t i = 0; i < thrice.size(); ++i) thrice[i] = key.reveal()[i % 8];
    const CipherContext context{check(EVP_CIPHER_CTX_new(), "des")};
    const int keyed = EVP_EncryptInit_ex(context.get(), cipher, nullptr, thrice.data(), nullptr);
    wipe(thrice);
    check(keyed, "des key");
    check(EVP_CIPHER_CTX_set_padding(context.get(), 0), "des");
    std::array<std::uint8_t, 8> in{}, out{};
    for (unsigned i = 0; i < 8; ++i) in[i] = static_cast<std::uint8_t>(block >> (56 - 8 * i));
    int done = 0;
    check(EVP_EncryptUpdate(context.get(), out.data(), &done, in.data(), 8), "des");
    assert(done == 8);
    std::uint64_t result = 0;
    for (const std::uint8_t octet : out) result = result << 8 | octet;
    wipe(out);
    return result;
}

std::unique_ptr<sts::KeyedHash> OpensslDerivationCiphers::hmac_sha256(Bytes key) {
    return std::make_unique<OpensslKeyedHash>(key);
}

}  // namespace wattmesh::security
