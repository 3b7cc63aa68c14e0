#pragma once
#include <set>
#include <string>
#include <utility>

#include "protocol/base/cipher.h"

namespace wattmesh::dlms::test {

/// Ciphers that remember under which nonce each key sealed: twice the same gives AES-GCM away (NIST SP
/// 800-38D, 8). Share one between both ends and over crashes.
class NonceWatch final : public Ciphers {
public:
    explicit NonceWatch(Ciphers& inner) : inner_(inner) {}
    std::unique_ptr<Aead> aead(const SymmetricKey& key) override {
        return std::make_unique<Watched>(*this, inner_.aead(key), to_hex(key.reveal()));
    }
    std::unique_ptr<Mac> mac(const Key128& key) override { return inner_.mac(key); }
    std::unique_ptr<KeyWrap> key_wrap(const SymmetricKey& kek) override { return inner_.key_wrap(kek); }
    Buffer digest(Digest digest, Bytes message) override { return inner_.digest(digest, message); }
    Buffer encrypt_blocks(const Key128& key, Bytes blocks) override {
        return inner_.encrypt_blocks(key, blocks);
    }
    bool verify(Curve curve, Bytes public_key, Bytes message, Bytes signature) override {
        return inner_.verify(curve, public_key, message, signature);
    }
    std::unique_ptr<PrivateKey> private_key(Curve curve, Bytes secret) override {
        return inner_.private_key(curve, secret);
    }
    std::unique_ptr<PrivateKey> generate(Curve curve) override { return inner_.generate(curve); }

    std::size_t sealed() const { return used_.size(); }
    std::size_t keys() const {
        std::set<std::string> keys;
        for (const auto& [key, nonce] : used_) keys.insert(key);
        return keys.size();
    }
    std::size_t repeated() const { return repeated_; }

private:
    struct Watched final : Aead {
        Watched(NonceWatch& watch, std::unique_ptr<Aead> made, std::string name)
            : owner(watch), inner(std::move(made)), key(std::move(name)) {}
        void seal(Bytes nonce, Bytes aad, std::span<std::uint8_t> text,
                  std::span<std::uint8_t> tag) override {
            if (!owner.used_.emplace(key, to_hex(nonce)).second) ++owner.repeated_;
            inner->seal(nonce, aad, text, tag);
        }
        bool open(Bytes nonce, Bytes aad, std::span<std::uint8_t> text, Bytes tag) override {
            return inner->open(nonce, aad, text, tag);
        }
        NonceWatch& owner;
        std::unique_ptr<Aead> inner;
        std::string key;
    };
    Ciphers& inner_;
    std::set<std::pair<std::string, std::string>> used_;
    std::size_t repeated_ = 0;
};

}  // namespace wattmesh::dlms::test
