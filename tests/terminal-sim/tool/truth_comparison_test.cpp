#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "terminal-sim/tool/truth_comparison.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

ReadingLine line(int meter, int at, int channel, int value) {
    return {*DeviceNumber::parse("54000000000" + std::to_string(meter)), at, channel, value};
}

std::string counts(const TruthComparison& c) {
    return std::to_string(c.expected) + " expected " + std::to_string(c.stored) + " stored " +
           std::to_string(c.missing) + " missing " + std::to_string(c.wrong) + " wrong " +
           std::to_string(c.extra) + " extra " + std::to_string(c.duplicate) + " duplicate";
}

}  // namespace

TEST_CASE("truth compare: counts what is missing, wrong, extra and twice", "[sim]") {
    const std::vector<ReadingLine> truth{line(1, 900, 1, 5), line(1, 900, 2, 0), line(1, 1800, 1, 7),
                                         line(2, 900, 1, 9)};
    struct Row {
        const char* why;
        std::vector<ReadingLine> stored;
        const char* counts;
    };
    const auto row = GENERATE_REF(values<Row>({
        {"the same, in another order",
         {truth[3], truth[0], truth[2], truth[1]},
         "4 expected 4 stored 0 missing 0 wrong 0 extra 0 duplicate"},
        {"nothing", {}, "4 expected 0 stored 4 missing 0 wrong 0 extra 0 duplicate"},
        {"one missing in the middle",
         {truth[0], truth[2], truth[3]},
         "4 expected 3 stored 1 missing 0 wrong 0 extra 0 duplicate"},
        {"one too low, one too high",
         {line(1, 900, 1, 4), truth[1], line(1, 1800, 1, 8), truth[3]},
         "4 expected 4 stored 0 missing 2 wrong 0 extra 0 duplicate"},
        {"twice the same",
         {truth[0], truth[0], truth[1], truth[2], truth[3]},
         "4 expected 5 stored 0 missing 0 wrong 0 extra 1 duplicate"},
        {"twice, the second wrong",
         {truth[0], line(1, 900, 1, 6), truth[1], truth[2], truth[3]},
         "4 expected 5 stored 0 missing 0 wrong 0 extra 1 duplicate"},
        {"extra ones before, between and after",
         {line(0, 900, 1, 1), truth[0], line(1, 900, 3, 1), truth[1], truth[2], truth[3], line(3, 1, 1, 1),
          line(3, 1, 1, 1)},
         "4 expected 8 stored 0 missing 0 wrong 3 extra 1 duplicate"},
    }));
    DYNAMIC_SECTION(row.why) { CHECK(counts(compare(truth, row.stored)) == row.counts); }
}

TEST_CASE("truth compare: reads its files with and without a heading, and names what it cannot read",
          "[sim]") {
    const auto file =
        std::filesystem::temp_directory_path() / ("wattmesh-compare-" + std::to_string(::getpid()));
    const auto write = [&](const char* text) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    };
    write("meter,at_epoch_s,channel,value\n540000000001,900,1,5\r\n540000000001,900,2,-3\n");
    CHECK(read_reading_file(file) == std::vector{line(1, 900, 1, 5), line(1, 900, 2, -3)});
    write("540000000001,900,1,5");
    CHECK(read_reading_file(file).size() == 1);
    write("");
    CHECK(read_reading_file(file).empty());
    for (const char* bad :
         {"540000000001,900,1\n", "540000000001,900,1,5,6\n", "540000000001,900,1,5\nhello\n",
          "54000000000,900,1,5\n", "540000000001,x,1,5\n"}) {
        CAPTURE(bad);
        write(bad);
        CHECK_THROWS_WITH(read_reading_file(file), Catch::Contains("line"));
    }
    std::filesystem::remove(file);
    CHECK_THROWS_WITH(read_reading_file(file), Catch::Contains("cannot be read"));
}
