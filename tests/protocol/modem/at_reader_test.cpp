// Forms of lines: 3GPP TS 27.007, 4; ITU-T V.250, 5.7.1. "+QIURC" as Quectel's TCP/IP application note has
// it.
#include "protocol/modem/at_reader.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::modem;

namespace {

/// Lines as they are, "> " for a prompt, "#n" for n octets of data.
std::vector<std::string> read(AtReader& reader) {
    std::vector<std::string> out;
    while (const auto item = reader.next()) {
        if (const auto* line = std::get_if<AtLine>(&*item)) {
            out.push_back(line->text);
            if (line->text.starts_with("+QIURC: \"recv\""))
                reader.raw(static_cast<std::size_t>(*at_number(at_parameters(line->text).at(2))));
        } else if (const auto* data = std::get_if<AtData>(&*item)) {
            if (!out.empty() && out.back().starts_with('#'))
                out.back() = "#" + std::to_string(*at_number(out.back().substr(1)) + int(data->bytes.size()));
            else
                out.push_back("#" + std::to_string(data->bytes.size()));
        } else {
            out.push_back("> ");
        }
    }
    return out;
}

const std::string stream =
    "AT+CSQ\r\r\n+CSQ: 18,99\r\n\r\nOK\r\n\r\n+QIURC: \"recv\",0,6\r\n\r\nOK\r\n\r\n+CREG: 5\r\n\r\n> "
    "\r\nSEND OK\r\n";
const std::vector<std::string> items{"AT+CSQ", "+CSQ: 18,99", "OK", "+QIURC: \"recv\",0,6",
                                     "#6",     "+CREG: 5",    "> ", "SEND OK"};

}  // namespace

TEST_CASE("AT reader: echo, answers, data that look like answers, prompts", "[protocol]") {
    AtReader reader;
    reader.feed(as_bytes(stream));
    CHECK(read(reader) == items);
    CHECK(reader.dropped() == 0);
}

TEST_CASE("AT reader: however the octets are cut, the items are the same", "[protocol]") {
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        AtReader reader;
        std::vector<std::string> got;
        for (std::size_t at = 0; at < stream.size(); at += cut) {
            reader.feed(as_bytes(std::string_view{stream}.substr(at, cut)));
            for (auto& item : read(reader)) {
                if (item[0] == '#' && !got.empty() && got.back()[0] == '#')
                    got.back() =
                        "#" + std::to_string(*at_number(got.back().substr(1)) + *at_number(item.substr(1)));
                else
                    got.push_back(item);
            }
        }
        INFO("pieces of " << cut);
        CHECK(got == items);
    }
}

TEST_CASE("AT reader: lines with noise in them and lines without end are dropped and counted", "[protocol]") {
    AtReader reader;
    reader.feed(
        as_bytes("+CS\xff"
                 "Q: 3\r\nOK\r\n" +
                 std::string(2'000, 'x') + "\r\n+CSQ: 1,99\r\n"));
    CHECK(read(reader) == std::vector<std::string>{"OK", "+CSQ: 1,99"});
    CHECK(reader.dropped() == 2);
}

TEST_CASE("AT parameters: quoted and plain, and none", "[protocol]") {
    using Fields = std::vector<std::string>;
    CHECK(at_parameters("+COPS: 0,0,\"Test, Net\",7") == Fields{"0", "0", "Test, Net", "7"});
    CHECK(at_parameters("+CPIN: SIM PIN") == Fields{"SIM PIN"});
    CHECK(at_parameters("+CSQ: 18,") == Fields{"18", ""});
    CHECK(at_parameters("OK").empty());
    CHECK(at_parameters("+QIURC: \"closed\",0") == Fields{"closed", "0"});
    CHECK(at_parameters("+X: " + std::string(100, ',')).size() == 16);
    CHECK(at_number("99") == 99);
    CHECK_FALSE(at_number("9a"));
    CHECK_FALSE(at_number(""));
    CHECK_FALSE(at_number("99999999999999"));
}
