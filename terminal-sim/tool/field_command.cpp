#include <cstdio>

#include "platform/log.h"
#include "platform/main_guard.h"
#include "security/ciphers.h"
#include "terminal-sim/field/control_port.h"
#include "terminal-sim/field/module_port.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/running.h"

namespace wattmesh::sim {

int run_field(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "information"));
    platform::forbid_memory_dumps();
    const Town town = read_town(settings.required<std::filesystem::path>("town"));
    const Shipment shipment = read_shipment(settings.required<std::filesystem::path>("keys"));
    const auto listen = settings.optional<platform::HostPort>("listen", {"127.0.0.1", 4100});
    const int rate = settings.optional<int>("rate", 50);
    if (rate != 10 && rate != 50 && rate != 100)
        throw platform::SettingsError("--rate " + std::to_string(rate) + ": is none of 10, 50, 100");

    const auto clock = clock_of(settings);
    FieldOptions options;
    options.start = clock->now();
    options.installed_at =
        options.start - std::chrono::hours{settings.optional_in<int>("history-hours", 4, 0, 24 * 365)};
    options.rate = rate == 10   ? mesh::PhyRate::kbit10
                   : rate == 50 ? mesh::PhyRate::kbit50
                                : mesh::PhyRate::kbit100;
    options.state_folder = settings.required<std::filesystem::path>("state");
    options.truth_file = settings.optional<std::filesystem::path>("truth", {});
    options.keep_truth_rows = false;
    if (settings.has("firmware-vendor")) {
        const auto key = from_hex(settings.required<std::string>("firmware-vendor"));
        if (!key || key->size() != 64)
            throw platform::SettingsError("--firmware-vendor: is not a public key of 128 digits");
        options.firmware_vendor = *key;
    }

    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    platform::Loop loop{clock};
    Field field{town, shipment, options, ciphers, random};
    ModulePorts modules{loop, field, listen.host, listen.port};
    std::optional<ControlPort> control;
    if (settings.has("control")) {
        const auto at = settings.required<platform::HostPort>("control");
        control.emplace(loop, field, [&] { return modules.behind(); }, at.host, at.port);
    }
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    platform::Log{"field"}.information("started meters={} concentrators={} speed={}", town.meters.size(),
                                       town.concentrators.size(), clock->speed());
    loop.run();
    field.save();
    platform::Log{"field"}.information("stopped");
    return 0;
}

}  // namespace wattmesh::sim
