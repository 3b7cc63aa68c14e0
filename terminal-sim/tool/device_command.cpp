#include <charconv>
#include <deque>

#include "platform/log.h"
#include "platform/main_guard.h"
#include "terminal-sim/device/modbus_port.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/device_kinds.h"
#include "terminal-sim/tool/running.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;

constexpr int units_max = 64;

/// --units N or N-M
std::pair<int, int> units_of(const platform::Settings& settings) {
    const auto word = settings.optional<std::string>("units", "1");
    const auto dash = word.find('-');
    const auto number = [&](std::string_view text) {
        int value = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
        if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || value < 1 || value > 247)
            throw SettingsError("--units " + word + ": is neither N nor N-M between 1 and 247");
        return value;
    };
    const int first = number(std::string_view{word}.substr(0, dash));
    const int last = dash == std::string::npos ? first : number(std::string_view{word}.substr(dash + 1));
    if (last < first || last - first >= units_max)
        throw SettingsError("--units " + word + ": goes up and has at most 64 units");
    return {first, last};
}

DeviceNumber first_number(const platform::Settings& settings) {
    const auto word = settings.required<std::string>("number");
    const auto number = DeviceNumber::parse(word);
    if (!number) throw SettingsError("--number " + word + ": a device number has twelve decimal digits");
    return *number;
}

/// One simulated meter behind the gateway, capturing its truth.
struct Unit {
    Unit(const MeterSettings& settings, Truth* truth)
        : load(settings.seed, settings.number, settings.kind, false), meter(settings, load, nullptr, truth) {}
    CustomerLoad load;
    Meter meter;
};

}  // namespace

int run_device(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "information"));
    const auto kind = settings.required<std::string>("kind");
    if (kind == "modbus-tcp") return run_modbus_gateway(settings, first_number(settings));
    if (kind == "dlms-callin") return run_callin_meter(settings, first_number(settings));
    throw SettingsError("--kind " + kind + ": is neither modbus-tcp nor dlms-callin");
}

int run_modbus_gateway(const platform::Settings& settings, const DeviceNumber& number) {
    const platform::Log log{"device"};
    const auto word = settings.optional<std::string>("map", "em6400ng");
    const auto* map = modbus::find_map(word);
    if (map == nullptr) throw SettingsError("--map " + word + ": is none of em6400ng, em6400, em1200");
    const auto port = settings.required_in<std::uint16_t>("port", 0, 65'535);
    const auto [first, last] = units_of(settings);
    const auto clock = clock_of(settings);
    platform::Loop loop{clock};
    const auto truth_file = settings.optional<std::filesystem::path>("truth", {});
    std::optional<Truth> truth;
    if (!truth_file.empty()) truth.emplace(truth_file);

    std::deque<Unit> meters;
    ModbusPort::Units units;
    for (int unit = first; unit <= last; ++unit) {
        auto digits = std::to_string(number.integer() + static_cast<std::uint64_t>(unit - first));
        digits.insert(0, 12 - std::min<std::size_t>(12, digits.size()), '0');
        const auto own = DeviceNumber::parse(digits);
        if (!own) throw SettingsError("--number: with so many units it has more than twelve digits");
        MeterSettings made{.number = *own, .kind = LoadKind::factory};
        made.seed = settings.optional<std::uint32_t>("seed", 1);
        made.installed_at =
            clock->now() - std::chrono::days{settings.optional_in<int>("history-days", 1, 0, 3650)};
        auto& one = meters.emplace_back(made, truth ? &*truth : nullptr);
        one.meter.advance(loop.now());
        units.emplace(static_cast<std::uint8_t>(unit), ModbusMeter{one.meter, *map});
    }
    platform::Timer capture{loop};
    const std::function<void()> advance = [&] {
        Instant next = Instant::max();
        for (auto& one : meters) {
            one.meter.advance(loop.now());
            next = std::min(next, one.meter.next_event());
        }
        capture.at(next, advance);
    };
    advance();
    const ModbusPort gateway{loop, settings.optional<std::string>("address", "127.0.0.1"), port,
                             std::move(units)};
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    log.information("listening kind=modbus-tcp port={} map={} units={}-{}", gateway.port(), map->name, first,
                    last);
    loop.run();
    return 0;
}

}  // namespace wattmesh::sim
