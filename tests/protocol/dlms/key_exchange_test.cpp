#include "protocol/dlms/key_exchange.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/key_agreement.h"
#include "security/ciphers.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using wattmesh::dlms::test::octets;

namespace {

constexpr SystemTitle client{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E}};
constexpr SystemTitle server{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0x00, 0x00, 0x01}};

/// Signing keys of both ends.
struct Ends {
    explicit Ends(Curve on)
        : curve(on), client_signing(ciphers.generate(on)), server_signing(ciphers.generate(on)) {}
    KeyExchange exchange(const std::vector<KeyKind>& kinds) {
        return {ciphers, *client_signing, client, server, kinds};
    }
    std::optional<AgreedKeys> answer(const Data& argument) {
        return answer_key_agreement(ciphers, argument, *server_signing, client_signing->public_key(), client,
                                    server);
    }
    security::OpensslCiphers ciphers;
    Curve curve;
    std::unique_ptr<PrivateKey> client_signing, server_signing;
};

Buffer& key_data(Data& list, std::size_t index) {
    auto& pair = std::get<Structure>(std::get<Array>(list.value).elements[index].value);
    return std::get<OctetString>(pair.elements[1].value).octets;
}

}  // namespace

TEST_CASE("key exchange: both ends come to the same keys, others each time", "[dlms][security]") {
    Ends ends{GENERATE(Curve::p256, Curve::p384)};
    const std::vector kinds{KeyKind::unicast_encryption, KeyKind::authentication, KeyKind::master};
    const auto exchange = ends.exchange(kinds);
    const auto answered = ends.answer(exchange.argument());
    REQUIRE(answered);
    const auto keys = exchange.finish(answered->answer, ends.server_signing->public_key());
    REQUIRE(keys);
    REQUIRE(keys->size() == kinds.size());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        CHECK((*keys)[i].kind == kinds[i]);
        CHECK(to_hex((*keys)[i].key.reveal()) == to_hex(answered->keys[i].key.reveal()));
        CHECK((*keys)[i].key.size() == (ends.curve == Curve::p256 ? 16 : 32));
    }
    CHECK(to_hex((*keys)[0].key.reveal()) != to_hex((*keys)[1].key.reveal()));
    const auto again = ends.answer(exchange.argument());
    REQUIRE(again);
    CHECK(to_hex(again->keys[0].key.reveal()) != to_hex(answered->keys[0].key.reveal()));
}

TEST_CASE("key exchange: what goes over the line is the public key and its signature with the key id",
          "[dlms][security]") {
    Ends ends{Curve::p256};
    const auto exchange = ends.exchange({KeyKind::authentication});
    Data argument = exchange.argument();
    const Buffer sent = key_data(argument, 0);
    REQUIRE(sent.size() == 128);
    Buffer input{2};  // key_id of the authentication key
    input.insert(input.end(), sent.begin(), sent.begin() + 64);
    CHECK(
        ends.ciphers.verify(Curve::p256, ends.client_signing->public_key(), input, Bytes{sent}.subspan(64)));

    // A server made of the primitives alone comes to the same key: ECDH, and the KDF of the Green Book's
    // example.
    const auto own = ends.ciphers.generate(Curve::p256);
    const auto key = derive_key(ends.ciphers, Curve::p256, *own->agree(Bytes{sent}.first(64)),
                                KeyUse::gcm_128, client.octets, server.octets);
    Buffer reply_input{2};
    const Buffer own_public = own->public_key();
    reply_input.insert(reply_input.end(), own_public.begin(), own_public.end());
    Buffer reply = own_public;
    const Buffer signature = ends.server_signing->sign(reply_input);
    reply.insert(reply.end(), signature.begin(), signature.end());
    const Data answer = array({structure({Enum{2}, OctetString{reply}})});
    const auto keys = exchange.finish(answer, ends.server_signing->public_key());
    REQUIRE(keys);
    CHECK(to_hex(keys->front().key.reveal()) == to_hex(key.reveal()));
}

TEST_CASE("key exchange: no key is taken from a changed, cut or foreign half", "[dlms][security]") {
    Ends ends{Curve::p256};
    const std::vector kinds{KeyKind::unicast_encryption, KeyKind::authentication};
    const auto exchange = ends.exchange(kinds);
    const Data argument = exchange.argument();
    const auto answered = ends.answer(argument);
    REQUIRE(answered);
    const Buffer server_public = ends.server_signing->public_key();
    for (std::size_t at = 0; at < 128; at += 3) {
        Data changed = argument, changed_answer = answered->answer;
        key_data(changed, 1)[at] ^= 1;
        key_data(changed_answer, 1)[at] ^= 1;
        CHECK_FALSE(ends.answer(changed));
        CHECK_FALSE(exchange.finish(changed_answer, ends.server_signing->public_key()));
        Data cut = argument;
        key_data(cut, 0).resize(at);
        CHECK_FALSE(ends.answer(cut));
    }
    SECTION("signed by somebody else") {
        CHECK_FALSE(exchange.finish(answered->answer, ends.client_signing->public_key()));
        std::swap(ends.client_signing, ends.server_signing);
        CHECK_FALSE(ends.answer(argument));
    }
    SECTION("a half moved to another kind of key") {
        Data moved = argument;
        auto& elements = std::get<Array>(moved.value).elements;
        std::swap(std::get<Structure>(elements[0].value).elements[0],
                  std::get<Structure>(elements[1].value).elements[0]);
        CHECK_FALSE(ends.answer(moved));
    }
    SECTION("a kind that is missing, twice or unknown") {
        Data less = argument, more = argument, unknown = argument, less_answer = answered->answer;
        std::get<Array>(less_answer.value).elements.pop_back();
        CHECK_FALSE(exchange.finish(less_answer, server_public));
        auto& doubled = std::get<Array>(more.value).elements;
        doubled.push_back(doubled[0]);
        CHECK_FALSE(ends.answer(more));
        std::get<Structure>(std::get<Array>(unknown.value).elements[0].value).elements[0] = Data{Enum{4}};
        CHECK_FALSE(ends.answer(unknown));
        std::get<Array>(less.value).elements.clear();
        CHECK_FALSE(ends.answer(less));
        CHECK_FALSE(ends.answer(Data{std::uint8_t{1}}));
    }
}
