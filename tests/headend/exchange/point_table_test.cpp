#include "headend/exchange/point_table.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::headend;
using namespace std::chrono;
using database::ScadaPoint;
using database::ScadaQuantity;
using database::ScadaValue;

namespace {

const Instant noon = sys_days{year{2026} / November / 23} + 12h;
const DeviceNumber transformer = DeviceNumber::parse("700000000001").value(),
                   other = DeviceNumber::parse("700000000002").value();

ScadaPoint point_of(ScadaQuantity quantity, int type, double scale = 1) {
    ScadaPoint point;
    point.address = 200'001;
    point.type = type;
    point.device = transformer;
    point.quantity = quantity;
    point.scale = scale;
    point.freshness_s = 1'800;
    return point;
}

ScadaValue value_of(double value, Duration age = 0s) {
    return {.station = 1, .address = 200'001, .value = value, .at = noon - age};
}

}  // namespace

TEST_CASE("point table: values become objects with quality bits and the time of the sample", "[exchange]") {
    const auto power = point_of(ScadaQuantity::power, 13, 1'000);
    auto state = exchange::state_of(power, value_of(12'500, 900s), noon);
    CHECK(state.value == iec104::Value{iec104::Float{12.5F}});
    CHECK(state.quality == iec104::Quality{});
    CHECK(state.time.at == noon - 900s);
    CHECK(exchange::state_of(power, value_of(1, 1'801s), noon).quality.not_topical);
    auto value = value_of(1);
    value.offline = value.clock_doubtful = true;
    state = exchange::state_of(power, value, noon);
    CHECK(state.quality.not_topical);
    CHECK(state.time.invalid);
    // what the head-end knows by itself does not age
    CHECK_FALSE(
        exchange::state_of(point_of(ScadaQuantity::supply, 1), value_of(1, 24h), noon).quality.not_topical);
    CHECK(exchange::state_of(point_of(ScadaQuantity::supply, 1), value_of(0), noon).value ==
          iec104::Value{iec104::SinglePoint{false}});
    CHECK(exchange::state_of(point_of(ScadaQuantity::relay, 3), value_of(1), noon).value ==
          iec104::Value{iec104::DoublePoint{iec104::DoubleState::off}});
}

TEST_CASE("point table: counters are floor(Wh / unit) mod 2^31, scaled values say when they overflow",
          "[exchange]") {
    const auto counter = point_of(ScadaQuantity::import_energy, 15, 1'000);
    CHECK(exchange::state_of(counter, value_of(1'234'567'999), noon).value ==
          iec104::Value{iec104::Counter{1'234'567}});
    // (2^31 + 5) kWh
    CHECK(exchange::state_of(counter, value_of((2147483648.0 + 5) * 1'000), noon).value ==
          iec104::Value{iec104::Counter{5}});
    CHECK(exchange::state_of(counter, value_of(1'000, 1h), noon).value ==
          iec104::Value{iec104::Counter{1, 0, false, false, true}});
    const auto scaled = point_of(ScadaQuantity::power, 11, 10);
    CHECK(exchange::state_of(scaled, value_of(-1'234), noon).value == iec104::Value{iec104::Scaled{-123}});
    const auto over = exchange::state_of(scaled, value_of(400'000), noon);
    CHECK(over.value == iec104::Value{iec104::Scaled{32'767}});
    CHECK(over.quality.overflow);
}

TEST_CASE("point table: CSV comes back as it was written, and what is wrong is named by its line",
          "[exchange]") {
    const auto points = exchange::with_transformers({}, {transformer, other}, 7);
    CHECK(points.size() == 12);
    const auto csv = exchange::to_csv(points);
    CHECK(std::get<std::vector<ScadaPoint>>(exchange::parse_point_table(csv)) == points);
    struct Row {
        const char* line;
        const char* why;
    };
    const auto row = GENERATE(values<Row>({
        {"1,200001,13,700000000001,power,1000,0,0,1800,0", "10 columns"},
        {"0,200001,13,700000000001,power,1000,0,0,1800,0,no", "station"},
        {"1,16777216,13,700000000001,power,1000,0,0,1800,0,no", "address"},
        {"1,200001,15,700000000001,power,1000,0,0,1800,0,no", "type 15 cannot show power"},
        {"1,200001,13,70000000001,power,1000,0,0,1800,0,no", "twelve digits"},
        {"1,200001,13,700000000001,mood,1000,0,0,1800,0,no", "mood"},
        {"1,200001,13,700000000001,power,0,0,0,1800,0,no", "scale"},
        {"1,200001,13,700000000001,power,1000,0,0,1800,17,no", "group"},
        {"1,200001,13,700000000001,power,1000,0,0,1800,0,yes", "only relay_command"},
    }));
    const auto fault = exchange::parse_point_table(csv + row.line + "\n");
    INFO(row.line);
    REQUIRE(std::holds_alternative<std::string>(fault));
    CHECK_THAT(std::get<std::string>(fault), Catch::StartsWith("line 14: ") && Catch::Contains(row.why));
    CHECK(std::holds_alternative<std::string>(exchange::parse_point_table(csv + csv)));
}

TEST_CASE("point table: a new transformer gets addresses behind the others, who keep theirs", "[exchange]") {
    const auto before = exchange::with_transformers({}, {other}, 1);
    const auto after = exchange::with_transformers(before, {transformer, other}, 1);
    CHECK(after.size() == 12);
    for (const auto& point : before) CHECK(std::find(after.begin(), after.end(), point) != after.end());
    for (const auto& point : after)
        if (point.device == transformer && point.quantity == ScadaQuantity::power)
            CHECK(point.address == 200'002);
}
