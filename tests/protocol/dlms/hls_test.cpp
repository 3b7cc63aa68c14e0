#include "protocol/dlms/hls.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/security.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using wattmesh::dlms::test::client_title;
using wattmesh::dlms::test::octets;
using wattmesh::dlms::test::server_title;

namespace {

const Buffer ctos = to_buffer(as_bytes("K56iVagY")), stoc = to_buffer(as_bytes("P6wRJ21F"));
const Buffer secret = to_buffer(as_bytes("Gurux"));
const HlsPass by_client{client_title, server_title, stoc, ctos};
const HlsPass by_server{server_title, client_title, ctos, stoc};

}  // namespace

// Values of tests/vectors/dlms.json (hls), which Gurux.DLMS computes too. Green Book ed. 10, 9.2.7.4.
TEST_CASE("hls: published proofs of the mechanisms that hash are made and verified", "[dlms][security]") {
    struct Row {
        const char* why;
        Mechanism mechanism;
        const char *client, *server;
    };
    const auto row =
        GENERATE(values<Row>({{"3, MD5", Mechanism::high_md5, "md5_f_StoC", "md5_f_CtoS"},
                              {"4, SHA-1", Mechanism::high_sha1, "sha1_f_StoC", "sha1_f_CtoS"},
                              {"6, SHA-256", Mechanism::high_sha256, "sha256_f_StoC", "sha256_f_CtoS"}}));
    DYNAMIC_SECTION(row.why) {
        security::OpensslCiphers ciphers;
        HlsTools tools{.ciphers = ciphers};
        CHECK_FALSE(hls_prove(row.mechanism, by_client, tools));  // no secret
        tools.secret = secret;
        const auto of_client = hls_prove(row.mechanism, by_client, tools);
        const auto of_server = hls_prove(row.mechanism, by_server, tools);
        REQUIRE((of_client && of_server));
        CHECK(to_hex(*of_client) == to_hex(dlms::test::hls_value(row.client)));
        CHECK(to_hex(*of_server) == to_hex(dlms::test::hls_value(row.server)));
        CHECK(hls_verify(row.mechanism, by_client, *of_client, tools).right);
        CHECK(hls_verify(row.mechanism, by_server, *of_server, tools).right);
        CHECK_FALSE(hls_verify(row.mechanism, by_server, *of_client, tools).right);  // sent back
        for (std::size_t at = 0; at < of_client->size(); ++at) {
            Buffer forged = *of_client;
            forged[at] ^= 0x04;
            CHECK_FALSE(hls_verify(row.mechanism, by_client, forged, tools).right);
            CHECK_FALSE(hls_verify(row.mechanism, by_client, Bytes{*of_client}.first(at), tools).right);
        }
        tools.secret = Bytes{secret}.first(4);
        CHECK_FALSE(hls_verify(row.mechanism, by_client, *of_client, tools).right);
    }
}

TEST_CASE("hls: mechanism 2 is AES of the challenge where the settings say so, and nothing else",
          "[dlms][security]") {
    security::OpensslCiphers ciphers;
    const Buffer challenge = octets("000102030405060708090A0B0C0D0E0F");
    const HlsPass pass{client_title, server_title, challenge, ctos};
    HlsTools tools{.ciphers = ciphers};
    tools.secret = secret;
    CHECK_FALSE(hls_prove(Mechanism::high_manufacturer, pass, tools));
    CHECK_FALSE(hls_verify(Mechanism::high_manufacturer, pass, {}, tools).right);
    tools.manufacturer_aes = true;
    const auto proof = hls_prove(Mechanism::high_manufacturer, pass, tools);
    REQUIRE(proof);
    CHECK(to_hex(*proof) ==
          to_hex(dlms::test::hls_value("aes_ecb_f_StoC(mech2, key Gurux+0 pad, 16B StoC 00..0F)")));
    CHECK(hls_verify(Mechanism::high_manufacturer, pass, *proof, tools).right);
    const Buffer long_secret(17, 'x');
    tools.secret = long_secret;
    CHECK_FALSE(hls_prove(Mechanism::high_manufacturer, pass, tools));
}

// Green Book values: f(StoC) by the client with counter 1, f(CtoS) by the server with 01234567.
TEST_CASE("hls: published proofs of GMAC are made and verified, with the counter to accept",
          "[dlms][security]") {
    security::OpensslCiphers ciphers;
    const ClientKeys keys = dlms::test::vector_keys();
    const auto aead = ciphers.aead(keys.encryption);
    HlsTools tools{.ciphers = ciphers};
    CHECK_FALSE(hls_prove(Mechanism::high_gmac, by_client, tools));
    tools.aead = aead.get();
    tools.authentication_key = keys.authentication.reveal();
    CHECK_FALSE(hls_prove(Mechanism::high_gmac, by_client, tools));  // its counter is used up
    tools.counter = 1;
    const auto of_client = hls_prove(Mechanism::high_gmac, by_client, tools);
    REQUIRE(of_client);
    CHECK(to_hex(*of_client) == "1000000001" + to_hex(dlms::test::hls_value("gmac_f_StoC")));
    tools.counter = 0x01234567;
    const auto of_server = hls_prove(Mechanism::high_gmac, by_server, tools);
    CHECK(to_hex(*of_server) == "1001234567" + to_hex(dlms::test::hls_value("gmac_f_CtoS")));
    const auto verdict = hls_verify(Mechanism::high_gmac, by_server, *of_server, tools);
    CHECK(verdict.right);
    CHECK(verdict.counter == 0x01234567U);
    tools.suite = 1;  // the control octet of another suite
    CHECK_FALSE(hls_verify(Mechanism::high_gmac, by_server, *of_server, tools).right);
    CHECK(to_hex(*hls_prove(Mechanism::high_gmac, by_server, tools)).starts_with("1101234567"));
}

TEST_CASE("hls: an ECDSA proof covers both titles and both challenges", "[dlms][security]") {
    const auto curve = GENERATE(Curve::p256, Curve::p384);
    security::OpensslCiphers ciphers;
    const auto key = ciphers.generate(curve), other = ciphers.generate(curve);
    const Buffer own_public = key->public_key(), other_public = other->public_key();
    HlsTools tools{.ciphers = ciphers};
    CHECK_FALSE(hls_prove(Mechanism::high_ecdsa, by_client, tools));
    tools.signing_key = key.get();
    const auto proof = hls_prove(Mechanism::high_ecdsa, by_client, tools);
    REQUIRE(proof);
    CHECK_FALSE(hls_verify(Mechanism::high_ecdsa, by_client, *proof, tools).right);  // key unknown
    tools.peer_signing_key = own_public;
    CHECK(hls_verify(Mechanism::high_ecdsa, by_client, *proof, tools).right);
    // ST of the prover || ST of the verifier || verifier's challenge || prover's challenge
    Buffer input =
        octets(to_hex(client_title.octets) + to_hex(server_title.octets) + to_hex(stoc) + to_hex(ctos));
    CHECK(ciphers.verify(curve, own_public, input, *proof));
    HlsPass changed = by_client;
    changed.prover.octets[7] ^= 1;
    CHECK_FALSE(hls_verify(Mechanism::high_ecdsa, changed, *proof, tools).right);
    changed = by_client;
    changed.verifier.octets[0] ^= 1;
    CHECK_FALSE(hls_verify(Mechanism::high_ecdsa, changed, *proof, tools).right);
    changed = by_client;
    changed.prover_challenge = stoc;
    CHECK_FALSE(hls_verify(Mechanism::high_ecdsa, changed, *proof, tools).right);
    CHECK_FALSE(hls_verify(Mechanism::high_ecdsa, by_server, *proof, tools).right);
    for (std::size_t size = 0; size < proof->size(); size += 9)
        CHECK_FALSE(hls_verify(Mechanism::high_ecdsa, by_client, Bytes{*proof}.first(size), tools).right);
    tools.peer_signing_key = other_public;
    CHECK_FALSE(hls_verify(Mechanism::high_ecdsa, by_client, *proof, tools).right);
}

TEST_CASE("hls: without a high mechanism there is no proof", "[dlms][security]") {
    security::OpensslCiphers ciphers;
    HlsTools tools{.ciphers = ciphers};
    tools.secret = secret;
    for (const auto mechanism : {Mechanism::none, Mechanism::low, static_cast<Mechanism>(8)}) {
        CHECK_FALSE(hls_prove(mechanism, by_client, tools));
        CHECK_FALSE(hls_verify(mechanism, by_client, {}, tools).right);
    }
}
