#include "tests/protocol/dlms/sides.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

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

// Such a meter's first ciphered APDU is the one with its proof: nothing stands before it.
TEST_CASE("association: ciphered HLS-GMAC goes on behind an AARE without user-information", "[dlms]") {
    Sides sides{Mechanism::high_gmac, true};
    sides.client.quirks.missing_user_information = true;
    Pair pair{sides.client, sides.server};
    for (const bool again : {false, true}) {
        INFO("second association: " << again);
        pair.client.associate();
        const auto aarq = pair.client.take_output();
        REQUIRE(aarq);
        Buffer answer;
        pair.server.handle(pair.sap, *aarq, test::now, [&](Buffer aare) { answer = std::move(aare); });
        auto aare = decode_aare(answer);
        REQUIRE(aare);
        aare->user_information.clear();
        pair.client.receive(encode(*aare));
        pair.run();
        CHECK(pair.client.associated());
        pair.events();
        check_read(pair);
        pair.client.release();
        pair.run();
        pair.events();
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
