#include <algorithm>
#include <catch2/catch.hpp>

#include "protocol/decode/describe.h"
#include "security/ciphers.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::decode;
using dlms::test::octets;
using dlms::test::vector;

namespace {

// Keys and titles: tests/vectors/README.md.
constexpr const char* encryption = "000102030405060708090A0B0C0D0E0F";
constexpr const char* authentication = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";
constexpr const char* dedicated = "00112233445566778899AABBCCDDEEFF";
constexpr SystemTitle server{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E}};

SymmetricKey key(const char* hex) { return *SymmetricKey::from(octets(hex)); }

Keyring keyring() {
    static security::OpensslCiphers ciphers;
    Keyring keys;
    keys.ciphers = &ciphers;
    keys.encryption = key(encryption);
    keys.authentication = key(authentication);
    keys.dedicated = key(dedicated);
    keys.title = server;
    return keys;
}

}  // namespace

TEST_CASE("describe: deciphers with the keys and says that the tag verified", "[sim]") {
    const char* id =
        GENERATE("GLO-10", "GLO-30", "GLO-S1", "GGLO-30", "DED-30", "INI-2c", "AARQ-2c", "GLO-S2");
    CAPTURE(id);
    Keyring keys = keyring();
    if (std::string_view{id} == "GLO-S2") {
        keys.encryption = key("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
        keys.authentication = key("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEF");
    }
    const Buffer message = vector(id);
    const Report report = describe(message, {}, keys);
    CAPTURE(report.text());
    CHECK(report.whole());
    const bool initiate = std::string_view{id} == "INI-2c" || std::string_view{id} == "AARQ-2c";
    CHECK_THAT(report.text(),
               Catch::Contains("tag verified with title 4D4D4D0000BC614E") &&
                   Catch::Contains(initiate ? "proposed conformance 007E1F"
                                            : "class 8 clock, 0-0:1.0.0*255 Clock, attribute 2"));

    SECTION("a changed octet is a forgery, whichever of security header, text and tag it is in") {
        const std::size_t header = std::string_view{id} == "AARQ-2c"   ? 0x38
                                   : std::string_view{id} == "GGLO-30" ? 0x0B
                                                                       : 0x02;
        keys.broadcast = keys.encryption;
        for (std::size_t i = header; i < message.size(); ++i) {
            Buffer changed = message;
            changed[i] ^= 0x40;  // in the security control: the broadcast key, which is the same here
            CAPTURE(i);
            const Report forged = describe(changed, {}, keys);
            REQUIRE_FALSE(forged.whole());
            CHECK(forged.findings()[0].fault == Fault::not_authentic);
            CHECK(forged.findings()[0].offset == message.size() - 12);
            CHECK_THAT(forged.text(), !Catch::Contains("clock") && !Catch::Contains("conformance"));
        }
    }
    SECTION("a wrong key shows nothing") {
        keys.authentication = key(id == std::string_view{"GLO-S2"}
                                      ? "00D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEF"
                                      : "00D1D2D3D4D5D6D7D8D9DADBDCDDDEDF");
        const Report wrong = describe(message, {}, keys);
        CHECK_FALSE(wrong.whole());
        CHECK_THAT(wrong.text(), Catch::Contains("error: tag does not verify at octet") &&
                                     !Catch::Contains("get-request-normal"));
    }
}

TEST_CASE("describe: says which key is missing, and deciphers nothing that it cannot verify", "[sim]") {
    Keyring keys = keyring();
    keys.authentication.reset();
    const Report no_ak = describe(vector("GLO-30"), {}, keys);
    CHECK(no_ak.whole());
    CHECK_THAT(no_ak.text(), Catch::Contains("without --ak the tag cannot be verified") &&
                                 !Catch::Contains("get-request-normal"));
    keys = keyring();
    keys.title.reset();
    CHECK_THAT(describe(vector("GLO-30"), {}, keys).text(), Catch::Contains("give --title"));
    CHECK_THAT(describe(vector("AARQ-2c"), {}, keys).text(), Catch::Contains("tag verified"));
    keys.dedicated.reset();
    CHECK_THAT(describe(vector("DED-30"), {}, keys).text(), Catch::Contains("give --dedicated"));
    CHECK_THAT(describe(vector("GLO-S2"), {}, keys).text(), Catch::Contains("32 octets each"));
    // Authenticated only: the text is readable without a key, and said not to be verified.
    CHECK_THAT(describe(vector("GLO-10")).text(),
               Catch::Contains("not deciphered") && Catch::Contains("get-request-normal"));
    CHECK_THAT(describe(vector("GLO-20"), {}, keyring()).text(),
               Catch::Contains("there is no tag") && Catch::Contains("attribute 2 time"));
}

TEST_CASE("describe: tries every key of a shipment", "[sim]") {
    Keyring keys = keyring();
    keys.others = {{key(dedicated), key(dedicated)}, {*keys.encryption, *keys.authentication}};
    keys.encryption.reset();
    keys.authentication.reset();
    CHECK_THAT(describe(vector("GGLO-30"), {}, keys).text(), Catch::Contains("attribute 2 time"));
    keys.others.pop_back();
    CHECK_FALSE(describe(vector("GGLO-30"), {}, keys).whole());
}

TEST_CASE("describe: learns the dedicated key and the title from an association before", "[sim]") {
    const auto wrapped = [](const Buffer& apdu) {
        Buffer out = octets("000100010010");
        out.push_back(static_cast<std::uint8_t>(apdu.size() >> 8U));
        out.push_back(static_cast<std::uint8_t>(apdu.size()));
        out.insert(out.end(), apdu.begin(), apdu.end());
        return out;
    };
    Buffer both = wrapped(vector("AARQ-2c"));
    const Buffer next = wrapped(vector("DED-30"));
    both.insert(both.end(), next.begin(), next.end());
    Keyring keys = keyring();
    keys.title.reset();
    keys.dedicated.reset();
    CHECK_THAT(describe(both, {}, keys).text(),
               Catch::Contains("ded-get-request") && Catch::Contains("attribute 2 time"));
}

TEST_CASE("describe: never shows a key or a password, not even around an error", "[sim]") {
    const std::string password = "12345678", password_hex = "31 32 33 34";
    Buffer message = vector("AARQ-2");
    const auto at = std::search(message.begin(), message.end(), password.begin(), password.end());
    for (Buffer wrong : {Buffer{message.begin(), at + 4}, message}) {
        if (wrong.size() == message.size()) wrong[static_cast<std::size_t>(at - message.begin()) + 11] = 0;
        const Report report = describe(wrong, {}, keyring());
        CHECK_FALSE(report.whole());
        CHECK_THAT(report.text() + report.json(), !Catch::Contains("1234") && !Catch::Contains(password_hex));
    }
    const Report initiate = describe(vector("INI-2c"), {}, keyring());
    for (const char* secret : {encryption, authentication, dedicated})
        CHECK_THAT(initiate.text() + initiate.json(), !Catch::Contains(secret));
    Buffer cut = vector("INI-2");
    cut.resize(12);
    CHECK_THAT(describe(cut, {.form = Form::apdu}).text(),
               !Catch::Contains("22 33 44") && Catch::Contains("**"));
}

TEST_CASE("describe: opens every framing that the stack protects with", "[sim]") {
    using dlms::Framing;
    struct Counters final : CounterStore {
        std::optional<std::uint32_t> next() override { return ++last; }
        bool accept(std::uint32_t) override { return true; }
        void raise(std::uint32_t) override {}
        std::uint32_t last = 6;
    } counters;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    dlms::SecuritySettings settings;
    settings.framing =
        GENERATE(Framing::service, Framing::general, Framing::identified_key, Framing::wrapped_key);
    settings.broadcast = GENERATE(false, true);
    settings.send = GENERATE(std::uint8_t{0x30}, std::uint8_t{0x10});
    settings.broadcast_send = settings.broadcast_receive = &counters;
    settings.random = &random;
    if (settings.broadcast && settings.framing == Framing::wrapped_key) return;
    Keyring keys = keyring();
    keys.broadcast = key("B0B1B2B3B4B5B6B7B8B9BABBBCBDBEBF");
    keys.master = key("A0A1A2A3A4A5A6A7A8A9AAABACADAEAF");
    const dlms::ClientKeys client{*keys.encryption, *keys.authentication, keys.broadcast, keys.master};
    dlms::SecurityContext context{client, server, SystemTitle{}, ciphers, counters, counters, settings};
    const auto message = context.protect(vector("GET-1"));
    REQUIRE(message);
    const Report report = describe(*message, {}, keys);
    CAPTURE(to_hex(*message), report.text());
    CHECK(report.whole());
    CHECK_THAT(report.text(), Catch::Contains("tag verified") && Catch::Contains("invocation counter ") &&
                                  Catch::Contains("class 8 clock, 0-0:1.0.0*255 Clock, attribute 2 time"));
    keys.broadcast.reset();
    keys.encryption.reset();
    keys.master.reset();
    CHECK_THAT(describe(*message, {}, keys).text(), !Catch::Contains("tag verified"));
}

TEST_CASE("describe: an error in a deciphered text has the place of its octet in the input", "[sim]") {
    // GET-1gb with one octet less, ciphered here as GLO-30 is.
    security::OpensslCiphers ciphers;
    Buffer plain = vector("GET-1gb");
    plain.pop_back();
    const Buffer nonce = octets("4D4D4D0000BC614E01234567");
    Buffer additional = octets(std::string{"30"} + authentication);
    std::array<std::uint8_t, 12> tag{};
    ciphers.aead(key(encryption))->seal(nonce, additional, plain, tag);
    Buffer message = octets("C81D3001234567");
    message.insert(message.end(), plain.begin(), plain.end());
    message.insert(message.end(), tag.begin(), tag.end());
    const Report report = describe(message, {}, keyring());
    REQUIRE(report.findings().size() == 1);
    CHECK(report.findings()[0].fault == Fault::truncated);
    CHECK(report.findings()[0].offset == 7 + plain.size());
    CHECK(report.findings()[0].where == "get-request-normal");
    CHECK_THAT(report.text(), Catch::Contains("in the deciphered text"));
}
