#include <catch2/catch.hpp>

#include "tests/bench/plot/chart.h"

using namespace wattmesh::bench;

namespace {

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

}  // namespace

TEST_CASE("plot: ticks are round numbers within the axis", "[bench]") {
    CHECK(ticks(0, 100, 5) == std::vector<double>{0, 20, 40, 60, 80, 100});
    CHECK(ticks(0, 640, 7) == std::vector<double>{0, 100, 200, 300, 400, 500, 600});
    CHECK(ticks(3, 11, 4) == std::vector<double>{4, 6, 8, 10});
    CHECK(ticks(5, 5, 4).empty());
    const auto logarithmic = ticks_logarithmic(0.02, 3);
    REQUIRE(logarithmic.size() == 7);
    CHECK(logarithmic.front() == Approx(0.02));
    CHECK(logarithmic.back() == Approx(2));
    CHECK(ticks_logarithmic(0, 3).empty());
}

TEST_CASE("plot: a distribution rises to the share of those that answered at all", "[bench]") {
    const auto series = distribution("x", {3, 1, 2, 2}, 8);
    REQUIRE(series.points.size() == 3);
    CHECK(series.points[0].x == 1);
    CHECK(series.points[0].y == 0.125);
    CHECK(series.points[1].y == 0.375);  // two at once
    CHECK(series.points[2].x == 3);
    CHECK(series.points[2].y == 0.5);
    CHECK(distribution("x", {1}, 0).points.empty());
}

TEST_CASE("plot: numbers have one decimal, text is no markup, the same calls give the same octets",
          "[bench]") {
    const auto draw = [] {
        Svg svg{100, 50};
        svg.line({0, 1.25}, {-0.04, 3}, "#000000");
        svg.text({1, 2}, "R150 <D & 6>\n");
        return svg.finish();
    };
    const std::string text = draw();
    CHECK(text == draw());
    CHECK(count_of(text, R"(<line x1="0" y1="1.3" x2="0" y2="3" stroke="#000000" stroke-width="1"/>)") == 1);
    CHECK(count_of(text, ">R150 &lt;D &amp; 6&gt;</text>") == 1);
    CHECK(count_of(text, "viewBox=\"0 0 100 50\"") == 1);
}

TEST_CASE("plot: a map has a line per route and marks who has none", "[bench]") {
    const std::vector<Station> stations{{0, 0, 3, 1}, {100, 0, 0, 2}, {200, 50, std::nullopt, 0}};
    const auto text = route_map("three", stations, {-50, 0});
    CHECK(count_of(text, "stroke-opacity") == 2);
    CHECK(count_of(text, "no route (1)") == 1);
    CHECK(count_of(text, "100 m") == 1);
}

TEST_CASE("plot: what was never reached is said, not drawn as nothing", "[bench]") {
    const auto text =
        bar_panels("two", {"ours", "theirs"}, {{.title = "seconds", .values = {12.5, std::nullopt}}});
    CHECK(count_of(text, "not reached") == 1);
    CHECK(count_of(text, ">12.5<") == 1);
}
