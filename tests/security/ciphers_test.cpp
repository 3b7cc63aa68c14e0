#include "security/ciphers.h"

#include <catch2/catch.hpp>

namespace wattmesh::security {

namespace {
Key128 key(const char* hex) { return *Key128::from(*from_hex(hex)); }
}  // namespace

// McGrew, Viega: "The Galois/Counter Mode of Operation (GCM)", submission to NIST, appendix B, test cases 1
// to 4 and 13 to 16.
TEST_CASE("aes-gcm: test cases of the GCM specification, one context for all of one key", "[security]") {
    struct Row {
        const char* why;
        const char* key;
        const char* nonce;
        const char* aad;
        const char* plain;
        const char* cipher;
        const char* tag;
    };
    const auto row = GENERATE(values<Row>({
        {"case 1: nothing", "00000000000000000000000000000000", "000000000000000000000000", "", "", "",
         "58E2FCCEFA7E3061367F1D57A4E7455A"},
        {"case 2: one block", "00000000000000000000000000000000", "000000000000000000000000", "",
         "00000000000000000000000000000000", "0388DACE60B6A392F328C2B971B2FE78",
         "AB6E47D42CEC13BDF53A67B21257BDDF"},
        {"case 4: aad and a partial block", "FEFFE9928665731C6D6A8F9467308308", "CAFEBABEFACEDBADDECAF888",
         "FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2",
         "D9313225F88406E5A55909C5AFF5269A86A7A9531534F7DA2E4C303D8A318A721C3C0C95956809532FCF0E2449A6B525B16"
         "AEDF5AA0DE657BA637B39",
         "42831EC2217774244B7221B784D0D49CE3AA212F2C02A4E035C17E2329ACA12E21D514B25466931C7D8F6A5AAC84AA051BA"
         "30B396A0AAC973D58E091",
         "5BC94FBC3221A5DB94FAE95AE7121A47"},
        {"case 13: 256 bits, nothing", "0000000000000000000000000000000000000000000000000000000000000000",
         "000000000000000000000000", "", "", "", "530F8AFBC74536B9A963B4F1C4CB738B"},
        {"case 14: 256 bits, one block", "0000000000000000000000000000000000000000000000000000000000000000",
         "000000000000000000000000", "", "00000000000000000000000000000000",
         "CEA7403D4D606B6E074EC5D3BAF39D18", "D0D1C8A799996BF0265B98B5D48AB919"},
        {"case 16: 256 bits, aad and a partial block",
         "FEFFE9928665731C6D6A8F9467308308FEFFE9928665731C6D6A8F9467308308", "CAFEBABEFACEDBADDECAF888",
         "FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2",
         "D9313225F88406E5A55909C5AFF5269A86A7A9531534F7DA2E4C303D8A318A721C3C0C95956809532FCF0E2449A6B525B16"
         "AEDF5AA0DE657BA637B39",
         "522DC1F099567D07F47F37A32A84427D643A8CDCBFE5C0C97598A2BD2555D1AA8CB08E48590DBB3DA7B08B1056828838C5F"
         "61E6393BA7A0ABCC9F662",
         "76FC6ECE0F4E1768CDDF8853BB2D551B"},
    }));
    DYNAMIC_SECTION(row.why) {
        OpensslCiphers ciphers;
        const auto aead = ciphers.aead(*SymmetricKey::from(*from_hex(row.key)));
        const Buffer nonce = *from_hex(row.nonce), aad = *from_hex(row.aad);
        for (int round = 0; round < 3; ++round) {  // the context is used again
            Buffer text = *from_hex(row.plain);
            Buffer tag(16);
            aead->seal(nonce, aad, text, tag);
            CHECK(to_hex(text) == row.cipher);
            CHECK(to_hex(tag) == row.tag);
            Buffer tag_96(12), again = *from_hex(row.plain);
            aead->seal(nonce, aad, again, tag_96);
            CHECK(std::equal(tag_96.begin(), tag_96.end(), tag.begin()));
            CHECK(aead->open(nonce, aad, again, tag_96));
            CHECK(to_hex(again) == row.plain);
            CHECK(aead->open(nonce, aad, text, tag));
            CHECK(to_hex(text) == row.plain);
        }
    }
}

TEST_CASE("aes-128-gcm: a changed bit anywhere is refused, the text is wiped and the context still works",
          "[security]") {
    OpensslCiphers ciphers;
    const auto aead = ciphers.aead(key("FEFFE9928665731C6D6A8F9467308308"));
    const Buffer nonce(12, 7), aad{1, 2, 3}, plain{10, 20, 30, 40, 50};
    Buffer sealed = plain, tag(12);
    aead->seal(nonce, aad, sealed, tag);
    const auto refused = [&](Buffer n, Buffer a, Buffer text, Buffer t) {
        const bool accepted = aead->open(n, a, text, t);
        return !accepted && text == Buffer(text.size(), 0);
    };
    const auto flip = [](Buffer bytes, std::size_t bit) {
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1U << bit % 8);
        return bytes;
    };
    for (std::size_t bit = 0; bit < tag.size() * 8; ++bit) CHECK(refused(nonce, aad, sealed, flip(tag, bit)));
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit)
        CHECK(refused(nonce, aad, flip(sealed, bit), tag));
    for (std::size_t bit = 0; bit < aad.size() * 8; ++bit) CHECK(refused(nonce, flip(aad, bit), sealed, tag));
    for (std::size_t bit = 0; bit < nonce.size() * 8; ++bit)
        CHECK(refused(flip(nonce, bit), aad, sealed, tag));
    CHECK(refused(nonce, aad, sealed, {}));
    CHECK(refused(nonce, aad, sealed, Buffer(tag.begin(), tag.begin() + 3)));
    CHECK(refused(nonce, aad, sealed, Buffer(17, 0)));
    Buffer text = sealed;
    CHECK(aead->open(nonce, aad, text, tag));
    CHECK(text == plain);
}

// RFC 4493 section 4, examples 1 to 4.
TEST_CASE("aes-cmac: examples of RFC 4493", "[security]") {
    OpensslCiphers ciphers;
    const auto mac = ciphers.mac(key("2B7E151628AED2A6ABF7158809CF4F3C"));
    const Buffer message = *from_hex(
        "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F"
        "2445DF4F9B17AD2B417BE66C3710");
    const auto tag = [&](std::size_t size) { return to_hex(mac->compute(Bytes{message}.first(size))); };
    for (int round = 0; round < 2; ++round) {
        CHECK(tag(0) == "BB1D6929E95937287FA37D129B756746");
        CHECK(tag(16) == "070A16B46B4D4144F79BDD9DD04A287C");
        CHECK(tag(40) == "DFA66747DE9AE63030CA32611497C827");
        CHECK(tag(64) == "51F0BEBF7E3B9D92FC49741779363CFE");
    }
}

// RFC 3394 sections 4.1 (128 bit data, 128 bit KEK) and 4.6 (256 bit data, 256 bit KEK).
TEST_CASE("key wrap: vectors of RFC 3394, and refusals", "[security]") {
    OpensslCiphers ciphers;
    const auto wrap = ciphers.key_wrap(key("000102030405060708090A0B0C0D0E0F"));
    const Buffer data = *from_hex("00112233445566778899AABBCCDDEEFF");
    for (int round = 0; round < 2; ++round) {
        Buffer wrapped = wrap->wrap(data);
        CHECK(to_hex(wrapped) == "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
        CHECK(wrap->unwrap(wrapped) == data);
        wrapped[3] ^= 1;
        CHECK_FALSE(wrap->unwrap(wrapped));
        wrapped.pop_back();
        CHECK_FALSE(wrap->unwrap(wrapped));
        CHECK_FALSE(wrap->unwrap({}));
    }
    const Buffer meter_keys(48, 0x5A);
    CHECK(wrap->unwrap(wrap->wrap(meter_keys)) == meter_keys);

    const auto wide = ciphers.key_wrap(
        *Key256::from(*from_hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")));
    const Buffer long_data = *from_hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
    CHECK(to_hex(wide->wrap(long_data)) ==
          "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
    CHECK(wide->unwrap(wide->wrap(long_data)) == long_data);
}

TEST_CASE("digests: the examples of FIPS 180-4 and RFC 1321 for abc", "[security]") {
    OpensslCiphers ciphers;
    const auto of = [&](Digest digest) { return to_hex(ciphers.digest(digest, as_bytes("abc"))); };
    CHECK(of(Digest::md5) == "900150983CD24FB0D6963F7D28E17F72");
    CHECK(of(Digest::sha1) == "A9993E364706816ABA3E25717850C26C9CD0D89D");
    CHECK(of(Digest::sha256) == "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
    CHECK(of(Digest::sha384) ==
          "CB00753F45A35E8BB5A03D699AC65007272C32AB0EDED1631A8B605A43FF5BED8086072BA1E7CC2358BAECA134C825A7");
}

// FIPS 197, appendix C.1.
TEST_CASE("aes blocks: the example of FIPS 197, each block for itself", "[security]") {
    OpensslCiphers ciphers;
    const auto kek = key("000102030405060708090A0B0C0D0E0F");
    const Buffer block = *from_hex("00112233445566778899AABBCCDDEEFF");
    Buffer two = block;
    two.insert(two.end(), block.begin(), block.end());
    CHECK(to_hex(ciphers.encrypt_blocks(kek, two)) ==
          "69C4E0D86A7B0430D8CDB78070B4C55A69C4E0D86A7B0430D8CDB78070B4C55A");
    CHECK(ciphers.encrypt_blocks(kek, {}).empty());
}

TEST_CASE("system random: fills everything and does not repeat", "[security]") {
    SystemRandom random;
    Buffer a(64, 0), b(64, 0);
    random.fill(a);
    random.fill(b);
    CHECK(a != b);
    CHECK(a != Buffer(64, 0));
    const auto secret = random_secret<16>(random);
    CHECK_FALSE(equal_constant_time(secret.reveal(), random_secret<16>(random).reveal()));
}

// FIPS 180-4 example "abc".
TEST_CASE("sha-256: the example of FIPS 180-4", "[security]") {
    CHECK(to_hex(sha256(as_bytes("abc"))) ==
          "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
}

}  // namespace wattmesh::security
