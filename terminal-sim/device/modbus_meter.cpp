#include "terminal-sim/device/modbus_meter.h"

#include <algorithm>
#include <cmath>

namespace wattmesh::sim {

using namespace modbus;

namespace {

constexpr double hertz = 50;  // the simulated grid keeps its frequency
constexpr std::uint16_t not_available = 0xFFFF;

/// What three phases show together.
struct Whole {
    double volts = 0, amperes = 0, watts = 0, volt_amperes = 0;
    int phases = 0;
};

Whole whole_of(const Meter& meter, Instant now) {
    Whole all;
    all.phases = meter.settings().kind == LoadKind::household ? 1 : 3;
    for (int phase = 0; phase < all.phases; ++phase) {
        const auto one = meter.electrical(phase, now);
        const double volts = static_cast<double>(one.decivolts) / 10,
                     amperes = static_cast<double>(one.centiamperes) / 100;
        all.volts += volts;
        all.amperes += amperes;
        all.watts += static_cast<double>(one.watts);
        all.volt_amperes += volts * amperes;
    }
    return all;
}

}  // namespace

std::optional<double> ModbusMeter::truth(const ObisCode& quantity, Instant now) const {
    const auto whole = whole_of(meter_, now);
    const std::uint8_t what = quantity.groups[2];
    if (quantity.groups[3] == 8)
        return what == 1 ? std::optional{static_cast<double>(meter_.registers(now).total().channels[0])}
                         : std::nullopt;
    switch (what) {
        case 9:
            return whole.volt_amperes;
        case 11:
            return whole.amperes / whole.phases;
        case 12:
            return whole.volts / whole.phases;
        case 13:  // four quadrants: delivered and lagging below 1, the simulated loads lag
            return whole.volt_amperes > 0 ? std::min(1.0, whole.watts / whole.volt_amperes) : 1.0;
        case 14:
            return hertz;
        case 16:
            return whole.watts;
        default:
            break;
    }
    const int phase = what / 20 - 1, kind = what % 20;  // 31, 51, 71: A; 32...: V; 36...: W
    if (phase < 0 || phase >= whole.phases || phase > 2) return std::nullopt;
    const auto one = meter_.electrical(phase, now);
    if (kind == 11) return static_cast<double>(one.centiamperes) / 100;
    if (kind == 12) return static_cast<double>(one.decivolts) / 10;
    if (kind == 16) return static_cast<double>(one.watts);
    return std::nullopt;
}

bool ModbusMeter::readable(const Read& read) const {
    const auto address = [&](const Point& point) { return point.number - map_.base; };
    int first = 0xFFFF, end = 0;
    for (const auto& point : map_.points) {
        first = std::min(first, address(point));
        end = std::max(end, address(point) + register_count(point.type));
    }
    const int from = read.start, to = read.start + read.count;
    if (from < first || to > end) return false;
    return std::ranges::all_of(map_.whole_blocks, [&](const WholeBlock& block) {
        const int begin = block.first - map_.base, over = begin + block.count;
        return to <= begin || from >= over || (from <= begin && to >= over);
    });
}

Response ModbusMeter::answer(const Request& request, Instant now) const {
    const auto* read = std::get_if<Read>(&request);
    if (read == nullptr || read->function != map_.function) return Exception{ExceptionCode::illegal_function};
    if (!readable(*read)) return Exception{ExceptionCode::illegal_data_address};
    modbus::Registers registers{std::vector<std::uint16_t>(read->count, not_available)};
    for (const auto& point : map_.points) {
        const int at = point.number - map_.base - read->start;
        const std::uint16_t size = register_count(point.type);
        if (at + size <= 0 || at >= read->count) continue;
        std::array<std::uint16_t, 4> number{};
        number.fill(not_available);
        if (const auto value = truth(point.quantity, now)) {
            encode_number(*value / point.scale, point.type, map_.order, std::span{number}.first(size));
            const bool whole = at >= 0 && at + size <= read->count;
            // A float cannot say every watt-hour of a large counter, and what it cannot say is not shown.
            const double shown = point.type == NumberType::float32
                                     ? double{static_cast<float>(*value / point.scale)} * point.scale
                                     : *value;
            if (polled_ != nullptr && whole)
                polled_->record(meter_.settings().number, map_, point.quantity, shown, now);
        }
        for (std::uint16_t i = 0; i < size; ++i) {
            const int place = at + i;
            if (place < 0 || place >= read->count) continue;
            registers.values[static_cast<std::size_t>(place)] = number[i];
        }
    }
    return registers;
}

}  // namespace wattmesh::sim
