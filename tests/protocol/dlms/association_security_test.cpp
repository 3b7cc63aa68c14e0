#include <catch2/catch.hpp>

#include "protocol/dlms/acse.h"
#include "protocol/dlms/initiate.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

const Buffer secret = to_buffer(as_bytes("a secret of HLS"));

/// Both sides of an association, with curves where the suite has them.
struct Sides {
    Sides(Mechanism mechanism, bool ciphered, Suite suite = Suite::zero) {
        client.mechanism = server.mechanism = mechanism;
        client.ciphered = server.ciphered = ciphered;
        client.keys = server.keys = suite == Suite::two ? vector_keys_256() : vector_keys();
        client.own_title = client_title;
        server.client = management_client;
        client.security.suite = server.security.suite = suite;
        if (is_high(mechanism)) client.password = server.password = secret;
        if (suite == Suite::zero) return;
        const Curve curve = suite == Suite::one ? Curve::p256 : Curve::p384;
        security::OpensslCiphers ciphers;
        client.security.signing_key = ciphers.generate(curve);
        server.security.signing_key = ciphers.generate(curve);
        client.security.peer_signing_key = server.security.signing_key->public_key();
        server.security.peer_signing_key = client.security.signing_key->public_key();
        client.security.agreement_key = ciphers.generate(curve);
        server.security.agreement_key = ciphers.generate(curve);
        client.security.peer_agreement_key = server.security.agreement_key->public_key();
        server.security.peer_agreement_key = client.security.agreement_key->public_key();
    }
    ClientConfig client;
    ClientAccess server;
};

template <class T>
std::optional<T> only(const std::vector<ClientEvent>& events) {
    std::optional<T> found;
    for (const auto& event : events)
        if (const auto* match = std::get_if<T>(&event)) {
            REQUIRE_FALSE(found);
            found = *match;
        }
    return found;
}

void check_read(Pair& pair) {
    pair.model.put(import_total, std::uint32_t{5009});
    pair.client.get(import_total);
    pair.run();
    const auto read = only<ReadCompleted>(pair.events());
    REQUIRE(read);
    CHECK(read->outcome == ReadOutcome{Data{std::uint32_t{5009}}});
}

/// An AARE of ours with another part of the InitiateResponse or the challenge.
Buffer plain_aare(const InitiateResponse& response) {
    Aare aare;
    aare.user_information = encode(response);
    return encode(aare);
}

}  // namespace

// Green Book (DLMS UA 1000-2) ed. 10, 9.2.7.4.
TEST_CASE("association: every HLS mechanism in every suite, plain and ciphered, and then a read", "[dlms]") {
    struct Row {
        const char* why;
        Mechanism mechanism;
        bool ciphered;
        Suite suite;
    };
    const auto row = GENERATE(values<Row>({
        {"2, manufacturer", Mechanism::high_manufacturer, false, Suite::zero},
        {"3, MD5", Mechanism::high_md5, false, Suite::zero},
        {"3, MD5, ciphered", Mechanism::high_md5, true, Suite::zero},
        {"4, SHA-1", Mechanism::high_sha1, false, Suite::zero},
        {"4, SHA-1, ciphered, suite 1", Mechanism::high_sha1, true, Suite::one},
        {"5, GMAC, suite 1", Mechanism::high_gmac, false, Suite::one},
        {"5, GMAC, ciphered, suite 1", Mechanism::high_gmac, true, Suite::one},
        {"5, GMAC, ciphered, suite 2", Mechanism::high_gmac, true, Suite::two},
        {"6, SHA-256", Mechanism::high_sha256, false, Suite::zero},
        {"6, SHA-256, ciphered", Mechanism::high_sha256, true, Suite::zero},
        {"7, ECDSA, suite 1", Mechanism::high_ecdsa, false, Suite::one},
        {"7, ECDSA, ciphered, suite 1", Mechanism::high_ecdsa, true, Suite::one},
        {"7, ECDSA, ciphered, suite 2", Mechanism::high_ecdsa, true, Suite::two},
    }));
    DYNAMIC_SECTION(row.why) {
        Sides sides{row.mechanism, row.ciphered, row.suite};
        sides.client.security.manufacturer_aes = sides.server.security.manufacturer_aes = true;
        Pair pair{sides.client, sides.server};
        pair.client.associate();
        CHECK(pair.run() == 2);
        CHECK(only<Associated>(pair.events()));
        CHECK(pair.server.associated(management_client));
        check_read(pair);
        for (const Buffer& apdu : pair.requests)
            CHECK((apdu[0] == 0x60 || is_protected(apdu[0]) == row.ciphered));
    }
}

TEST_CASE("association: with another secret or signing key neither end lets the other in", "[dlms]") {
    const auto mechanism = GENERATE(Mechanism::high_manufacturer, Mechanism::high_md5, Mechanism::high_sha1,
                                    Mechanism::high_sha256, Mechanism::high_ecdsa);
    const bool ecdsa = mechanism == Mechanism::high_ecdsa;
    Sides sides{mechanism, false, ecdsa ? Suite::one : Suite::zero};
    sides.client.security.manufacturer_aes = sides.server.security.manufacturer_aes = true;
    SECTION("the client's is wrong") {
        if (ecdsa)
            sides.client.security.signing_key = security::OpensslCiphers{}.generate(Curve::p256);
        else
            sides.client.password.back() ^= 1;
        Pair pair{sides.client, sides.server};
        pair.client.associate();
        pair.run();
        const auto refused = only<AssociationRefused>(pair.events());
        REQUIRE(refused);
        CHECK(refused->diagnostic == 13);
        CHECK_FALSE(pair.server.associated(management_client));
        CHECK(pair.model.calls == 0);
        CHECK(pair.server.counters().not_authentic == 1);
    }
    SECTION("the server's is wrong: the client verifies f(CtoS)") {
        // The server takes any proof, as an impostor would, and answers with one of its own.
        Pair pair{sides.client, sides.server};
        pair.client.associate();
        const Buffer aarq = *pair.client.take_output();
        pair.server.handle(pair.sap, aarq, now, [&](Buffer aare) { pair.client.receive(aare); });
        REQUIRE(pair.client.take_output());
        pair.client.receive(octets("C701C100010009100102030405060708090A0B0C0D0E0F10"));
        const auto refused = only<AssociationRefused>(pair.events());
        REQUIRE(refused);
        CHECK(refused->proof_failed);
        CHECK_FALSE(pair.client.associated());
    }
}

TEST_CASE("association: mechanism 2 without knowledge of the meter is no proof", "[dlms]") {
    Sides sides{Mechanism::high_manufacturer, false};
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    pair.run();
    CHECK_FALSE(pair.client.associated());
    CHECK_FALSE(pair.server.associated(management_client));
    const auto failed = only<RequestFailed>(pair.events());
    REQUIRE(failed);
    CHECK(failed->error.fault == Fault::unsupported);
}

// Green Book ed. 10, 9.2.7.4: a challenge that comes back would make us prove to ourselves.
TEST_CASE("association: a reflected challenge is refused, except where the quirk allows it", "[dlms]") {
    Sides sides{Mechanism::high_sha256, false};
    const bool quirk = GENERATE(false, true);
    sides.client.quirks.equal_challenges = quirk;
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    const auto aarq = decode_aarq(*pair.client.take_output());
    REQUIRE(aarq);
    Aare aare;
    aare.diagnostic = 14;
    aare.mechanism = Mechanism::high_sha256;
    aare.authentication = *aarq->authentication;
    aare.responding_title = server_title;
    aare.user_information = encode(InitiateResponse{.conformance = 0x10, .pdu_size_max = 500});
    pair.client.receive(encode(aare));
    CHECK(pair.client.take_output().has_value() == quirk);
    CHECK(only<AssociationRefused>(pair.events()).has_value() != quirk);
}

TEST_CASE("association: challenges shorter than the mechanism wants are refused on both sides", "[dlms]") {
    Sides sides{Mechanism::high_ecdsa, false, Suite::one};
    Pair pair{sides.client, sides.server};
    Aarq aarq;
    aarq.calling_title = client_title;
    aarq.mechanism = Mechanism::high_ecdsa;
    aarq.authentication = Buffer(31, 7);  // 32 to 64 for ECDSA
    aarq.user_information = test::vector("INI-1");
    pair.server.handle(pair.sap, encode(aarq), now, [](Buffer answer) {
        const auto aare = decode_aare(answer);
        REQUIRE(aare);
        CHECK(aare->result == association_result::rejected_permanent);
        CHECK(aare->diagnostic == diagnostic::authentication_failure);
    });
    aarq.authentication = Buffer(65, 7);
    pair.server.handle(pair.sap, encode(aarq), now,
                       [](Buffer answer) { CHECK(decode_aare(answer)->result == 1); });
    CHECK(pair.server.counters().refused_associations == 2);
}

// Green Book ed. 10, 9.2.7.2: every framing carries a whole association.
TEST_CASE("association: services work in every framing", "[dlms]") {
    struct Row {
        const char* why;
        Suite suite;
        Framing framing;
        bool sign, dedicated;
        std::uint8_t tag;
    };
    const auto row = GENERATE(values<Row>({
        {"glo", Suite::zero, Framing::service, false, false, 0xC8},
        {"ded", Suite::zero, Framing::service, false, true, 0xD0},
        {"ded, suite 2", Suite::two, Framing::service, false, true, 0xD0},
        {"general-glo", Suite::zero, Framing::general, false, false, 0xDB},
        {"general-ded", Suite::one, Framing::general, false, true, 0xDC},
        {"general-ciphering, identified", Suite::one, Framing::identified_key, false, false, 0xDD},
        {"general-ciphering, one-pass", Suite::one, Framing::one_pass_dh, false, false, 0xDD},
        {"general-ciphering, static, suite 2", Suite::two, Framing::static_dh, false, false, 0xDD},
        {"signed glo", Suite::one, Framing::service, true, false, 0xDF},
        {"signed general-ded, suite 2", Suite::two, Framing::general, true, true, 0xDF},
    }));
    DYNAMIC_SECTION(row.why) {
        Sides sides{Mechanism::high_gmac, true, row.suite};
        sides.client.security.framing = row.framing;
        // Who agrees on a key must know with whom before the AARE says it.
        if (row.framing > Framing::identified_key) sides.client.server_title = server_title;
        sides.client.dedicated_key = row.dedicated;
        sides.client.security.sign = sides.client.security.require_signature = row.sign;
        sides.server.security.sign = sides.server.security.require_signature = row.sign;
        Pair pair{sides.client, sides.server};
        for (int round = 0; round < 2; ++round) {
            pair.client.associate();
            pair.run();
            REQUIRE(only<Associated>(pair.events()));
            check_read(pair);
            CHECK(pair.requests.back()[0] == row.tag);
            CHECK(is_protected(pair.answers.back()[0]));
            pair.client.abort();
            pair.events();
            pair.server.disconnect(management_client);
        }
        CHECK(pair.server.counters().replayed == 0);
    }
}

TEST_CASE("association: a dedicated key in a plain InitiateRequest is refused, it is no secret", "[dlms]") {
    Sides sides{Mechanism::none, false};
    Pair pair{sides.client, sides.server};
    Aarq aarq;
    aarq.user_information = test::vector("INI-2");
    pair.server.handle(pair.sap, encode(aarq), now,
                       [](Buffer answer) { CHECK(decode_aare(answer)->result == 1); });
    CHECK_FALSE(pair.server.associated(management_client));
}

// exception-response 1/6 (Green Book ed. 10, 9.5).
TEST_CASE("association: a replay is told the expected counter where the access says so, a forgery never",
          "[dlms]") {
    Sides sides{Mechanism::none, true};
    sides.server.tells_expected_counter = GENERATE(false, true);
    const bool tells = sides.server.tells_expected_counter;
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    pair.run();
    REQUIRE(only<Associated>(pair.events()));
    check_read(pair);
    const auto say = [&](const Buffer& apdu) {
        Buffer said;
        pair.server.handle(pair.sap, apdu, now, [&](Buffer answer) { said = std::move(answer); });
        return said;
    };
    const Buffer request = pair.requests.back();
    CHECK(to_hex(say(request)) == (tells ? "D8010600000003" : ""));
    Buffer forged = request;
    forged.back() ^= 1;
    CHECK(say(forged).empty());
    CHECK(pair.server.counters().replayed == 1);
    CHECK(pair.server.counters().not_authentic == 1);
    const Buffer aarq = pair.requests.front();
    if (tells)
        CHECK(to_hex(say(aarq)) == "D8010600000003");
    else
        CHECK(decode_aare(say(aarq))->result == association_result::rejected_transient);
}

TEST_CASE("association: the client hears of the expected counter", "[dlms]") {
    Sides sides{Mechanism::none, true};
    sides.server.tells_expected_counter = true;
    Pair pair{sides.client, sides.server};
    pair.server_receive.accept(999);
    pair.client.associate();
    pair.run();
    const auto failed = only<RequestFailed>(pair.events());
    REQUIRE(failed);
    CHECK(failed->expected_counter == 1'000U);
    CHECK(failed->association_lost);
    // EXC-ic
    pair.client.associate();
    REQUIRE(pair.client.take_output());
    pair.client.receive(test::vector("EXC-ic"));
    CHECK(only<RequestFailed>(pair.events())->expected_counter == 0x123U);
}

TEST_CASE("association: short names are recognised and said", "[dlms]") {
    Sides sides{Mechanism::none, false};
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    REQUIRE(pair.client.take_output());
    SECTION("by the VAA name") {
        pair.client.receive(plain_aare({.conformance = 0x001C0320, .pdu_size_max = 500, .vaa_name = 0xFA00}));
    }
    SECTION("by the application context") {
        Aare aare;
        aare.context = ContextName::short_name;
        pair.client.receive(encode(aare));
    }
    const auto refused = only<AssociationRefused>(pair.events());
    REQUIRE(refused);
    CHECK(refused->short_names);
    CHECK_FALSE(pair.client.associated());
}

TEST_CASE("association: a client of short names proposes them and takes nothing else", "[dlms]") {
    Sides sides{Mechanism::low, false};
    sides.client.short_names = true;
    sides.client.password = to_buffer(as_bytes("12345678"));
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    const auto aarq = decode_aarq(*pair.client.take_output());
    REQUIRE(aarq);
    CHECK(aarq->context == ContextName::short_name);
    CHECK((decode_initiate_request(aarq->user_information)->conformance & 0x18'0000) == 0x18'0000);
    const bool logical = GENERATE(false, true);
    Aare aare;
    aare.context = ContextName::short_name;
    aare.user_information =
        encode(InitiateResponse{.conformance = 0x18'0200,
                                .pdu_size_max = 500,
                                .vaa_name = logical ? std::uint16_t{7} : std::uint16_t{0xFA00}});
    pair.client.receive(encode(aare));
    CHECK(pair.client.associated() != logical);
}

TEST_CASE("association: an AARE without user-information is taken with the quirk alone", "[dlms]") {
    Sides sides{Mechanism::none, false};
    sides.client.quirks.missing_user_information = GENERATE(false, true);
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    REQUIRE(pair.client.take_output());
    pair.client.receive(encode(Aare{}));
    CHECK(pair.client.associated() == sides.client.quirks.missing_user_information);
    if (pair.client.associated()) {
        const auto agreed = only<Associated>(pair.events());
        REQUIRE(agreed);
        CHECK((agreed->conformance & conformance::get) != 0);
        CHECK(agreed->server_pdu_size_max == 0);
    }
}

// AARQ-1 with 5F 04 instead of 5F1F 04, and RLRE-1 with a length that is too long.
TEST_CASE("association: encodings that real peers get wrong", "[dlms]") {
    const auto shorter = decode_initiate_request(octets("01000000065F0400007E1F04B0"));
    REQUIRE(shorter);
    CHECK(*shorter == *decode_initiate_request(test::vector("INI-1")));
    CHECK_FALSE(decode_release(octets("6303800100").size() == 5 ? octets("6305800100") : Buffer{}));
    CHECK(decode_release(octets("6305800100"), true));
    CHECK(decode_release(octets("63"), true));
    CHECK_FALSE(decode_release(octets("6205"), false));
    CHECK_FALSE(decode_release(octets("61038001"), true));
    // A title of no octets is none.
    Aare aare;
    aare.user_information = test::vector("INIR-1");
    Buffer titled = encode(aare);
    const Buffer empty_title = octets("A4020400");
    titled.insert(titled.begin() + 2 + 11 + 5 + 7, empty_title.begin(), empty_title.end());
    titled[1] = static_cast<std::uint8_t>(titled[1] + 4);
    const auto decoded = decode_aare(titled);
    REQUIRE(decoded);
    CHECK_FALSE(decoded->responding_title);
}

TEST_CASE("association: a release ends it whatever the server answers", "[dlms]") {
    const auto answer = GENERATE("6303800100", "6305800100", "63", "D80101", "C401C100");
    Sides sides{Mechanism::none, false};
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    pair.run();
    pair.events();
    pair.client.release();
    REQUIRE(pair.client.take_output());
    pair.client.receive(octets(answer));
    CHECK(only<Released>(pair.events()));
    CHECK_FALSE(pair.client.associated());
}

TEST_CASE("association: keys that were transferred are in force after the answer, counters anew", "[dlms]") {
    struct Replacing : TableModel {
        void act(const MethodId& id, const std::optional<Data>& given, Sap client, Instant at,
                 std::function<void(ActionOutcome)> done) override {
            CHECK(server->replace_keys(client, KeyKind::unicast_encryption, fresh));
            CHECK_FALSE(server->replace_keys(client, KeyKind::unicast_encryption, SymmetricKey{Key256{}}));
            CHECK_FALSE(server->replace_keys(Sap{99}, KeyKind::unicast_encryption, fresh));
            TableModel::act(id, given, client, at, std::move(done));
        }
        Server* server = nullptr;
        SymmetricKey fresh{Key128{{4, 2}}};
    } model;
    Sides sides{Mechanism::high_gmac, true};
    security::OpensslCiphers ciphers;
    SeededRandom random{3};
    MemoryCounter sent{5'000}, received, server_sends{7'000}, server_takes;
    sides.server.send = &server_sends;
    sides.server.receive = &server_takes;
    Server server{server_title, {sides.server}, model, ciphers, random};
    model.server = &server;
    const auto talk = [&](Client& client) {
        while (const auto request = client.take_output())
            server.handle(management_client, *request, now, [&](Buffer answer) { client.receive(answer); });
        std::vector<ClientEvent> events;
        while (auto event = client.take_event()) events.push_back(std::move(*event));
        return events;
    };
    Client client{sides.client, ciphers, random, sent, received};
    client.associate();
    REQUIRE(only<Associated>(talk(client)));
    client.act({64, ObisCode{{0, 0, 43, 0, 0, 255}}, 2}, Data{std::uint8_t{0}});
    CHECK(only<ActionCompleted>(talk(client)));  // the answer came under the old key

    client.get(import_total);
    CHECK(talk(client).empty());  // the old key is no longer heard
    CHECK(server.counters().not_authentic == 1);

    sides.client.keys->encryption = model.fresh;
    MemoryCounter new_sent{1}, new_received;  // both begin anew
    Client renewed{sides.client, ciphers, random, new_sent, new_received};
    server.disconnect(management_client);
    renewed.associate();
    REQUIRE(only<Associated>(talk(renewed)));
    CHECK(server_sends.next() < 10U);
}

TEST_CASE("association: a protection from outside ciphers for the client, and may say no", "[dlms]") {
    /// As a key service does: looks at the plain APDU and has the last word.
    struct Guarded final : Protection {
        explicit Guarded(Protection& keys) : inner(keys) {}
        std::optional<Buffer> protect(Bytes apdu) override {
            if (apdu[0] == 0xC1) return std::nullopt;  // no SET for this role
            return inner.protect(apdu);
        }
        Result<Buffer> open(Bytes apdu) override { return inner.open(apdu); }
        Result<Bytes> open_in_place(std::span<std::uint8_t> apdu) override {
            return inner.open_in_place(apdu);
        }
        std::size_t protected_size(std::size_t size) const override { return inner.protected_size(size); }
        std::optional<Buffer> prove(const Challenges& challenges) override { return inner.prove(challenges); }
        bool verify(const Challenges& challenges, Bytes proof) override {
            return inner.verify(challenges, proof);
        }
        void set_peer(SystemTitle peer) override { inner.set_peer(peer); }
        Protection& inner;
    };
    Sides sides{Mechanism::high_gmac, true};
    security::OpensslCiphers ciphers;
    MemoryCounter sent, received;
    SecurityContext keys{sides.client.keys, client_title, SystemTitle{}, ciphers, sent, received};
    sides.client.keys.reset();
    sides.client.protection = std::make_shared<Guarded>(keys);
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    pair.run();
    REQUIRE(only<Associated>(pair.events()));
    check_read(pair);
    pair.client.set(clock_time, Data{std::uint8_t{1}});
    pair.run();
    CHECK(only<RequestFailed>(pair.events()));
    CHECK(pair.model.calls == 1);
}

TEST_CASE("association: a server may get its protection from outside too", "[dlms]") {
    Sides sides{Mechanism::high_gmac, true};
    security::OpensslCiphers ciphers;
    MemoryCounter sent, received;
    const auto keys = sides.server.keys;
    sides.server.keys.reset();
    int made = 0;
    sides.server.protection = [&](SystemTitle peer) {
        ++made;
        CHECK(peer == client_title);
        return std::make_unique<SecurityContext>(keys, server_title, peer, ciphers, sent, received);
    };
    Pair pair{sides.client, sides.server};
    pair.client.associate();
    pair.run();
    REQUIRE(only<Associated>(pair.events()));
    check_read(pair);
    CHECK(made == 1);
    CHECK_FALSE(pair.server.replace_keys(management_client, KeyKind::authentication, Key128{}));
}
