#include <cstdio>

#include "platform/settings.h"
#include "security/ciphers.h"
#include "security/vending_keys.h"
#include "terminal-sim/field/assets.h"
#include "terminal-sim/field/json_file.h"
#include "terminal-sim/field/prepaid_town.h"
#include "terminal-sim/field/shipment.h"
#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {

namespace {

/// Prepayment meters, the vending key of their supply group and the utility's books; what is printed of it.
std::string provide_prepaid(const std::filesystem::path& folder, const Town& town, Shipment& shipment,
                            std::size_t count, Random& random) {
    if (count == 0) return {};
    const auto secret = security::random_secret<20>(random);
    const auto key = *sts::VendingKey::from(secret.reveal());
    make_prepaid(shipment, town, count, key);
    write_private_file(folder / "vending.key", to_hex(key.reveal()) + "\n");
    write_books(folder / "books.jsonl", town, shipment);
    const auto check = security::VendingKeyFile::check_value(sts::Derivation::dkga04, key);
    return ",\"prepaid\":" + std::to_string(count) + ",\"vending_key\":\"" +
           (folder / "vending.key").string() + "\",\"vending_key_check\":\"" + to_hex(check) +
           "\",\"supply_group\":" + std::to_string(town_supply_group.value) + ",\"books\":\"" +
           (folder / "books.jsonl").string() + "\"";
}

}  // namespace

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
    Shipment shipment = make_shipment(town, random);
    const auto prepaid =
        provide_prepaid(folder, town, shipment,
                        static_cast<std::size_t>(settings.optional_in<int>("prepaid", 0, 0, 20'000)), random);
    write_shipment(folder / "shipment.json", town, shipment);
    const auto transport = security::random_secret<32>(random);
    write_private_file(folder / "transport.key", to_hex(transport.reveal()) + "\n");
    write_delivery(folder / "delivery.jsonl", town, shipment, security::TransportKey{transport.reveal()});
    write_assets(folder / "assets.csv", town);
    std::printf(
        "{\"meters\":%zu,\"concentrators\":%zu,\"collectors\":%zu,\"town\":\"%s\",\"shipment\":\"%s\","
        "\"delivery\":\"%s\","
        "\"transport_key\":\"%s\",\"assets\":\"%s\"%s}\n",
        town.meters.size(), town.concentrators.size(), town.collectors.size(), (folder / "town.json").c_str(),
        (folder / "shipment.json").c_str(), (folder / "delivery.jsonl").c_str(),
        (folder / "transport.key").c_str(), (folder / "assets.csv").c_str(), prepaid.c_str());
    return 0;
}

}  // namespace wattmesh::sim
