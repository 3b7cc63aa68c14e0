#include "protocol/mesh/last_gasp.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::mesh;
using namespace std::chrono_literals;

namespace {

constexpr Instant power_gone{std::chrono::hours{1}};
using Words = std::vector<std::pair<Duration, std::vector<std::uint16_t>>>;

/// Everything it says until its energy is used up; `hear` is called before each step of 50 ms.
template <class Hear>
Words last_words(LastGasp& gasp, Hear hear) {
    Words words;
    for (Duration t{}; t < LastGasp::lasts; t += 50ms) {
        hear(t);
        while (gasp.next_deadline() <= power_gone + t) {
            const auto list = gasp.take(power_gone + t, 12'345);
            if (list) words.emplace_back(t, list->dark);
            if (!list && gasp.next_deadline() <= power_gone + t) FAIL("never comes to an end");
        }
    }
    return words;
}

}  // namespace

TEST_CASE("last gasp: unheard, a node says its name three times within ten seconds", "[mesh]") {
    const auto chance = GENERATE(0U, 1U, 777'777U, 0xFFFFFFFFU);
    LastGasp gasp;
    gasp.begin(7, 2, 3, power_gone, chance);
    const auto words = last_words(gasp, [](Duration) {});
    REQUIRE(words.size() == 3);
    for (const auto& [at, dark] : words) CHECK(dark == std::vector<std::uint16_t>{7});
    CHECK(words[2].first >= 6s);
}

TEST_CASE("last gasp: whom the root has named is not named again", "[mesh]") {
    LastGasp gasp;
    gasp.begin(7, 1, 0, power_gone, 0);
    const auto words = last_words(gasp, [&](Duration t) {
        if (t == 1s) gasp.known({.dark = {6, 7, 8}});
    });
    CHECK(words.size() == 1);
}

TEST_CASE("last gasp: a name from farther away goes along, one from nearer does not", "[mesh]") {
    LastGasp gasp;
    gasp.begin(7, 2, 3, power_gone, 0);
    const auto words = last_words(gasp, [&](Duration t) {
        if (t == 500ms) gasp.heard({.hops = 3, .parent = 7, .dark = {20, 21}}, power_gone + t, 0);
        if (t == 600ms) gasp.heard({.hops = 1, .parent = 0, .dark = {30}}, power_gone + t, 0);
    });
    REQUIRE(words.size() == 3);
    CHECK(words[1].second == std::vector<std::uint16_t>{7, 20, 21});
    CHECK(words[1].first < 3s);  // sooner than it would have spoken for itself

    SECTION("until somebody nearer has said it") {
        LastGasp other;
        other.begin(7, 2, 3, power_gone, 0);
        const auto fewer = last_words(other, [&](Duration t) {
            if (t == 500ms) other.heard({.hops = 3, .parent = 7, .dark = {20, 21}}, power_gone + t, 0);
            if (t == 700ms) other.heard({.hops = 1, .parent = 0, .dark = {7, 20}}, power_gone + t, 0);
        });
        REQUIRE(fewer.size() >= 2);
        CHECK(fewer[1].second == std::vector<std::uint16_t>{21});
    }
    SECTION("somebody as near has said it: once more at the end") {
        LastGasp other;
        other.begin(7, 2, 3, power_gone, 0);
        const auto words_of = last_words(other, [&](Duration t) {
            if (t == 500ms) other.heard({.hops = 3, .parent = 7, .dark = {20}}, power_gone + t, 0);
            if (t == 700ms) other.heard({.hops = 2, .parent = 3, .dark = {9, 20}}, power_gone + t, 0);
        });
        CHECK(words_of[1].second == std::vector<std::uint16_t>{7});
        CHECK(words_of.back().second == std::vector<std::uint16_t>{7, 20});
    }
}

TEST_CASE("last gasp: lists are bounded, whatever is heard", "[mesh]") {
    LastGasp gasp;
    gasp.begin(7, 1, 0, power_gone, 0);
    const auto words = last_words(gasp, [&](Duration t) {
        DarkList list{.hops = 5, .parent = 1, .dark = {}};
        for (std::size_t i = 0; i < dark_list_max; ++i)
            list.dark.push_back(
                static_cast<std::uint16_t>(100 + i + static_cast<std::size_t>(t / 50ms) * dark_list_max));
        gasp.heard(list, power_gone + t, 1);
    });
    CHECK(words.size() <= static_cast<std::size_t>(LastGasp::frames_max));
    for (const auto& [at, dark] : words) CHECK(dark.size() <= dark_list_max);
}
