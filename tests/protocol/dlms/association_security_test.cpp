#include "tests/protocol/dlms/sides.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

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
            const auto agreed = only<Associated>(pair.events());
            REQUIRE(agreed);
            const bool general = row.framing != Framing::service || row.sign;
            CHECK(((agreed->conformance & conformance::general_protection) != 0) == general);
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
