#include "security/transport_key.h"

#include <catch2/catch.hpp>

#include "security/private_file.h"
#include "tests/security/folder.h"

namespace wattmesh::security {
namespace {

Buffer hex(const char* text) { return from_hex(text).value(); }

}  // namespace

TEST_CASE("transport key: wraps keys as RFC 3394 section 4 says, and believes nothing that was changed",
          "[security]") {
    struct Row {
        const char *kek, *key, *wrapped;
    };
    const auto row = GENERATE(values<Row>({
        {"000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF",
         "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"},  // 4.1
        {"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
         "00112233445566778899AABBCCDDEEFF", "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"},  // 4.3
        {"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
         "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
         "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"},  // 4.6
    }));
    const TransportKey transport{hex(row.kek)};
    CHECK(to_hex(transport.wrap_key(hex(row.key))) == row.wrapped);
    const auto wrapped = hex(row.wrapped);
    CHECK(to_hex(transport.unwrap_key(wrapped).value().reveal()) == row.key);
    for (std::size_t size = 0; size < wrapped.size(); ++size)
        CHECK_FALSE(transport.unwrap_key(Bytes{wrapped}.first(size)));
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
        auto changed = wrapped;
        changed[i] ^= 1;
        CHECK_FALSE(transport.unwrap_key(changed));
    }
    CHECK_FALSE(TransportKey{hex("00000000000000000000000000000000")}.unwrap_key(wrapped));
}

TEST_CASE("transport key: wraps secrets of any length as RFC 5649 section 6 says", "[security]") {
    const TransportKey transport{hex("5840DF6E29B02AF1AB493B705BF16EA1AE8338F4DCC176A8")};
    const auto longer = hex("138BDEAA9B8FA7FC61F97742E72248EE5AE6AE5360D1AE6A5F54F373FA543B6A");
    const auto shorter = hex("AFBEB0F07DFBF5419200F2CCB50BB24F");
    CHECK(transport.wrap_secret(hex("C37B7E6492584340BED12207808941155068F738")) == longer);
    CHECK(transport.wrap_secret(hex("466F7250617369")) == shorter);
    CHECK(to_hex(transport.unwrap_secret(longer).value().reveal()) ==
          "C37B7E6492584340BED12207808941155068F738");
    CHECK(to_hex(transport.unwrap_secret(shorter).value().reveal()) == "466F7250617369");
    auto changed = shorter;
    changed[15] ^= 0x80;
    CHECK_FALSE(transport.unwrap_secret(changed));
    CHECK_FALSE(transport.unwrap_secret({}));
    CHECK_FALSE(transport.unwrap_key(longer));  // a secret is no key
}

TEST_CASE("transport key: its file holds hexadecimal digits for the owner's eyes only", "[security]") {
    const Folder folder;
    const auto file = folder.path / "transport.key";
    create_private_file(file, as_bytes("000102030405060708090A0B0C0D0E0F\n"));
    CHECK(to_hex(TransportKey::open(file).wrap_key(hex("00112233445566778899AABBCCDDEEFF"))) ==
          "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
    const auto* content = GENERATE("", "00", "0001", "000102030405060708090A0B0C0D0E0",
                                   "not hexadecimal digits, no no no", "00 01 02 03 04 05 06 07 08 09 0A ");
    write_private_file(file, as_bytes(content));
    CHECK_THROWS_WITH(TransportKey::open(file),
                      Catch::Contains("transport.key") && Catch::Contains("32, 48 or 64"));
}

}  // namespace wattmesh::security
