#include <catch2/catch.hpp>

#include "platform/arguments.h"
#include "tests/protocol/sts/vectors.h"
#include "tests/terminal-sim/tool/printed.h"

using namespace wattmesh;
using namespace wattmesh::sts::test;

namespace {

wattmesh::test::Printed tool(std::vector<std::string> words) {
    words.insert(words.begin(), "sts");
    return wattmesh::test::printed(std::move(words));
}

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

const std::vector<std::string> key_a{"--vk",  "abababababababab", "--pan", "600727000000000009",
                                     "--sgc", "123456",           "--ti",  "01"};
const std::vector<std::string> key_m{"--vk",  "abababababababab949494949494949401234567",
                                     "--pan", "600727000000000009",
                                     "--sgc", "123457",
                                     "--bdt", "1993"};

/// The options of one published row; those of its key may have a prefix.
std::vector<std::string> key_options(const Row& row) {
    std::vector<std::string> words;
    for (const char* name : {"vk", "pan", "sgc", "krn", "ti", "kt", "bdt", "ea", "dkga"})
        words = words + std::vector<std::string>{std::string{"--"} + name, text(row, name)};
    return words;
}
std::vector<std::string> options(const Row& row) {
    std::vector<std::string> words{"--class", text(row, "class"), "--subclass", text(row, "subclass")};
    if (row->has("key")) words = words + key_options(row);
    if (row->has("at")) words = words + std::vector<std::string>{"--at", text(row, "at")};
    if (row->has("rnd")) words = words + std::vector<std::string>{"--rnd", text(row, "rnd")};
    if (row->has("control")) words = words + std::vector<std::string>{"--control", text(row, "control")};
    if (row->has("value")) words = words + std::vector<std::string>{"--amount", text(row, "value")};
    if (row->has("amount")) words = words + std::vector<std::string>{"--amount", text(row, "amount")};
    return words;
}

}  // namespace

TEST_CASE("sts: makes and decodes every published token from options alone", "[sim]") {
    int made = 0;
    for (const auto& row : rows("tokens")) {
        const std::string digits = text(row, "token");
        CAPTURE(digits);
        if (row->has("amount") || !row->has("decoded")) {
            const auto answer = tool(std::vector<std::string>{"make"} + options(row));
            CHECK(answer.status == 0);
            CHECK(answer.text.substr(0, 21) == digits + "\n");
            ++made;
        }
        const auto keys = row->has("key") ? key_options(row) : std::vector<std::string>{};
        CHECK(tool(std::vector<std::string>{"decode", digits} + keys).status == 0);
    }
    CHECK(made == 82);  // amounts of two rows are printed rounded
}

TEST_CASE("sts: makes every published key change set, in the order of entry", "[sim]") {
    for (const auto& row : rows("key_changes")) {
        const auto from = row->getObject("from"), to = row->getObject("to");
        auto words = std::vector<std::string>{"make", "--json"} + key_options(from);
        for (const char* name : {"sgc", "krn", "ti", "kt", "bdt", "ken"})
            words = words + std::vector<std::string>{std::string{"--to-"} + name, text(to, name)};
        const auto answer = tool(words);
        CHECK(answer.status == 0);
        std::size_t at = 0;
        const auto tokens = row->getArray("tokens");
        for (unsigned i = 0; i < tokens->size(); ++i) {
            const auto digits = tokens->getElement<std::string>(i);
            CAPTURE(digits, answer.text);
            CHECK(answer.text.compare(at, 33, "{\"token\":\"" + digits + "\",\"") == 0);
            at = answer.text.find('\n', at) + 1;
        }
        CHECK(at == answer.text.size());
    }
}

TEST_CASE("sts: what it prints", "[sim]") {
    CHECK(tool(std::vector<std::string>{"derive"} + key_a).text == "e653341f9d5bf36f\n");
    CHECK(tool(std::vector<std::string>{"derive", "--json"} + key_m).text ==
          "{\"key\":\"f94b6ed353c3bfdb113e2d3a7ea3c41d\",\"ea\":11,\"dkga\":4,\"pan\":\"600727000000000009\"}"
          "\n");
    const std::vector<std::string> credit{"--amount", "0.1", "--at", "2004-03-01T13:55:00Z", "--rnd", "5"};
    CHECK(tool(std::vector<std::string>{"make"} + key_a + credit).text ==
          "23716100501183194197\n"
          "  digits       2371 6100 5011 8319 4197\n"
          "  class        0\n"
          "  subclass     0\n"
          "  name         credit electricity\n"
          "  amount       0.1\n"
          "  unit         kWh\n"
          "  field        0001\n"
          "  rnd          5\n"
          "  tid          5871715\n"
          "  at           2004-03-01T13:55:00Z\n");
    const auto decoded =
        tool(std::vector<std::string>{"decode", "2371 6100 5011 8319 4197", "--json"} + key_a);
    CHECK(decoded.status == 0);
    CHECK(
        decoded.text ==
        "{\"accepted\":true,\"token\":\"23716100501183194197\",\"class\":0,\"subclass\":0,\"name\":\"credit "
        "electricity\",\"amount\":\"0.1\",\"unit\":\"kWh\",\"field\":\"0001\",\"rnd\":5,\"tid\":5871715,"
        "\"at\":\"2004-03-01T13:55:00Z\"}\n");
    // the key in a key change token is nobody's to see
    const auto section = tool(std::vector<std::string>{"decode", "51638423060042734509"} + key_a);
    CHECK(section.text ==
          "accepted\n"
          "  class        2\n"
          "  subclass     3\n"
          "  name         key change, section 1\n"
          "  krn          1\n"
          "  kt           2\n"
          "  ken_high     15\n"
          "  rollover     false\n"
          "  three_tokens false\n");
}

TEST_CASE("sts: refuses with status 3 and the reason", "[sim]") {
    using Words = std::vector<std::string>;
    struct Refused {
        Words words;
        const char* says;
    };
    const Words credit{"make", "--amount", "1", "--at", "2014-03-01T13:55:00Z"};
    const auto row = GENERATE_COPY(values<Refused>({
        // the negative table T11
        {Words{"derive", "--vk", "abababababababab", "--sgc", "123456", "--pan", "12345678904"},
         "check_digit_error"},
        {Words{"derive", "--vk", "abababababababab", "--sgc", "123456", "--pan", "11111111113"},
         "check_digit_error"},
        {credit + key_a + Words{"--ken", "85"}, "key_expired_error"},
        {credit + key_a + Words{"--kt", "1"}, "ddtk_error"},
        {Words{"decode", "73786976294838206464"} + key_a, "format_error"},
        {Words{"decode", "99999999999999999999"} + key_a, "format_error"},
        {Words{"decode", "23716100501183194198"} + key_a, "crc_error"},
        {Words{"decode", "23716100501183194097"} + key_a, "crc_error"},
        // and others
        {Words{"decode", "123"} + key_a, "format_error"},
        {Words{"decode", "23716100501183194197", "--ti", "07"} + Words{key_a.begin(), key_a.end() - 2},
         "--ti 01"},
        {Words{"decode", "23716100501183194197", "--ken", "85"} + key_a, "2004-03-01T13:55:00Z"},
        {Words{"make", "--amount", "1", "--at", "2026-11-22T00:00:00Z"} + key_a, "--bdt"},
        {Words{"make", "--amount", "1820162.5"} + key_m, "range_error"},
        {Words{"make", "--class", "2", "--subclass", "2"} + key_a, "function_error"},
        {Words{"make", "--class", "3"} + key_a, "function_error"},
        {Words{"make", "--to-kt", "3"} + key_a, "common"},
        {Words{"make", "--to-kt", "0"} + key_a, "key_type_error"},
        {Words{"make", "--to-ken", "85", "--at", "2014-03-01T13:55:00Z"} + key_a, "expired"},
        {Words{"derive", "--dkga", "1"} + key_a, "obsolete"},
        {Words{"derive", "--ea", "11"} + key_a, "derivation 02"},
    }));
    CAPTURE(row.words, row.says);
    const auto answer = tool(row.words);
    CHECK(answer.status == 3);
    CHECK(answer.text.starts_with("refused: "));
    CHECK_THAT(answer.text, Catch::Contains(row.says));
}

TEST_CASE("sts: options that do not parse are no refusal", "[sim]") {
    struct Wrong {
        std::vector<std::string> words;
        const char* says;
    };
    const auto row = GENERATE(values<Wrong>({
        {{}, "sts make"},
        {{"sell"}, "sts make"},
        {{"derive"}, "--vk"},
        {{"derive", "extra"}, "options only"},
        {{"derive", "--vk", "abababababababab"}, "--pan"},
        {{"make", "--vk", "zz"}, "--vk"},
        {{"make", "--dk", "e653341f9d5bf36f", "--amount", "0.15"}, "--amount"},
        {{"make", "--dk", "e653341f9d5bf36f", "--amount", "x"}, "--amount"},
        {{"make", "--dk", "e653341f9d5bf36f", "--amount", "1", "--at", "noon"}, "--at"},
        {{"make", "--dk", "e653341f9d5bf36f", "--ea", "9", "--amount", "1"}, "--ea"},
        {{"make", "--dk", "e653341f9d5bf36f", "--ea", "11", "--amount", "1"}, "--dk"},
        {{"make", "--dk", "e653341f9d5bf36f", "--bdt", "1970", "--amount", "1"}, "--bdt"},
        {{"make", "--dk", "e653341f9d5bf36f", "--to-ti", "2"}, "--to-dk"},
        {{"make", "--amount", "1"}, "--dk"},
        {{"decode"}, "20 digits"},
        {{"decode", "23716100501183194197"}, "--dk"},
        {{"make", "--class", "1", "--control", "-1"}, "--control"},
    }));
    CAPTURE(row.words, row.says);
    CHECK_THROWS_WITH(tool(row.words), Catch::Contains(row.says));
}
