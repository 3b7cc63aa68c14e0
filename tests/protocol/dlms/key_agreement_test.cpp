#include "protocol/dlms/key_agreement.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <catch2/catch.hpp>

#include "protocol/dlms/security.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using wattmesh::dlms::test::octets;

namespace {

// Green Book (DLMS UA 1000-2), annex C, tables C.1 and C.2: keys of the key agreement examples, suite 1.
constexpr SystemTitle client{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E}};
constexpr SystemTitle server{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0x00, 0x00, 0x01}};
constexpr const char* client_signing_public =
    "BAAFFDE06A8CB1C9DAE8D94023C601DBBB249254BA22EDD827E820BCA2BCC643"
    "62FBB83D86A82B87BB8B7161D2AAB5521911A946B97A284A90F7785CD9047D25";
constexpr const char* ephemeral_public =
    "C323C2BD45711DE4688637D919F92E9DB8FB2DFC213A88D21C9DC8DCBA917D81"
    "70511DE1BADB360D50058F794B0960AE11FA28D392CFF907A62D13E3357B1DC0";
constexpr const char* ephemeral_signature =
    "B51BE089D0B682863B2217201E73A1A9031968A9B4121DCBC3281A69739AF874"
    "29F5B3AC5471E7B6A04A2C0F2F8A25FD772A317DF97FC5463FEAC248EB8AB8BE";

/// The KDF by OpenSSL's SSKDF, as a foreign peer would compute it.
Buffer foreign_kdf(const char* hash, Buffer z, Buffer info, std::size_t size) {
    EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "SSKDF", nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    std::string digest = hash;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z.data(), z.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
        OSSL_PARAM_construct_end()};
    Buffer key(size);
    const bool derived = EVP_KDF_derive(context, key.data(), key.size(), parameters) > 0;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    REQUIRE(derived);
    return key;
}

}  // namespace

TEST_CASE("key agreement: derives the keys of the Green Book's one-pass example, table C.2",
          "[dlms][security]") {
    security::OpensslCiphers ciphers;
    const Buffer z_client = octets("0D4385BA0DD756CBCAB9887EB538396EE8F090A14C1079B4359F115B977F4615");
    const Buffer z_server = octets("2B4302DC49790E2E78D990CFB52ED6E2F273DECE441A2D95E4301B93812A9FAC");
    const auto to_server =
        derive_key(ciphers, Curve::p256, z_client, KeyUse::gcm_128, client.octets, server.octets);
    const auto to_client =
        derive_key(ciphers, Curve::p256, z_server, KeyUse::gcm_128, server.octets, client.octets);
    CHECK(to_hex(to_server.reveal()) == "59A71FD81C929A86A99438DA17A66C05");
    CHECK(to_hex(to_client.reveal()) == "F0184BDA9466BFA4601A64A7EF46504A");
}

TEST_CASE("key agreement: derives what NIST's single-step KDF of another implementation derives",
          "[dlms][security]") {
    struct Row {
        Curve curve;
        KeyUse use;
        const char* hash;
        const char* algorithm;  // Green Book ed. 10, 9.2.3.4.6.5
        std::size_t size;
    };
    const auto row = GENERATE(values<Row>({{Curve::p256, KeyUse::gcm_128, "SHA256", "60857405080300", 16},
                                           {Curve::p384, KeyUse::gcm_256, "SHA384", "60857405080301", 32},
                                           {Curve::p256, KeyUse::wrap_128, "SHA256", "60857405080302", 16},
                                           {Curve::p384, KeyUse::wrap_256, "SHA384", "60857405080303", 32}}));
    DYNAMIC_SECTION(row.algorithm) {
        security::OpensslCiphers ciphers;
        Buffer z(coordinate_size(row.curve));
        dlms::test::SeededRandom{7}.fill(z);
        Buffer info = octets(row.algorithm);
        info.insert(info.end(), client.octets.begin(), client.octets.end());
        info.insert(info.end(), server.octets.begin(), server.octets.end());
        const auto key = derive_key(ciphers, row.curve, z, row.use, client.octets, server.octets);
        CHECK(to_hex(key.reveal()) == to_hex(foreign_kdf(row.hash, z, info, row.size)));
    }
}

// The published signature is over the ephemeral public key alone.
TEST_CASE("key agreement: the signature of the Green Book's ephemeral key verifies, and no other is taken",
          "[dlms][security]") {
    security::OpensslCiphers ciphers;
    CHECK(ciphers.verify(Curve::p256, octets(client_signing_public), octets(ephemeral_public),
                         octets(ephemeral_signature)));
    const auto meter = ciphers.private_key(
        Curve::p256, octets("AE55414FFE079F9FC95649536BD1C2B5653D200813727E07D501A8B550C69207"));
    const Buffer genuine = octets(std::string{ephemeral_public} + ephemeral_signature);
    const Buffer signer = octets(client_signing_public);
    const auto key = one_pass_receive(ciphers, *meter, signer, genuine, client, server);
    REQUIRE(key);
    CHECK(key->size() == 16);
    // The same by hand: ECDH with the published ephemeral secret, and the KDF of OpenSSL.
    const auto ephemeral = ciphers.private_key(
        Curve::p256, octets("47DAB03842E5B6E74828EF4F449B378D7DD1A5DAE1FFCA5AE0B0BE0AD18EC57E"));
    CHECK(to_hex(ephemeral->public_key()) == ephemeral_public);
    const Buffer info = octets("608574050803004D4D4D0000BC614E4D4D4D0000000001");
    CHECK(to_hex(key->reveal()) ==
          to_hex(foreign_kdf("SHA256", *ephemeral->agree(meter->public_key()), info, 16)));

    for (std::size_t at = 0; at < genuine.size(); at += 5) {
        Buffer forged = genuine;
        forged[at] ^= 1;
        CHECK_FALSE(one_pass_receive(ciphers, *meter, signer, forged, client, server));
        CHECK_FALSE(one_pass_receive(ciphers, *meter, signer, Bytes{genuine}.first(at), client, server));
    }
    CHECK_FALSE(one_pass_receive(ciphers, *meter, meter->public_key(), genuine, client, server));
}

TEST_CASE("key agreement: both ends of both schemes come to the same key on both curves",
          "[dlms][security]") {
    const auto curve = GENERATE(Curve::p256, Curve::p384);
    security::OpensslCiphers ciphers;
    const auto signing = ciphers.generate(curve), head_end = ciphers.generate(curve),
               meter = ciphers.generate(curve);
    const auto sent = one_pass_send(ciphers, *signing, meter->public_key(), client, server);
    REQUIRE(sent);
    const auto received =
        one_pass_receive(ciphers, *meter, signing->public_key(), sent->ciphered_data, client, server);
    REQUIRE(received);
    CHECK(to_hex(received->reveal()) == to_hex(sent->key.reveal()));
    CHECK(received->size() == (curve == Curve::p256 ? 16 : 32));
    // Each message has a key of its own.
    CHECK(to_hex(one_pass_send(ciphers, *signing, meter->public_key(), client, server)->key.reveal()) !=
          to_hex(sent->key.reveal()));

    const Buffer transaction = octets("0102030405060708");
    const auto ours = static_key(ciphers, *head_end, meter->public_key(), client, transaction, server);
    const auto theirs = static_key(ciphers, *meter, head_end->public_key(), client, transaction, server);
    REQUIRE((ours && theirs));
    CHECK(to_hex(ours->reveal()) == to_hex(theirs->reveal()));
    const bool wide = curve == Curve::p384;
    Buffer info = octets(wide ? "60857405080301" : "60857405080300");
    const Buffer parties = octets("4D4D4D0000BC614E0801020304050607084D4D4D0000000001");
    info.insert(info.end(), parties.begin(), parties.end());
    CHECK(to_hex(ours->reveal()) ==
          to_hex(foreign_kdf(wide ? "SHA384" : "SHA256", *head_end->agree(meter->public_key()), info,
                             wide ? 32 : 16)));
    const Buffer next = octets("0102030405060709");
    CHECK(to_hex(static_key(ciphers, *head_end, meter->public_key(), client, next, server)->reveal()) !=
          to_hex(ours->reveal()));
    CHECK_FALSE(static_key(ciphers, *head_end, Buffer(2 * coordinate_size(curve), 1), client, next, server));
}
