// What an engineer asks at a meter: who is let in, how late it is, what changed.
#include <unistd.h>

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "tests/terminal-sim/tool/meter_thread.h"
#include "tests/terminal-sim/tool/printed.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using wattmesh::test::printed;

namespace {

std::string place(const platform::HostPort& address) {
    return address.host + ":" + std::to_string(address.port);
}
std::string hex_key(const char* octet) {
    std::string text;
    for (int i = 0; i < 16; ++i) text += octet;
    return text;
}

}  // namespace

TEST_CASE("assoc: says whom a meter lets in and what to check otherwise, and prints no key", "[sim]") {
    const MeterThread meter{LinkKind::wrapper};
    const auto tcp = place(meter.address());
    const auto all = printed(
        {"assoc", "--tcp", tcp, "--secret", "12345678", "--ek", hex_key("01"), "--ak", hex_key("02")});
    CAPTURE(all.text);
    CHECK(all.status == 0);
    CHECK(all.has(R"({"client":"public","sap":16,"accepted":true,"objects":)"));
    CHECK(all.has(R"({"client":"reading","sap":2,"accepted":true,"objects":)"));
    CHECK(all.has(R"({"client":"management","sap":1,"accepted":true,"objects":)"));
    CHECK(all.has(R"("security_suite":0})"));

    const auto wrong = printed(
        {"assoc", "--tcp", tcp, "--secret", "87654321", "--ek", hex_key("01"), "--ak", hex_key("03")});
    CAPTURE(wrong.text);
    CHECK(wrong.status == 1);
    CHECK(wrong.has(R"("client":"reading","sap":2,"accepted":false,"why":")"));
    CHECK(wrong.has("--secret"));
    CHECK(wrong.has("--ek and --ak"));
    CHECK_FALSE(wrong.has(hex_key("01")));
    CHECK_FALSE(wrong.has("87654321"));

    const auto open = printed({"assoc", "--tcp", tcp});
    CHECK(open.status == 0);
    CHECK(open.has("not tried: needs --secret"));
    const auto nobody = printed({"assoc", "--tcp", "127.0.0.1:1", "--timeout", "2"});
    CHECK(nobody.status == 2);
    CAPTURE(nobody.text);
    CHECK(nobody.has(R"("accepted":null)"));
    CHECK(nobody.has("127.0.0.1:1"));
}

TEST_CASE("clock: the offset is within its uncertainty, and a limit is an exit status", "[sim]") {
    const MeterThread meter{LinkKind::wrapper};
    const auto tcp = place(meter.address());
    const auto right = printed({"clock", "--tcp", tcp, "--limit", "60"});
    CAPTURE(right.text);
    CHECK(right.status == 0);
    CHECK(right.has(R"({"clock":"20)"));
    CHECK(right.has(R"("deviation_minutes":)"));
    // by another clock than the meter's
    const auto late =
        printed({"clock", "--tcp", tcp, "--limit", "60", "--origin", "1000000000", "--speed", "2"});
    CAPTURE(late.text);
    CHECK(late.status == 1);
}

TEST_CASE("diff: only what changed, with its unit", "[sim]") {
    const auto folder =
        std::filesystem::temp_directory_path() / ("wattmesh-diff-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const auto file = [&](const char* name, const std::string& text) {
        std::ofstream{folder / name} << text;
        return (folder / name).string();
    };
    const std::string same = R"({"object":"0-0:96.1.0*255","class":1,"attribute":2,"value":"540000000001"})";
    const auto energy = [](const char* value) {
        return std::string{R"({"object":"1-0:1.8.0*255","class":3,"attribute":2,"value":)"} + value +
               R"(,"scaler":0,"unit":"Wh"})";
    };
    const auto before =
        file("before", same + "\n" + energy("12345") + "\n" +
                           R"({"object":"1-0:2.8.0*255","attribute":2,"error":"object_undefined"})");
    const auto after = file("after", energy("12399") + "\n\n" + same + "\n" +
                                         R"({"object":"0-0:96.3.10*255","attribute":2,"value":[true,1]})");
    const auto answer = printed({"diff", before, after});
    CHECK(answer.status == 1);
    CHECK(
        answer.text ==
        R"({"object":"1-0:1.8.0*255","attribute":2,"before":12345,"after":12399,"difference":54,"scaler":0,"unit":"Wh"})"
        "\n"
        R"({"object":"1-0:2.8.0*255","attribute":2,"before":"object_undefined","after":null})"
        "\n"
        R"({"object":"0-0:96.3.10*255","attribute":2,"before":null,"after":[true,1]})"
        "\n");
    CHECK(printed({"diff", before, before}).status == 0);
    CHECK_THROWS_WITH(printed({"diff", before}), Catch::Contains("two files"));
    CHECK_THROWS_WITH(printed({"diff", before, (folder / "none").string()}),
                      Catch::Contains("cannot be read"));
    CHECK_THROWS_WITH(printed({"diff", before, file("wrong", same + "\nhello")}), Catch::Contains("line 2"));
    CHECK_THROWS_WITH(printed({"diff", before, file("other", "[1]")}), Catch::Contains("line 1"));
    std::filesystem::remove_all(folder);
}

TEST_CASE("scan: finds the meter among addresses that nobody has", "[sim]") {
    const auto kind = GENERATE(LinkKind::wrapper, LinkKind::hdlc);
    CAPTURE(to_string(kind));
    const MeterThread meter{kind};
    const std::vector<std::string> line{
        "scan", "--tcp", place(meter.address()), "--link", std::string{to_string(kind)}, "--timeout", "1"};
    const auto scan = [&](std::vector<std::string> more) {
        more.insert(more.begin(), line.begin(), line.end());
        return printed(std::move(more));
    };
    const auto some = scan({"--servers", "1-3"});
    CAPTURE(some.text);
    CHECK(some.status == 0);
    CHECK(some.has(R"({"server":1,"answer_ms":)"));
    CHECK(some.has(R"("name":"WMT540000000042")"));
    CHECK_FALSE(some.has(R"("server":2)"));
    CHECK(scan({"--servers", "2"}).status == 2);
    CHECK_THROWS_WITH(scan({"--servers", "0-3"}), Catch::Contains("--servers 0-3"));
    CHECK_THROWS_WITH(scan({"--servers", "5-3"}), Catch::Contains("1-16"));
}

TEST_CASE("doctor: each line says what is well, or the way out", "[sim]") {
    const MeterThread meter{LinkKind::wrapper};
    const auto well = printed({"doctor", "--headend", place(meter.address()), "--state", "/tmp", "--json"});
    CAPTURE(well.text);
    CHECK(well.has(R"({"check":"clock","well":)"));
    CHECK(well.has(R"({"check":"disk","well":true,"says":"/tmp: )"));
    CHECK(well.has(R"({"check":"head-end","well":true)"));
    const auto ill = printed({"doctor", "--headend", "127.0.0.1:1", "--certificate", "/etc/hostname"});
    CAPTURE(ill.text);
    CHECK(ill.status == 1);
    CHECK(ill.has("BAD  head-end     127.0.0.1 port 1: "));
    CHECK(ill.has("check VPN, firewall and the port"));
    CHECK(ill.has("/etc/hostname: is no certificate"));
    CHECK(printed({"doctor", "--headend", "no.such.host.invalid:1"}).has("cannot be resolved"));
}

TEST_CASE("completion and man: made from the commands there are, and what bash and man take", "[sim]") {
    const auto folder =
        std::filesystem::temp_directory_path() / ("wattmesh-self-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const auto completion = printed({"completion"}), man = printed({"man"});
    for (const auto& command : sim::commands()) {
        CAPTURE(command.name);
        CHECK(completion.has(std::string{"    "} + command.name + ") options='--help"));
        CHECK(man.has(std::string{"\n.SS "} + command.name + "\n"));
    }
    const auto script = (folder / "completion").string();
    std::ofstream{script} << completion.text
                          << "COMP_WORDS=(terminal-sim scan --stop) COMP_CWORD=2\n_terminal_sim\n"
                             "[ \"${COMPREPLY[*]}\" = --stop-at-first ] || exit 7\n"
                             "COMP_WORDS=(terminal-sim asso) COMP_CWORD=1\n_terminal_sim\n"
                             "[ \"${COMPREPLY[*]}\" = assoc ] || exit 8\n";
    CHECK(std::system(("bash " + script).c_str()) == 0);
    std::filesystem::remove_all(folder);
}
