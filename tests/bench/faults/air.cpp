#include <algorithm>
#include <cmath>

#include "protocol/mesh/host_frame.h"
#include "tests/bench/faults/fault_case.h"
#include "tests/bench/faults/places.h"
#include "tests/bench/faults/scene.h"

/// A4, A5, A6, A12, A14: the air and who hears whom.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
constexpr Duration patience = 1'800s;
constexpr sim::Mdb jam_mdbm = -75'000;
constexpr int mesh_channel = 0, foreign_channel = 3;
constexpr std::int32_t everywhere_cm = 1'000'000;
enum Stream : std::uint64_t { weak_sender = 1'420, sampled };

sim::Air::Jam jam_of(int channel, std::int32_t x_cm = 0, std::int32_t y_cm = 0,
                     std::int32_t radius_cm = everywhere_cm) {
    return {.channel = channel, .mdbm = jam_mdbm, .x_cm = x_cm, .y_cm = y_cm, .radius_cm = radius_cm};
}

std::vector<std::size_t> some(Scene& scene, std::size_t count, std::uint64_t seed, std::uint64_t turn) {
    auto list = scene.reachable();
    std::sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) {
        return sim::keyed(seed, sampled, turn, a) < sim::keyed(seed, sampled, turn, b);
    });
    list.resize(std::min(count, list.size()));
    return list;
}

/// Mean cost of a read over the concentrator's routes, by the oracle, as a multiple of the best.
double stretch(Scene& scene) {
    double sum = 0;
    std::size_t count = 0;
    for (const auto meter : scene.reachable()) {
        if (!scene.routed(meter)) continue;
        double cost = 0;
        std::size_t from = scene.size();
        auto way = scene.relays_of(meter);
        way.push_back(meter);
        for (const auto to : way) {
            cost += scene.oracle().hop_cost_us(scene.oracle().hop(from, to));
            from = to;
        }
        sum += std::min(cost / scene.tree().cost_us[meter], 100.0);
        ++count;
    }
    return count == 0 ? 0 : sum / static_cast<double>(count);
}

Verdict one_channel(std::uint64_t seed, int channel, const char* name) {
    Scene scene{town_of(sim::LayoutKind::suburban, 150, seed), seed};
    scene.form(patience);
    scene.read_once(scene.reachable());
    const double before = scene.read_once(scene.reachable()).share_first();
    scene.town.field->jam(jam_of(channel), true);
    const auto list = some(scene, 60, seed, 0);
    const double during = scene.read_once(list).share_first();
    scene.town.field->jam(jam_of(channel), false);
    Verdict verdict;
    verdict.variant = name;
    verdict.add("first_read_before", before).add("first_read_during", during);
    verdict.must(before - during <= 0.005,
                 channel == mesh_channel
                     ? "the mesh knows one channel, and it is this one: it does not hop yet"
                     : "a jammer on a channel that the mesh does not use costs reads");
    return verdict;
}

Verdict pulsed(std::uint64_t seed) {
    Scene scene{town_of(sim::LayoutKind::suburban, 150, seed), seed};
    scene.form(patience);
    scene.read_once(scene.reachable());
    const auto joins = scene.town.field->node_counters().joins;
    std::vector<double> recovered;
    bool all = true;
    for (std::uint64_t pulse = 0; pulse < 5; ++pulse) {
        const Instant began = scene.town.now();
        scene.town.field->jam(jam_of(mesh_channel), true);
        scene.read_once(some(scene, 6, seed, 100 + pulse));  // somebody wants something all the same
        if (scene.town.now() < began + 30s) scene.run_for(began + 30s - scene.town.now());
        scene.town.field->jam(jam_of(mesh_channel), false);
        const auto reads = scene.read(some(scene, 20, seed, pulse), 60s);
        all = all && reads.last_s().has_value();
        recovered.push_back(reads.last_s().value_or(60));
        if (scene.town.now() < began + 120s) scene.run_for(began + 120s - scene.town.now());
    }
    const auto rejoined = scene.town.field->node_counters().joins - joins;
    Verdict verdict;
    verdict.variant = "30 s of every 120 s";
    verdict.add("recover_s", *std::max_element(recovered.begin(), recovered.end()));
    verdict.add("rejoined", rejoined).add("deletions", scene.deleted().size());
    verdict.add("lost_events", scene.lost_events);
    verdict.must(all && *std::max_element(recovered.begin(), recovered.end()) <= 15,
                 "20 meters were not all read within 15 s of the end of a pulse");
    verdict.must(rejoined <= scene.size() / 100, "meters joined anew");
    verdict.must(scene.deleted().empty(), "meters were deleted");
    return verdict;
}

Verdict full_jam(std::uint64_t seed) {
    Scene scene{town_of(sim::LayoutKind::suburban, 150, seed), seed};
    scene.form(patience);
    scene.round_s();
    const auto round_before = scene.round_s();
    const double stretch_before = stretch(scene);
    const auto joins = scene.town.field->node_counters().joins;
    scene.town.field->jam(jam_of(mesh_channel), true);
    const Instant began = scene.town.now();
    scene.read_once(some(scene, 40, seed, 7));
    if (scene.town.now() < began + 600s) scene.run_for(began + 600s - scene.town.now());
    scene.town.field->jam(jam_of(mesh_channel), false);
    const auto lost_events = scene.lost_events;
    const auto after = scene.read(scene.reachable(), 900s);
    const double stretch_after = stretch(scene);
    Verdict verdict;
    verdict.variant = "all channels for ten minutes";
    verdict.add("round_before_s", round_before).add("round_after_s", after.last_s());
    verdict.add("first_read_after", after.share_first());
    verdict.add("stretch_before", stretch_before).add("stretch_after", stretch_after);
    verdict.add("lost_events", lost_events).add("deletions", scene.deleted().size());
    verdict.add("rejoined", scene.town.field->node_counters().joins - joins);
    verdict.must(scene.deleted().empty(), "meters were deleted");
    verdict.must(lost_events == 0, "meters were told as lost, one by one: there is no jam detector yet");
    verdict.must(stretch_after <= stretch_before * 1.1, "the jam has spoilt the link estimates");
    return verdict;
}

Verdict mobile(std::uint64_t seed) {
    Scene scene{town_of(sim::LayoutKind::suburban, 150, seed), seed};
    scene.form(patience);
    scene.read_once(scene.reachable());
    const auto& places = scene.town.layout.meters;
    const auto [left, right] = std::minmax_element(
        places.begin(), places.end(), [](const auto& a, const auto& b) { return a.x_cm < b.x_cm; });
    const auto joins = scene.town.field->node_counters().joins;
    std::size_t asked = 0;
    double good = 0;
    const std::int32_t step = (right->x_cm - left->x_cm) / 10;
    for (std::int32_t i = 0; i <= 10; ++i) {  // through the middle, 100 m around it are deaf
        const auto jam =
            jam_of(mesh_channel, left->x_cm + i * step, scene.town.layout.concentrators[0].y_cm, 10'000);
        scene.town.field->jam(jam, true);
        const auto reads = scene.read_once(some(scene, 10, seed, 200 + static_cast<std::uint64_t>(i)));
        asked += reads.of.size();
        good += reads.share_first() * static_cast<double>(reads.of.size());
        scene.town.field->jam(jam, false);
    }
    const auto after = scene.read(scene.reachable(), 300s);
    Verdict verdict;
    verdict.variant = "100 m around a car that drives through";
    verdict.add("first_read_during", good / static_cast<double>(asked))
        .add("first_read_after", after.share_first());
    verdict.add("rejoined", scene.town.field->node_counters().joins - joins);
    verdict.add("deletions", scene.deleted().size());
    verdict.must(scene.deleted().empty(), "meters were deleted");
    verdict.must(scene.town.field->node_counters().joins - joins <= scene.size() / 100, "meters joined anew");
    verdict.must(after.unanswered() == 0, "a meter was not read again after the jammer had gone");
    return verdict;
}

}  // namespace

std::vector<Verdict> jammed(std::uint64_t seed) {
    return {one_channel(seed, foreign_channel, "a channel that the mesh does not use"),
            one_channel(seed, mesh_channel, "the channel of the mesh"), pulsed(seed), full_jam(seed),
            mobile(seed)};
}

std::vector<Verdict> hidden_terminals(std::uint64_t seed) {
    Scene scene{deaf_groups(seed), seed};
    Verdict verdict;
    verdict.add("formed_s", scene.form(patience));
    const auto list = scene.reachable();
    std::set<std::size_t> told;
    std::optional<double> last_s;
    Instant began{};
    scene.town.on_host = [&](std::size_t, Bytes payload, Instant now) {
        const auto message = mesh::host::decode(payload);
        const auto* rx = message ? std::get_if<mesh::host::Rx>(&*message) : nullptr;
        if (rx == nullptr || rx->type != mesh::FrameType::notice) return;
        const auto packet = mesh::decode_up(rx->body);
        if (!packet || packet->body.size() < 2) return;
        told.insert(static_cast<std::size_t>(packet->body[0]) | static_cast<std::size_t>(packet->body[1])
                                                                    << 8);
        last_s = in_seconds(now - began);
    };
    began = scene.town.now();
    std::size_t sent = 0;
    for (std::size_t i = 0; i < 2 * deaf_group; ++i) {
        Buffer event(24, 0);
        event[0] = static_cast<std::uint8_t>(i);
        sent += scene.town.field->notify(test::meter_number(i), event) ? 1 : 0;
    }
    scene.run_for(60s);
    const double share = static_cast<double>(told.size()) / (2 * deaf_group);
    verdict.add("reachable", list.size()).add("sent", sent).add("told_60s", share).add("last_s", last_s);
    verdict.must(share >= 0.99, "less than 99 % of the events arrived within 60 s");
    return {verdict};
}

std::vector<Verdict> dense_cabinet(std::uint64_t seed) {
    Scene scene{cabinet(seed), seed};
    std::optional<double> beacons;
    scene.on_frame = [&](std::size_t, Bytes, Instant now) {
        if (!beacons && now - test::town_start >= 60s)
            beacons =
                static_cast<double>(scene.town.field->counters()
                                        .sent_by_type[static_cast<std::size_t>(mesh::FrameType::beacon)]) /
                static_cast<double>(scene.size());
    };
    const auto formed = scene.form(patience);
    if (!beacons) {
        scene.run_for(test::town_start + 61s - scene.town.now());
        scene.read_once({0});
    }
    scene.on_frame = {};
    Verdict verdict;
    verdict.add("reachable", scene.reachable().size()).add("join_t100_s", formed);
    verdict.add("beacons_per_node_first_minute", beacons);
    verdict.must(formed && *formed <= 120, "not all had joined and answered within 120 s");
    verdict.must(beacons.value_or(99) <= 12, "more than 12 beacons per node in the first minute");
    return {verdict};
}

std::vector<Verdict> one_way_links(std::uint64_t seed) {
    auto layout = town_of(sim::LayoutKind::suburban, 300, seed);
    for (std::size_t i = 0; i < layout.meters.size(); ++i)
        if (sim::keyed(seed, weak_sender, i) % 5 == 0) layout.meters[i].tx_power_mdbm -= 8'000;
    Scene scene{std::move(layout), seed};
    // A try is an exchange: four transmissions. Looked at once a second.
    std::size_t kept = 0, worst = 0;
    std::map<std::size_t, std::pair<std::uint16_t, int>> bad;
    Instant look = scene.town.now();
    scene.on_frame = [&](std::size_t, Bytes, Instant now) {
        if (now < look) return;
        look = now + 1s;
        for (std::size_t i = 0; i < scene.size(); ++i) {
            const auto* node = scene.town.field->node(i);
            if (node == nullptr || !node->attached()) continue;
            const auto* parent = node->neighbours().find(node->parent());
            if (parent == nullptr) continue;
            worst = std::max<std::size_t>(worst, parent->failures);
            auto& [address, times] = bad[i];
            const bool over = parent->failures > 3;
            if (over && (address != node->parent() || times == 0)) ++kept;
            address = node->parent();
            times = over ? 1 : 0;
        }
    };
    const auto formed = scene.form(patience);
    const auto reads = scene.read_once(scene.reachable());
    scene.read_once(scene.reachable());
    scene.on_frame = {};
    Verdict verdict;
    verdict.add("join_t100_s", formed).add("first_read_success", reads.share_first());
    verdict.add("parents_kept_over_3_tries", kept).add("failed_tries_max", worst);
    verdict.must(formed.has_value(), "a reachable meter did not join and answer within half an hour");
    verdict.must(kept == 0, "a parent that did not answer was kept for more than three tries");
    return {verdict};
}

namespace {

std::vector<Verdict> tables(std::size_t meters, std::uint64_t seed) {
    Scene scene{town_of(sim::LayoutKind::urban, meters, seed, 0), seed};
    const auto formed = scene.form(3'600s);
    std::vector<std::size_t> joined;
    std::size_t fullest = 0, children = 0, parentless = 0, full = 0;
    const Instant now = scene.town.now();
    for (std::size_t i = 0; i < scene.size(); ++i) {
        const auto* node = scene.town.field->node(i);
        if (node == nullptr || !node->attached()) continue;
        joined.push_back(i);
        const auto& rows = node->neighbours().all();
        fullest = std::max(fullest, rows.size());
        full += rows.size() == mesh::NeighbourTable::size_max ? 1 : 0;
        children = std::max(
            children, static_cast<std::size_t>(std::count_if(
                          rows.begin(), rows.end(), [&](const auto& row) { return row.child_until > now; })));
        const bool kept =
            node->parent() == mesh::root_address || node->neighbours().find(node->parent()) != nullptr;
        parentless += kept ? 0 : 1;
    }
    const auto reads = scene.read(joined, 120s);
    Verdict verdict;
    verdict.variant = "U" + std::to_string(meters) + ", D 0";
    verdict.add("join_t100_s", formed).add("joined", joined.size()).add("silent", reads.unanswered());
    verdict.add("tables_full", full).add("rows_max", fullest).add("children_max", children);
    verdict.add("parentless", parentless).add("ghosts", scene.ghosts());
    verdict.must(reads.unanswered() == 0, "a meter that believes to have joined did not answer");
    verdict.must(fullest <= mesh::NeighbourTable::size_max, "a table grew over its bounds");
    verdict.must(parentless == 0, "a full table has no place for its node's parent");
    verdict.must(full > 0, "no table was full: the case shows nothing");
    return {verdict};
}

}  // namespace

std::vector<Verdict> full_tables(std::uint64_t seed) { return tables(500, seed); }
std::vector<Verdict> full_tables_large(std::uint64_t seed) { return tables(2'000, seed); }

}  // namespace wattmesh::bench
