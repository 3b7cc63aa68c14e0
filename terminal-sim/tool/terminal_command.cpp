#include "platform/log.h"
#include "platform/main_guard.h"
#include "protocol/gdw376/terminal_number.h"
#include "security/ciphers.h"
#include "terminal-sim/device/terminal_call.h"
#include "terminal-sim/tool/device_kinds.h"
#include "terminal-sim/tool/polled_units.h"
#include "terminal-sim/tool/running.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;

gdw376::Address address_in(const platform::Settings& settings) {
    const auto word = settings.required<std::string>("terminal");
    const auto octets = word.size() == 9 && word[4] == '-' ? from_hex(word.substr(0, 4) + word.substr(5))
                                                           : std::optional<Buffer>{};
    gdw376::Address address;
    if (octets && octets->size() == 4) {
        address.area = static_cast<std::uint16_t>((*octets)[0] << 8 | (*octets)[1]);
        address.terminal = static_cast<std::uint16_t>((*octets)[2] << 8 | (*octets)[3]);
    }
    if (!gdw376::terminal_number(address))
        throw SettingsError("--terminal " + word + ": an address looks like 4403-1234");
    return address;
}

}  // namespace

int run_terminal(const platform::Settings& settings, const DeviceNumber& first) {
    const platform::Log log{"device"};
    const auto place = settings.required<platform::HostPort>("headend");
    Terminal::Settings made;
    made.address = address_in(settings);
    made.utc_offset = std::chrono::minutes{settings.optional_in<int>("utc-offset-min", 480, -720, 840)};
    made.clock_off = std::chrono::seconds{settings.optional_in<int>("clock-off", 0, -86'400, 86'400)};
    const auto fault = settings.optional<std::string>("fault", "none");
    if (fault != "none" && fault != "demands-chip")
        throw SettingsError("--fault " + fault + ": is neither none nor demands-chip");
    made.demands_chip = fault == "demands-chip";
    platform::Loop loop{clock_of(settings)};
    security::SystemRandom random;
    PolledUnits units{loop, settings, first};
    made.relay_only = units.relay_only();
    Terminal terminal{made, units.by_point(), units.truth()};
    const auto frozen = settings.optional<std::filesystem::path>("frozen-truth", {});
    if (!frozen.empty()) terminal.tell_frozen(frozen);
    TerminalCall call{
        loop,
        random,
        {.host = place.host,
         .port = place.port,
         .beat_every = std::chrono::seconds{settings.optional_in<int>("beat", 300, 5, 3'600)},
         .event_every = std::chrono::seconds{settings.optional_in<int>("event-every", 0, 0, 86'400)}},
        terminal};
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    log.information("calling kind=gdw376 terminal={} headend={}:{} {}", gdw376::to_string(made.address),
                    place.host, place.port, units.summary());
    loop.run();
    const auto& counts = call.counters();
    log.information("stopped calls={} beats={} confirmed={} denied={} requests={} answers={} reports={}",
                    counts.calls, counts.beats, counts.confirmed, counts.denied, counts.requests,
                    counts.answers, counts.reports);
    return 0;
}

}  // namespace wattmesh::sim
