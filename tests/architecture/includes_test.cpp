#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

/// The house rules of ARCHITECTURE.md, read off the includes. ctest runs this from the root of the tree.
namespace {

namespace fs = std::filesystem;
using Folders = std::set<std::string>;

const std::vector<std::string> tops{"protocol",     "security",     "platform", "headend",
                                    "concentrator", "terminal-sim", "tests"};

/// Which top folders a top folder may include, itself apart.
const std::map<std::string, Folders> allowed_tops{
    {"protocol", {}},
    {"security", {"protocol"}},
    {"platform", {"protocol", "security"}},
    {"headend", {"protocol", "security", "platform"}},
    {"concentrator", {"protocol", "security", "platform"}},
    {"terminal-sim", {"protocol", "security", "platform"}},
    {"tests", {"protocol", "security", "platform", "headend", "concentrator", "terminal-sim"}},
};

/// Inside protocol: base stands on nothing, dcu and cosem on dlms; link and mesh know nothing of DLMS.
const std::map<std::string, Folders> allowed_in_protocol{
    {"base", {}},
    {"link", {"base"}},
    {"modem", {"base"}},
    {"modbus", {"base"}},
    {"dlt645", {"base"}},
    {"gdw376", {"base"}},
    {"iec104", {"base"}},
    {"sts", {"base"}},
    {"cim", {"base"}},
    {"dlms", {"base"}},
    {"mesh", {"base"}},
    {"dcu", {"base", "dlms"}},
    {"cosem", {"base", "dlms"}},
    {"collector", {"base", "link", "dlms"}},
    {"decode", {"base", "link", "dlms", "cosem", "iec104"}}};

/// Foreign headers and the only folders that may see them.
struct Foreign {
    const char* what;
    std::regex header;
    std::vector<std::string> folders;
};
const std::vector<Foreign> foreign{
    {"OpenSSL", std::regex{"openssl/.*"}, {"security", "tests"}},
    {"POCO", std::regex{"Poco/.*"}, {"platform", "headend", "concentrator", "terminal-sim", "tests"}},
    {"Boost.Asio",
     std::regex{"boost/asio.*"},
     {"platform", "headend", "concentrator", "terminal-sim", "tests"}},
    {"Boost.Statechart",
     std::regex{"boost/(statechart|mpl)/.*"},
     {"headend", "concentrator", "terminal-sim", "tests"}},
    {"SOCI", std::regex{"soci/.*"}, {"headend/database", "concentrator/journal", "tests"}},
    {"expat", std::regex{"expat.h"}, {"platform"}},
    {"libpq", std::regex{"(postgresql/)?libpq-fe.h"}, {"headend/database", "tests"}},
    {"Catch2", std::regex{"catch2/.*"}, {"tests"}},
};

/// What a sans-IO core must not reach for (rule 3: clock, chance, sleep and environment are passed in).
const std::regex impure_header{
    "(iostream|fstream|thread|mutex|condition_variable|future|random|filesystem|sys/.*|unistd.h|time.h)"};
const std::regex impure_call{
    R"(\b(system_clock|steady_clock|high_resolution_clock)::now|\bgetenv\b|\bsleep_for\b|\brandom_device\b)"};
/// The cores outside protocol that tests/fleet replays from a seed.
const std::vector<std::string> pure_folders{
    "protocol",           "concentrator/mesh",       "concentrator/reading",
    "terminal-sim/radio", "headend/vending/pricing", "headend/prepayment"};

bool starts_with(const std::string& text, const std::string& prefix) {
    return text == prefix || text.rfind(prefix + "/", 0) == 0;
}

struct Source {
    std::string path;
    std::vector<std::string> lines;
};

std::vector<Source> sources() {
    std::vector<Source> found;
    for (const auto& top : tops) {
        if (!fs::exists(top)) continue;
        for (const auto& entry : fs::recursive_directory_iterator{top}) {
            const auto path = entry.path().generic_string();
            const auto extension = entry.path().extension();
            if ((extension != ".h" && extension != ".cpp") || path.find("node_modules") != std::string::npos)
                continue;
            Source source{path, {}};
            std::ifstream in{path};
            for (std::string line; std::getline(in, line);) source.lines.push_back(line);
            found.push_back(std::move(source));
        }
    }
    return found;
}

std::string part(const std::string& path, int index) {
    std::size_t start = 0;
    for (; index > 0; --index) {
        start = path.find('/', start);
        if (start == std::string::npos) return {};
        ++start;
    }
    return path.substr(start, path.find('/', start) - start);
}

std::string fault_of_own_include(const std::string& path, const std::string& header) {
    const auto top = part(path, 0), target = part(header, 0);
    if (allowed_tops.count(target) == 0) return "does not start at the root of the tree";
    if (top != target && allowed_tops.at(top).count(target) == 0) return top + " must not know " + target;
    if (top == "protocol" && target == "protocol") {
        const auto from = part(path, 1), to = part(header, 1);
        if (from != to && allowed_in_protocol.at(from).count(to) == 0)
            return "protocol/" + from + " must not know protocol/" + to;
    }
    return {};
}

/// Inside the head-end: who makes tokens, and who must not.
std::string fault_inside_headend(const std::string& path, const std::string& header) {
    if (!starts_with(path, "headend")) return {};
    static const std::regex module{
        "security/(vending_module|software_module|vending_request|vending_keys)\\.h"};
    const bool top = path.find('/') == path.rfind('/');
    if (std::regex_match(header, module) && !top && !starts_with(path, "headend/vending"))
        return "only headend/vending makes tokens";
    if (header.rfind("headend/vending/", 0) == 0 && header.rfind("headend/vending/pricing/", 0) != 0 &&
        !top && !starts_with(path, "headend/vending"))
        return "no other folder of the head-end needs vending";
    return {};
}

std::string fault_of_foreign_include(const std::string& path, const std::string& header) {
    for (const auto& rule : foreign) {
        if (!std::regex_match(header, rule.header)) continue;
        for (const auto& folder : rule.folders)
            if (starts_with(path, folder)) return {};
        return std::string{rule.what} + " is not for this folder";
    }
    return {};
}

bool pure(const std::string& path) {
    for (const auto& folder : pure_folders)
        if (starts_with(path, folder)) return true;
    return false;
}

void check(const std::string& where, const std::string& line, const std::string& fault) {
    INFO(where << ": " << line);
    INFO(fault);
    CHECK(fault.empty());
}

}  // namespace

TEST_CASE("architecture: dependencies point one way", "[architecture]") {
    const std::regex own{R"(^\s*#\s*include\s+"([^"]+)\")"}, system{R"(^\s*#\s*include\s+<([^>]+)>)"};
    int includes = 0;
    for (const auto& source : sources()) {
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            std::smatch match;
            const auto where = source.path + ":" + std::to_string(i + 1);
            if (std::regex_search(source.lines[i], match, own)) {
                ++includes;
                check(where, source.lines[i], fault_of_own_include(source.path, match[1]));
                check(where, source.lines[i], fault_inside_headend(source.path, match[1]));
            } else if (std::regex_search(source.lines[i], match, system)) {
                ++includes;
                check(where, source.lines[i], fault_of_foreign_include(source.path, match[1]));
                if (pure(source.path) && std::regex_match(match[1].str(), impure_header))
                    check(where, source.lines[i],
                          "a sans-IO core does no I/O and reads no clock, chance or thread");
            }
        }
    }
    CHECK(includes > 50);
}

TEST_CASE("architecture: clock, chance and environment are passed to the cores", "[architecture]") {
    for (const auto& source : sources()) {
        if (!pure(source.path)) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i)
            if (std::regex_search(source.lines[i], impure_call))
                check(source.path + ":" + std::to_string(i + 1), source.lines[i],
                      "read it in main.cpp or platform");
    }
}

TEST_CASE("architecture: only headend/database knows table names, and SQL never reads the clock",
          "[architecture]") {
    const std::regex statement{R"re("\s*(select|insert into|update|delete from)\s)re", std::regex::icase};
    const std::regex sql_clock{R"(\bnow\(\)|current_timestamp|clock_timestamp\(\))", std::regex::icase};
    for (const auto& source : sources()) {
        if (starts_with(source.path, "tests")) continue;
        const bool database =
            starts_with(source.path, "headend/database") || starts_with(source.path, "concentrator/journal");
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            const auto where = source.path + ":" + std::to_string(i + 1);
            if (!database && std::regex_search(source.lines[i], statement))
                check(where, source.lines[i], "SQL lives in headend/database and concentrator/journal");
            if (database && source.lines[i].find("//") == std::string::npos &&
                std::regex_search(source.lines[i], sql_clock))
                check(where, source.lines[i], "the instant is passed in");
        }
    }
}

TEST_CASE("architecture: in the head-end only the relay desk calls a disconnector's methods",
          "[architecture]") {
    const std::regex command{R"(remote_disconnect|remote_reconnect|class_disconnect_control)"};
    int doors = 0;
    for (const auto& source : sources()) {
        if (!starts_with(source.path, "headend")) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            if (!std::regex_search(source.lines[i], command)) continue;
            // role_rules names them to refuse them
            if (source.path.rfind("headend/monitor/role_rules.", 0) == 0) continue;
            ++doors;
            check(source.path + ":" + std::to_string(i + 1), source.lines[i],
                  source.path.rfind("headend/monitor/relay_desk.", 0) == 0
                      ? ""
                      : "order it from the command gate");
        }
    }
    CHECK(doors > 0);
}

TEST_CASE("architecture: a file is one idea", "[architecture]") {
    for (const auto& source : sources()) {
        INFO(source.path);
        CHECK(source.lines.size() <= 450);
    }
}

TEST_CASE("architecture: nothing points outside the repository or is left undone", "[architecture]") {
    // Written in two parts so that this file does not find itself.
    const std::regex marks{std::string{"TO"} + "DO|FIX" + "ME|X" + "XX:|\\.\\./sha" + "red|/wo" + "rk/"};
    for (const auto& source : sources())
        for (std::size_t i = 0; i < source.lines.size(); ++i)
            if (std::regex_search(source.lines[i], marks))
                check(source.path + ":" + std::to_string(i + 1), source.lines[i],
                      "finish it, or copy what it needs");
}
