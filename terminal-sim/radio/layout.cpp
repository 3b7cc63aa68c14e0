#include "terminal-sim/radio/layout.h"

#include <algorithm>
#include <cassert>
#include <tuple>

#include "terminal-sim/radio/decibel.h"

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t { town = 1, unit_power, unit_noise, unit_box };

constexpr std::int32_t tx_power_mdbm = 17'000, tx_sigma_mdb = 1'500, noise_sigma_mdb = 2'000;
constexpr std::int32_t thermal_mdbm = -124'000;  // -174 + 10 log10(100 kHz)
constexpr std::int32_t town_gap_cm = 500'000, quarter_gap_cm = 150'000;

struct Scenario {
    std::int32_t noise_figure_mdb, box_mean_mdb, box_sigma_mdb;
};
constexpr Scenario urban{14'000, 14'000, 6'000}, rural{11'000, 6'000, 4'000};

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
    const auto& scenario = request.kind == LayoutKind::urban ? urban : rural;
    place.tx_power_mdbm = tx_power_mdbm + deviate(request.seed, unit_power, unit, tx_sigma_mdb);
    place.noise_mdbm =
        thermal_mdbm + scenario.noise_figure_mdb + deviate(request.seed, unit_noise, unit, noise_sigma_mdb);
    const auto draw = keyed(request.seed, unit_noise, unit, 1);
    if (draw % 100 < 5)
        place.noise_mdbm += 6'000 + static_cast<std::int32_t>((draw >> 16) % 6'001);  // bad supply
    if (boxed)
        place.box_loss_mdb = std::max(
            0, scenario.box_mean_mdb + deviate(request.seed, unit_box, unit, scenario.box_sigma_mdb));
}

struct Part {
    std::vector<Place> meters;
    Place concentrator;
};

/// Blocks of 90 x 60 m between streets of 15 m, a building every 15 m along both long sides, a quarter of
/// them missing; filled from the middle outward.
Part urban_part(Dice& dice, std::size_t count) {
    struct Building {
        std::int32_t x_cm, y_cm;
    };
    std::vector<Building> buildings;
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
    const auto radius = [](const Building& b) {
        return std::int64_t{b.x_cm} * b.x_cm + std::int64_t{b.y_cm} * b.y_cm;
    };
    std::sort(buildings.begin(), buildings.end(), [&](const Building& a, const Building& b) {
        return std::tuple{radius(a), a.x_cm, a.y_cm} < std::tuple{radius(b), b.x_cm, b.y_cm};
    });
    Part part;
    for (std::uint32_t cabinet = 0; part.meters.size() < count && cabinet < buildings.size(); ++cabinet) {
        const std::int64_t draw = dice.below(1'024);
        const auto meters = 1 + 15 * draw * draw * draw / (std::int64_t{1} << 30);  // skewed to few
        for (std::int64_t i = 0; i < meters && part.meters.size() < count; ++i) {
            Place place;
            place.x_cm = buildings[cabinet].x_cm + static_cast<std::int32_t>(i % 4) * 30;
            place.y_cm = buildings[cabinet].y_cm + static_cast<std::int32_t>(i / 4) * 30;
            place.cluster = cabinet;
            part.meters.push_back(place);
        }
    }
    part.concentrator.x_cm = dice.below(6'001) - 3'000;
    part.concentrator.y_cm = dice.below(6'001) - 3'000;
    return part;
}

void rural_cluster(Dice& dice, Part& part, std::size_t count, std::uint32_t cluster, std::int32_t x_cm,
                   std::int32_t y_cm) {
    const auto houses = 1 + dice.below(9);
    for (std::int32_t house = 0; house < houses && part.meters.size() < count; ++house) {
        Place place;
        place.x_cm = x_cm + house % 5 * 2'000 + dice.below(600);
        place.y_cm = y_cm + (house < 5 ? 0 : 2'500) + dice.below(1'200);
        place.cluster = cluster;
        part.meters.push_back(place);
    }
}

/// Clusters of 1 to 9 houses along a line, gaps of 40 m + Exp(170 m); every eighth cluster sends out a branch
/// of 2 to 6 more. The concentrator stands at 40 % of the line.
Part rural_part(Dice& dice, std::size_t count) {
    Part part;
    std::uint32_t cluster = 0;
    std::int32_t x_cm = 0;
    while (part.meters.size() < count) {
        rural_cluster(dice, part, count, cluster++, x_cm, 0);
        if (dice.below(100) < 12) {
            const auto length = 2 + dice.below(5);
            const std::int32_t side = dice.below(2) == 0 ? 1 : -1;
            std::int32_t y_cm = 0;
            for (std::int32_t i = 0; i < length && part.meters.size() < count; ++i) {
                y_cm += 4'000 + dice.exponential(17'000);
                rural_cluster(dice, part, count, cluster++, x_cm, side * y_cm);
            }
        }
        x_cm += 4'000 + dice.exponential(17'000);
    }
    part.concentrator.x_cm = x_cm / 5 * 2;
    part.concentrator.y_cm = 800;
    return part;
}

}  // namespace

Layout layout(const LayoutRequest& request) {
    assert(request.concentrators > 0);
    Layout whole;
    whole.request = request;
    const bool is_urban = request.kind == LayoutKind::urban;
    std::uint32_t cluster_base = 0;
    std::vector<Place> summaries;
    for (std::size_t k = 0; k < request.concentrators; ++k) {
        const auto count =
            request.meters * (k + 1) / request.concentrators - request.meters * k / request.concentrators;
        Dice dice{request.seed, k};
        Part part = is_urban ? urban_part(dice, count) : rural_part(dice, count);
        const auto shift = static_cast<std::int32_t>(k);
        const auto settle = [&](Place& place) {
            place.concentrator = static_cast<std::uint32_t>(k);
            place.x_cm += is_urban ? shift * quarter_gap_cm : 0;
            place.y_cm += is_urban ? 0 : shift * town_gap_cm;
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
