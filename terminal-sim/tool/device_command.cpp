#include "platform/log.h"
#include "platform/main_guard.h"
#include "security/ciphers.h"
#include "terminal-sim/device/dtu.h"
#include "terminal-sim/device/modbus_port.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/device_kinds.h"
#include "terminal-sim/tool/polled_units.h"
#include "terminal-sim/tool/running.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;

DeviceNumber number_in(const platform::Settings& settings, const char* option) {
    const auto word = settings.required<std::string>(option);
    const auto number = DeviceNumber::parse(word);
    if (!number)
        throw SettingsError("--" + std::string{option} + " " + word +
                            ": a device number has twelve decimal digits");
    return *number;
}

}  // namespace

int run_device(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "information"));
    const auto kind = settings.required<std::string>("kind");
    if (kind == "modbus-tcp") return run_modbus_gateway(settings, number_in(settings, "number"));
    if (kind == "dtu") return run_dtu(settings, number_in(settings, "number"));
    if (kind == "gdw376") return run_terminal(settings, number_in(settings, "number"));
    if (kind == "dlms-callin") return run_callin_meter(settings, number_in(settings, "number"));
    throw SettingsError("--kind " + kind + ": is none of modbus-tcp, dtu, gdw376 and dlms-callin");
}

int run_modbus_gateway(const platform::Settings& settings, const DeviceNumber& number) {
    const auto port = settings.required_in<std::uint16_t>("port", 0, 65'535);
    platform::Loop loop{clock_of(settings)};
    PolledUnits units{loop, settings, number};
    const ModbusPort gateway{loop, settings.optional<std::string>("address", "127.0.0.1"), port,
                             units.alive()};
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    platform::Log{"device"}.information("listening kind=modbus-tcp port={} {}", gateway.port(),
                                        units.summary());
    loop.run();
    return 0;
}

int run_dtu(const platform::Settings& settings, const DeviceNumber& number) {
    const platform::Log log{"device"};
    const auto profile = hello_profile_in(settings, link::Carried::modbus_rtu);
    const auto place = settings.required<platform::HostPort>("headend");
    platform::Loop loop{clock_of(settings)};
    security::SystemRandom random;
    PolledUnits units{loop, settings, number};
    const auto identity = settings.required<std::string>("identity");
    if (!profile.login.build(identity))
        throw SettingsError("--identity " + identity + ": does not fit the profile");
    const auto fault = settings.optional<std::string>("fault", "none");
    if (fault != "none" && fault != "beat-within")
        throw SettingsError("--fault " + fault + ": is neither none nor beat-within");
    Dtu dtu{
        loop,
        random,
        {.host = place.host, .port = place.port, .identity = identity, .beat_within = fault == "beat-within"},
        profile,
        units.alive()};
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    log.information("calling kind=dtu identity={} headend={}:{} profile={} {}", identity, place.host,
                    place.port, profile.name, units.summary());
    loop.run();
    const auto& counts = dtu.counters();
    log.information("stopped calls={} beats={} requests={} answers={} split={} nobody={}", counts.calls,
                    counts.beats, counts.requests, counts.answers, counts.split, counts.nobody);
    return 0;
}

}  // namespace wattmesh::sim
