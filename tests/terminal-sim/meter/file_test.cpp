#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "terminal-sim/meter/counter_file.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

struct Folder {
    Folder() : path(std::filesystem::temp_directory_path() / ("wattmesh-sim-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

TEST_CASE("counter file: a restart reuses no number and accepts none twice", "[sim]") {
    const Folder folder;
    const auto file = folder.path / "counters";
    std::uint32_t last = 0;
    for (int life = 0; life < 5; ++life) {
        CounterFile counters{file, 77, 4};
        for (int i = 0; i < 300; ++i) {
            const auto next = counters.send(2).next();
            REQUIRE(next);
            REQUIRE(*next > last);
            last = *next;
        }
        CHECK_FALSE(counters.receive(2).accept(static_cast<std::uint32_t>(life * 10)));
        CHECK(counters.receive(2).accept(static_cast<std::uint32_t>(life * 10 + 10)));
        CHECK_FALSE(counters.receive(2).accept(static_cast<std::uint32_t>(life * 10 + 10)));
        CHECK(counters.accepted(2) == static_cast<std::uint32_t>(life * 10 + 10));
    }
    CounterFile counters{file, 77, 4};
    CHECK(counters.send(1).next() == 1U);  // other slots are untouched
    CHECK(counters.accepted(3) == 0);
    CHECK(counters.accepted(2) == 50);
}

TEST_CASE("counter file: ends at 2^32 and never wraps", "[sim]") {
    const Folder folder;
    const auto file = folder.path / "counters";
    {
        CounterFile counters{file, 1, 1};
    }
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(16);
    out.write("\xFF\xFF\xFF\xFD", 4);
    out.close();
    CounterFile counters{file, 1, 1};
    CHECK(counters.send(0).next() == 0xFFFFFFFEU);
    CHECK(counters.send(0).next() == 0xFFFFFFFFU);
    CHECK_FALSE(counters.send(0).next());
    CHECK_FALSE(CounterFile(file, 1, 1).send(0).next());
}

TEST_CASE("counter file: refuses another town's, a cut and a foreign file", "[sim]") {
    const Folder folder;
    const auto file = folder.path / "counters";
    {
        CounterFile counters{file, 1, 2};
    }
    CHECK_THROWS_WITH(CounterFile(file, 2, 2), Catch::Contains("counters") && Catch::Contains("--state"));
    CHECK_THROWS(CounterFile(file, 1, 3));
    std::filesystem::resize_file(file, 20);
    CHECK_THROWS(CounterFile(file, 1, 2));
    CHECK_THROWS_WITH(CounterFile(folder.path / "none" / "counters", 1, 2),
                      Catch::Contains("cannot be opened"));
}

TEST_CASE("truth: each captured interval is in the file at once, once, whatever is killed", "[sim]") {
    const Folder folder;
    const auto file = folder.path / "truth.csv";
    const auto live = [&](Instant until) {
        Street street{5};
        Truth truth{file, true};
        MeterSettings made{.number = customer_number(0), .seed = 5, .installed_at = monday};
        Meter meter{made, *street.customers[0], nullptr, &truth};
        meter.advance(until);
        CHECK(truth.rows().size() == static_cast<std::size_t>((until - monday) / 15min));
        return content(file);  // while the writer still has it open
    };
    const std::string first = live(monday + 4h);
    CHECK(std::count(first.begin(), first.end(), '\n') == 1 + 16 * 4);
    CHECK(first.substr(0, 29 + 1 + 13) == "meter,at_epoch_s,channel,value\n540000000010");
    CHECK(live(monday + 4h) == first);
    {
        std::ofstream(file, std::ios::app) << "540000000010,1763269200,1,4\n540000000010,17632";
    }  // killed within a row
    const std::string second = live(monday + 8h);
    CHECK(second.substr(0, first.size()) == first);
    CHECK(std::count(second.begin(), second.end(), '\n') == 1 + 32 * 4);
    std::filesystem::remove(file);
    CHECK(live(monday + 8h) == second);
}

TEST_CASE("truth: refuses a file that is something else, and one that cannot be written", "[sim]") {
    const Folder folder;
    {
        std::ofstream(folder.path / "other.csv") << "hello, world\nsome more\n";
    }
    CHECK_THROWS_WITH(Truth(folder.path / "other.csv"), Catch::Contains("other.csv"));
    CHECK(content(folder.path / "other.csv") == "hello, world\nsome more\n");
    CHECK_THROWS_WITH(Truth(folder.path / "none" / "truth.csv"), Catch::Contains("cannot be written"));
}
