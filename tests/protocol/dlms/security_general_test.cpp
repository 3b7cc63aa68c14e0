#include <catch2/catch.hpp>

#include "protocol/dlms/key_agreement.h"
#include "protocol/dlms/security.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using wattmesh::dlms::test::client_title;
using wattmesh::dlms::test::MemoryCounter;
using wattmesh::dlms::test::octets;
using wattmesh::dlms::test::SeededRandom;
using wattmesh::dlms::test::server_title;

namespace {

/// Client and server of one association with everything that general-ciphering and general-signing need.
struct Ends {
    explicit Ends(Suite chosen, Framing framing, bool sign = false) : suite(chosen) {
        keys = suite == Suite::two ? dlms::test::vector_keys_256() : dlms::test::vector_keys();
        keys.master = keys.authentication;
        settings.suite = suite;
        settings.framing = framing;
        settings.random = &random;
        settings.sign = settings.require_signature = sign;
        if (suite != Suite::zero) {
            const Curve curve = suite == Suite::one ? Curve::p256 : Curve::p384;
            for (auto* key : {&client_signing, &client_agreement, &server_signing, &server_agreement})
                *key = ciphers.generate(curve);
        }
    }
    SecuritySettings of(const std::shared_ptr<PrivateKey>& signing,
                        const std::shared_ptr<PrivateKey>& agreement,
                        const std::shared_ptr<PrivateKey>& peer_signing,
                        const std::shared_ptr<PrivateKey>& peer_agreement) const {
        SecuritySettings side = settings;
        side.signing_key = signing;
        side.agreement_key = agreement;
        if (peer_signing) side.peer_signing_key = peer_signing->public_key();
        if (peer_agreement) side.peer_agreement_key = peer_agreement->public_key();
        return side;
    }
    SecurityContext client() {
        return SecurityContext{keys,
                               client_title,
                               server_title,
                               ciphers,
                               client_send,
                               client_receive,
                               of(client_signing, client_agreement, server_signing, server_agreement)};
    }
    SecurityContext server() {
        auto side = of(server_signing, server_agreement, client_signing, client_agreement);
        side.mirror = true;
        return SecurityContext{keys, server_title, client_title, ciphers, server_send, server_receive, side};
    }

    Suite suite;
    security::OpensslCiphers ciphers;
    SeededRandom random{5};
    ClientKeys keys;
    SecuritySettings settings;
    std::shared_ptr<PrivateKey> client_signing, client_agreement, server_signing, server_agreement;
    MemoryCounter client_send{0x01020304}, client_receive, server_send, server_receive;
};

// GET-1 and GETR-1 of the vectors.
const Buffer request = *from_hex("C001C100080000010000FF0200"), answer = *from_hex("C401C1000600001391");

}  // namespace

// Green Book (DLMS UA 1000-2) ed. 10, 9.2.7.2.4 (general-ciphering) and 9.2.3.4.6 (key agreement).
TEST_CASE("general-ciphering: request and answer by every kind of key in every suite that has it",
          "[dlms][security]") {
    struct Row {
        const char* why;
        Suite suite;
        Framing framing;
        const char* begins;  ///< header with titles and key information, as the request has it
    };
    const auto row = GENERATE(values<Row>({
        {"identified key, suite 0", Suite::zero, Framing::identified_key, "010000"},
        {"identified key, suite 2", Suite::two, Framing::identified_key, "010000"},
        {"wrapped key, suite 0", Suite::zero, Framing::wrapped_key, "01010018"},
        {"wrapped key, suite 2", Suite::two, Framing::wrapped_key, "01010028"},
        {"one-pass Diffie-Hellman, suite 1", Suite::one, Framing::one_pass_dh, "010201018180"},
        {"one-pass Diffie-Hellman, suite 2", Suite::two, Framing::one_pass_dh, "0102010181C0"},
        {"static unified model, suite 1", Suite::one, Framing::static_dh, "0102010200"},
        {"static unified model, suite 2", Suite::two, Framing::static_dh, "0102010200"},
    }));
    DYNAMIC_SECTION(row.why) {
        Ends ends{row.suite, row.framing};
        auto client = ends.client();
        auto server = ends.server();
        const auto sealed = client.protect(request);
        REQUIRE(sealed);
        // DD, transaction id, titles of sender and receiver, no time, nothing else
        const std::string header = "DD080000000001020304084D4D4D0000000001084D4D4D0000BC614E0000";
        CHECK(to_hex(*sealed).starts_with(header + row.begins));
        CHECK(sealed->size() <= client.protected_size(request.size()));
        const auto opened = server.open(*sealed);
        REQUIRE(opened);
        CHECK(*opened == request);
        CHECK(server.open(*sealed).error().fault == Fault::replayed);
        const auto reply = server.protect(answer);
        REQUIRE(reply);
        const auto result = client.open(*reply);
        REQUIRE(result);
        CHECK(*result == answer);

        for (std::size_t at = 0; at < sealed->size(); ++at) {
            Ends fresh = ends;
            auto receiver = fresh.server();
            Buffer forged = *client.protect(request);
            forged[at] ^= 0x20;
            INFO("octet " << at);
            CHECK_FALSE(receiver.open(forged));
            CHECK_FALSE(receiver.open(Bytes{forged}.first(at)));
        }
    }
}

// The additional data is SC || AK || the five header fields with their lengths: checked with the cipher
// alone.
TEST_CASE("general-ciphering: the tag covers the header", "[dlms][security]") {
    Ends ends{Suite::zero, Framing::identified_key};
    auto client = ends.client();
    Buffer sealed = *client.protect(request);
    const Buffer additional = octets(
        "30D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF080000000001020304084D4D4D0000000001084D4D4D0000BC614E0000");
    const std::size_t text_at = sealed.size() - 12 - request.size();
    Buffer text{sealed.begin() + static_cast<std::ptrdiff_t>(text_at), sealed.end() - 12};
    const auto aead = ends.ciphers.aead(ends.keys.encryption);
    CHECK(aead->open(octets("4D4D4D000000000101020304"), additional, text, Bytes{sealed}.last(12)));
    CHECK(text == request);
}

// Green Book, annex C, table C.2: the ciphered content of the ACCESS request of the one-pass example with the
// derived key, sent by 4D4D4D0000BC614E with counter 0. (The printed tag is over data that is not printed.)
TEST_CASE("general-ciphering: ciphers the Green Book's ACCESS request to the printed text",
          "[dlms][security]") {
    const Buffer access = octets(
        "D94000000000040100010000600100FF020100080000010000FF0202001400000D0000FF0702001400000D0000FF08040000"
        "01"
        "040203090100090CFFFFFFFFFFFFFF00000000000901FF0203090101090CFFFFFFFFFFFFFF00000000000901FF0203090102"
        "09"
        "0CFFFFFFFFFFFFFF00000000000901FF0203090103090CFFFFFFFFFFFFFF00000000000901FF0104020809010011FF11FF11"
        "FF"
        "11FF11FF11FF11FF02080901011102110111011101110111011101020809010211FF11FF11FF11FF11FF11FF11FF02080901"
        "03"
        "1101110211021102110211021102");
    const char* printed =
        "F435069679270C5BF4425EE5777402A6C8D51C620EED52DBB188378B836E2857D5C053E6DDF27FA87409AEF502CD9618AE47"
        "01"
        "7C010224FD109CC0BEB21E742D44AB40CD11908743EC90EC8C40E221D517F72228E1A26E827F43DC18ED27B5F458D66508B0"
        "5A"
        "2A4CC6FED178C881AFC3BC67064689BE8BB41C80ABB3C114A31F4CB03B8B64C7E0B4CE77B2399C93347858888F92239713B3"
        "8D"
        "F01C4858245827A92EF334172EA636B31CBBDF2A96AD5D035F66AA38F1A2D97D4BBA99622E6B5F18789CECB2DFB3937D9F3E"
        "17"
        "F8B472098E6563238F3752837480";
    security::OpensslCiphers ciphers;
    ClientKeys keys = dlms::test::vector_keys();
    keys.encryption = *SymmetricKey::from(octets("59A71FD81C929A86A99438DA17A66C05"));
    MemoryCounter send{0}, receive;
    SecuritySettings settings;
    settings.suite = Suite::one;
    settings.framing = Framing::identified_key;
    SecurityContext sender{keys, server_title, client_title, ciphers, send, receive, settings};
    const auto sealed = sender.protect(access);
    REQUIRE(sealed);
    CHECK(to_hex(*sealed).find(printed) != std::string::npos);
}

TEST_CASE("general-ciphering: is refused where its keys are not there", "[dlms][security]") {
    Ends ends{Suite::one, Framing::one_pass_dh};
    auto client = ends.client();
    const Buffer agreed = *client.protect(request);
    Ends bare{Suite::one, Framing::service};
    for (auto* key :
         {&bare.client_signing, &bare.client_agreement, &bare.server_signing, &bare.server_agreement})
        key->reset();
    auto server = bare.server();
    CHECK(server.open(agreed).error().fault == Fault::unsupported);
    bare.settings.framing = Framing::one_pass_dh;
    CHECK_FALSE(bare.client().protect(request));
    bare.settings.framing = Framing::static_dh;
    CHECK_FALSE(bare.client().protect(request));
    bare.settings.framing = Framing::wrapped_key;
    Buffer wrapped = *bare.client().protect(request);
    bare.keys.master.reset();
    CHECK_FALSE(bare.client().protect(request));
    CHECK(bare.server().open(wrapped).error().fault == Fault::unsupported);
}

TEST_CASE("general-ciphering: another sender or receiver is a forgery", "[dlms][security]") {
    Ends ends{Suite::zero, Framing::identified_key};
    auto client = ends.client();
    auto server = ends.server();
    const Buffer genuine = *client.protect(request);
    for (const std::size_t at : {11U, 20U}) {  // a title octet of each
        Buffer forged = genuine;
        forged[at] ^= 1;
        CHECK(server.open(forged).error().fault == Fault::not_authentic);
    }
    CHECK(server.open(genuine));
}

// Green Book ed. 10, 9.2.7.2.5: signed are the header fields with their lengths and the content without.
TEST_CASE("general-signing: goes around the ciphered APDU, and its signature comes first",
          "[dlms][security]") {
    const auto suite = GENERATE(Suite::one, Suite::two);
    const auto framing = GENERATE(Framing::service, Framing::general, Framing::static_dh);
    Ends ends{suite, framing, true};
    auto client = ends.client();
    auto server = ends.server();
    const auto sealed = client.protect(request);
    REQUIRE(sealed);
    REQUIRE((*sealed)[0] == 0xDF);
    CHECK(sealed->size() <= client.protected_size(request.size()));
    const auto parts = decode_signed(*sealed);
    REQUIRE(parts);
    Buffer signed_octets = octets("080000000001020304084D4D4D0000000001084D4D4D0000BC614E0000");
    signed_octets.insert(signed_octets.end(), parts->content.begin(), parts->content.end());
    const Curve curve = suite == Suite::one ? Curve::p256 : Curve::p384;
    CHECK(ends.ciphers.verify(curve, ends.client_signing->public_key(), signed_octets, parts->signature));

    const auto opened = server.open(*sealed);
    REQUIRE(opened);
    CHECK(*opened == request);
    CHECK(server.open(*sealed).error().fault == Fault::replayed);
    const auto reply = server.protect(answer);
    REQUIRE(reply);
    CHECK(*client.open(*reply) == answer);
    for (std::size_t at = 0; at < sealed->size(); at += 3) {
        Buffer forged = *sealed;
        forged[at] ^= 0x11;
        CHECK_FALSE(server.open(forged));
        CHECK_FALSE(server.open(Bytes{*sealed}.first(at)));
    }
}

TEST_CASE("general-signing: one that is asked for may not be missing, and it never replaces ciphering",
          "[dlms][security]") {
    Ends ends{Suite::one, Framing::service, true};
    auto client = ends.client();
    auto server = ends.server();
    const Buffer sealed = *client.protect(request);
    const auto parts = decode_signed(sealed);
    REQUIRE(parts);
    CHECK(server.open(parts->content).error().fault == Fault::refused);  // the signature was taken off
    // Initiate goes without: its sender proves himself right after.
    const auto initiate = client.protect(test::vector("INI-1"));
    REQUIRE(initiate);
    CHECK((*initiate)[0] == 0x21);
    CHECK(server.open(*initiate));

    Writer header, input, plain;
    encode(header, GeneralHeader{{}, client_title.octets, server_title.octets, {}, {}});
    input.bytes(header.view()).bytes(request);
    plain.u8(0xDF).bytes(header.view()).u8(static_cast<std::uint8_t>(request.size())).bytes(request);
    plain.u8(64).bytes(ends.client_signing->sign(input.view()));
    CHECK(server.open(plain.view()).error().fault == Fault::bad_tag);
}

TEST_CASE("general-signing: layers are bounded", "[dlms][security]") {
    Ends ends{Suite::one, Framing::service};
    auto client = ends.client();
    auto server = ends.server();
    // A ciphered APDU in a ciphered one, and a signed one in a signed one.
    const Buffer once = *client.protect(request);
    ends.settings.framing = Framing::general;
    auto outer = ends.client();
    const Buffer twice = *outer.protect(once);
    CHECK(server.open(twice).error().fault == Fault::too_deep);
    const auto sign = [&](Bytes content) {
        Writer header, input, out;
        encode(header, GeneralHeader{{}, client_title.octets, server_title.octets, {}, {}});
        input.bytes(header.view()).bytes(content);
        out.u8(0xDF)
            .bytes(header.view())
            .u8(0x82)
            .u16(static_cast<std::uint16_t>(content.size()))
            .bytes(content);
        return out.u8(64).bytes(ends.client_signing->sign(input.view())).take();
    };
    CHECK(server.open(sign(sign(*client.protect(request)))).error().fault == Fault::too_deep);
    CHECK(server.open(sign(*client.protect(request))));
    CHECK(server.open(*outer.protect(sign(request))));  // ciphered around signed is an order of its own
}

TEST_CASE("security frames: every field is bounded and says where it is wrong", "[dlms][security]") {
    struct Row {
        const char* why;
        const char* message;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"empty", "", {Fault::truncated, 0}},
        {"plain", "C001C100080000010000FF0200", {Fault::bad_tag, 0}},
        {"title too long", "DB094D4D4D0000BC614E00", {Fault::too_long, 1}},
        {"title too short", "DB014D", {Fault::bad_value, 1}},
        {"nothing inside", "C800", {Fault::truncated, 2}},
        {"nothing between counter and tag", "C811300123456700112233445566778899AABB", {Fault::truncated, 7}},
        {"too long", "C80130", {Fault::truncated, 3}},
        {"octets after it", "C81030012345670011223344556677889900FF", {Fault::trailing, 2}},
        {"transaction id too long", "DD8141", {Fault::too_long, 1}},
        {"presence of the key information", "DD000000000002", {Fault::bad_value, 6}},
        {"kind of the key information", "DD00000000000103", {Fault::bad_value, 7}},
        {"key parameters", "DD0000000000010202", {Fault::unsupported, 8}},
        {"scheme",
         "DD000000000001020103"
         "00",
         {Fault::unsupported, 11}},
        {"length of length", "DD00000000000102010185", {Fault::too_long, 10}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_ciphered(octets(row.message));
        REQUIRE_FALSE(decoded);
        CHECK(to_string(decoded.error().fault) == to_string(row.error.fault));
        CHECK(decoded.error().offset == row.error.offset);
    }
    CHECK(decode_signed(octets("DF000000000000")).error().fault == Fault::truncated);
    CHECK(decode_signed(octets("DF000000000001C004DEADBEEF")).error().fault == Fault::bad_value);
    CHECK(decode_signed(octets("DD")).error() == Error{Fault::bad_tag, 0});
}
