#include "terminal-sim/tool/polled_units.h"

#include <charconv>
#include <set>
#include <sstream>
#include <vector>

namespace wattmesh::sim {
namespace {

using platform::SettingsError;

constexpr int units_max = 64, unit_highest = 247;

int unit_in(const std::string& option, const std::string& whole, std::string_view text) {
    int value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || value < 1 || value > unit_highest)
        throw SettingsError("--" + option + " " + whole + ": a unit is a number between 1 and 247");
    return value;
}

/// N or N-M
std::pair<int, int> range_in(const platform::Settings& settings) {
    const auto word = settings.optional<std::string>("units", "1");
    const auto dash = word.find('-');
    const int first = unit_in("units", word, std::string_view{word}.substr(0, dash));
    const int last =
        dash == std::string::npos ? first : unit_in("units", word, std::string_view{word}.substr(dash + 1));
    if (last < first || last - first >= units_max)
        throw SettingsError("--units " + word + ": goes up and has at most 64 units");
    return {first, last};
}

std::vector<std::string> words_in(const std::string& list) {
    std::vector<std::string> words;
    std::istringstream in{list};
    for (std::string word; std::getline(in, word, ',');)
        if (!word.empty()) words.push_back(word);
    return words;
}

std::set<int> set_in(const platform::Settings& settings, const std::string& option) {
    const auto list = settings.optional<std::string>(option, "");
    std::set<int> units;
    for (const auto& word : words_in(list)) units.insert(unit_in(option, list, word));
    return units;
}

modbus::WordOrder swapped(modbus::WordOrder order) {
    switch (order) {
        case modbus::WordOrder::abcd:
            return modbus::WordOrder::cdab;
        case modbus::WordOrder::cdab:
            return modbus::WordOrder::abcd;
        case modbus::WordOrder::badc:
            return modbus::WordOrder::dcba;
        case modbus::WordOrder::dcba:
            break;
    }
    return modbus::WordOrder::badc;
}

}  // namespace

PolledUnits::PolledUnits(platform::Loop& loop, const platform::Settings& settings, const DeviceNumber& first)
    : loop_(loop), capture_(loop) {
    const auto truth_file = settings.optional<std::filesystem::path>("truth", {});
    if (!truth_file.empty()) truth_.emplace(truth_file);
    const auto maps = words_in(settings.optional<std::string>("map", "em6400ng"));
    for (const auto& word : maps)
        if (modbus::find_map(word) == nullptr)
            throw SettingsError("--map " + word + ": is none of em6400ng, em6400, em1200");
    if (maps.empty()) throw SettingsError("--map: names at least one of em6400ng, em6400, em1200");
    const auto [low, high] = range_in(settings);
    const auto swapped_units = set_in(settings, "swapped"), dead = set_in(settings, "dead");
    for (const int point : set_in(settings, "relay-only"))
        relay_only_.insert(static_cast<std::uint16_t>(point));
    // What a terminal says of power ends below 80 kW (format A.9).
    const auto kind =
        settings.optional<std::string>("kind", "") == "gdw376" ? LoadKind::shop : LoadKind::factory;
    for (int unit = low; unit <= high; ++unit) {
        const auto place = static_cast<std::size_t>(unit - low);
        auto digits = std::to_string(first.integer() + place);
        digits.insert(0, 12 - std::min<std::size_t>(12, digits.size()), '0');
        const auto own = DeviceNumber::parse(digits);
        if (!own) throw SettingsError("--number: with so many units it has more than twelve digits");
        MeterSettings made{.number = *own, .kind = kind};
        made.seed = settings.optional<std::uint32_t>("seed", 1);
        made.installed_at =
            loop.now() - std::chrono::days{settings.optional_in<int>("history-days", 1, 0, 3'650)};
        auto& one = units_.emplace_back(made);
        one.map = *modbus::find_map(maps[place % maps.size()]);
        if (swapped_units.contains(unit)) one.map.order = swapped(one.map.order);
        one.number = static_cast<std::uint8_t>(unit);
        one.dead = dead.contains(unit);
    }
    summary_ = "units=" + std::to_string(low) + "-" + std::to_string(high);
    advance();
}

void PolledUnits::advance() {
    Instant next = Instant::max();
    for (auto& one : units_) {
        one.meter.advance(loop_.now());
        next = std::min(next, one.meter.next_event());
    }
    capture_.at(next, [this] { advance(); });
}

std::map<std::uint8_t, ModbusMeter> PolledUnits::alive() {
    std::map<std::uint8_t, ModbusMeter> found;
    for (const auto& one : units_)
        if (!one.dead)
            found.emplace(one.number, ModbusMeter{one.meter, one.map, truth_ ? &*truth_ : nullptr});
    return found;
}

std::map<std::uint16_t, const Dlt645Meter*> PolledUnits::by_point() const {
    std::map<std::uint16_t, const Dlt645Meter*> found;
    for (const auto& one : units_) found[one.number] = one.dead ? nullptr : &one.dlt645;
    return found;
}

}  // namespace wattmesh::sim
