#include "platform/settings.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "platform/arguments.h"
#include "platform/log.h"

namespace wattmesh::platform {

namespace {
struct File {
    explicit File(const std::string& content) {
        char name[] = "/tmp/wattmesh-settings-XXXXXX";
        close_after(mkstemp(name));
        path = name;
        std::ofstream{path} << content;
    }
    ~File() { std::filesystem::remove(path); }
    static void close_after(int descriptor) {
        if (descriptor >= 0) fclose(fdopen(descriptor, "w"));
    }
    std::filesystem::path path;
};
}  // namespace

TEST_CASE("settings: typed values from the file, the command line above it", "[platform]") {
    const File file{
        "# a comment\nfrontend.listen = 127.0.0.1:7001\nfrontend.threads: 4\nlog.level=debug\nfast = true\n"
        "ratio = 0.25\nmaster_key = /etc/wattmesh/master.key\nhome = ${nothing}/x\n"};
    const Settings settings{file.path, {{"log.level", "warning"}}};
    CHECK(settings.required<HostPort>("frontend.listen") == HostPort{"127.0.0.1", 7001});
    CHECK(settings.required<int>("frontend.threads") == 4);
    CHECK(settings.required<std::string>("log.level") == "warning");
    CHECK(settings.required<bool>("fast"));
    CHECK(settings.required<double>("ratio") == 0.25);
    CHECK(settings.required<std::filesystem::path>("master_key") == "/etc/wattmesh/master.key");
    CHECK(settings.optional<std::uint16_t>("absent", 9) == 9);
    CHECK(settings.optional_in<int>("frontend.threads", 1, 1, 64) == 4);
    CHECK_THROWS_WITH(settings.refuse_unknown(),
                      Catch::Contains("unknown setting \"home\" in " + file.path.string()));
    CHECK(settings.required<std::string>("home") == "${nothing}/x");
    CHECK_NOTHROW(settings.refuse_unknown());
}

TEST_CASE("settings: every mistake names the key and where it stands", "[platform]") {
    const File file{"port = 70000\nword = \nflag = yes\nnumber = 12x\nend = localhost\nbig = 99\n"};
    const Settings settings{file.path, {{"late", "x"}}};
    const std::string where = "in " + file.path.string();
    using Catch::Contains;
    CHECK_THROWS_WITH(settings.required<int>("absent"),
                      Contains("\"absent\"") && Contains(where) && Contains("--absent"));
    CHECK_THROWS_WITH(settings.required<std::uint16_t>("port"),
                      Contains("\"port\"") && Contains(where) && Contains("70000"));
    CHECK_THROWS_WITH(settings.required<std::string>("word"), Contains("\"word\"") && Contains("not empty"));
    CHECK_THROWS_WITH(settings.required<bool>("flag"), Contains("true or false"));
    CHECK_THROWS_WITH(settings.optional<int>("number", 1), Contains("a whole number"));
    CHECK_THROWS_WITH(settings.required<HostPort>("end"), Contains("host:port"));
    CHECK_THROWS_WITH(settings.required_in<int>("big", 1, 64), Contains("from 1 to 64"));
    CHECK_THROWS_WITH(settings.required<int>("late"), Contains("on the command line"));
    CHECK_THROWS_WITH(Settings("/nonexistent/wattmesh.properties"),
                      Contains("/nonexistent/wattmesh.properties"));
    CHECK_THROWS_WITH(Settings(std::filesystem::temp_directory_path()), Contains("it is a folder"));
    CHECK_THROWS_WITH(Settings{}.required<int>("speed"), Contains("missing --speed"));
}

TEST_CASE("host and port: what is one and what is not", "[platform]") {
    struct Row {
        const char* text;
        bool good;
    };
    const auto row = GENERATE(values<Row>({{"a:1", true},
                                           {"[::1]:443", true},
                                           {"::1:443", false},
                                           {":1", false},
                                           {"a:", false},
                                           {"a:65536", false},
                                           {"a:-1", false},
                                           {"[]:1", false},
                                           {"a:1 ", false}}));
    DYNAMIC_SECTION(row.text) {
        const Settings settings{std::map<std::string, std::string>{{"at", row.text}}};
        if (row.good)
            CHECK_NOTHROW(settings.required<HostPort>("at"));
        else
            CHECK_THROWS_AS(settings.required<HostPort>("at"), SettingsError);
    }
}

TEST_CASE("arguments: words, options and flags", "[platform]") {
    const char* line[] = {"program", "read",       "--speed", "20", "540000000001",
                          "--check", "--origin=5", "--",      "--x"};
    const Arguments arguments{9, line, {"speed", "origin"}, {"check"}};
    CHECK(arguments.words() == std::vector<std::string>{"read", "540000000001", "--x"});
    CHECK(arguments.has("check"));
    CHECK(arguments.settings().required<int>("speed") == 20);
    CHECK(arguments.settings().required<int>("origin") == 5);
    const char* wrong[] = {"program", "--sped", "20"};
    CHECK_THROWS_WITH(Arguments(3, wrong, {"speed"}),
                      Catch::Contains("--sped") && Catch::Contains("--speed VALUE"));
    const char* cut[] = {"program", "--speed"};
    CHECK_THROWS_WITH(Arguments(2, cut, {"speed"}), Catch::Contains("needs a value"));
    const char* file[] = {"program", "--config", "/nonexistent/file"};
    CHECK_THROWS_WITH(Arguments(3, file, {"config"}).settings(), Catch::Contains("/nonexistent/file"));
}

TEST_CASE("log: one line per message whatever is in it; levels", "[platform]") {
    std::ostringstream out;
    auto* before = std::cerr.rdbuf(out.rdbuf());
    start_log("warning");
    const Log log{"test.log"};
    log.warning("refused hello number={} why={}", "90\n00", quoted("no such thing"));
    log.information("not written");
    std::cerr.rdbuf(before);
    const std::string text = out.str();
    CHECK_THAT(text,
               Catch::Contains("Warning test.log: refused hello number=90\\x0a00 why=\"no such thing\""));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    CHECK_THROWS_AS(start_log("loud"), SettingsError);
}

}  // namespace wattmesh::platform
