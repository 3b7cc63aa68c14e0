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
    explicit Ends(std::optional<std::uint32_t> first = 0x01234567) : sent(first) {}
    security::OpensslCiphers ciphers;
    MemoryCounter sent, received, unused_send, unused_receive;
    SecurityContext sender{test::vector_keys(), server_title, client_title, ciphers, sent, unused_receive};
    SecurityContext receiver{test::vector_keys(), client_title, server_title, ciphers, unused_send, received};
};

const Buffer client_challenge{'K', '5', '6', 'i', 'V', 'a', 'g', 'Y'};
const Buffer server_challenge{'P', '6', 'w', 'R', 'J', '2', '1', 'F'};

}  // namespace

// GLO-30: the Green Book's example of a ciphered GET-request. INI-2c: of a ciphered InitiateRequest.
TEST_CASE("ciphering: published messages are made and opened", "[dlms][security]") {
    struct Row {
        const char *plain, *ciphered;
    };
    const auto row = GENERATE(values<Row>({{"GET-1gb", "GLO-30"}, {"INI-2", "INI-2c"}}));
    DYNAMIC_SECTION(row.ciphered) {
        Ends ends;
        const auto sealed = ends.sender.protect(test::vector(row.plain));
        REQUIRE(sealed);
        CHECK(to_hex(*sealed) == to_hex(test::vector(row.ciphered)));
        CHECK(ends.sender.protected_size(test::vector(row.plain).size()) == sealed->size());
        const auto opened = ends.receiver.open(test::vector(row.ciphered));
        REQUIRE(opened);
        CHECK(*opened == test::vector(row.plain));
    }
}

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
                                           {0xC7, 0xCF}}));
    CHECK(global_tag(row.plain) == row.global);
    CHECK(plain_tag(row.global) == row.plain);
    CHECK_FALSE(global_tag(row.global));
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

TEST_CASE("ciphering: refuses another suite or less than authentication and encryption", "[dlms][security]") {
    struct Row {
        const char* id;
        Fault fault;
    };
    const auto row = GENERATE(values<Row>({{"GLO-10", Fault::unsupported},
                                           {"GLO-20", Fault::unsupported},
                                           {"GLO-S1", Fault::unsupported},
                                           {"GLO-S2", Fault::unsupported},
                                           {"GGLO-30", Fault::bad_tag},
                                           {"DED-30", Fault::bad_tag},
                                           {"GET-1", Fault::bad_tag}}));
    Ends ends;
    const auto opened = ends.receiver.open(test::vector(row.id));
    REQUIRE_FALSE(opened);
    CHECK(opened.error().fault == row.fault);
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
