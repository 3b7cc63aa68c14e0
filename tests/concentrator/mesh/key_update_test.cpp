#include <catch2/catch.hpp>

#include "protocol/mesh/node_state.h"
#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t meters = 40;

struct Street {
    Street()
        : town{{.kind = sim::LayoutKind::rural, .meters = meters, .seed = 6},
               {.seed = 6, .start = town_start}} {
        REQUIRE(form(town, 600s).size() == meters);
        town.run_for(60s);
        joins = town.field->node_counters().joins;
    }
    /// How many of the meters use this key.
    std::size_t using_key(std::uint16_t number) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < meters; ++i) {
            const auto* node = town.field->node(i);
            count += node != nullptr && node->joined() && node->state().key_number == number ? 1 : 0;
        }
        return count;
    }
    std::size_t answered() {
        std::size_t count = 0;
        for (std::size_t i = 0; i < meters; ++i) count += town.read(i).answered ? 1 : 0;
        return count;
    }
    std::uint32_t joins_since() { return town.field->node_counters().joins - joins; }
    /// The concentrator stops and comes back with this state; its radio module goes on.
    void restart(Bytes state) {
        town.roots[0].reset();
        town.run_for(5s);
        town.start_root(0, mesh::PhyRate::kbit50, state);
    }

    Town town;
    std::uint32_t joins = 0;
};

}  // namespace

TEST_CASE("key update: everybody has the next net key within minutes, nobody joins again, reading goes on",
          "[mesh][town][key]") {
    Street street;
    street.town.roots[0]->update_key(street.town.now());
    CHECK(street.answered() == meters);
    street.town.run_for(180s);
    CHECK(street.using_key(2) == meters);
    CHECK(street.answered() == meters);
    street.town.run_for(660s);
    for (std::size_t i = 0; i < meters; ++i)
        CHECK(street.town.field->node(i)->state().other == mesh::NodeState::Other::none);
    // And once more, back to the first id.
    street.town.roots[0]->update_key(street.town.now());
    street.town.run_for(180s);
    CHECK(street.using_key(3) == meters);
    CHECK(street.answered() == meters);
    CHECK(street.joins_since() == 0);
}

TEST_CASE("key update: it outlives a restart of the concentrator in the middle", "[mesh][town][key]") {
    Street street;
    street.town.roots[0]->update_key(street.town.now());
    street.town.run_for(1s);
    street.restart(street.town.roots[0]->save_state());
    street.town.run_for(1s);
    const Buffer before_use = street.town.roots[0]->save_state();
    street.town.run_for(300s);
    CHECK(street.using_key(2) == meters);
    CHECK(street.answered() == meters);
    // From a disk that knows nothing of the use: the key before is still heard, and the counters under the
    // new one go on above those that were used.
    street.restart(before_use);
    street.town.run_for(300s);
    CHECK(street.using_key(2) == meters);
    CHECK(street.answered() == meters);
    CHECK(street.joins_since() == 0);
}

TEST_CASE("key update: who was away joins again under the key in use", "[mesh][town][key]") {
    Street street;
    std::size_t leaf = 0;
    for (std::size_t i = 0; i < meters; ++i)
        if (node_of(street.town, i).hops > node_of(street.town, leaf).hops) leaf = i;
    street.town.field->kill(meter_number(leaf));
    for (int i = 0; i < 4; ++i) street.town.read(leaf);  // until it counts as gone
    street.town.roots[0]->update_key(street.town.now());
    street.town.run_for(1'200s);
    CHECK(street.using_key(2) == meters - 1);
    street.town.field->revive(meter_number(leaf));
    street.town.run_for(600s);
    CHECK(street.using_key(2) == meters);
    CHECK(street.town.read(leaf).answered);
}

TEST_CASE("key update: begins by itself when the frame counter has used three quarters of its numbers",
          "[mesh][town][key]") {
    Street street;
    Buffer state = street.town.roots[0]->save_state();
    state[5] = 0xC0;  // the limit of the counters used, after version, PAN and network version
    street.restart(state);
    street.town.field->kill(concentrator_number(0));  // else the module knows better
    street.town.run_for(1s);
    street.town.field->revive(concentrator_number(0));
    street.town.run_for(400s);
    CHECK(street.using_key(2) == meters);
    CHECK(street.joins_since() == 0);
}

TEST_CASE("mesh state: what was stored before there were two keys is restored, and no piece of any",
          "[mesh][key]") {
    Street street;
    const Buffer now = street.town.roots[0]->save_state();
    Buffer before{now.begin(), now.end() - 9 - 2 * meters};  // both keys' fields, PAN in use, sequences
    before[0] = 2;
    const auto restored = [&](Bytes state) {
        SeededRandom random{1};
        concentrator::MeshRoot root{
            {.concentrator = concentrator_number(0), .pan = concentrator::pan_of(concentrator_number(0))},
            street.town.ciphers,
            random};
        return root.restore_state(state);
    };
    CHECK(restored(now));
    CHECK(restored(before));
    for (std::size_t size = 0; size < now.size(); ++size) CHECK_FALSE(restored(Bytes{now}.first(size)));
    street.restart(before);
    street.town.run_for(60s);
    CHECK(street.answered() == meters);
    CHECK(street.joins_since() == 0);
    street.town.roots[0]->update_key(street.town.now());
    const Buffer both = street.town.roots[0]->save_state();
    CHECK(restored(both));
    for (std::size_t size = 0; size < both.size(); ++size) CHECK_FALSE(restored(Bytes{both}.first(size)));
}
