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

TownMeter made_meter(std::uint64_t seed, DeviceNumber number, DeviceNumber concentrator, bool summary) {
    TownMeter meter;
    meter.number = number;
    meter.concentrator = concentrator;
    const std::uint64_t key = number.integer();
    meter.kind = summary ? LoadKind::summary : kind_of(draw(seed, shape, key));
    meter.solar = meter.kind == LoadKind::household && draw(seed, roof, key) % 12 == 0;
    meter.drift_ppm = static_cast<std::int32_t>(within(draw(seed, drift, key), -20, 20));
    meter.clock_offset_ms = static_cast<std::int32_t>(within(draw(seed, offset, key), -3'000, 3'000));
    return meter;
}

/// One third and two thirds of the way through the concentrator's meters.
std::size_t cabinet_of(const Layout& places, std::uint32_t concentrator, std::size_t collector) {
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < places.meters.size(); ++i)
        if (places.meters[i].concentrator == concentrator && !places.meters[i].summary) own.push_back(i);
    return own.empty() ? 0 : own[(collector % 2 + 1) * own.size() / 3 % own.size()];
}

std::string meters_json(const Town& town, const Layout& places) {
    std::ostringstream out;
    for (std::size_t i = 0; i < town.meters.size(); ++i) {
        const TownMeter& meter = town.meters[i];
        out << (i == 0 ? "" : ",\n") << "  {\"number\":\"" << to_string(meter.number)
            << "\",\"concentrator\":\"" << to_string(meter.concentrator) << "\",\"kind\":\""
            << to_string(meter.kind) << "\",\"solar\":" << (meter.solar ? 1 : 0)
            << ",\"drift_ppm\":" << meter.drift_ppm << ",\"clock_offset_ms\":" << meter.clock_offset_ms
            << (meter.collector ? ",\"collector\":\"" + to_string(*meter.collector) + "\"" : "")
            << ",\"x_m\":" << places.meters[i].x_cm / 100 << ",\"y_m\":" << places.meters[i].y_cm / 100
            << "}";
    }
    return out.str();
}

}  // namespace

Town make_town(const LayoutRequest& request, const Wiring& wiring) {
    const Layout places = layout(request);
    Town town{request, {}, {}, {}};
    for (std::size_t i = 0; i < places.concentrators.size(); ++i)
        town.concentrators.push_back(numbered(900'000'000'001, i));
    std::size_t customers = 0;
    for (const Place& place : places.meters) {
        const auto number = place.summary ? numbered(800'000'000'001, place.concentrator)
                                          : numbered(540'000'000'001, customers++);
        town.meters.push_back(
            made_meter(request.seed, number, town.concentrators[place.concentrator], place.summary));
    }
    for (std::size_t i = 0; i < wiring.collectors; ++i) {
        const auto concentrator = static_cast<std::uint32_t>(i / 2 % town.concentrators.size());
        const TownCollector collector{numbered(700'000'000'001, i), town.concentrators[concentrator],
                                      cabinet_of(places, concentrator, i)};
        town.collectors.push_back(collector);
        for (std::size_t k = 0; k < wiring.meters_each; ++k) {
            town.meters.push_back(made_meter(request.seed, numbered(540'000'000'001, customers++),
                                             collector.concentrator, false));
            town.meters.back().collector = collector.number;
        }
    }
    return town;
}

Layout places_of(const Town& town) {
    Layout places = layout(town.request);
    const auto own = places.meters.size();
    const auto cabinet = [&](const DeviceNumber& collector) {
        for (const auto& known : town.collectors)
            if (known.number == collector && known.cabinet < own) return places.meters[known.cabinet];
        throw std::runtime_error("town: has no place for collector " + to_string(collector));
    };
    for (const auto& meter : town.meters)
        if (meter.collector) places.meters.push_back(cabinet(*meter.collector));
    for (const auto& collector : town.collectors) places.meters.push_back(cabinet(collector.number));
    return places;
}

void write_town(const std::filesystem::path& file, const Town& town) {
    const Layout places = places_of(town);
    std::ostringstream out;
    out << "{\"wattmesh\":\"town\",\"version\":1,\"layout\":\"" << static_cast<char>(town.request.kind)
        << "\",\"seed\":" << town.request.seed << ",\"hardness_db\":" << town.request.hardness_db
        << ",\"customers\":" << town.request.meters
        << ",\"summary_meters\":" << (town.request.summary_meters ? 1 : 0) << ",\n \"concentrators\":[";
    for (std::size_t i = 0; i < town.concentrators.size(); ++i)
        out << (i == 0 ? "" : ",\n") << "  {\"number\":\"" << to_string(town.concentrators[i])
            << "\",\"x_m\":" << places.concentrators[i].x_cm / 100
            << ",\"y_m\":" << places.concentrators[i].y_cm / 100 << "}";
    out << "],";
    for (std::size_t i = 0; i < town.collectors.size(); ++i)
        out << (i == 0 ? "\n \"collectors\":[\n" : ",\n") << "  {\"number\":\""
            << to_string(town.collectors[i].number) << "\",\"concentrator\":\""
            << to_string(town.collectors[i].concentrator) << "\",\"cabinet\":" << town.collectors[i].cabinet
            << "}";
    out << (town.collectors.empty() ? "" : "],") << "\n \"meters\":[\n"
        << meters_json(town, places) << "]}\n";
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

    if (json->has("collectors")) {
        const auto collectors = array_member(file, *json, "collectors");
        for (unsigned i = 0; i < collectors->size(); ++i) {
            const auto object = collectors->getObject(i);
            town.collectors.push_back({device_member(file, *object, "number"),
                                       device_member(file, *object, "concentrator"),
                                       static_cast<std::size_t>(number_member(file, *object, "cabinet"))});
        }
    }
    std::size_t wired = 0;
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
        if (!object->has("collector")) continue;
        town.meters.back().collector = device_member(file, *object, "collector");
        ++wired;
    }
    const auto expected =
        town.request.meters + wired + (town.request.summary_meters ? town.concentrators.size() : 0);
    if (town.meters.size() != expected || town.concentrators.empty())
        throw file_trouble(file, "lists " + std::to_string(town.meters.size()) +
                                     " meters where its members \"customers\" and "
                                     "\"concentrators\" say " +
                                     std::to_string(expected) +
                                     "; make it anew with `terminal-sim provision`");
    return town;
}

}  // namespace wattmesh::sim
