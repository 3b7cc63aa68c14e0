#include <cstdio>

#include "platform/settings.h"
#include "security/ciphers.h"
#include "terminal-sim/field/assets.h"
#include "terminal-sim/field/json_file.h"
#include "terminal-sim/field/shipment.h"
#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {

int run_provision(const Call& call) {
    const auto& settings = call.settings;
    const auto folder = settings.required<std::filesystem::path>("out");
    LayoutRequest request;
    request.meters = static_cast<std::size_t>(settings.optional_in<int>("meters", 200, 1, 20'000));
    request.concentrators = static_cast<std::size_t>(settings.optional_in<int>("concentrators", 2, 1, 99));
    request.seed = settings.optional_in<std::uint32_t>("seed", 1, 0, 0xFFFF'FFFF);
    request.hardness_db = settings.optional_in<int>("hardness", 0, 0, 30);
    request.summary_meters = true;
    const std::string letter = settings.optional<std::string>("layout", "R");
    const auto kind = layout_kind(letter);
    if (!kind)
        throw platform::SettingsError(
            "--layout " + letter + ": is none of U (urban), S (suburban), R (rural), Q (sparse), H (tower)");
    request.kind = *kind;
    if (request.meters < request.concentrators)
        throw platform::SettingsError("--meters: fewer meters than concentrators");

    Wiring wiring;
    wiring.collectors = static_cast<std::size_t>(settings.optional_in<int>("collectors", 0, 0, 99));
    wiring.meters_each = static_cast<std::size_t>(settings.optional_in<int>("wired", 8, 0, 64));

    const Town town = make_town(request, wiring);
    security::SystemRandom random;
    std::filesystem::create_directories(folder);
    write_town(folder / "town.json", town);
    const Shipment shipment = make_shipment(town, random);
    write_shipment(folder / "shipment.json", town, shipment);
    const auto transport = security::random_secret<32>(random);
    write_private_file(folder / "transport.key", to_hex(transport.reveal()) + "\n");
    write_delivery(folder / "delivery.jsonl", town, shipment, security::TransportKey{transport.reveal()});
    write_assets(folder / "assets.csv", town);
    std::printf(
        "{\"meters\":%zu,\"concentrators\":%zu,\"collectors\":%zu,\"town\":\"%s\",\"shipment\":\"%s\","
        "\"delivery\":\"%s\","
        "\"transport_key\":\"%s\",\"assets\":\"%s\"}\n",
        town.meters.size(), town.concentrators.size(), town.collectors.size(), (folder / "town.json").c_str(),
        (folder / "shipment.json").c_str(), (folder / "delivery.jsonl").c_str(),
        (folder / "transport.key").c_str(), (folder / "assets.csv").c_str());
    return 0;
}

}  // namespace wattmesh::sim
