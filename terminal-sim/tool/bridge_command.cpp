#include "platform/log.h"
#include "platform/main_guard.h"
#include "platform/serial_link.h"
#include "security/ciphers.h"
#include "terminal-sim/device/bridge.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/device_kinds.h"
#include "terminal-sim/tool/running.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;

platform::SerialSettings line_in(const platform::Settings& settings) {
    platform::SerialSettings line;
    line.device = settings.required<std::string>("serial");
    line.baud = settings.optional<std::uint32_t>("baud", 9'600);
    const auto word = settings.optional<std::string>("format", "8E1");
    if (word.size() != 3 || word[0] != '8' || (word[2] != '1' && word[2] != '2'))
        throw SettingsError("--format " + word + ": is not like 8E1, 8N1, 8N2 or 8O1");
    line.stop_bits = static_cast<std::uint8_t>(word[2] - '0');
    if (word[1] == 'N')
        line.parity = platform::Parity::none;
    else if (word[1] == 'O')
        line.parity = platform::Parity::odd;
    else if (word[1] != 'E')
        throw SettingsError("--format " + word + ": parity is N, E or O");
    return line;
}

}  // namespace

int run_bridge(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "information"));
    const auto place = settings.required<platform::HostPort>("headend");
    const auto profile = hello_profile_in(settings);
    const auto identity = settings.required<std::string>("identity");
    if (!profile.login.build(identity) || (!profile.beat.empty() && !profile.beat.build(identity)))
        throw SettingsError("--identity " + identity + ": does not fit the profile");
    const auto gap = std::chrono::milliseconds{settings.optional_in<int>("gap-ms", 20, 1, 5'000)};
    platform::Loop loop{clock_of(settings)};
    security::SystemRandom random;
    const auto line_settings = line_in(settings);
    int status = 0;
    Bridge bridge{loop,
                  random,
                  {.host = place.host, .port = place.port, .identity = identity, .gap = gap},
                  profile,
                  std::make_unique<platform::SerialLink>(loop, line_settings),
                  [&](const std::string& reason) {
                      platform::Log{"bridge"}.error("lost the line device={} reason={}", line_settings.device,
                                                    platform::quoted(reason));
                      status = 1;
                      loop.stop();
                  }};
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    const platform::Log log{"bridge"};
    log.information("bridging serial={} baud={} headend={}:{} profile={} identity={}", line_settings.device,
                    line_settings.baud, place.host, place.port, profile.name, identity);
    loop.run();
    const auto& counts = bridge.counters();
    log.information("stopped calls={} beats={} packets_up={} octets_up={} octets_down={} octets_lost={}",
                    counts.calls, counts.beats, counts.packets_up, counts.octets_up, counts.octets_down,
                    counts.octets_lost);
    return status;
}

}  // namespace wattmesh::sim
