#include "terminal-sim/radio/layout.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <tuple>

#include "terminal-sim/radio/decibel.h"

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t { town = 1, unit_power, unit_noise, unit_box };

constexpr std::int32_t tx_power_mdbm = 17'000, tx_sigma_mdb = 1'500, noise_sigma_mdb = 2'000;
constexpr std::int32_t thermal_mdbm = -124'000;  // -174 + 10 log10(100 kHz)
constexpr std::int32_t concentrator_height_cm = 400, storey_cm = 300;

struct Scenario {
    std::int32_t noise_figure_mdb, box_mean_mdb, box_sigma_mdb;
    std::int32_t gap_cm;  // between parts of different concentrators
    bool side_by_side;    // the gap lies along x; else along y
};
constexpr Scenario urban{14'000, 14'000, 6'000, 150'000, true},
    suburban{13'000, 10'000, 4'000, 300'000, true}, rural{11'000, 6'000, 4'000, 500'000, false},
    sparse_rural{11'000, 8'000, 4'000, 500'000, false}, high_rise{14'000, 8'000, 3'000, 150'000, true};
const Scenario& scenario(LayoutKind kind) {
    switch (kind) {
        case LayoutKind::urban:
            return urban;
        case LayoutKind::suburban:
            return suburban;
        case LayoutKind::rural:
            return rural;
        case LayoutKind::sparse_rural:
            return sparse_rural;
        case LayoutKind::high_rise:
            return high_rise;
    }
    return urban;
}

/// Draws in a fixed order from one stream: the shape of one part of town.
class Dice {
public:
    Dice(std::uint64_t seed, std::uint64_t part) : seed_(keyed(seed, town, part)) {}
    std::uint64_t next() { return mixed(seed_ + ++drawn_); }
    std::int32_t below(std::int32_t bound) {
        return static_cast<std::int32_t>((next() >> 16) % static_cast<std::uint64_t>(bound));
    }
    std::int32_t exponential(std::int32_t mean) {
        return static_cast<std::int32_t>(std::int64_t{mean} *
                                         exponential_q10(static_cast<std::uint32_t>(next() >> 16)) / 1'024);
    }

private:
    std::uint64_t seed_, drawn_ = 0;
};

std::int32_t deviate(std::uint64_t seed, Stream stream, std::uint64_t unit, std::int32_t sigma) {
    return sigma * normal_q10(static_cast<std::uint32_t>(keyed(seed, stream, unit))) / 1'024;
}

/// What differs from unit to unit.
void equip(Place& place, const LayoutRequest& request, std::uint64_t unit, bool boxed) {
    const auto& unit_scenario = scenario(request.kind);
    place.tx_power_mdbm = tx_power_mdbm + deviate(request.seed, unit_power, unit, tx_sigma_mdb);
    place.noise_mdbm = thermal_mdbm + unit_scenario.noise_figure_mdb +
                       deviate(request.seed, unit_noise, unit, noise_sigma_mdb);
    const auto draw = keyed(request.seed, unit_noise, unit, 1);
    if (draw % 100 < 5)
        place.noise_mdbm += 6'000 + static_cast<std::int32_t>((draw >> 16) % 6'001);  // bad supply
    if (boxed)
        place.box_loss_mdb = std::max(0, unit_scenario.box_mean_mdb + deviate(request.seed, unit_box, unit,
                                                                              unit_scenario.box_sigma_mdb));
}

struct Part {
    std::vector<Place> meters;
    Place concentrator;
};
struct Point {
    std::int32_t x_cm, y_cm;
};
void from_the_middle_outward(std::vector<Point>& points) {
    const auto radius = [](const Point& p) {
        return std::int64_t{p.x_cm} * p.x_cm + std::int64_t{p.y_cm} * p.y_cm;
    };
    std::sort(points.begin(), points.end(), [&](const Point& a, const Point& b) {
        return std::tuple{radius(a), a.x_cm, a.y_cm} < std::tuple{radius(b), b.x_cm, b.y_cm};
    });
}
void in_the_middle(Dice& dice, Place& concentrator) {
    concentrator.x_cm = dice.below(6'001) - 3'000;
    concentrator.y_cm = dice.below(6'001) - 3'000;
    concentrator.z_cm = concentrator_height_cm;
}

/// Blocks of 90 x 60 m between streets of 15 m, a building every 15 m along both long sides, a quarter of
/// them missing; filled from the middle outward.
Part urban_part(Dice& dice, std::size_t count) {
    std::vector<Point> buildings;
    std::int32_t blocks = 2;
    while (static_cast<std::size_t>(blocks) * static_cast<std::size_t>(blocks) * 12 < count) ++blocks;
    for (std::int32_t row = 0; row < blocks; ++row)
        for (std::int32_t column = 0; column < blocks; ++column)
            for (std::int32_t i = 0; i < 12; ++i) {
                if (dice.below(4) == 0) continue;
                buildings.push_back(
                    {(column * 2 - blocks) * 10'500 / 2 + 1'500 + i % 6 * 1'500 + dice.below(400),
                     (row * 2 - blocks) * 7'500 / 2 + 1'000 + i / 6 * 5'000 + dice.below(400)});
            }
    from_the_middle_outward(buildings);
    Part part;
    for (std::uint32_t cabinet = 0; part.meters.size() < count && cabinet < buildings.size(); ++cabinet) {
        const std::int64_t draw = dice.below(1'024);
        const auto meters = 1 + 2 * draw * (7 * draw + 1'024) / (std::int64_t{1} << 20);  // 6.2 in the mean
        for (std::int64_t i = 0; i < meters && part.meters.size() < count; ++i) {
            Place place;
            place.x_cm = buildings[cabinet].x_cm + static_cast<std::int32_t>(i % 4) * 30;
            place.y_cm = buildings[cabinet].y_cm + static_cast<std::int32_t>(i / 4) * 30;
            place.cluster = cabinet;
            part.meters.push_back(place);
        }
    }
    in_the_middle(dice, part.concentrator);
    return part;
}

/// One house per lot of 25 x 45 m, a tenth of the lots empty, +-5 m; filled from the middle outward.
Part suburban_part(Dice& dice, std::size_t count) {
    std::vector<Point> houses;
    std::int32_t half = 2;  // lots of a square that has more than enough within its inner circle
    while (static_cast<std::size_t>(half) * static_cast<std::size_t>(half) * 2 < count + 60) ++half;
    for (std::int32_t row = -half; row < half; ++row)
        for (std::int32_t column = -2 * half; column < 2 * half; ++column) {
            if (dice.below(10) == 0) continue;
            houses.push_back({column * 2'500 + 1'250 + dice.below(1'001) - 500,
                              row * 4'500 + 2'250 + dice.below(1'001) - 500});
        }
    from_the_middle_outward(houses);
    Part part;
    for (std::uint32_t i = 0; i < count; ++i) {
        Place place;
        place.x_cm = houses[i].x_cm;
        place.y_cm = houses[i].y_cm;
        place.cluster = i;
        part.meters.push_back(place);
    }
    in_the_middle(dice, part.concentrator);
    return part;
}

/// One tower: eight flats on every floor, 10 m apart in two rows; the concentrator at its foot.
Part high_rise_part(std::size_t count) {
    Part part;
    for (std::size_t i = 0; i < count; ++i) {
        const auto floor = static_cast<std::int32_t>(i / 8), flat = static_cast<std::int32_t>(i % 8);
        Place place;
        place.x_cm = flat % 4 * 1'000 - 1'500;
        place.y_cm = flat / 4 * 1'000 - 250;
        place.z_cm = (floor + 1) * storey_cm;
        place.cluster = static_cast<std::uint32_t>(floor);
        part.meters.push_back(place);
    }
    return part;
}

void rural_cluster(Dice& dice, Part& part, std::size_t count, std::uint32_t cluster, std::int32_t x_cm,
                   std::int32_t y_cm) {
    // Small groups are the common ones: 3.8 houses in the mean.
    constexpr std::array<std::int32_t, 8> at_most{369, 509, 614, 702, 779, 848, 911, 969};  // of 1024
    const auto draw = dice.below(1'024);
    const auto houses = 1 + static_cast<std::int32_t>(std::count_if(at_most.begin(), at_most.end(),
                                                                    [&](auto t) { return draw >= t; }));
    for (std::int32_t house = 0; house < houses && part.meters.size() < count; ++house) {
        Place place;
        place.x_cm = x_cm + house % 5 * 2'000 + dice.below(600);
        place.y_cm = y_cm + (house < 5 ? 0 : 2'500) + dice.below(1'200);
        place.cluster = cluster;
        part.meters.push_back(place);
    }
}

/// Clusters of 1 to 9 houses along a line, gaps of 40 m + an exponential one; 12 % of the clusters send out a
/// branch of 2 to 6 more. The concentrator stands at 40 % of the line.
Part rural_part(Dice& dice, std::size_t count, std::int32_t gap_mean_cm) {
    Part part;
    std::uint32_t cluster = 0;
    std::int32_t x_cm = 0;
    std::vector<std::int32_t> line_cm;
    while (part.meters.size() < count) {
        line_cm.push_back(x_cm);
        rural_cluster(dice, part, count, cluster++, x_cm, 0);
        if (dice.below(100) < 12) {
            const auto length = 2 + dice.below(5);
            const std::int32_t side = dice.below(2) == 0 ? 1 : -1;
            std::int32_t y_cm = 0;
            for (std::int32_t i = 0; i < length && part.meters.size() < count; ++i) {
                y_cm += 4'000 + dice.exponential(gap_mean_cm);
                rural_cluster(dice, part, count, cluster++, x_cm, side * y_cm);
            }
        }
        x_cm += 4'000 + dice.exponential(gap_mean_cm);
    }
    // at the transformer of the group that is nearest to 40 % of the line
    part.concentrator.x_cm = *std::min_element(line_cm.begin(), line_cm.end(), [&](auto a, auto b) {
        return std::abs(a - x_cm / 5 * 2) < std::abs(b - x_cm / 5 * 2);
    });
    part.concentrator.y_cm = 800;
    part.concentrator.z_cm = concentrator_height_cm;
    return part;
}

Part make_part(LayoutKind kind, Dice& dice, std::size_t count) {
    switch (kind) {
        case LayoutKind::urban:
            return urban_part(dice, count);
        case LayoutKind::suburban:
            return suburban_part(dice, count);
        case LayoutKind::rural:
            return rural_part(dice, count, 17'000);
        case LayoutKind::sparse_rural:
            return rural_part(dice, count, 23'000);
        case LayoutKind::high_rise:
            return high_rise_part(count);
    }
    return {};
}

}  // namespace

std::optional<LayoutKind> layout_kind(std::string_view letter) {
    constexpr std::string_view known = "USRQH";
    if (letter.size() != 1 || known.find(letter) == std::string_view::npos) return std::nullopt;
    return static_cast<LayoutKind>(letter.front());
}

Layout layout(const LayoutRequest& request) {
    assert(request.concentrators > 0);
    Layout whole;
    whole.request = request;
    const auto& parts = scenario(request.kind);
    std::uint32_t cluster_base = 0;
    std::vector<Place> summaries;
    for (std::size_t k = 0; k < request.concentrators; ++k) {
        const auto count =
            request.meters * (k + 1) / request.concentrators - request.meters * k / request.concentrators;
        Dice dice{request.seed, k};
        Part part = make_part(request.kind, dice, count);
        const auto shift = static_cast<std::int32_t>(k) * (parts.gap_cm / 100 * request.apart_percent);
        const auto settle = [&](Place& place) {
            place.concentrator = static_cast<std::uint32_t>(k);
            (parts.side_by_side ? place.x_cm : place.y_cm) += shift;
        };
        std::uint32_t clusters = 0;
        for (auto& place : part.meters) {
            settle(place);
            clusters = std::max(clusters, place.cluster + 1);
            place.cluster += cluster_base;
            whole.meters.push_back(place);
        }
        settle(part.concentrator);
        part.concentrator.cluster = cluster_base + clusters;
        whole.concentrators.push_back(part.concentrator);
        if (request.summary_meters) {
            Place summary = part.concentrator;
            summary.x_cm += 200;
            summary.summary = true;
            summaries.push_back(summary);
        }
        cluster_base += clusters + 1;
    }
    whole.meters.insert(whole.meters.end(), summaries.begin(), summaries.end());
    std::uint64_t unit = 0;
    for (auto& place : whole.meters) equip(place, request, ++unit, !place.summary);
    unit = 1'000'000;
    for (auto& place : whole.concentrators) equip(place, request, ++unit, false);
    return whole;
}

}  // namespace wattmesh::sim
