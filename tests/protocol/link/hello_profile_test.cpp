// Captures and built frames of uplink fact sheet 2, all with checked FCS; profiles from
// protocol/link/profiles.
#include "protocol/link/hello_profile.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

using namespace wattmesh;
using namespace wattmesh::link;

namespace {

using Verdict = HelloMatch::Verdict;

HelloProfile parsed(const std::string& text) {
    auto profile = parse_hello_profile(text);
    if (const auto* fault = std::get_if<ProfileFault>(&profile))
        FAIL("line " << fault->line << ": " << fault->why);
    return std::get<HelloProfile>(profile);
}
HelloProfile shipped(const std::string& name) {
    std::ifstream in{"protocol/link/profiles/" + name + ".hello"};
    std::ostringstream text;
    REQUIRE(text << in.rdbuf());
    return parsed(text.str());
}
Buffer octets(const char* hex) { return from_hex(hex).value(); }

struct Row {
    const char *profile, *said, *answer, *identity;
    bool beat, checksum_ok;
};
const Row rows[]{
    {"longi", "00 01 00 01 00 01 00 12 0A 02 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 5A 4C",
     "00 01 00 01 00 01 00 12 AA 03 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 70 04", "210600402941", false,
     true},
    {"longi", "00 01 00 01 00 01 00 11 0C 01 0C 32 31 31 32 30 30 35 30 34 33 37 37 40 02",
     "00 01 00 01 00 01 00 11 CC 03 0C 32 31 31 32 30 30 35 30 34 33 37 37 94 FF", "211200504377", true,
     true},
    {"longi", "00 01 00 01 00 01 00 12 0A 02 0C 30 30 30 30 30 30 30 30 30 30 30 31 00 7B C9",
     "00 01 00 01 00 01 00 12 AA 03 0C 30 30 30 30 30 30 30 30 30 30 30 31 00 51 81", "000000000001", false,
     true},
    // the same with a wrong checksum: counted, and answered
    {"longi", "00 01 00 01 00 01 00 12 0A 02 0C 30 30 30 30 30 30 30 30 30 30 30 31 00 00 00",
     "00 01 00 01 00 01 00 12 AA 03 0C 30 30 30 30 30 30 30 30 30 30 30 31 00 51 81", "000000000001", false,
     false},
    // Momas answers the log-in with type 3 as LONGI does
    {"momas", "00 01 00 01 00 01 00 12 0A 02 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 5A 4C",
     "00 01 00 01 00 01 00 12 AA 03 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 70 04", "210600402941", false,
     true},
    {"inhand", "AA 01 31 33 39 31 32 33 34 35 36 37 38 0D", "", "13912345678", false, true},
    {"usr", "57 4D 2D 52 45 47 3A 35 34 30 30 30 30 30 30 30 30 30 31 0D 0A", "", "540000000001", false,
     true},
    {"usr", "57 4D 2D 50 49 4E 47", "", "", true, true},
};

}  // namespace

TEST_CASE("hello profile: knows captured hellos and answers as the maker's head-end does", "[link]") {
    const Row row = GENERATE(from_range(std::begin(rows), std::end(rows)));
    INFO(row.profile << " " << row.said);
    const auto profile = shipped(row.profile);
    const Buffer said = octets(row.said);
    const auto found = find_hello({&profile}, said);
    REQUIRE(found.match.verdict == Verdict::yes);
    CHECK(found.profile == &profile);
    CHECK(found.beat == row.beat);
    CHECK(found.match.size == said.size());
    CHECK(found.match.identity == row.identity);
    CHECK(found.match.checksum_ok == row.checksum_ok);
    CHECK(to_hex(found.answer) == to_hex(octets(row.answer)));
}

TEST_CASE("hello profile: every beginning of a hello may become one, and what follows is left alone",
          "[link]") {
    const Row row = GENERATE(from_range(std::begin(rows), std::end(rows)));
    INFO(row.profile << " " << row.said);
    const auto profile = shipped(row.profile);
    const Buffer said = octets(row.said);
    for (std::size_t size = 0; size < said.size(); ++size)
        CHECK(find_hello({&profile}, Bytes{said}.first(size)).match.verdict == Verdict::more);
    Buffer glued = said;
    glued.insert(glued.end(), said.begin(), said.end());
    CHECK(find_hello({&profile}, glued).match.size == said.size());
}

TEST_CASE("hello profile: what the device says can be built, and is what was captured", "[link]") {
    for (const Row& row : rows) {
        if (!row.checksum_ok) continue;
        INFO(row.profile << " " << row.said);
        const auto profile = shipped(row.profile);
        const auto found = find_hello({&profile}, octets(row.said));
        const auto& pattern = row.beat ? profile.beat : profile.login;
        const auto built = pattern.build(found.match.identity, found.match.captured);
        REQUIRE(built);
        CHECK(to_hex(*built) == to_hex(octets(row.said)));
    }
}

TEST_CASE("hello profile: an APDU in a wrapper is no hello", "[link]") {
    const auto longi = shipped("longi"), momas = shipped("momas"), ivy = shipped("ivy");
    const auto verdict = [&](const char* hex) {
        return find_hello({&ivy, &momas, &longi}, octets(hex)).match.verdict;
    };
    CHECK(verdict("00 01 00 01 00 01 00 16 E6 00") == Verdict::no);
    CHECK(verdict("00 01 00 01 00 10 00 03 D8 01 01") == Verdict::no);
    CHECK(verdict("00 01 00 01 00 01 00 12 AA 03 0C") == Verdict::no);  // the answer comes from us
    CHECK(verdict("00 01 00 01 00 01 00 11 0A 02 0C 32 31") == Verdict::more);
    CHECK(verdict("00 01 00 01 00 01 10 00 0A") == Verdict::no);        // longer than any hello
    CHECK(verdict("00 01 00 01 00 01 00 12 0A 02 21") == Verdict::no);  // an identity of 33 octets
    CHECK(verdict("00 01 00 01 00 01 00 05 0A 02 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 5A 4C") ==
          Verdict::no);
}

TEST_CASE("hello profile: the option makes the difference between makes on one port", "[link]") {
    const auto longi = shipped("longi"), ivy = shipped("ivy");
    // FCS over 02 .. 0D, by another CRC-16/X-25: 129E
    const Buffer said = *ivy.login.build("000000000001");
    CHECK(to_hex(said) ==
          "0001000100010012"
          "0A020C3030303030303030303030310D"
          "9E12");
    CHECK(find_hello({&ivy, &longi}, said).profile == &ivy);
    CHECK(find_hello({&ivy, &longi}, octets(rows[0].said)).profile == &longi);
    CHECK(find_hello({&longi}, said).profile == &longi);  // alone it takes any option
}

TEST_CASE("hello profile: a demanded checksum refuses, other sums and codes are data as well", "[link]") {
    const auto profile = parsed(
        "name = x\ncarries = wrapper\nidentity = bcd\nidentity.size = 6\n"
        "login = 7E size8 ( 0* id ) xor8\nchecksum = demanded\nbeat_s = 300\n");
    CHECK(profile.beat_every == std::chrono::minutes{5});
    const Buffer said = octets("7E 08 05 54 00 00 00 00 01 50");  // 05 ^ 54 ^ 01 = 50
    const auto found = find_hello({&profile}, said);
    CHECK(found.match.verdict == Verdict::yes);
    CHECK(found.match.identity == "540000000001");
    CHECK(find_hello({&profile}, octets("7E 08 05 54 00 00 00 00 01 51")).match.verdict == Verdict::no);
    CHECK(find_hello({&profile}, octets("7E 08 15")).match.verdict == Verdict::no);
    CHECK_FALSE(profile.login.build("5400000000010000"));
    CHECK_FALSE(profile.login.build("x"));
}

TEST_CASE("hello profile: a wrong file is refused by line and reason", "[link]") {
    struct Wrong {
        const char* text;
        int line;
        const char* why;
    };
    const auto wrong = GENERATE(values<Wrong>({
        {"name = x\ncarries = wrapper\n", 0, "login: has no id"},
        {"name = x\ncarries = wrapper\nlogin = 0A\n", 3, "login: has no id"},
        {"carries = wrapper\nidentity.size = 2\nlogin = id\n", 0, "name: is missing"},
        {"name = x\nidentity.size = 2\nlogin = id\n", 0, "carries: is missing"},
        {"name = x\ncarries = smoke\nlogin = id\n", 2, "carries: is neither wrapper nor modbus-rtu"},
        {"name = x\ncarries = wrapper\nlogin = id\n", 3, "login: nothing says the size of id"},
        {"name = x\ncarries = wrapper\nlogin = idsize id rest\n", 3, "login: rest needs a size before it"},
        {"name = x\ncarries = wrapper\nlogin = idsize id x25\n", 3,
         "login: the checksum does not stand behind what it covers"},
        {"name = x\ncarries = wrapper\nlogin = idsize id 0G\n", 3,
         "login: \"0G\" is no element of a message"},
        {"name = x\ncarries = wrapper\nlogin = id idsize\n", 3, "login: idsize does not stand before id"},
        {"name = x\nname = y\n", 2, "the key stands twice"},
        {"# no\nlogin\n", 2, "is not key = value"},
        {"nmae = x\n", 1, "the key \"nmae\" is unknown"},
        {"name = x\ncarries = wrapper\nbeat_s = 0\nlogin = idsize id\n", 3,
         "beat_s: is not a number from 1 to 3600"},
    }));
    const auto result = parse_hello_profile(wrong.text);
    REQUIRE(std::holds_alternative<ProfileFault>(result));
    CHECK(std::get<ProfileFault>(result).line == wrong.line);
    CHECK(std::get<ProfileFault>(result).why == wrong.why);
}
