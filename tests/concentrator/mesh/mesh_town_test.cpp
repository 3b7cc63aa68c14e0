#include <catch2/catch.hpp>
#include <set>

#include "protocol/mesh/host_frame.h"
#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;
using concentrator::MeshEvent;

TEST_CASE("mesh: a rural feeder of 100 meters forms by itself and every meter is read", "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::rural, .meters = 100, .seed = 5}, {.seed = 5, .start = town_start}};
    const auto joined = form(town, 600s);
    const auto oracle = town.field->oracle_hops();
    int reachable = 0, deep = 0, answered = 0;
    for (std::size_t i = 0; i < oracle.size(); ++i) {
        if (oracle[i] == 0) continue;
        ++reachable;
        INFO("meter " << i << ", oracle " << oracle[i] << " hops");
        CHECK(joined.count(meter_number(i)) == 1);
        const auto read = town.read(i);
        CHECK(read.answered);
        answered += read.answered ? 1 : 0;
        if (read.answered) {
            CHECK(read.payload.size() == town.answer_size);
            CHECK(Bytes{read.payload}.first(3)[2] == 3);
        }
        deep += node_of(town, i).hops >= 3 ? 1 : 0;
    }
    CHECK(reachable >= 95);
    CHECK(answered == reachable);
    CHECK(deep > 0);
    for (const auto& [meter, times] : town.executed)
        CHECK(times == 1);  // repeated requests came from the cache
}

TEST_CASE("mesh: a relay dies and the read still succeeds over the alternative", "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::rural, .meters = 60, .seed = 8}, {.seed = 8, .start = town_start}};
    form(town, 600s);
    town.run_for(120s);
    for (std::size_t i = 0; i < town.layout.meters.size(); ++i) town.read(i);
    int tried = 0, answered = 0, over_alternative = 0;
    for (std::size_t i = 0; i < town.layout.meters.size() && tried < 6; ++i) {
        const auto node = node_of(town, i);
        if (node.hops < 2 || node.route.empty()) continue;
        const auto relay = node.route.back();
        town.field->kill(relay);
        const auto oracle = town.field->oracle_hops();
        if (oracle[i] == 0 || oracle[i] > 3) {
            town.field->revive(relay);
            continue;
        }
        ++tried;
        const auto read = town.read(i);
        INFO("meter " << i << " took " << read.took.count() << " us");
        CHECK(read.answered);
        answered += read.answered ? 1 : 0;
        over_alternative += read.alternative ? 1 : 0;
        town.field->revive(relay);
        town.run_for(60s);
    }
    CHECK(tried >= 3);
    CHECK(answered == tried);
    CHECK(over_alternative > 0);
}

TEST_CASE("mesh: the same seed gives the same trace, another seed another", "[mesh][town]") {
    const auto trace = [](std::uint64_t seed) {
        Town town{{.kind = sim::LayoutKind::rural, .meters = 30, .seed = 2},
                  {.seed = seed, .start = town_start}};
        town.run_for(90s);
        for (std::size_t i = 0; i < 30; ++i) town.read(i);
        return town.field->trace_hash();
    };
    const auto first = trace(4);
    CHECK(trace(4) == first);
    CHECK(trace(5) != first);
}

TEST_CASE("mesh: strangers and wrong keys stay outside", "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::urban, .meters = 12, .seed = 3}, {.seed = 3, .start = town_start}};
    // meter 0 is not on the list, meter 1 is with another key
    std::vector<std::pair<DeviceNumber, Key128>> list;
    for (std::size_t i = 1; i < 12; ++i)
        list.emplace_back(meter_number(i), join_key(town.seed, i == 1 ? 99 : i));
    town.roots[0]->set_meters(list);
    int unknown = 0;
    std::set<DeviceNumber> joined;
    town.run_until(town.now() + 300s, [&](std::size_t, const MeshEvent& event, Instant) {
        if (const auto* one = std::get_if<concentrator::MeshJoined>(&event)) joined.insert(one->meter);
        if (const auto* one = std::get_if<concentrator::MeshUnknown>(&event)) {
            CHECK(one->meter == meter_number(0));
            ++unknown;
        }
    });
    CHECK(joined.size() == 10);
    CHECK(joined.count(meter_number(0)) == 0);
    CHECK(joined.count(meter_number(1)) == 0);
    CHECK(unknown == 1);  // told once, not at every try
    CHECK_FALSE(town.field->joined(meter_number(0)));
    CHECK_FALSE(town.field->joined(meter_number(1)));
    CHECK_FALSE(town.read(0).answered);
    CHECK(town.roots[0]->statistics().frames_refused > 0);
}

TEST_CASE("mesh: a concentrator that restarts with its state needs no new joins", "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::rural, .meters = 40, .seed = 6}, {.seed = 6, .start = town_start}};
    const auto joined = form(town, 600s);
    REQUIRE(joined.size() >= 38);
    town.run_for(60s);
    const auto joins_before = town.field->node_counters().joins;
    const Buffer state = town.roots[0]->save_state();
    CHECK_FALSE(town.roots[0]->state_dirty());
    town.roots[0].reset();  // killed; the radio module goes on
    town.run_for(30s);
    town.start_root(0, mesh::PhyRate::kbit50, state);
    const auto again = form(town, 300s);
    CHECK(again.size() == joined.size());
    CHECK(town.field->node_counters().joins == joins_before);
    int answered = 0;
    for (std::size_t i = 0; i < 40; ++i) answered += town.read(i).answered ? 1 : 0;
    CHECK(answered >= static_cast<int>(joined.size()));
}

TEST_CASE("mesh: a concentrator that lost its memory is joined anew; its old net key is worth nothing",
          "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::rural, .meters = 20, .seed = 6}, {.seed = 6, .start = town_start}};
    const auto joined = form(town, 600s);
    REQUIRE(joined.size() >= 18);
    town.start_root(0, mesh::PhyRate::kbit50, {});
    const auto again = form(town, 1'800s);
    CHECK(again.size() == joined.size());
    CHECK(town.read(0).answered);
}

TEST_CASE("mesh: a meter that comes back is read again without a join; one that stays away is lost",
          "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::rural, .meters = 30, .seed = 6}, {.seed = 6, .start = town_start}};
    form(town, 600s);
    town.run_for(60s);
    REQUIRE(town.read(3).answered);
    const auto joins = town.field->node_counters().joins;
    town.field->kill(meter_number(3));
    int lost = 0;
    const auto count = [&](std::size_t, const MeshEvent& event, Instant) {
        if (const auto* one = std::get_if<concentrator::MeshLost>(&event);
            one && one->meter == meter_number(3))
            ++lost;
    };
    CHECK_FALSE(town.read(3).answered);
    town.run_until(town.now() + 180s, count);
    CHECK(lost == 1);
    CHECK(node_of(town, 3).state == dcu::NodeState::offline);
    town.field->revive(meter_number(3));
    town.run_for(60s);
    CHECK(node_of(town, 3).state == dcu::NodeState::joined);
    CHECK(town.read(3).answered);
    CHECK(town.field->node_counters().joins ==
          joins - 1);  // the revived one counts from zero and joined no more
}

TEST_CASE("mesh: a radio module that lost power is set up again and its frames are not taken for replays",
          "[mesh][town]") {
    Town town{{.kind = sim::LayoutKind::rural, .meters = 20, .seed = 6}, {.seed = 6, .start = town_start}};
    form(town, 600s);
    REQUIRE(town.read(1).answered);
    const auto joins = town.field->node_counters().joins;
    town.field->kill(concentrator_number(0));
    CHECK_FALSE(town.read(1).answered);
    town.field->revive(concentrator_number(0));
    town.run_for(120s);
    int answered = 0;
    for (std::size_t i = 0; i < 20; ++i) answered += town.read(i).answered ? 1 : 0;
    CHECK(answered == 20);
    CHECK(town.field->node_counters().joins == joins);
}

TEST_CASE("mesh root: the beacon says how long the meters that are still missing need to join", "[mesh]") {
    security::OpensslCiphers ciphers;
    SeededRandom random{1};
    concentrator::MeshRoot root{{.concentrator = concentrator_number(0)}, ciphers, random};
    const auto window_with = [&](std::size_t count) {
        std::vector<std::pair<DeviceNumber, Key128>> list;
        for (std::size_t i = 0; i < count; ++i) list.emplace_back(meter_number(i), join_key(1, i));
        root.set_meters(list);
        root.module_connected(town_start);
        while (root.take_output()) continue;
        root.receive(mesh::host::encode(mesh::host::Status{.initialised = true, .counter_next = 1}),
                     town_start);
        while (auto output = root.take_output()) {
            const auto message = mesh::host::decode(*output);
            const auto* tx = std::get_if<mesh::host::Tx>(&*message);
            if (tx != nullptr && tx->type == mesh::FrameType::beacon)
                return static_cast<int>(mesh::decode_beacon(tx->body)->join_window_half_s);
        }
        return -1;
    };
    CHECK(window_with(0) == 0);
    CHECK(window_with(100) == 17);  // 8.5 s
    CHECK(window_with(1'000) == 170);
    CHECK(window_with(3'000) == 255);
}
