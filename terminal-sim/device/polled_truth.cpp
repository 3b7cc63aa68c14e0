#include "terminal-sim/device/polled_truth.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace wattmesh::sim {

namespace {

struct Channel {
    std::uint8_t c = 0, d = 7;  ///< of 1-0:c.d.0
    int channel = 0;
    double factor = 1;
};
constexpr Channel by_phase[]{{1, 8, 1, 1},   {16, 7, 2, 1},   {32, 7, 3, 10},  {52, 7, 4, 10},
                             {72, 7, 5, 10}, {31, 7, 6, 100}, {51, 7, 7, 100}, {71, 7, 8, 100}};
constexpr Channel averages[]{{1, 8, 1, 1}, {16, 7, 2, 1}, {12, 7, 3, 10}, {11, 7, 4, 100}};

std::span<const Channel> channels_of(const modbus::RegisterMap& map) {
    const ObisCode first_phase{{1, 0, 32, 7, 0, 255}};
    if (std::ranges::find(map.points, first_phase, &modbus::Point::quantity) != map.points.end())
        return by_phase;
    return averages;
}

void write(std::ostream& out, std::span<const Channel> channels, const DeviceNumber& meter,
           const ObisCode& quantity, double value, Instant at) {
    for (const auto& channel : channels) {
        if (quantity != ObisCode{{1, 0, channel.c, channel.d, 0, 255}}) continue;
        out << to_string(meter) << ',' << epoch_us(at) / 1'000'000 << ',' << channel.channel << ','
            << std::llround(value * channel.factor) << '\n'
            << std::flush;
    }
}

}  // namespace

PolledTruth::PolledTruth(const std::filesystem::path& file) : out_(file, std::ios::app) {
    if (!out_) throw std::runtime_error(file.string() + ": cannot be written");
}

void PolledTruth::record(const DeviceNumber& meter, const modbus::RegisterMap& map, const ObisCode& quantity,
                         double value, Instant at) {
    write(out_, channels_of(map), meter, quantity, value, at);
}

void PolledTruth::record(const DeviceNumber& meter, const ObisCode& quantity, double value, Instant at) {
    write(out_, by_phase, meter, quantity, value, at);
}

}  // namespace wattmesh::sim
