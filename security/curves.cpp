#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include <array>
#include <cassert>

#include "security/ciphers.h"
#include "security/openssl_handle.h"
#include "security/x509_build.h"
#include "security/x509_text.h"

/// ECDSA (FIPS 186-4) and ECC CDH (NIST SP 800-56A) on P-256 and P-384.
namespace wattmesh::security {

namespace {

using Number = Handle<BIGNUM, BN_clear_free>;
using Group = Handle<EC_GROUP, EC_GROUP_free>;
using Point = Handle<EC_POINT, EC_POINT_clear_free>;
using ParameterBuilder = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Signature = Handle<ECDSA_SIG, ECDSA_SIG_free>;

constexpr std::uint8_t uncompressed = 0x04;  // SEC 1, 2.3.3

const char* group_name(Curve curve) { return curve == Curve::p256 ? "P-256" : "P-384"; }
const char* digest_name(Curve curve) { return curve == Curve::p256 ? "SHA256" : "SHA384"; }

Group group(Curve curve) {
    const int id = curve == Curve::p256 ? NID_X9_62_prime256v1 : NID_secp384r1;
    return Group{check(EC_GROUP_new_by_curve_name(id), "curve")};
}

Buffer encoded_point(Bytes public_key) {
    Buffer point{uncompressed};
    point.insert(point.end(), public_key.begin(), public_key.end());
    return point;
}

/// Null when the point is not on the curve. `secret` null: a public key.
KeyHandle make_key(Curve curve, Bytes point, const BIGNUM* secret) {
    const ParameterBuilder builder{check(OSSL_PARAM_BLD_new(), "ec key")};
    check(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group_name(curve), 0),
          "ec key");
    check(
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        "ec key");
    if (secret) check(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret), "ec key");
    const Parameters parameters{check(OSSL_PARAM_BLD_to_param(builder.get()), "ec key")};
    const KeyContext context{check(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), "ec key")};
    check(EVP_PKEY_fromdata_init(context.get()), "ec key");
    EVP_PKEY* key = nullptr;
    const int selection = secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) <= 0) openssl_errors();
    return KeyHandle{key};
}

KeyHandle public_key_of(Curve curve, Bytes public_key) {
    if (public_key.size() != 2 * coordinate_size(curve)) return nullptr;
    return make_key(curve, encoded_point(public_key), nullptr);
}

class OpensslPrivateKey final : public PrivateKey {
public:
    OpensslPrivateKey(Curve curve, KeyHandle key) : curve_(curve), key_(std::move(key)) {}

    Curve curve() const override { return curve_; }

    Buffer public_key() const override {
        Buffer point(1 + 2 * coordinate_size(curve_));
        std::size_t size = 0;
        check(EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                              &size),
              "ec public key");
        assert(size == point.size() && point[0] == uncompressed);
        point.erase(point.begin());
        return point;
    }

    Buffer sign(Bytes message) override {
        const DigestContext context{check(EVP_MD_CTX_new(), "ecdsa")};
        check(EVP_DigestSignInit_ex(context.get(), nullptr, digest_name(curve_), nullptr, nullptr, key_.get(),
                                    nullptr),
              "ecdsa");
        std::size_t size = 0;
        check(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()), "ecdsa");
        Buffer der(size);
        check(EVP_DigestSign(context.get(), der.data(), &size, message.data(), message.size()), "ecdsa");
        const std::uint8_t* at = der.data();
        const Signature signature{
            check(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), "ecdsa signature")};
        const std::size_t half = coordinate_size(curve_);
        Buffer out(2 * half);
        const int width = static_cast<int>(half);
        check(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), width), "ecdsa r");
        check(BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + half, width), "ecdsa s");
        return out;
    }

    std::optional<Buffer> agree(Bytes peer_public) override {
        const KeyHandle peer = public_key_of(curve_, peer_public);
        if (!peer) return std::nullopt;
        const KeyContext context{check(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr), "ecdh")};
        check(EVP_PKEY_derive_init(context.get()), "ecdh");
        if (EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 1) <= 0) {
            openssl_errors();
            return std::nullopt;
        }
        Buffer z(coordinate_size(curve_));
        std::size_t size = z.size();
        check(EVP_PKEY_derive(context.get(), z.data(), &size), "ecdh");
        assert(size == z.size());
        return z;
    }

private:
    Curve curve_;
    KeyHandle key_;
};

}  // namespace

std::unique_ptr<PrivateKey> private_key_from_pem(const SecretBuffer& pem) {
    KeyHandle key = key_from_pem(pem);
    const auto curve = key ? curve_of(key.get()) : std::nullopt;
    if (!curve) return nullptr;
    return std::make_unique<OpensslPrivateKey>(*curve, std::move(key));
}

bool OpensslCiphers::verify(Curve curve, Bytes public_key, Bytes message, Bytes signature) {
    const std::size_t half = coordinate_size(curve);
    if (signature.size() != 2 * half) return false;
    const KeyHandle key = public_key_of(curve, public_key);
    if (!key) return false;
    const Signature parts{check(ECDSA_SIG_new(), "ecdsa")};
    BIGNUM* r = check(BN_bin2bn(signature.data(), static_cast<int>(half), nullptr), "ecdsa r");
    BIGNUM* s = check(BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr), "ecdsa s");
    check(ECDSA_SIG_set0(parts.get(), r, s), "ecdsa");
    std::array<std::uint8_t, 128> der{};
    std::uint8_t* end = der.data();
    const int size = i2d_ECDSA_SIG(parts.get(), &end);
    check(size, "ecdsa");
    const DigestContext context{check(EVP_MD_CTX_new(), "ecdsa")};
    check(EVP_DigestVerifyInit_ex(context.get(), nullptr, digest_name(curve), nullptr, nullptr, key.get(),
                                  nullptr),
          "ecdsa");
    const bool valid = EVP_DigestVerify(context.get(), der.data(), static_cast<std::size_t>(size),
                                        message.data(), message.size()) == 1;
    if (!valid) openssl_errors();
    return valid;
}

std::unique_ptr<PrivateKey> OpensslCiphers::private_key(Curve curve, Bytes secret) {
    const std::size_t size = coordinate_size(curve);
    if (secret.size() != size) return nullptr;
    const Group on = group(curve);
    const Number number{
        check(BN_bin2bn(secret.data(), static_cast<int>(size), BN_secure_new()), "ec secret")};
    if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(on.get())) >= 0) return nullptr;
    const Point point{check(EC_POINT_new(on.get()), "ec point")};
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    check(EC_POINT_mul(on.get(), point.get(), number.get(), nullptr, nullptr, nullptr), "ec point");
    Buffer encoded(1 + 2 * size);
    check(static_cast<int>(EC_POINT_point2oct(on.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                                              encoded.data(), encoded.size(), nullptr)),
          "ec point");
    KeyHandle key = make_key(curve, encoded, number.get());
    check(key.get(), "ec key");
    return std::make_unique<OpensslPrivateKey>(curve, std::move(key));
}

std::unique_ptr<PrivateKey> OpensslCiphers::generate(Curve curve) {
    KeyHandle key{check(EVP_EC_gen(group_name(curve)), "generating an ec key")};
    return std::make_unique<OpensslPrivateKey>(curve, std::move(key));
}

}  // namespace wattmesh::security
