#include <catch2/catch.hpp>

#include "protocol/collector/attached_table.h"

namespace wattmesh::collector {
namespace {
DeviceNumber meter(int index) { return *DeviceNumber::parse(std::to_string(540'000'000'000 + index)); }
constexpr std::uint16_t address(int index) { return static_cast<std::uint16_t>(15 + index); }
}  // namespace

TEST_CASE("attached table: the 65th meter has no place", "[collector]") {
    AttachedTable table;
    for (int i = 1; i <= 64; ++i) {
        const auto* placed = table.put(meter(i), address(i));
        REQUIRE(placed != nullptr);
        CHECK(placed->sub == i);
    }
    const auto generation = table.generation();
    CHECK(table.put(meter(65), address(65)) == nullptr);
    CHECK(table.generation() == generation);
    CHECK(table.all().size() == 64);
}

TEST_CASE("attached table: a freed sub-address goes out after all others, and back to its owner first",
          "[collector]") {
    AttachedTable table;
    for (int i = 1; i <= 63; ++i) table.put(meter(i), address(i));
    table.remove(5);
    CHECK(table.put(meter(5), address(90))->sub == 5);
    table.remove(5);
    CHECK(table.put(meter(100), address(91))->sub == 64);
    CHECK(table.put(meter(101), address(92))->sub == 5);
}

TEST_CASE("attached table: who was known at an address is gone when another meter answers there",
          "[collector]") {
    AttachedTable table;
    table.put(meter(1), address(1));
    table.put(meter(2), address(1));
    REQUIRE(table.all().size() == 1);
    CHECK(table.all()[0].meter == meter(2));
    CHECK(table.all()[0].sub == 2);
}

TEST_CASE("attached table: a meter with a new address keeps its sub-address and nobody is told",
          "[collector]") {
    AttachedTable table;
    table.put(meter(1), address(1));
    const auto generation = table.generation();
    CHECK(table.put(meter(1), address(7))->sub == 1);
    CHECK(table.at_address(address(7)) != nullptr);
    CHECK(table.generation() == generation);
}

TEST_CASE("attached table: a power cut changes neither sub-addresses nor generation", "[collector]") {
    AttachedTable table{41};
    for (int i = 1; i <= 3; ++i) table.put(meter(i), address(i));
    table.remove(2);
    auto back = decode_attached_table(encode(table));
    REQUIRE(back);
    CHECK(back->generation() == 45);
    REQUIRE(back->all().size() == 2);
    CHECK(back->all()[1].sub == 3);
    CHECK(back->all()[1].meter == meter(3));
    CHECK_FALSE(back->all()[1].heard);
    CHECK(back->put(meter(9), address(9))->sub == 2);
}

TEST_CASE("attached table: damaged state is refused", "[collector]") {
    AttachedTable table{1};
    for (int i = 1; i <= 2; ++i) table.put(meter(i), address(i));
    const auto state = encode(table);
    for (std::size_t size = 0; size < state.size(); ++size)
        CHECK_FALSE(decode_attached_table(Bytes{state}.first(size)));
    auto twice = state;
    twice[4 + 9] = twice[4];  // both rows the same sub-address
    CHECK_FALSE(decode_attached_table(twice));
    auto beyond = state;
    beyond[4] = 65;
    CHECK_FALSE(decode_attached_table(beyond));
}

}  // namespace wattmesh::collector
