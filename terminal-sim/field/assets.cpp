#include "terminal-sim/field/assets.h"

#include <array>
#include <cstdio>
#include <sstream>

#include "terminal-sim/field/json_file.h"
#include "terminal-sim/meter/chance.h"

namespace wattmesh::sim {
namespace {

constexpr std::array given{"Aarav", "Ananya", "Bela", "Chen",  "Dina",  "Esha",  "Farid", "Gita",
                           "Hari",  "Ines",   "Jaya", "Kiran", "Leela", "Mohan", "Nisha", "Omar"};
constexpr std::array family{"Apte", "Bhosale", "Deshmukh", "Gokhale", "Jadhav", "Kulkarni", "Lele", "Mehta",
                            "Naik", "Patil",   "Rao",      "Sathe",   "Thakur", "Vaidya",   "Wagh", "Zende"};
constexpr std::array streets{"Mill Road",  "Temple Street", "Station Road",
                             "Canal Side", "Garden Lane",   "Hill View"};
constexpr std::uint64_t given_stream = 0xA55E'7001, family_stream = 0xA55E'7002, street_stream = 0xA55E'7003;
constexpr double latitude = 18.52, longitude = 73.85, metres_per_degree = 111'320, cosine = 0.9482;

template <class List>
const char* pick(const List& list, std::uint64_t seed, std::uint64_t stream, std::uint64_t key) {
    return list[draw(seed, stream, key) % list.size()];
}

std::string place_cells(const Place& place) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.6f,%.6f", latitude + place.y_cm / 100.0 / metres_per_degree,
                  longitude + place.x_cm / 100.0 / metres_per_degree / cosine);
    return text.data();
}

std::string transformer_of(const Town& town, const DeviceNumber& concentrator) {
    for (std::size_t i = 0; i < town.concentrators.size(); ++i)
        if (town.concentrators[i] == concentrator) return "TX-" + std::to_string(i + 1);
    return {};
}

}  // namespace

void write_assets(const std::filesystem::path& file, const Town& town) {
    const Layout places = places_of(town);
    const auto seed = town.request.seed;
    std::ostringstream out;
    out << "kind,number,name,parent,latitude,longitude,address\nsubstation,SS-1,Wattmesh East,,,,\n";
    for (std::size_t i = 0; i < town.concentrators.size(); ++i) {
        const auto feeder = "F-" + std::to_string(i / 2 + 1), transformer = "TX-" + std::to_string(i + 1);
        if (i % 2 == 0) out << "feeder," << feeder << ",Feeder " << i / 2 + 1 << ",SS-1,,,\n";
        out << "transformer," << transformer << "," << streets[i % streets.size()] << " " << i + 1 << ","
            << feeder << "," << place_cells(places.concentrators[i]) << ",\nconcentrator,"
            << to_string(town.concentrators[i]) << ",," << transformer << ",,,\n";
    }
    for (std::size_t i = 0; i < town.meters.size(); ++i) {
        const auto& meter = town.meters[i];
        const auto transformer = transformer_of(town, meter.concentrator), number = to_string(meter.number);
        if (meter.kind == LoadKind::summary) {
            out << "meter," << number << ",," << transformer << ",,,\n";
            continue;
        }
        const auto key = meter.number.integer();
        const auto point = "UP-" + number.substr(6);
        out << "usage_point," << point << ",," << transformer << "," << place_cells(places.meters[i])
            << ",\nmeter," << number << ",," << point << ",,,\ncustomer,C-" << number.substr(6) << ","
            << pick(given, seed, given_stream, key) << " " << pick(family, seed, family_stream, key) << ","
            << point << ",,," << pick(streets, seed, street_stream, key) << " " << key % 200 + 1 << "\n";
    }
    write_private_file(file, out.str());
}

}  // namespace wattmesh::sim
