#include "terminal-sim/field/town.h"

#include <sstream>

#include "terminal-sim/field/json_file.h"
#include "terminal-sim/meter/chance.h"

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t { shape = 0x70E4, roof, drift, offset };

DeviceNumber numbered(std::uint64_t first, std::size_t index) {
    std::string digits = std::to_string(first + index);
    return *DeviceNumber::parse(digits);
}

LoadKind kind_of(std::uint64_t chance) {
    const auto percent = chance % 100;
    return percent < 85 ? LoadKind::household : percent < 96 ? LoadKind::shop : LoadKind::factory;
}

DeviceNumber device_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                           const std::string& name) {
    const auto number = DeviceNumber::parse(text_member(file, object, name));
    if (!number)
        throw file_trouble(file, "member \"" + name + "\" is not a device number (12 decimal digits)");
    return *number;
}

std::string meters_json(const Town& town, const Layout& places) {
    std::ostringstream out;
    for (std::size_t i = 0; i < town.meters.size(); ++i) {
        const TownMeter& meter = town.meters[i];
        out << (i == 0 ? "" : ",\n") << "  {\"number\":\"" << to_string(meter.number)
            << "\",\"concentrator\":\"" << to_string(meter.concentrator) << "\",\"kind\":\""
            << to_string(meter.kind) << "\",\"solar\":" << (meter.solar ? 1 : 0)
            << ",\"drift_ppm\":" << meter.drift_ppm << ",\"clock_offset_ms\":" << meter.clock_offset_ms
            << ",\"x_m\":" << places.meters[i].x_cm / 100 << ",\"y_m\":" << places.meters[i].y_cm / 100
            << "}";
    }
    return out.str();
}

}  // namespace

Town make_town(const LayoutRequest& request) {
    const Layout places = layout(request);
    Town town{request, {}, {}};
    for (std::size_t i = 0; i < places.concentrators.size(); ++i)
        town.concentrators.push_back(numbered(900'000'000'001, i));
    std::size_t customers = 0;
    for (const Place& place : places.meters) {
        TownMeter meter;
        meter.number = place.summary ? numbered(800'000'000'001, place.concentrator)
                                     : numbered(540'000'000'001, customers++);
        meter.concentrator = town.concentrators[place.concentrator];
        const std::uint64_t key = meter.number.integer();
        meter.kind = place.summary ? LoadKind::summary : kind_of(draw(request.seed, shape, key));
        meter.solar = meter.kind == LoadKind::household && draw(request.seed, roof, key) % 12 == 0;
        meter.drift_ppm = static_cast<std::int32_t>(within(draw(request.seed, drift, key), -20, 20));
        meter.clock_offset_ms =
            static_cast<std::int32_t>(within(draw(request.seed, offset, key), -3'000, 3'000));
        town.meters.push_back(meter);
    }
    return town;
}

void write_town(const std::filesystem::path& file, const Town& town) {
    const Layout places = layout(town.request);
    std::ostringstream out;
    out << "{\"wattmesh\":\"town\",\"version\":1,\"layout\":\"" << static_cast<char>(town.request.kind)
        << "\",\"seed\":" << town.request.seed << ",\"hardness_db\":" << town.request.hardness_db
        << ",\"customers\":" << town.request.meters
        << ",\"summary_meters\":" << (town.request.summary_meters ? 1 : 0) << ",\n \"concentrators\":[";
    for (std::size_t i = 0; i < town.concentrators.size(); ++i)
        out << (i == 0 ? "" : ",\n") << "  {\"number\":\"" << to_string(town.concentrators[i])
            << "\",\"x_m\":" << places.concentrators[i].x_cm / 100
            << ",\"y_m\":" << places.concentrators[i].y_cm / 100 << "}";
    out << "],\n \"meters\":[\n" << meters_json(town, places) << "]}\n";
    write_private_file(file, out.str());
}

Town read_town(const std::filesystem::path& file) {
    const auto json = read_json_file(file, "town");
    Town town;
    const std::string letter = text_member(file, *json, "layout");
    const auto scenario = layout_kind(letter);
    if (!scenario) throw file_trouble(file, "member \"layout\" is none of U, S, R, Q and H");
    town.request.kind = *scenario;
    town.request.seed = static_cast<std::uint64_t>(number_member(file, *json, "seed"));
    town.request.hardness_db = static_cast<std::int32_t>(number_member(file, *json, "hardness_db"));
    town.request.meters = static_cast<std::size_t>(number_member(file, *json, "customers"));
    town.request.summary_meters = number_member(file, *json, "summary_meters") != 0;

    const auto concentrators = array_member(file, *json, "concentrators");
    for (unsigned i = 0; i < concentrators->size(); ++i)
        town.concentrators.push_back(device_member(file, *concentrators->getObject(i), "number"));
    town.request.concentrators = town.concentrators.size();

    const auto meters = array_member(file, *json, "meters");
    for (unsigned i = 0; i < meters->size(); ++i) {
        const auto object = meters->getObject(i);
        const auto kind = load_kind(text_member(file, *object, "kind"));
        if (!kind) throw file_trouble(file, "member \"kind\" is none of household, shop, factory, summary");
        town.meters.push_back({device_member(file, *object, "number"),
                               device_member(file, *object, "concentrator"), *kind,
                               number_member(file, *object, "solar") != 0,
                               static_cast<std::int32_t>(number_member(file, *object, "drift_ppm")),
                               static_cast<std::int32_t>(number_member(file, *object, "clock_offset_ms"))});
    }
    const auto expected = town.request.meters + (town.request.summary_meters ? town.concentrators.size() : 0);
    if (town.meters.size() != expected || town.concentrators.empty())
        throw file_trouble(file, "lists " + std::to_string(town.meters.size()) +
                                     " meters where its members \"customers\" and "
                                     "\"concentrators\" say " +
                                     std::to_string(expected) +
                                     "; make it anew with `terminal-sim provision`");
    return town;
}

}  // namespace wattmesh::sim
