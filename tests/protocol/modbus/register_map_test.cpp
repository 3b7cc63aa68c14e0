#include "protocol/modbus/register_map.h"

#include <catch2/catch.hpp>
#include <set>

#include "protocol/modbus/bus_time.h"
#include "protocol/modbus/maps.h"

using namespace wattmesh;
using namespace wattmesh::modbus;
using namespace std::chrono_literals;

namespace {

constexpr ObisCode quantity(std::uint8_t c) { return {{1, 0, c, 7, 0, 255}}; }

/// One point that is a float, at a printed number.
constexpr Point point(std::uint8_t c, std::uint16_t number) { return {quantity(c), number}; }

RegisterMap map_of(std::span<const Point> points, std::span<const WholeBlock> whole = {}) {
    return {.name = "test", .summary = "", .points = points, .whole_blocks = whole};
}

}  // namespace

TEST_CASE("modbus numbers: each type and order, as printf shows the octets of 12.5 and of integers",
          "[modbus]") {
    using Words = std::vector<std::uint16_t>;
    const auto number = [](Words words, NumberType type, WordOrder order) {
        return decode_number(words, type, order);
    };
    CHECK(number({0x4148, 0}, NumberType::float32, WordOrder::abcd) == 12.5);
    CHECK(number({0, 0x4148}, NumberType::float32, WordOrder::cdab) == 12.5);
    CHECK(number({0x4841, 0}, NumberType::float32, WordOrder::badc) == 12.5);
    CHECK(number({0, 0x4841}, NumberType::float32, WordOrder::dcba) == 12.5);
    CHECK(number({0x4029, 0, 0, 0}, NumberType::float64, WordOrder::abcd) == 12.5);
    CHECK(number({0xFFFE}, NumberType::int16, WordOrder::abcd) == -2.0);
    CHECK(number({0xFFFF, 0xFFFE}, NumberType::int32, WordOrder::abcd) == -2.0);
    CHECK(number({0x0001, 0x0002}, NumberType::uint32, WordOrder::cdab) == 131'073.0);
    CHECK(number({0, 0, 0x075B, 0xCD15}, NumberType::int64, WordOrder::abcd) == 123'456'789.0);
    CHECK(number({0xCD15, 0x075B, 0, 0}, NumberType::int64, WordOrder::cdab) == 123'456'789.0);
    for (const auto& [words, type] : {std::pair{Words{0xFFFF}, NumberType::uint16},
                                      {Words{0x8000}, NumberType::int16},
                                      {Words{0xFFFF, 0xFFFF}, NumberType::uint32},
                                      {Words{0x8000, 0}, NumberType::int32},
                                      {Words{0xFFC0, 0}, NumberType::float32},
                                      {Words{0x7F80, 0}, NumberType::float32},
                                      {Words{0x8000, 0, 0, 0}, NumberType::int64}})
        CHECK_FALSE(number(words, type, WordOrder::abcd));
}

TEST_CASE("modbus numbers: what is encoded is decoded, in range or clamped", "[modbus]") {
    for (int type = 0; type <= static_cast<int>(NumberType::float64); ++type)
        for (const auto order : {WordOrder::abcd, WordOrder::cdab, WordOrder::badc, WordOrder::dcba})
            for (const double value : {0.0, 1.0, 77.0, 32'000.0}) {
                std::vector<std::uint16_t> words(4);
                encode_number(value, static_cast<NumberType>(type), order, words);
                CHECK(decode_number(words, static_cast<NumberType>(type), order) == value);
            }
    std::vector<std::uint16_t> words(1);
    encode_number(-1e9, NumberType::int16, WordOrder::abcd, words);
    CHECK(words[0] == 0x8000);
    encode_number(1e9, NumberType::uint16, WordOrder::abcd, words);
    CHECK(words[0] == 0xFFFF);
}

TEST_CASE("modbus blocks: near points share a request, far ones and those beyond its length do not",
          "[modbus]") {
    const Point points[]{point(31, 101), point(51, 103), point(71, 125), point(12, 148), point(32, 226)};
    const auto made = blocks(map_of(points), Pace::fast);
    REQUIRE(made.size() == 3);
    CHECK(made[0].read == Read{Function::read_holding_registers, 100, 26});  // 104 to 124 is a gap of 20
    CHECK(made[0].points == std::vector<std::size_t>{0, 1, 2});
    CHECK(made[1].read == Read{Function::read_holding_registers, 147, 2});
    CHECK(made[2].read.start == 225);
    const auto wide = blocks(map_of(points), Pace::fast, {.registers_max = 125, .gap_max = 125});
    REQUIRE(wide.size() == 2);
    CHECK(wide[0].read.count == 49);  // with the next it were 127
    CHECK(blocks(map_of(points), Pace::slow).empty());
}

TEST_CASE("modbus blocks: a whole block is asked for as a whole", "[modbus]") {
    const Point points[]{point(31, 3'011), point(51, 3'150)};
    const WholeBlock whole[]{{3'001, 100}, {3'101, 99}};
    const auto made = blocks(map_of(points, whole), Pace::fast);
    REQUIRE(made.size() == 2);
    CHECK(made[0].read == Read{Function::read_holding_registers, 3'000, 100});
    CHECK(made[1].read == Read{Function::read_holding_registers, 3'100, 99});
}

TEST_CASE("modbus maps: no quantity twice, every point in one block, and none outside it", "[modbus]") {
    for (const RegisterMap* map : all_maps()) {
        INFO(map->name);
        CHECK(find_map(map->name) == map);
        std::set<ObisCode> quantities;
        for (const Point& point : map->points) {
            CHECK(quantities.insert(point.quantity).second);
            CHECK(point.number >= map->base);
        }
        std::multiset<std::size_t> covered;
        for (const Pace pace : {Pace::fast, Pace::slow})
            for (const Block& block : blocks(*map, pace)) {
                CHECK(block.read.count <= read_registers_max);
                for (const auto index : block.points) {
                    const Point& point = map->points[index];
                    CHECK(point.pace == pace);
                    CHECK(point.number - map->base >= block.read.start);
                    CHECK(point.number - map->base + register_count(point.type) <=
                          block.read.start + block.read.count);
                    covered.insert(index);
                }
            }
        CHECK(covered.size() == map->points.size());
    }
    CHECK(find_map("em9999") == nullptr);
}

TEST_CASE("modbus maps: values come in the unit of their quantity", "[modbus]") {
    const auto made = blocks(maps::em6400ng, Pace::fast);
    REQUIRE(made.size() == 1);  // power, currents and voltages in one request
    std::vector<std::uint16_t> registers(made[0].read.count, 0xFFFF);
    const auto put = [&](std::uint16_t number, double value) {
        encode_number(value, NumberType::float32, WordOrder::abcd,
                      std::span{registers}.subspan(number - 1U - made[0].read.start));
    };
    put(3'000, 12.5);
    put(3'060, 4.75);  // kW
    const auto value = [&](std::uint8_t c) -> std::optional<double> {
        for (const auto index : made[0].points)
            if (maps::em6400ng.points[index].quantity == quantity(c))
                return value_of(maps::em6400ng, maps::em6400ng.points[index], made[0], registers);
        FAIL("no such quantity");
        return {};
    };
    CHECK(value(31) == 12.5);
    CHECK(value(16) == 4'750.0);
    CHECK_FALSE(value(51));
    CHECK(power_factor(1.2) == Approx(0.8));
    CHECK(power_factor(-1.2) == Approx(-0.8));
    CHECK(power_factor(0.95) == 0.95);
}

TEST_CASE("modbus bus: times of characters, frames and rounds, computed by hand", "[modbus]") {
    // 8 + 229 characters of 11 bits at 19 200 baud and 50 ms twice.
    const Request whole = Read{Function::read_holding_registers, 0, 112};
    const BusTiming bus{.baud = 19'200};
    CHECK(exchange_time(bus, whole) == Duration{4'584 + 131'198 + 50'000 + 50'000});
    CHECK(frame_gap({.baud = 9'600}) == Duration{4'011});
    CHECK(frame_gap({.baud = 115'200}) == 1'750us);
    // A slow bus' silence is longer than the gap that was asked for.
    const BusTiming slow{.baud = 300, .gap = 50ms};
    CHECK(exchange_time(slow, whole) - character_time(slow, 8) - character_time(slow, 229) - 50ms ==
          frame_gap(slow));

    // The factory: 79 meters on four buses, so 20 on the fullest.
    const auto fast = blocks(maps::em6400ng, Pace::fast);
    CHECK(cycle_time({.baud = 19'200}, fast, 20) <= 5s);
    CHECK(cycle_time({.baud = 9'600}, fast, 20) <= 10s);
    CHECK(cycle_time({.baud = 9'600}, fast, 40) == 2 * cycle_time({.baud = 9'600}, fast, 20));
}
