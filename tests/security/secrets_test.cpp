#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "security/audit.h"
#include "security/base64.h"
#include "security/master_key.h"
#include "security/one_time_code.h"
#include "security/password.h"
#include "tests/security/folder.h"

namespace wattmesh::security {

namespace {
template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<SecretBuffer> && !Printable<Key128> && !Printable<Key256>,
              "key material must not print");

const DeviceNumber number = *DeviceNumber::parse("900000000001");
}  // namespace

// RFC 4648 section 10.
TEST_CASE("base64: vectors of RFC 4648, strict decoding", "[security]") {
    struct Row {
        const char* plain;
        const char* text;
    };
    const auto row = GENERATE(values<Row>({{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}}));
    CHECK(to_base64(as_bytes(row.plain)) == row.text);
    CHECK(from_base64(row.text) == to_buffer(as_bytes(row.plain)));
    for (const char* wrong :
         {"Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm 9", "Zm9\n", "Z===", "Zm9v\xFF", "=m9v"}) {
        INFO(wrong);
        CHECK_FALSE(from_base64(wrong));
    }
}

TEST_CASE("password: right, wrong, unknown user, damaged and foreign encodings", "[security]") {
    SystemRandom random;
    const std::string stored = hash_password("correct horse", random);
    CHECK_THAT(stored, Catch::StartsWith("$scrypt$ln=15,r=8,p=1$"));
    CHECK(stored != hash_password("correct horse", random));
    CHECK(verify_password("correct horse", stored));
    CHECK_FALSE(verify_password("correct horsf", stored));
    CHECK_FALSE(verify_password("", stored));
    CHECK_FALSE(verify_password("correct horse", std::nullopt));
    CHECK_FALSE(password_is_outdated(stored));
    CHECK(password_is_outdated("$scrypt$ln=14,r=8,p=1$" + stored.substr(22)));
    for (const std::string& damaged :
         {std::string{}, std::string{"$scrypt$"}, stored.substr(0, stored.size() - 1), stored + "A",
          "$scrypt$ln=31" + stored.substr(13), "x" + stored}) {
        CHECK_FALSE(verify_password("correct horse", damaged));
    }
    // RFC 7914 section 12, third vector: N = 16384, r = 8, p = 1, its first 32 octets of output
    const std::string vector =
        "$scrypt$ln=14,r=8,p=1$" + to_base64(as_bytes("SodiumChloride")) + "$" +
        to_base64(*from_hex("7023BDCB3AFD7348461C06CD81FD38EBFDA8FBBA904F8E3EA9B543F6545DA1F2"));
    CHECK(verify_password("pleaseletmein", vector));
    CHECK_FALSE(verify_password("pleaseletmeim", vector));
}

// RFC 5869 appendix A.3: no salt, no info.
TEST_CASE("hkdf: a vector of RFC 5869", "[security]") {
    CHECK(to_hex(hkdf_sha256(Buffer(22, 0x0B), "").reveal()) ==
          "8DA4E775A563C18F715F802A063C5A31B8A11F5C5EE1879EC3454E5F3C738D2D");
}

TEST_CASE("master key: made once, read back, wraps for one purpose", "[security]") {
    const Folder folder;
    const auto file = folder.path / "master.key";
    SystemRandom random;
    CHECK_THROWS_WITH(FileMasterKey::open(file), Catch::Contains(file.string()));
    const FileMasterKey made = FileMasterKey::create(file, random);
    const Buffer before = content_of(file);
    CHECK(before.size() == 32);
    CHECK_THROWS_WITH(FileMasterKey::create(file, random),
                      Catch::Contains(file.string()) && Catch::Contains("exists"));
    CHECK(content_of(file) == before);

    const Buffer key(16, 0x42);
    const Buffer wrapped = made.wrap("meter 540000000001 management", key);
    const FileMasterKey opened = FileMasterKey::open(file);
    CHECK(to_buffer(opened.unwrap("meter 540000000001 management", wrapped)->reveal()) == key);
    CHECK_FALSE(opened.unwrap("meter 540000000002 management", wrapped));
    CHECK_FALSE(FileMasterKey{random_secret<32>(random)}.unwrap("meter 540000000001 management", wrapped));
    Buffer changed = wrapped;
    changed[0] ^= 1;
    CHECK_FALSE(opened.unwrap("meter 540000000001 management", changed));
}

TEST_CASE("master key: a file that others may read, or of another size, is refused by name", "[security]") {
    const Folder folder;
    const auto file = folder.path / "master.key";
    SystemRandom random;
    FileMasterKey::create(file, random);
    for (const mode_t mode : {0640U, 0604U, 0660U, 0700U | 0001U}) {
        chmod(file.c_str(), mode);
        CHECK_THROWS_WITH(FileMasterKey::open(file), Catch::Contains("chmod 600 " + file.string()));
    }
    chmod(file.c_str(), 0400);
    CHECK_NOTHROW(FileMasterKey::open(file));
    write_private_file(file, Buffer(31));
    CHECK_THROWS_WITH(FileMasterKey::open(file), Catch::Contains("exactly 32 octets"));
    CHECK_THROWS_WITH(FileMasterKey::open(folder.path), Catch::Contains(folder.path.string()));
}

TEST_CASE("private file: replaced whole, nothing left behind", "[security]") {
    const Folder folder;
    const auto file = folder.path / "state";
    write_private_file(file, Buffer{1, 2, 3});
    write_private_file(file, Buffer{4});
    CHECK(to_buffer(read_private_file(file).reveal()) == Buffer{4});
    CHECK_THROWS_AS(create_private_file(file, Buffer{5}), FileError);
    CHECK_THROWS_WITH(read_private_file(file, 0), Catch::Contains("longer"));
    CHECK(std::distance(std::filesystem::directory_iterator{folder.path}, {}) == 1);
}

TEST_CASE("one-time code: printed, typed badly, checked against its hash", "[security]") {
    SystemRandom random;
    const Buffer ca = to_buffer(as_bytes("a certificate"));
    const OneTimeCode code = make_one_time_code(random, ca);
    const std::string text = code.text();
    CHECK(text.size() == 37);
    CHECK_THAT(text, Catch::Matches("WM1-[A-Z2-7]{16}-[0-9A-F]{16}"));
    CHECK(text != make_one_time_code(random, ca).text());
    CHECK(to_hex(fingerprint(ca)).substr(0, 16) == text.substr(21));

    std::string lower = " " + text + "\n";
    for (char& c : lower) c = static_cast<char>(tolower(c));
    for (const auto& typed : {text, lower}) {
        const auto parsed = parse_one_time_code(typed);
        REQUIRE(parsed);
        CHECK(parsed->ca_fingerprint == code.ca_fingerprint);
        CHECK(one_time_code_matches(*parsed, number, one_time_code_hash(code, number)));
        CHECK_FALSE(one_time_code_matches(*parsed, *DeviceNumber::parse("900000000002"),
                                          one_time_code_hash(code, number)));
    }
    CHECK(parse_one_time_code("WM1-0018IIOBAAAAAAAA-0000000000000000")->secret == "OOIBIIOBAAAAAAAA");
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK_FALSE(parse_one_time_code(text.substr(0, size)));
    for (const char* wrong :
         {"WM2-AAAAAAAAAAAAAAAA-0000000000000000", "WM1-AAAAAAAAAAAAAAA9-0000000000000000",
          "WM1-AAAAAAAAAAAAAAAA-000000000000000G", "WM1-AAAAAAAAAAAAAAAA-00000000000000 0",
          "WM1_AAAAAAAAAAAAAAAA-0000000000000000", "WM1-AAAAAAAAAAAAAAAA-00000000000000000"}) {
        CHECK_FALSE(parse_one_time_code(wrong));
    }
    OneTimeCode other = code;
    other.secret[3] = other.secret[3] == 'A' ? 'B' : 'A';
    CHECK_FALSE(one_time_code_matches(other, number, one_time_code_hash(code, number)));
    CHECK_FALSE(one_time_code_matches(code, number, ""));
}

TEST_CASE("audit chain: any change, loss or move is seen at its place", "[security]") {
    std::vector<ChainedAuditRecord> chain;
    AuditHash hash{};
    for (std::int64_t i = 1; i <= 5; ++i) {
        const AuditRecord record{.sequence = i,
                                 .at = from_epoch_us(i * 1'000),
                                 .who = "anna",
                                 .what = "revoke",
                                 .why = "lost",
                                 .before = "{}",
                                 .after = "{\"revoked\":true}"};
        hash = audit_hash(hash, record);
        chain.push_back({record, hash});
    }
    CHECK_FALSE(first_broken_audit_record(chain));
    CHECK_FALSE(first_broken_audit_record(std::span{chain}.subspan(2), 2, chain[1].hash));
    SECTION("who") { chain[2].record.who = "bert"; }
    SECTION("a border between two fields") {
        chain[2].record.who = "ann";
        chain[2].record.what = "arevoke";
    }
    SECTION("after") { chain[2].record.after.clear(); }
    SECTION("time") { chain[2].record.at += Duration{1}; }
    SECTION("hash") { chain[2].hash[31] ^= 1; }
    SECTION("loss") {
        chain.erase(chain.begin() + 2);
        CHECK(first_broken_audit_record(chain) == 4);
        return;
    }
    SECTION("moved") {
        std::swap(chain[2], chain[3]);
        CHECK(first_broken_audit_record(chain) == 4);
        return;
    }
    CHECK(first_broken_audit_record(chain) == 3);
}

}  // namespace wattmesh::security
