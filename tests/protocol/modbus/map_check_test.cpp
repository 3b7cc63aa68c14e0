// What tells a wrong map. Floats by IEEE 754: 50.0 is 42480000, 230.5 is 43668000.
#include "protocol/modbus/map_check.h"

#include <catch2/catch.hpp>

#include "protocol/modbus/maps.h"

using namespace wattmesh;
using namespace wattmesh::modbus;

namespace {

using Verdict = MapCheck::Verdict;
/// 3028 to 3033 of the EM6400NG: three voltages.
constexpr std::uint16_t volts_at = 3027;
const std::vector<std::uint16_t> volts{0x4366, 0x8000, 0x4366, 0x8000, 0x4366, 0x8000};

}  // namespace

TEST_CASE("map check: plausible voltages and frequency fit", "[protocol]") {
    CHECK(check_map(maps::em6400ng, volts_at, volts).verdict == Verdict::fits);
    CHECK(check_map(maps::em6400ng, 3109, std::vector<std::uint16_t>{0x4248, 0}).verdict == Verdict::fits);
}

TEST_CASE("map check: swapped registers are wrong, and it says what they would fit", "[protocol]") {
    const std::vector<std::uint16_t> swapped{0x8000, 0x4366, 0x8000, 0x4366, 0x8000, 0x4366};
    const auto check = check_map(maps::em6400ng, volts_at, swapped);
    CHECK(check.verdict == Verdict::wrong);
    CHECK_THAT(check.why, Catch::Contains("with word order abcd; cdab "));
    // octets of each register swapped
    const std::vector<std::uint16_t> octets{0x6643, 0x0080, 0x6643, 0x0080, 0x6643, 0x0080};
    CHECK_THAT(check_map(maps::em6400ng, volts_at, octets).why, Catch::Contains("badc would be plausible"));
    // the other map has the low register first
    CHECK(check_map(maps::em6400, 3910, std::vector<std::uint16_t>{0x8000, 0x4366}).verdict == Verdict::fits);
    CHECK(check_map(maps::em6400, 3910, std::vector<std::uint16_t>{0x4366, 0x8000}).verdict ==
          Verdict::wrong);
}

TEST_CASE("map check: a base that is off by one is told", "[protocol]") {
    // what stands at 3028 by the maker's list comes one register late
    const std::vector<std::uint16_t> late{0x7F7F, 0x4366, 0x8000, 0x4366, 0x8000, 0x4366, 0x8000};
    const auto check = check_map(maps::em6400ng, volts_at, late);
    CHECK(check.verdict == Verdict::wrong);
    CHECK_THAT(check.why, Catch::Contains("or base 0"));
}

TEST_CASE("map check: a dead line and what is not available tell nothing", "[protocol]") {
    CHECK(check_map(maps::em6400ng, volts_at, std::vector<std::uint16_t>(6, 0)).verdict == Verdict::untold);
    CHECK(check_map(maps::em6400ng, volts_at, std::vector<std::uint16_t>(6, 0xFFFF)).verdict ==
          Verdict::untold);
    CHECK(check_map(maps::em6400ng, 2999, std::vector<std::uint16_t>{0x4148, 0}).verdict == Verdict::untold);
    auto phase_lost = volts;
    phase_lost[0] = phase_lost[1] = 0;
    CHECK(check_map(maps::em6400ng, volts_at, phase_lost).verdict == Verdict::fits);
    CHECK(check_map(maps::em6400ng, volts_at, std::vector<std::uint16_t>(6, 0x7777)).why ==
          "it reads 5.019e+33 V with word order abcd, and with no other either");
}
