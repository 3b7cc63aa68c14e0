#include "tests/bench/faults/places.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "terminal-sim/radio/oracle.h"

namespace wattmesh::bench {
namespace {

using sim::Layout;
using sim::Place;
constexpr std::int32_t gain_step_mdb = 2'000, gain_max_mdb = 40'000, margin_mdb = 8'000, gap_cm = 40'000;

Place plain(std::int32_t x_cm, std::int32_t y_cm, std::uint32_t cluster) {
    return {.x_cm = x_cm,
            .y_cm = y_cm,
            .z_cm = 150,
            .cluster = cluster,
            .concentrator = 0,
            .box_loss_mdb = 0,
            .tx_power_mdbm = 17'000,
            .noise_mdbm = -110'000,
            .summary = false};
}

/// How many the oracle reaches in the long run when `dead` are off.
std::size_t reached(const Layout& layout, std::uint64_t seed, const std::vector<std::size_t>& dead) {
    const sim::Channel channel{layout, seed, mesh::PhyRate::kbit50};
    sim::Oracle oracle{channel, layout.meters.size(), mesh::PhyRate::kbit50};
    std::vector<bool> alive(layout.meters.size() + 1, true);
    for (const auto meter : dead) alive[meter] = false;
    const auto tree = oracle.tree(alive);
    std::size_t count = 0;
    for (std::size_t i = 0; i < layout.meters.size(); ++i) count += tree.reaches(i) ? 1 : 0;
    return count;
}

/// Better and better antennas for the relays until `good` says that the place is as it should be; and then
/// what makes the links more than just usable.
void tuned(Layout& layout, const std::vector<std::size_t>& relays, const std::function<bool()>& good) {
    for (std::int32_t gain = 0; gain <= gain_max_mdb; gain += gain_step_mdb) {
        for (const auto relay : relays) layout.meters[relay].box_loss_mdb = -gain;
        if (!good()) continue;
        for (const auto relay : relays) layout.meters[relay].box_loss_mdb -= margin_mdb;
        if (!good()) break;
        return;
    }
    throw std::runtime_error("no antenna makes this place what it should be");
}

}  // namespace

Layout town_of(sim::LayoutKind kind, std::size_t meters, std::uint64_t seed, std::int32_t hardness_db) {
    return sim::layout({.kind = kind, .meters = meters, .seed = seed, .hardness_db = hardness_db});
}

Layout bridged_suburbs(std::uint64_t seed) {
    Layout layout = town_of(sim::LayoutKind::suburban, suburb, seed);
    const Layout other = town_of(sim::LayoutKind::suburban, suburb, seed + 1'000);
    const auto right = [](const Place& a, const Place& b) { return a.x_cm < b.x_cm; };
    const auto edge = std::max_element(layout.meters.begin(), layout.meters.end(), right)->x_cm;
    const auto begin = std::min_element(other.meters.begin(), other.meters.end(), right)->x_cm;
    std::uint32_t clusters = 0;
    for (const auto& place : layout.meters) clusters = std::max(clusters, place.cluster + 1);
    clusters = std::max(clusters, layout.concentrators[0].cluster + 1);
    std::uint32_t next = clusters;
    for (auto place : other.meters) {
        place.x_cm += edge - begin + gap_cm;
        place.cluster += clusters;
        next = std::max(next, place.cluster + 1);
        layout.meters.push_back(place);
    }
    for (std::int32_t i = 0; i < 2; ++i)
        layout.meters.push_back(
            plain(edge + gap_cm / 2, (2 * i - 1) * 2'000, next + static_cast<std::uint32_t>(i)));
    layout.request.meters = layout.meters.size();
    tuned(layout, {bridge_first, bridge_last}, [&] {
        return reached(layout, seed, {bridge_first}) == layout.meters.size() - 1 &&
               reached(layout, seed, {bridge_last}) == layout.meters.size() - 1 &&
               reached(layout, seed, {bridge_first, bridge_last}) == suburb;
    });
    return layout;
}

Layout deaf_groups(std::uint64_t seed) {
    Layout layout;
    layout.request = {.kind = sim::LayoutKind::urban, .meters = 2 * deaf_group + 1, .seed = seed};
    for (std::size_t i = 0; i < 2 * deaf_group; ++i) {
        const auto group = static_cast<std::int32_t>(i / deaf_group),
                   at = static_cast<std::int32_t>(i % deaf_group);
        Place place =
            plain((2 * group - 1) * 26'000 + at % 8 * 20, at / 8 * 20, static_cast<std::uint32_t>(group));
        place.box_loss_mdb = 14'000;
        layout.meters.push_back(place);
    }
    layout.meters.push_back(plain(0, 0, 2));
    Place root = plain(0, 24'000, 3);
    root.box_loss_mdb = 10'000;
    layout.concentrators.push_back(root);
    tuned(layout, {star_relay}, [&] {
        return reached(layout, seed, {}) == layout.meters.size() && reached(layout, seed, {star_relay}) == 0;
    });
    return layout;
}

Layout cabinet(std::uint64_t seed) {
    Layout layout;
    layout.request = {.kind = sim::LayoutKind::urban, .meters = 120, .seed = seed, .hardness_db = 6};
    for (std::int32_t i = 0; i < 120; ++i) {
        Place place = plain(i % 12 * 25, 0, 0);
        place.z_cm = 30 + i / 12 * 25;
        place.box_loss_mdb = 14'000;
        layout.meters.push_back(place);
    }
    Place root = plain(6'000, 0, 1);
    root.z_cm = 400;
    layout.concentrators.push_back(root);
    return layout;
}

Layout chain(std::size_t meters, std::uint64_t seed) {
    Layout layout;
    layout.request = {.kind = sim::LayoutKind::urban, .meters = meters, .seed = seed};
    constexpr std::int32_t step_cm = 19'000;  // one cluster: distance alone decides
    for (std::size_t i = 0; i < meters; ++i)
        layout.meters.push_back(plain(static_cast<std::int32_t>(i + 1) * step_cm, 0, 0));
    layout.concentrators.push_back(plain(0, 0, 0));
    return layout;
}

Layout with_stranger(Layout layout) {
    Place stranger = layout.concentrators.front();
    stranger.x_cm += 1'000;
    stranger.cluster = 1'000'000;
    layout.meters.push_back(stranger);
    layout.request.meters = layout.meters.size();
    return layout;
}

}  // namespace wattmesh::bench
