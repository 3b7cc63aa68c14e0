#include "headend/exchange/point_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <set>

namespace wattmesh::headend::exchange {
namespace {

using database::ScadaPoint;
using database::ScadaQuantity;
using iec104::Type;

constexpr std::string_view heading =
    "station,address,type,device,quantity,scale,deadband,interval_s,freshness_s,group,writable";
constexpr std::size_t columns = 11;

/// Ages with its sample; the others are what the head-end knows at this moment.
bool ages(ScadaQuantity quantity) {
    return quantity == ScadaQuantity::power || quantity == ScadaQuantity::import_energy ||
           quantity == ScadaQuantity::export_energy || quantity == ScadaQuantity::relay;
}

std::vector<std::string_view> cells_of(std::string_view line) {
    std::vector<std::string_view> cells;
    cells.reserve(columns);
    for (std::size_t at = 0; at <= line.size() && cells.size() <= columns;) {
        const auto end = std::min(line.find(',', at), line.size());
        cells.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return cells;
}

template <class T>
bool read(std::string_view text, T low, T high, T& out) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && out >= low && out <= high;
}

/// Empty when the line is a point.
std::string read_line(std::string_view line, ScadaPoint& point) {
    const auto cells = cells_of(line);
    if (cells.size() != columns) return fmt::format("has {} columns, not {}", cells.size(), columns);
    if (!read(cells[0], 1, 65'534, point.station)) return "station is 1 to 65534";
    if (!read(cells[1], 1, 0xFFFFFF, point.address)) return "address is 1 to 16777215";
    const auto device = DeviceNumber::parse(cells[3]);
    if (!device) return "device is a number of twelve digits";
    point.device = *device;
    const auto quantity = database::parse_scada_quantity(cells[4]);
    if (!quantity) return "quantity '" + std::string{cells[4]} + "' is unknown";
    point.quantity = *quantity;
    if (!read(cells[2], 1, 127, point.type) || !fits(*quantity, point.type))
        return "type " + std::string{cells[2]} + " cannot show " + std::string{cells[4]};
    if (!read(cells[5], 1e-9, 1e9, point.scale)) return "scale is a positive number";
    if (!read(cells[6], -1e12, 1e12, point.deadband)) return "deadband is a number";
    if (!read(cells[7], 0, 86'400, point.interval_s)) return "interval_s is 0 to 86400";
    if (!read(cells[8], 1, 31'536'000, point.freshness_s)) return "freshness_s is 1 to 31536000";
    if (!read(cells[9], 0, 16, point.group)) return "group is 0 to 16";
    if (cells[10] != "yes" && cells[10] != "no") return "writable is yes or no";
    point.writable = cells[10] == "yes";
    if (point.writable && *quantity != ScadaQuantity::relay_command)
        return "only relay_command can be writable";
    return {};
}

}  // namespace

iec104::PointDefinition definition_of(const ScadaPoint& point) {
    iec104::PointDefinition definition;
    definition.key = {static_cast<std::uint16_t>(point.station), static_cast<std::uint32_t>(point.address)};
    definition.type = static_cast<Type>(point.type);
    definition.group = point.group;
    definition.deadband = point.deadband;
    definition.interval_min = std::chrono::seconds{point.interval_s};
    definition.writable = point.writable;
    definition.select_required = true;
    return definition;
}

iec104::PointState state_of(const ScadaPoint& point, const database::ScadaValue& value, Instant now) {
    iec104::PointState state;
    state.time = {value.at, value.clock_doubtful, false, false};
    const bool old = ages(point.quantity) && now - value.at > std::chrono::seconds{point.freshness_s};
    state.quality.not_topical = value.offline || old;
    const double shown = value.value / point.scale;
    switch (static_cast<Type>(point.type)) {
        case Type::single_point:
            state.value = iec104::SinglePoint{value.value != 0};
            break;
        case Type::double_point:
            state.value =
                iec104::DoublePoint{static_cast<iec104::DoubleState>(static_cast<int>(value.value) & 3)};
            break;
        case Type::scaled: {
            const double clamped = std::clamp(std::round(shown), -32768.0, 32767.0);
            state.quality.overflow = std::abs(clamped - shown) > 1;
            state.value = iec104::Scaled{static_cast<std::int16_t>(clamped)};
            break;
        }
        case Type::integrated_total: {
            constexpr double modulus = 2147483648.0;  // 2^31: what fits into the counter without its sign
            const double rest = std::fmod(std::floor(shown), modulus);
            // A counter has no bit for "not topical": one that is too old is invalid.
            state.value =
                iec104::Counter{static_cast<std::int32_t>(rest), 0, false, false, state.quality.not_topical};
            break;
        }
        default:
            state.value = iec104::Float{static_cast<float>(shown)};
    }
    return state;
}

iec104::PointState no_more(iec104::PointState state) {
    state.quality.invalid = true;
    state.time.invalid = true;
    if (auto* const counter = std::get_if<iec104::Counter>(&state.value)) counter->invalid = true;
    return state;
}

std::string to_csv(const std::vector<ScadaPoint>& points) {
    std::string text{heading};
    text += '\n';
    for (const auto& point : points)
        text += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", point.station, point.address, point.type,
                            to_string(point.device), to_string(point.quantity), point.scale, point.deadband,
                            point.interval_s, point.freshness_s, point.group, point.writable ? "yes" : "no");
    return text;
}

std::variant<std::vector<ScadaPoint>, std::string> parse_point_table(const std::string& csv) {
    std::vector<ScadaPoint> points;
    std::set<std::pair<int, int>> seen;
    std::size_t number = 0;
    for (std::size_t at = 0; at < csv.size();) {
        const auto end = std::min(csv.find('\n', at), csv.size());
        std::string_view line{csv.data() + at, end - at};
        at = end + 1;
        ++number;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty() || (number == 1 && line == heading)) continue;
        ScadaPoint point;
        const auto fault = read_line(line, point);
        if (!fault.empty()) return fmt::format("line {}: {}", number, fault);
        if (!seen.emplace(point.station, point.address).second)
            return fmt::format("line {}: address {} of station {} is there twice", number, point.address,
                               point.station);
        if (points.size() == points_max) return fmt::format("more than {} points", points_max);
        points.push_back(point);
    }
    return points;
}

std::vector<ScadaPoint> with_transformers(std::vector<ScadaPoint> points,
                                          const std::vector<DeviceNumber>& concentrators, int station) {
    struct Usual {
        ScadaQuantity quantity;
        int type, from, to;  ///< range of addresses
        double scale, deadband;
        int freshness_s;
    };
    constexpr int quarter_twice_s = 1'800, day_twice_s = 172'800;
    const Usual usual[]{{ScadaQuantity::supply, 1, 1, 49'999, 1, 0, quarter_twice_s},
                        {ScadaQuantity::online, 1, 50'000, 99'999, 1, 0, quarter_twice_s},
                        {ScadaQuantity::power, 13, 200'001, 249'999, 1'000, 0, quarter_twice_s},
                        {ScadaQuantity::dark, 13, 250'000, 299'999, 1, 0, quarter_twice_s},
                        {ScadaQuantity::customers, 13, 300'000, 349'999, 1, 0, quarter_twice_s},
                        {ScadaQuantity::import_energy, 15, 400'001, 449'999, 1'000, -1, day_twice_s}};
    for (const auto& kind : usual) {
        int next = kind.from;
        std::set<DeviceNumber> there;
        for (const auto& point : points) {
            if (point.station != station) continue;
            if (point.address >= kind.from && point.address <= kind.to)
                next = std::max(next, point.address + 1);
            if (point.quantity == kind.quantity) there.insert(point.device);
        }
        for (const auto& concentrator : concentrators) {
            if (there.contains(concentrator) || next > kind.to) continue;
            points.push_back({station, next++, kind.type, concentrator, kind.quantity, kind.scale,
                              kind.deadband, 0, kind.freshness_s, 0, false});
        }
    }
    std::sort(points.begin(), points.end(), [](const ScadaPoint& a, const ScadaPoint& b) {
        return std::pair{a.station, a.address} < std::pair{b.station, b.address};
    });
    return points;
}

}  // namespace wattmesh::headend::exchange
