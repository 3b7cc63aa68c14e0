#pragma once
#include <variant>

#include "headend/database/scada_points.h"
#include "protocol/iec104/point_image.h"

namespace wattmesh::headend::exchange {

inline constexpr std::size_t points_max = 200'000;

/// What an outstation needs to know of a point.
iec104::PointDefinition definition_of(const database::ScadaPoint& point);
/// What it shows: value, quality bits and the time of the sample. `now` judges freshness.
iec104::PointState state_of(const database::ScadaPoint& point, const database::ScadaValue& value,
                            Instant now);
/// The same when the link shows the point no more: value and time are invalid.
iec104::PointState no_more(iec104::PointState state);

/// The table as CSV with a heading: station, address, type, device, quantity, scale, deadband, interval_s,
/// freshness_s, group, writable.
std::string to_csv(const std::vector<database::ScadaPoint>& points);
/// The points, or what is wrong, with the number of the line.
std::variant<std::vector<database::ScadaPoint>, std::string> parse_point_table(const std::string& csv);

/// `points` and behind them those that each transformer usually has and that are not there yet. Addresses go
/// on behind the highest of their range.
std::vector<database::ScadaPoint> with_transformers(std::vector<database::ScadaPoint> points,
                                                    const std::vector<DeviceNumber>& concentrators,
                                                    int station);

}  // namespace wattmesh::headend::exchange
