#include "platform/figures.h"

#include <catch2/catch.hpp>

using namespace wattmesh::platform;

TEST_CASE("figures: /proc/self/stat, also of a program with a strange name", "[platform]") {
    // proc(5): pid (comm) state ppid ... utime is field 14, stime 15, num_threads 20, rss 24
    const auto figures = parse_process_stat(
        "812 (head) end) S 1 812 812 0 -1 4194560 9000 0 12 0 1250 350 0 0 20 0 17 0 88123 1000000 2048 "
        "18446744073709551615 1 1 0 0 0 0 0",
        100, 4'096);
    REQUIRE(figures);
    CHECK(figures->cpu_s == Approx(16.0));
    CHECK(figures->threads == 17);
    CHECK(figures->resident_bytes == 2'048LL * 4'096);
    CHECK_FALSE(parse_process_stat("812 (headend) S 1 812", 100, 4'096));
    CHECK_FALSE(parse_process_stat("", 100, 4'096));
    CHECK_FALSE(parse_process_stat("1 (x) S a b c d e f g h i j k l m n o p q r s t u v w", 100, 4'096));
}

TEST_CASE("figures: memory and load of the machine", "[platform]") {
    const auto figures =
        parse_host("MemTotal:       16384256 kB\nMemFree:          204800 kB\nMemAvailable:    8192128 kB\n",
                   "0.42 0.37 0.31 2/1290 81234\n");
    REQUIRE(figures);
    CHECK(figures->load_1min == Approx(0.42));
    CHECK(figures->memory_bytes == 16'384'256LL * 1'024);
    CHECK(figures->memory_available_bytes == 8'192'128LL * 1'024);
    CHECK_FALSE(parse_host("MemTotal: x", "0.1"));
}

TEST_CASE("figures: of this process and machine there are some", "[platform]") {
    CHECK(process_figures()->resident_bytes > 0);
    CHECK(host_figures()->memory_bytes > 0);
    CHECK(disk_figures("/")->bytes > 0);
    CHECK_FALSE(disk_figures("/no/such/folder"));
}
