#include "protocol/dlms/security.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using dlms::test::client_title;
using dlms::test::MemoryCounter;
using dlms::test::octets;
using dlms::test::server_title;

namespace {

/// The two ends of one association; `sender` has the title of the published vectors.
struct Ends {
    explicit Ends(std::optional<std::uint32_t> first = 0x01234567, const SecuritySettings& with = {})
        : keys(with.suite == Suite::two ? test::vector_keys_256() : test::vector_keys()),
          settings(with),
          sent(first) {}
    ClientKeys keys;
    SecuritySettings settings;
    security::OpensslCiphers ciphers;
    MemoryCounter sent, received, unused_send, unused_receive;
    SecurityContext sender{keys, server_title, client_title, ciphers, sent, unused_receive, settings};
    SecurityContext receiver{keys, client_title, server_title, ciphers, unused_send, received, settings};
};

const Buffer client_challenge{'K', '5', '6', 'i', 'V', 'a', 'g', 'Y'};
const Buffer server_challenge{'P', '6', 'w', 'R', 'J', '2', '1', 'F'};

}  // namespace

TEST_CASE("ciphering: tags of the global forms", "[dlms][security]") {
    struct Row {
        std::uint8_t plain, global;
    };
    const auto row = GENERATE(values<Row>({{0x01, 0x21},
                                           {0x08, 0x28},
                                           {0xC0, 0xC8},
                                           {0xC1, 0xC9},
                                           {0xC3, 0xCB},
                                           {0xC4, 0xCC},
                                           {0xC5, 0xCD},
                                           {0x05, 0x25},
                                           {0xC2, 0xCA},
                                           {0xC7, 0xCF}}));
    CHECK(global_tag(row.plain) == row.global);
    CHECK(plain_tag(row.global) == row.plain);
    CHECK_FALSE(global_tag(row.global));
    CHECK(is_protected(row.global));
    CHECK_FALSE(is_protected(row.plain));
}

TEST_CASE("ciphering: every bit of a message counts", "[dlms][security]") {
    const Buffer genuine = test::vector("GLO-30");
    for (std::size_t at = 0; at < genuine.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            Ends ends;
            Buffer forged = genuine;
            forged[at] = static_cast<std::uint8_t>(forged[at] ^ 1 << bit);
            const auto opened = ends.receiver.open(forged);
            INFO("octet " << at << " bit " << bit);
            REQUIRE_FALSE(opened);
            // The tag octet is not authenticated: the plain APDU inside tells that it was changed.
            const auto fault = opened.error().fault;
            if (at >= 3) CHECK(fault == Fault::not_authentic);
            CHECK((ends.received.accept(0x01234567) || at == 0));  // a forged message uses no counter up
        }
    }
}

// Green Book (DLMS UA 1000-2) ed. 10, 9.2.7.2.4: the security control of each message says how it is
// protected.
TEST_CASE("ciphering: published messages of every level, framing and suite are made and opened",
          "[dlms][security]") {
    struct Row {
        const char *ciphered, *plain;
        std::function<void(SecuritySettings&)> set;
        bool dedicated = false;
    };
    const auto row = GENERATE(values<Row>({
        {"GLO-30", "GET-1gb", [](SecuritySettings&) {}},
        {"INI-2c", "INI-2", [](SecuritySettings&) {}},
        {"GLO-10", "GET-1gb", [](SecuritySettings& s) { s.send = s.require = 0x10; }},
        {"GLO-20", "GET-1gb", [](SecuritySettings& s) { s.send = s.require = 0x20; }},
        {"GLO-S1", "GET-1gb", [](SecuritySettings& s) { s.suite = Suite::one; }},
        {"GLO-S2", "GET-1gb", [](SecuritySettings& s) { s.suite = Suite::two; }},
        {"GGLO-30", "GET-1gb", [](SecuritySettings& s) { s.framing = Framing::general; }},
        {"DED-30", "GET-1gb", [](SecuritySettings&) {}, true},
    }));
    DYNAMIC_SECTION(row.ciphered) {
        SecuritySettings settings;
        row.set(settings);
        Ends ends{0x01234567, settings};
        if (row.dedicated) {
            const auto key = SymmetricKey::from(octets("00112233445566778899AABBCCDDEEFF"));
            REQUIRE(ends.sender.set_dedicated_key(key));
            REQUIRE(ends.receiver.set_dedicated_key(key));
            // The published counter; ours begin at 0 with each key.
            const auto opened = ends.receiver.open(test::vector(row.ciphered));
            REQUIRE(opened);
            CHECK(*opened == test::vector(row.plain));
            CHECK(ends.receiver.open(test::vector(row.ciphered)).error().fault == Fault::replayed);
            const auto sealed = ends.sender.protect(test::vector(row.plain));
            REQUIRE(sealed);
            CHECK(to_hex(*sealed).starts_with("D01E3000000000"));
            return;
        }
        const auto sealed = ends.sender.protect(test::vector(row.plain));
        REQUIRE(sealed);
        CHECK(to_hex(*sealed) == to_hex(test::vector(row.ciphered)));
        CHECK(ends.sender.protected_size(test::vector(row.plain).size()) == sealed->size());
        const auto opened = ends.receiver.open(test::vector(row.ciphered));
        REQUIRE(opened);
        CHECK(*opened == test::vector(row.plain));
        CHECK(ends.receiver.open(test::vector(row.ciphered)).error().fault == Fault::replayed);
    }
}

TEST_CASE("ciphering: a changed octet and a missing one are refused in every framing, level and suite",
          "[dlms][security]") {
    const std::string id = GENERATE("GLO-10", "GLO-S1", "GLO-S2", "GGLO-30", "DED-30");
    SecuritySettings settings;
    if (id == "GLO-10") settings.require = 0x10;
    if (id == "GLO-S1") settings.suite = Suite::one;
    if (id == "GLO-S2") settings.suite = Suite::two;
    const Buffer genuine = test::vector(id);
    const auto key = SymmetricKey::from(octets("00112233445566778899AABBCCDDEEFF"));
    for (std::size_t at = 0; at < genuine.size(); ++at) {
        INFO(id << " octet " << at);
        Ends ends{1, settings};
        if (id == "DED-30") REQUIRE(ends.receiver.set_dedicated_key(key));
        Buffer forged = genuine;
        forged[at] ^= 0x04;
        CHECK_FALSE(ends.receiver.open(forged));
        CHECK_FALSE(ends.receiver.open(Bytes{genuine}.first(at)));
        if (at > 0) CHECK(ends.receiver.open(genuine));  // and no counter was used up
    }
}

TEST_CASE("ciphering: opens in place, and leaves zeros of what was forged", "[dlms][security]") {
    Ends ends;
    Buffer genuine = test::vector("GLO-30");
    const auto opened = ends.receiver.open_in_place(genuine);
    REQUIRE(opened);
    CHECK(to_buffer(*opened) == test::vector("GET-1gb"));
    CHECK(opened->data() == genuine.data() + 7);

    const auto id = GENERATE("GLO-30", "GLO-10");
    SecuritySettings settings;
    settings.require = 0x10;
    Ends others{1, settings};
    Buffer forged = test::vector(id);
    forged.back() ^= 1;
    CHECK_FALSE(others.receiver.open_in_place(forged));
    CHECK(Buffer(forged.begin() + 7, forged.begin() + 20) == Buffer(13, 0));
}

TEST_CASE("ciphering: refuses another suite, less than the policy wants, and what is compressed",
          "[dlms][security]") {
    struct Row {
        const char* why;
        Buffer message;
        std::uint8_t require;
        Fault fault;
    };
    const auto changed = [](const char* id, std::uint8_t control) {
        Buffer message = test::vector(id);
        message[2] = control;
        return message;
    };
    const auto row = GENERATE_COPY(values<Row>({
        {"no encryption", test::vector("GLO-10"), 0x30, Fault::refused},
        {"no authentication", test::vector("GLO-20"), 0x30, Fault::refused},
        {"encryption alone where a tag is wanted", test::vector("GLO-20"), 0x10, Fault::refused},
        {"authentication alone where secrecy is wanted", test::vector("GLO-10"), 0x20, Fault::refused},
        {"suite 1", test::vector("GLO-S1"), 0x30, Fault::unsupported},
        {"suite 2", test::vector("GLO-S2"), 0x30, Fault::unsupported},
        {"compressed", changed("GLO-30", 0xB0), 0x30, Fault::unsupported},
        {"broadcast key, which we do not have", changed("GLO-30", 0x70), 0x30, Fault::unsupported},
        {"not protected at all", changed("GLO-30", 0x00), 0x30, Fault::unsupported},
        {"dedicated key, which was not agreed", test::vector("DED-30"), 0x30, Fault::refused},
        {"plain", test::vector("GET-1"), 0x30, Fault::bad_tag},
    }));
    DYNAMIC_SECTION(row.why) {
        SecuritySettings settings;
        settings.require = row.require;
        Ends ends{1, settings};
        const auto opened = ends.receiver.open(row.message);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().fault == row.fault);
        CHECK(ends.received.accept(0x01234567));  // no counter was used up
    }
}

// The control octet is in the additional data: to take the requirement of encryption away makes another tag.
TEST_CASE("ciphering: a security control that was changed on the way is a forgery", "[dlms][security]") {
    SecuritySettings settings;
    settings.require = 0x10;
    Ends ends{1, settings};
    Buffer downgraded = test::vector("GLO-30");
    downgraded[2] = 0x10;
    CHECK(ends.receiver.open(downgraded).error().fault == Fault::not_authentic);
}

TEST_CASE("ciphering: general-glo tells its sender's title, and only our peer's is taken",
          "[dlms][security]") {
    Ends ends;
    Buffer stranger = test::vector("GGLO-30");
    stranger[9] ^= 1;
    CHECK(ends.receiver.open(stranger).error().fault == Fault::not_authentic);

    Buffer anonymous = test::vector("GGLO-30");
    anonymous.erase(anonymous.begin() + 2, anonymous.begin() + 10);
    anonymous[1] = 0;
    CHECK(ends.receiver.open(anonymous).error().fault == Fault::bad_value);
    SecuritySettings tolerant;
    tolerant.empty_title_allowed = true;  // quirk empty_system_title
    Ends quirky{1, tolerant};
    const auto opened = quirky.receiver.open(anonymous);
    REQUIRE(opened);
    CHECK(*opened == test::vector("GET-1gb"));
    CHECK(quirky.receiver.open(stranger).error().fault == Fault::not_authentic);

    Buffer short_title = octets("DB074D4D4D0000BC61" + to_hex(test::vector("GLO-30")).substr(2));
    CHECK(ends.receiver.open(short_title).error().fault == Fault::bad_value);
}

TEST_CASE("ciphering: services without a form of their own travel in general-glo", "[dlms][security]") {
    Ends ends;
    const auto sealed = ends.sender.protect(test::vector("DN-2"));
    REQUIRE(sealed);
    CHECK(to_hex(*sealed).starts_with("DB084D4D4D0000BC614E2E3001234567"));
    CHECK(ends.sender.protected_size(test::vector("DN-2").size()) + 9 == sealed->size());
    const auto opened = ends.receiver.open(*sealed);
    REQUIRE(opened);
    CHECK(*opened == test::vector("DN-2"));
}

// Captured push of an Austrian meter: suite 1, encryption only, general-glo (uplink sheet, 9.2).
TEST_CASE("ciphering: a push without a tag opens only where the settings say so", "[dlms][security]") {
    const Buffer push = octets(
        "DB084B464D10100000238201092100295B9AEFC1546E644A2C9E32EDD42CBD0F1B945B194D086885C4D8DF86DD52CB5B4488"
        "54A6D5"
        "48D5D270739B2A169D05B013F9015070089D3C5FA45CA05E92309A645CC83D7DA40FBC8F4CF9C225AFA69A25FF0B2AC9C274"
        "4550AB"
        "A53CE9143FD10B0AD85FD30BD6B6DFFEE65F8204DC9C5067CA73B62E299A39D50AA730B2B9AE3836BC2F3490FB41BE5B6F93"
        "0D8495"
        "2976369DD7DABBB5A4354AECA1D2486CFF2EB0C6206380BA501D122AF75D716D3092C3960506A15E06FAB0EE5B7DFA3C2CDF"
        "0CAFD0"
        "51B88E44B8B9FB8865F20CB89D1143CDC7EFEB07FB4C4898E764E9E3A32DDC3D1F");
    Buffer joined = push;  // of two M-Bus frames
    const Buffer rest = octets("B46961CE962B2C78050C96598C7E4D26658043F9CBCA78189BD01B139F8AE0F739");
    joined.insert(joined.end(), rest.begin(), rest.end());
    const SystemTitle meter{{0x4B, 0x46, 0x4D, 0x10, 0x10, 0x00, 0x00, 0x23}};
    const ClientKeys keys{*SymmetricKey::from(octets("101112131415161718191A1B1C1D1E1F")), SymmetricKey{}};
    security::OpensslCiphers ciphers;
    MemoryCounter send, receive;
    SecuritySettings settings;
    settings.suite = Suite::one;
    SecurityContext strict{keys, client_title, meter, ciphers, send, receive, settings};
    CHECK(strict.open(joined).error().fault == Fault::refused);
    settings.require = 0x20;
    SecurityContext context{keys, client_title, meter, ciphers, send, receive, settings};
    const auto opened = context.open(joined);
    REQUIRE(opened);
    CHECK(to_hex(*opened).starts_with("0F0029B2DC0C07E50713010F2E2300FF8880020C09060000010000FF090C07E507"));
    CHECK(context.open(joined).error().fault == Fault::replayed);
    Buffer noise = joined;
    noise[18] ^= 0x40;  // the first octet of the text: no APDU begins like that
    MemoryCounter fresh;
    SecurityContext doubting{keys, client_title, meter, ciphers, send, fresh, settings};
    CHECK(doubting.open(noise).error().fault == Fault::bad_tag);
    CHECK(fresh.accept(1));  // noise does not move the counter
}

TEST_CASE("ciphering: the broadcast key has counters of its own", "[dlms][security]") {
    SecuritySettings settings;
    MemoryCounter broadcast_sent{7}, broadcast_received;
    settings.broadcast = true;
    settings.broadcast_send = &broadcast_sent;
    settings.broadcast_receive = &broadcast_received;
    ClientKeys keys = test::vector_keys();
    keys.broadcast = *SymmetricKey::from(octets("0F0E0D0C0B0A09080706050403020100"));
    security::OpensslCiphers ciphers;
    MemoryCounter sent{100}, received;
    SecurityContext sender{keys, client_title, server_title, ciphers, sent, received, settings};
    const auto sealed = sender.protect(test::vector("GET-1"));
    REQUIRE(sealed);
    CHECK(to_hex(*sealed).substr(4, 10) == "7000000007");
    settings.broadcast = false;
    SecurityContext receiver{keys, server_title, client_title, ciphers, sent, received, settings};
    const auto opened = receiver.open(*sealed);
    REQUIRE(opened);
    CHECK(*opened == test::vector("GET-1"));
    CHECK(receiver.open(*sealed).error().fault == Fault::replayed);
    CHECK(received.accept(1));  // the unicast counter did not move
    Buffer unicast = *sealed;
    unicast[2] = 0x30;
    CHECK(receiver.open(unicast).error().fault == Fault::not_authentic);
}

TEST_CASE("ciphering: a dedicated key counts from 0 with each association and leaves Initiate global",
          "[dlms][security]") {
    Ends ends{50};
    const auto key = SymmetricKey::from(octets("00112233445566778899AABBCCDDEEFF"));
    for (int association = 0; association < 2; ++association) {
        REQUIRE(ends.sender.set_dedicated_key(key));
        REQUIRE(ends.receiver.set_dedicated_key(key));
        CHECK(to_hex(*ends.sender.protect(test::vector("INI-1"))).starts_with("21"));
        for (int message = 0; message < 2; ++message) {
            const auto sealed = ends.sender.protect(test::vector("GET-1"));
            REQUIRE(sealed);
            CHECK(to_hex(*sealed).starts_with("D01E300000000" + std::to_string(message)));
            CHECK(ends.receiver.open(*sealed));
        }
    }
    CHECK_FALSE(ends.sender.set_dedicated_key(SymmetricKey{Key256{}}));  // not of this suite
    REQUIRE(ends.sender.set_dedicated_key(std::nullopt));
    CHECK(to_hex(*ends.sender.protect(test::vector("GET-1"))).starts_with("C8"));
    SecuritySettings general;
    general.framing = Framing::general;
    Ends titled{50, general};
    REQUIRE(titled.sender.set_dedicated_key(key));
    REQUIRE(titled.receiver.set_dedicated_key(key));
    const auto sealed = titled.sender.protect(test::vector("GET-1"));
    CHECK(to_hex(*sealed).starts_with("DC084D4D4D0000BC614E1E3000000000"));
    CHECK(titled.receiver.open(*sealed));
}

TEST_CASE("ciphering: answers come in the framing of the question", "[dlms][security]") {
    SecuritySettings mirroring;
    mirroring.mirror = true;
    Ends ends{1, mirroring};
    REQUIRE(ends.receiver.open(test::vector("GGLO-30")));
    CHECK(to_hex(*ends.receiver.protect(test::vector("GETR-1"))).starts_with("DB08"));
    Buffer service = *ends.sender.protect(test::vector("GET-1"));
    Ends again{1, mirroring};
    REQUIRE(again.receiver.open(service));
    CHECK(to_hex(*again.receiver.protect(test::vector("GETR-1"))).starts_with("CC"));
}

TEST_CASE("ciphering: a new encryption key restarts the counters, another authentication key does not",
          "[dlms][security]") {
    Ends ends{1'000};
    REQUIRE(ends.receiver.open(*ends.sender.protect(test::vector("GET-1"))));
    const Key128 fresh{{9, 9, 9}};
    REQUIRE(ends.sender.replace_key(KeyKind::authentication, fresh));
    const auto under_new = ends.sender.protect(test::vector("GET-1"));
    CHECK(ends.receiver.open(*under_new).error().fault == Fault::not_authentic);
    REQUIRE(ends.receiver.replace_key(KeyKind::authentication, fresh));
    REQUIRE(ends.receiver.open(*under_new));
    REQUIRE(ends.sender.replace_key(KeyKind::unicast_encryption, fresh));
    REQUIRE(ends.receiver.replace_key(KeyKind::unicast_encryption, fresh));
    const auto first = ends.sender.protect(test::vector("GET-1"));
    CHECK(to_hex(*first).substr(4, 10) == "3000000001");
    CHECK(ends.receiver.open(*first));
    CHECK_FALSE(ends.sender.replace_key(KeyKind::unicast_encryption, SymmetricKey{Key256{}}));
}

TEST_CASE("ciphering: every prefix of a message is refused", "[dlms][security]") {
    const Buffer genuine = test::vector("GLO-30");
    Ends ends;
    for (std::size_t size = 0; size < genuine.size(); ++size) {
        const Buffer prefix{genuine.begin(), genuine.begin() + static_cast<std::ptrdiff_t>(size)};
        const auto opened = ends.receiver.open(prefix);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().fault == Fault::truncated);
    }
    // A length that fits, but nothing between header and tag
    CHECK(ends.receiver.open(octets("C811300123456700112233445566778899AABB")).error().fault ==
          Fault::truncated);
}

TEST_CASE("ciphering: a message opens once, and an older one not at all", "[dlms][security]") {
    Ends ends;
    const auto first = ends.sender.protect(test::vector("GET-1"));
    const auto second = ends.sender.protect(test::vector("GET-1"));
    REQUIRE(ends.receiver.open(*second));
    CHECK(ends.receiver.open(*second).error().fault == Fault::replayed);
    CHECK(ends.receiver.open(*first).error().fault == Fault::replayed);
    const auto third = ends.sender.protect(test::vector("GET-1"));
    CHECK(ends.receiver.open(*third));
}

TEST_CASE("ciphering: stops when the counter is used up", "[dlms][security]") {
    Ends ends{0xFFFFFFFF};
    CHECK(ends.sender.protect(test::vector("GET-1")));
    CHECK_FALSE(ends.sender.protect(test::vector("GET-1")));
    CHECK_FALSE(ends.sender.prove({{}, client_challenge}));
}

// Green Book values of HLS mechanism 5: f(StoC) by the client with counter 1, f(CtoS) by the server with
// 01234567.
TEST_CASE("proof: published values are made and verified", "[dlms][security]") {
    security::OpensslCiphers ciphers;
    MemoryCounter client_sends{1}, client_takes, server_sends{0x01234567}, server_takes;
    SecurityContext client{test::vector_keys(), client_title, server_title, ciphers,
                           client_sends,        client_takes};
    SecurityContext server{test::vector_keys(), server_title, client_title, ciphers,
                           server_sends,        server_takes};
    const Buffer of_client = *client.prove({{}, server_challenge}),
                 of_server = *server.prove({{}, client_challenge});
    CHECK(to_hex(of_client) == "1000000001" + to_hex(test::hls_value("gmac_f_StoC")));
    CHECK(to_hex(of_server) == "1001234567" + to_hex(test::hls_value("gmac_f_CtoS")));
    CHECK(server.verify({server_challenge, {}}, of_client));
    CHECK(client.verify({client_challenge, {}}, of_server));
    CHECK_FALSE(server.verify({server_challenge, {}}, of_client));  // its counter is used
}

TEST_CASE("proof: refuses another challenge, another bit, another length", "[dlms][security]") {
    Ends ends;
    const Buffer genuine = *ends.sender.prove({{}, client_challenge});
    CHECK_FALSE(ends.receiver.verify({server_challenge, {}}, genuine));
    for (std::size_t at = 0; at < genuine.size(); ++at) {
        Buffer forged = genuine;
        forged[at] ^= 0x20;
        CHECK_FALSE(ends.receiver.verify({client_challenge, {}}, forged));
        CHECK_FALSE(ends.receiver.verify({client_challenge, {}}, Bytes{genuine}.first(at)));
    }
    Buffer longer = genuine;
    longer.push_back(0);
    CHECK_FALSE(ends.receiver.verify({client_challenge, {}}, longer));
    CHECK(ends.receiver.verify({client_challenge, {}}, genuine));
}

// A sender proves (counter n) and then ciphers the APDU that carries the proof (counter n + 1).
TEST_CASE("proof: inside a ciphered APDU its counter lies between those of the last two",
          "[dlms][security]") {
    Ends ends;
    const Buffer early = *ends.sender.prove({{}, client_challenge});
    const Buffer initiate = *ends.sender.protect(test::vector("INI-1"));
    const Buffer proof = *ends.sender.prove({{}, client_challenge});
    const Buffer around = *ends.sender.protect(test::vector("ACT-HLS"));
    REQUIRE(ends.receiver.open(initiate));
    REQUIRE(ends.receiver.open(around));
    CHECK_FALSE(ends.receiver.verify({client_challenge, {}}, early));
    CHECK(ends.receiver.verify({client_challenge, {}}, proof));
}
