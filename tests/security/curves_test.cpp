#include <catch2/catch.hpp>

#include "security/ciphers.h"

namespace wattmesh::security {

namespace {

// RFC 6979, A.2.5 and A.2.6.
constexpr const char* secret_256 = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
constexpr const char* public_256 =
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
constexpr const char* secret_384 =
    "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5";
constexpr const char* public_384 =
    "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13"
    "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720";

Buffer octets(const char* hex) { return *from_hex(hex); }

}  // namespace

TEST_CASE("ecdsa: verifies the signatures of RFC 6979 and nothing near them", "[security]") {
    struct Row {
        const char* why;
        Curve curve;
        const char *public_key, *message, *signature;
    };
    const auto row = GENERATE(values<Row>({
        {"P-256, SHA-256, sample", Curve::p256, public_256, "sample",
         "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
         "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
        {"P-256, SHA-256, test", Curve::p256, public_256, "test",
         "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
         "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"},
        {"P-384, SHA-384, sample", Curve::p384, public_384, "sample",
         "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
         "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"},
    }));
    DYNAMIC_SECTION(row.why) {
        OpensslCiphers ciphers;
        const Buffer key = octets(row.public_key), signature = octets(row.signature);
        const Bytes message = as_bytes(row.message);
        CHECK(ciphers.verify(row.curve, key, message, signature));
        CHECK_FALSE(ciphers.verify(row.curve, key, as_bytes("Sample"), signature));
        CHECK_FALSE(ciphers.verify(row.curve, key, message, Bytes{signature}.first(signature.size() - 1)));
        CHECK_FALSE(ciphers.verify(row.curve, key, message, {}));
        CHECK_FALSE(ciphers.verify(row.curve, key, message, Buffer(signature.size(), 0)));
        CHECK_FALSE(ciphers.verify(row.curve, key, message, Buffer(signature.size(), 0xFF)));
        CHECK_FALSE(ciphers.verify(row.curve, Bytes{key}.first(key.size() - 1), message, signature));
        CHECK_FALSE(ciphers.verify(row.curve, Buffer(key.size(), 0), message, signature));
        for (std::size_t at = 0; at < signature.size(); at += 7) {
            Buffer forged = signature;
            forged[at] ^= 0x10;
            CHECK_FALSE(ciphers.verify(row.curve, key, message, forged));
        }
        Buffer off_curve = key;
        off_curve.back() ^= 1;
        CHECK_FALSE(ciphers.verify(row.curve, off_curve, message, signature));
    }
}

TEST_CASE("private key: has the public key of RFC 6979, and its signatures verify", "[security]") {
    OpensslCiphers ciphers;
    const auto curve = GENERATE(Curve::p256, Curve::p384);
    const auto key = ciphers.private_key(curve, octets(curve == Curve::p256 ? secret_256 : secret_384));
    REQUIRE(key);
    CHECK(key->curve() == curve);
    CHECK(to_hex(key->public_key()) == (curve == Curve::p256 ? public_256 : public_384));
    for (int round = 0; round < 20; ++round) {  // halves with leading zeros keep their width
        const Buffer signature = key->sign(as_bytes("sample"));
        REQUIRE(signature.size() == 2 * coordinate_size(curve));
        REQUIRE(ciphers.verify(curve, key->public_key(), as_bytes("sample"), signature));
    }
    CHECK_FALSE(ciphers.verify(curve, ciphers.generate(curve)->public_key(), as_bytes("sample"),
                               key->sign(as_bytes("sample"))));
}

// NIST CAVP, SP 800-56A ECCCDH primitive test vectors, P-256 and P-384, COUNT = 0.
TEST_CASE("ecdh: the vectors of NIST CAVP, and refuses a point off the curve", "[security]") {
    struct Row {
        const char* why;
        Curve curve;
        const char *peer, *secret, *own, *z;
    };
    const auto row = GENERATE(values<Row>({
        {"P-256", Curve::p256,
         "700C48F77F56584C5CC632CA65640DB91B6BACCE3A4DF6B42CE7CC838833D287"
         "DB71E509E3FD9B060DDB20BA5C51DCC5948D46FBF640DFE0441782CAB85FA4AC",
         "7D7DC5F71EB29DDAF80D6214632EEAE03D9058AF1FB6D22ED80BADB62BC1A534",
         "EAD218590119E8876B29146FF89CA61770C4EDBBF97D38CE385ED281D8A6B230"
         "28AF61281FD35E2FA7002523ACC85A429CB06EE6648325389F59EDFCE1405141",
         "46FC62106420FF012E54A434FBDD2D25CCC5852060561E68040DD7778997BD7B"},
        {"P-384", Curve::p384,
         "A7C76B970C3B5FE8B05D2838AE04AB47697B9EAF52E764592EFDA27FE7513272734466B400091ADBF2D68C58E0C50066"
         "AC68F19F2E1CB879AED43A9969B91A0839C4C38A49749B661EFEDF243451915ED0905A32B060992B468C64766FC8437A",
         "3CC3122A68F0D95027AD38C067916BA0EB8C38894D22E1B15618B6818A661774AD463B205DA88CF699AB4D43C9CF98A1",
         "9803807F2F6D2FD966CDD0290BD410C0190352FBEC7FF6247DE1302DF86F25D34FE4A97BEF60CFF548355C015DBB3E5F"
         "BA26CA69EC2F5B5D9DAD20CC9DA711383A9DBE34EA3FA5A2AF75B46502629AD54DD8B7D73A8ABB06A3A3BE47D650CC99",
         "5F9D29DC5E31A163060356213669C8CE132E22F57C9A04F40BA7FCEAD493B457E5621E766C40A2E3D4D6A04B25E533F1"},
    }));
    DYNAMIC_SECTION(row.why) {
        OpensslCiphers ciphers;
        const auto key = ciphers.private_key(row.curve, octets(row.secret));
        REQUIRE(key);
        CHECK(to_hex(key->public_key()) == row.own);
        Buffer peer = octets(row.peer);
        const auto z = key->agree(peer);
        REQUIRE(z);
        CHECK(to_hex(*z) == row.z);
        CHECK_FALSE(key->agree(Bytes{peer}.first(peer.size() - 1)));
        CHECK_FALSE(key->agree({}));
        CHECK_FALSE(key->agree(Buffer(peer.size(), 0)));
        peer.back() ^= 1;
        CHECK_FALSE(key->agree(peer));
        const auto other = ciphers.generate(row.curve);
        CHECK(key->agree(other->public_key()) == other->agree(key->public_key()));
    }
}

TEST_CASE("private key: zero, the order of the group and a wrong length are no secrets", "[security]") {
    OpensslCiphers ciphers;
    // FIPS 186-4, D.1.2.3: n of P-256.
    const Buffer order = octets("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    Buffer largest = order;
    largest.back() -= 1;
    CHECK_FALSE(ciphers.private_key(Curve::p256, order));
    CHECK_FALSE(ciphers.private_key(Curve::p256, Buffer(32, 0)));
    CHECK_FALSE(ciphers.private_key(Curve::p256, Buffer(31, 1)));
    CHECK_FALSE(ciphers.private_key(Curve::p384, Buffer(32, 1)));
    CHECK(ciphers.private_key(Curve::p256, largest));
    CHECK(ciphers.private_key(Curve::p384, Buffer(48, 1)));
}

}  // namespace wattmesh::security
