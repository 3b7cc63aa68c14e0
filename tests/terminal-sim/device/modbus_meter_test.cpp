#include "terminal-sim/device/modbus_meter.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>
#include <sstream>
#include <thread>

#include "protocol/modbus/maps.h"
#include "terminal-sim/device/modbus_port.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::modbus;

namespace {

const Instant monday = std::chrono::sys_days{std::chrono::year{2026} / 3 / 9} + std::chrono::hours{10};
const DeviceNumber number = DeviceNumber::parse("880000000001").value();

struct Factory {
    Factory() : load(7, number, LoadKind::factory, false), meter(settings(), load, nullptr, nullptr) {
        meter.advance(monday);
    }
    static MeterSettings settings() {
        MeterSettings made{.number = number, .kind = LoadKind::factory};
        made.seed = 7;
        made.installed_at = monday - std::chrono::days{2};
        return made;
    }
    CustomerLoad load;
    Meter meter;
};

ExceptionCode refusal(const ModbusMeter& meter, const Request& request) {
    return std::get<Exception>(meter.answer(request, monday)).code;
}

/// What mbpoll prints behind the register number.
std::vector<double> mbpoll(const std::string& words) {
    FILE* const pipe = ::popen(("mbpoll -q -1 " + words + " 2>&1").c_str(), "re");  // NOLINT: our own words
    REQUIRE(pipe != nullptr);
    std::string text;
    std::array<char, 256> some{};
    while (std::fgets(some.data(), some.size(), pipe) != nullptr) text += some.data();
    INFO(text);
    REQUIRE(::pclose(pipe) == 0);
    std::vector<double> values;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);)
        if (const auto at = line.find("]:"); at != std::string::npos)
            values.push_back(std::stod(line.substr(at + 2)));
    return values;
}

}  // namespace

TEST_CASE("modbus meter: every map shows the truth in the unit of its quantity", "[sim]") {
    const Factory factory;
    for (const auto* map : all_maps()) {
        const ModbusMeter meter{factory.meter, *map};
        std::size_t shown = 0;
        for (const auto pace : {Pace::fast, Pace::slow})
            for (const auto& block : blocks(*map, pace)) {
                const auto answer = meter.answer(block.read, monday);
                const auto* registers = std::get_if<modbus::Registers>(&answer);
                REQUIRE(registers != nullptr);
                REQUIRE(registers->values.size() == block.read.count);
                for (const auto i : block.points) {
                    const auto& point = map->points[i];
                    CAPTURE(map->name, point.number);
                    const auto truth = meter.truth(point.quantity, monday);
                    const auto value = value_of(*map, point, block, registers->values);
                    REQUIRE(value.has_value() == truth.has_value());
                    if (!truth) continue;
                    CHECK(*value == Approx(*truth).epsilon(1e-6));
                    ++shown;
                }
            }
        CHECK(shown + 1 >= map->points.size());  // reactive power is not measured
    }
    // The truth itself is plausible: three phases at 230 V that carry what the load says.
    const ModbusMeter meter{factory.meter, maps::em6400ng};
    const auto watts = meter.truth({{1, 0, 16, 7, 0, 255}}, monday).value();
    const auto expected = factory.load.nominal(interval_of(monday)).channels[0] * 4;
    CHECK(watts == Approx(static_cast<double>(expected)).epsilon(0.01));
    CHECK(meter.truth({{1, 0, 12, 7, 0, 255}}, monday).value() == Approx(230).epsilon(0.03));
}

TEST_CASE("modbus meter: refuses what a panel meter refuses, by the specification's exceptions", "[sim]") {
    const Factory factory;
    const ModbusMeter meter{factory.meter, maps::em6400ng};
    using enum ExceptionCode;
    CHECK(refusal(meter, Read{Function::read_input_registers, 3059, 2}) == illegal_function);
    CHECK(refusal(meter, WriteRegisters{3059, {1}, true}) == illegal_function);
    CHECK(refusal(meter, Read{Function::read_holding_registers, 0, 2}) == illegal_data_address);
    CHECK(refusal(meter, Read{Function::read_holding_registers, 3206, 4}) == illegal_data_address);
    // Nothing is measured between the points: not available, which is no number.
    const auto gap =
        std::get<modbus::Registers>(meter.answer(Read{Function::read_holding_registers, 3005, 2}, monday));
    CHECK_FALSE(decode_number(gap.values, NumberType::float32, WordOrder::abcd));
}

TEST_CASE("modbus TCP gateway: mbpoll reads what is true", "[sim]") {
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    std::atomic<int> port{0};
    Factory factory;
    std::thread thread{[&] {
        ModbusPort::Units units;
        units.emplace(std::uint8_t{1}, ModbusMeter{factory.meter, maps::em6400ng});
        units.emplace(std::uint8_t{9}, ModbusMeter{factory.meter, maps::em6400});
        const ModbusPort gateway{loop, "127.0.0.1", 0, std::move(units)};
        port = gateway.port();
        loop.run();
    }};
    while (port == 0) std::this_thread::yield();
    const std::string place = " -m tcp -p " + std::to_string(port) + " 127.0.0.1";
    // mbpoll counts registers from 1 as the maker does; -B: high register first.
    const auto frequency = mbpoll("-a 1 -t 4:float -B -r 3110" + place);
    CHECK(frequency == std::vector<double>{50});
    const auto volts = mbpoll("-a 1 -t 4:float -B -r 3028 -c 3" + place);
    REQUIRE(volts.size() == 3);
    for (const auto one : volts) CHECK((one >= 227.5 && one <= 233.5));
    CHECK(mbpoll("-a 9 -t 4:float -r 3915" + place) == std::vector<double>{50});  // low register first
    loop.stop();
    thread.join();
}
