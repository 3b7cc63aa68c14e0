#include "security/ciphers.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cassert>
#include <limits>

#include "security/openssl_handle.h"

namespace wattmesh::security {

namespace {

int length(std::size_t size) {
    assert(size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    return static_cast<int>(size);
}

EVP_CIPHER* fetch(const char* name) { return check(EVP_CIPHER_fetch(nullptr, name, nullptr), name); }

class OpensslAead final : public Aead {
public:
    explicit OpensslAead(const SymmetricKey& key) : seal_(EVP_CIPHER_CTX_new()), open_(EVP_CIPHER_CTX_new()) {
        static EVP_CIPHER* const narrow = fetch("AES-128-GCM");
        static EVP_CIPHER* const wide = fetch("AES-256-GCM");
        EVP_CIPHER* const cipher = key.size() == 32 ? wide : narrow;
        check(EVP_EncryptInit_ex(seal_.get(), cipher, nullptr, key.reveal().data(), nullptr), "aes-gcm key");
        check(EVP_DecryptInit_ex(open_.get(), cipher, nullptr, key.reveal().data(), nullptr), "aes-gcm key");
    }

    void seal(Bytes nonce, Bytes aad, std::span<std::uint8_t> text, std::span<std::uint8_t> tag) override {
        assert(nonce.size() == 12 && tag.size() >= 4 && tag.size() <= 16);
        int done = 0;
        auto* context = seal_.get();
        check(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()), "aes-gcm nonce");
        if (!aad.empty())
            check(EVP_EncryptUpdate(context, nullptr, &done, aad.data(), length(aad.size())), "aes-gcm aad");
        if (!text.empty()) {
            check(EVP_EncryptUpdate(context, text.data(), &done, text.data(), length(text.size())),
                  "aes-gcm seal");
        }
        std::uint8_t none[16];
        check(EVP_EncryptFinal_ex(context, none, &done), "aes-gcm seal");
        check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, length(tag.size()), tag.data()),
              "aes-gcm tag");
    }

    bool open(Bytes nonce, Bytes aad, std::span<std::uint8_t> text, Bytes tag) override {
        assert(nonce.size() == 12);
        if (tag.size() < 4 || tag.size() > 16) {
            wipe(text);
            return false;
        }
        int done = 0;
        auto* context = open_.get();
        std::array<std::uint8_t, 16> expected{};
        std::copy(tag.begin(), tag.end(), expected.begin());
        check(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()), "aes-gcm nonce");
        if (!aad.empty())
            check(EVP_DecryptUpdate(context, nullptr, &done, aad.data(), length(aad.size())), "aes-gcm aad");
        if (!text.empty()) {
            check(EVP_DecryptUpdate(context, text.data(), &done, text.data(), length(text.size())),
                  "aes-gcm open");
        }
        check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, length(tag.size()), expected.data()),
              "aes-gcm tag");
        std::uint8_t none[16];
        if (EVP_DecryptFinal_ex(context, none, &done) > 0) return true;
        wipe(text);
        openssl_errors();
        return false;
    }

private:
    CipherContext seal_, open_;
};

class OpensslMac final : public Mac {
public:
    explicit OpensslMac(const Key128& key) {
        static EVP_MAC* const mac = check(EVP_MAC_fetch(nullptr, "CMAC", nullptr), "CMAC");
        keyed_.reset(check(EVP_MAC_CTX_new(mac), "cmac"));
        char cipher[] = "AES-128-CBC";
        const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
                                         OSSL_PARAM_construct_end()};
        check(EVP_MAC_init(keyed_.get(), key.reveal().data(), key.reveal().size(), parameters), "cmac key");
    }

    std::array<std::uint8_t, 16> compute(Bytes message) override {
        std::array<std::uint8_t, 16> tag{};
        std::size_t written = 0;
        check(EVP_MAC_init(keyed_.get(), nullptr, 0, nullptr), "cmac restart");  // keeps the key schedule
        if (!message.empty()) check(EVP_MAC_update(keyed_.get(), message.data(), message.size()), "cmac");
        check(EVP_MAC_final(keyed_.get(), tag.data(), &written, tag.size()), "cmac");
        assert(written == tag.size());
        return tag;
    }

private:
    MacContext keyed_;
};

class OpensslKeyWrap final : public KeyWrap {
public:
    OpensslKeyWrap(EVP_CIPHER* cipher, Bytes kek)
        : wrap_(EVP_CIPHER_CTX_new()), unwrap_(EVP_CIPHER_CTX_new()) {
        EVP_CIPHER_CTX_set_flags(wrap_.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        EVP_CIPHER_CTX_set_flags(unwrap_.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        check(EVP_EncryptInit_ex(wrap_.get(), cipher, nullptr, kek.data(), nullptr), "key wrap key");
        check(EVP_DecryptInit_ex(unwrap_.get(), cipher, nullptr, kek.data(), nullptr), "key wrap key");
    }

    Buffer wrap(Bytes key) override {
        assert(key.size() >= 16 && key.size() % 8 == 0);  // RFC 3394 2: at least two 64-bit blocks
        Buffer wrapped(key.size() + 8);
        int done = 0;
        check(EVP_EncryptUpdate(wrap_.get(), wrapped.data(), &done, key.data(), length(key.size())),
              "key wrap");
        assert(static_cast<std::size_t>(done) == wrapped.size());
        return wrapped;
    }

    std::optional<Buffer> unwrap(Bytes wrapped) override {
        if (wrapped.size() < 24 || wrapped.size() % 8 != 0) return std::nullopt;
        Buffer key(wrapped.size());
        int done = 0;
        const int result =
            EVP_DecryptUpdate(unwrap_.get(), key.data(), &done, wrapped.data(), length(wrapped.size()));
        if (result <= 0 || static_cast<std::size_t>(done) != wrapped.size() - 8) {
            wipe(key);
            openssl_errors();
            return std::nullopt;
        }
        key.resize(static_cast<std::size_t>(done));
        return key;
    }

private:
    CipherContext wrap_, unwrap_;
};

}  // namespace

std::unique_ptr<Aead> OpensslCiphers::aead(const SymmetricKey& key) {
    return std::make_unique<OpensslAead>(key);
}
std::unique_ptr<Mac> OpensslCiphers::mac(const Key128& key) { return std::make_unique<OpensslMac>(key); }
std::unique_ptr<KeyWrap> OpensslCiphers::key_wrap(const SymmetricKey& kek) {
    static EVP_CIPHER* const narrow = fetch("AES-128-WRAP");
    static EVP_CIPHER* const wide = fetch("AES-256-WRAP");
    return std::make_unique<OpensslKeyWrap>(kek.size() == 32 ? wide : narrow, kek.reveal());
}

Buffer OpensslCiphers::digest(Digest digest, Bytes message) {
    constexpr const char* names[] = {"MD5", "SHA1", "SHA256", "SHA384"};
    const char* name = names[static_cast<std::size_t>(digest)];
    Buffer out(EVP_MAX_MD_SIZE);
    std::size_t written = 0;
    check(EVP_Q_digest(nullptr, name, nullptr, message.data(), message.size(), out.data(), &written), name);
    out.resize(written);
    return out;
}

Buffer OpensslCiphers::encrypt_blocks(const Key128& key, Bytes blocks) {
    assert(blocks.size() % 16 == 0);
    static EVP_CIPHER* const cipher = fetch("AES-128-ECB");
    const CipherContext context{check(EVP_CIPHER_CTX_new(), "aes-ecb")};
    check(EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.reveal().data(), nullptr), "aes-ecb key");
    check(EVP_CIPHER_CTX_set_padding(context.get(), 0), "aes-ecb");
    Buffer out(blocks.size());
    int done = 0;
    if (!blocks.empty())
        check(EVP_EncryptUpdate(context.get(), out.data(), &done, blocks.data(), length(blocks.size())),
              "aes-ecb");
    return out;
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
    if (!out.empty()) check(RAND_bytes(out.data(), length(out.size())), "system random");
}

std::array<std::uint8_t, 32> sha256(Bytes message) {
    std::array<std::uint8_t, 32> digest{};
    std::size_t written = 0;
    check(EVP_Q_digest(nullptr, "SHA256", nullptr, message.data(), message.size(), digest.data(), &written),
          "sha-256");
    return digest;
}

void wipe(std::span<std::uint8_t> octets) { OPENSSL_cleanse(octets.data(), octets.size()); }

}  // namespace wattmesh::security
