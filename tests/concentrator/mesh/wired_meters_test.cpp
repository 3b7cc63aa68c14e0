#include <catch2/catch.hpp>

#include "concentrator/mesh/wired_meters.h"

namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using collector::TablePage;
using Kind = WiredMeters::Change::Kind;

const Instant noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};
DeviceNumber meter(int i) { return *DeviceNumber::parse(std::to_string(540'000'000'000 + i)); }
DeviceNumber box(int i) { return *DeviceNumber::parse(std::to_string(700'000'000'000 + i)); }

/// Meters 1 to 99 are listed; `radio` says what is known of some of them.
struct Scene {
    Scene() { wired.set_collectors({box(1), box(2)}); }
    auto radio_of() const {
        return [this](DeviceNumber number) {
            const auto known = radio.find(number);
            if (known != radio.end()) return known->second;
            return WiredMeters::Radio{.listed = number < meter(100), .joined = false, .proved = {}};
        };
    }
    std::vector<WiredMeters::Change> table(int collector, std::vector<TablePage::Row> rows, Instant now,
                                           std::uint8_t refused = 0) {
        return wired.page(box(collector), 1, TablePage{++generation, refused, 0, std::move(rows)}, radio_of(),
                          now);
    }
    WiredMeters wired;
    std::map<DeviceNumber, WiredMeters::Radio> radio;
    std::uint16_t generation = 0;
};
std::vector<Kind> kinds(const std::vector<WiredMeters::Change>& changes) {
    std::vector<Kind> found;
    for (const auto& change : changes) found.push_back(change.kind);
    return found;
}

}  // namespace

TEST_CASE("wired meters: a table gives places, an unknown meter is named and gets none", "[collector]") {
    Scene scene;
    const auto changes = scene.table(1, {{3, meter(1), 10}, {4, meter(200), 10}}, noon);
    CHECK(kinds(changes) == std::vector{Kind::arrived, Kind::unknown});
    REQUIRE(scene.wired.place(meter(1)) != nullptr);
    CHECK(scene.wired.place(meter(1))->sub == 3);
    CHECK(scene.wired.place(meter(1))->heard == noon - 10s);
    CHECK(scene.wired.place(meter(200)) == nullptr);
    // approved: the table that is here already counts
    scene.radio[meter(200)] = {.listed = true, .joined = false, .proved = {}};
    CHECK(kinds(scene.wired.judge(scene.radio_of(), noon + 1s)) == std::vector{Kind::arrived});
    CHECK(scene.wired.place(meter(200))->sub == 4);
}

TEST_CASE("wired meters: a meter that goes from wire to wire moves once, whoever tells first",
          "[collector]") {
    const bool old_first = GENERATE(true, false);
    Scene scene;
    scene.table(1, {{1, meter(1), 5}}, noon);
    const Instant later = noon + 5min;
    std::vector<WiredMeters::Change> changes;
    const auto gone = [&] {
        for (const auto& change : scene.table(1, {}, later)) changes.push_back(change);
    };
    const auto came = [&] {
        for (const auto& change : scene.table(2, {{9, meter(1), 2}}, later)) changes.push_back(change);
    };
    old_first ? (gone(), came()) : (came(), gone());
    CHECK(std::count_if(changes.begin(), changes.end(),
                        [](const auto& change) { return change.kind == Kind::arrived; }) == 1);
    REQUIRE(scene.wired.place(meter(1)) != nullptr);
    CHECK(scene.wired.place(meter(1))->collector == box(2));
    CHECK(scene.wired.place(meter(1))->sub == 9);
}

TEST_CASE("wired meters: an older claim loses against whoever has the meter", "[collector]") {
    Scene scene;
    scene.table(1, {{1, meter(1), 5}}, noon);
    CHECK(scene.table(2, {{9, meter(1), 60}}, noon).empty());
    CHECK(scene.wired.place(meter(1))->collector == box(1));
    // not heard since its collector started: no claim at all
    CHECK(scene.table(2, {{9, meter(2), TablePage::unheard}}, noon).empty());
    CHECK(scene.wired.place(meter(2)) == nullptr);
    // answered reads are news as well
    scene.wired.answered(meter(1), noon + 4min);
    CHECK(scene.table(2, {{9, meter(1), 120}}, noon + 5min).empty());
    // and so is an answer over radio
    scene.radio[meter(3)] = {.listed = true, .joined = true, .proved = noon};
    CHECK(scene.table(2, {{7, meter(3), 30}}, noon + 10s).empty());
    CHECK(kinds(scene.table(2, {{7, meter(3), 0}}, noon + 10s)) == std::vector{Kind::arrived});
}

TEST_CASE("wired meters: two collectors that claim a meter in turn are told of, and it stays",
          "[collector]") {
    Scene scene;
    int moved = 0, contested = 0;
    for (int i = 0; i < 50; ++i)
        for (const auto& change : scene.table(1 + i % 2, {{1, meter(1), 0}}, noon + i * 1min)) {
            moved += change.kind == Kind::arrived ? 1 : 0;
            contested += change.kind == Kind::contested ? 1 : 0;
        }
    CHECK(moved == 1 + 4);
    CHECK(contested == 1);
    CHECK(scene.wired.place(meter(1)) != nullptr);
}

TEST_CASE("wired meters: a forged claim over which nothing comes back loses against radio", "[collector]") {
    Scene scene;
    scene.radio[meter(1)] = {.listed = true, .joined = true, .proved = noon};
    scene.table(2, {{1, meter(1), 0}}, noon + 1min);
    REQUIRE(scene.wired.place(meter(1)) != nullptr);
    CHECK_FALSE(scene.wired.failed(meter(1), scene.radio[meter(1)], noon + 2min));
    CHECK(scene.wired.failed(meter(1), scene.radio[meter(1)], noon + 3min));
    CHECK(scene.wired.place(meter(1)) == nullptr);
    CHECK(scene.table(2, {{1, meter(1), 0}}, noon + 4min).empty());
    CHECK(scene.wired.place(meter(1)) == nullptr);
    // unless radio brings nothing either
    CHECK(scene.wired.forgive(meter(1)));
    CHECK(kinds(scene.wired.judge(scene.radio_of(), noon + 5min)) == std::vector{Kind::arrived});
}

TEST_CASE("wired meters: without another way a place is kept through failures", "[collector]") {
    Scene scene;
    scene.table(1, {{1, meter(1), 0}}, noon);
    for (int i = 0; i < 5; ++i)
        CHECK_FALSE(
            scene.wired.failed(meter(1), {.listed = true, .joined = false, .proved = {}}, noon + 1min));
    CHECK(scene.wired.place(meter(1)) != nullptr);
    // somebody else claims it: that is another way
    scene.table(2, {{2, meter(1), 59}}, noon + 1min);
    CHECK(scene.wired.failed(meter(1), {.listed = true, .joined = false, .proved = {}}, noon + 2min));
    scene.wired.judge(scene.radio_of(), noon + 2min);
    REQUIRE(scene.wired.place(meter(1)) != nullptr);
    CHECK(scene.wired.place(meter(1))->collector == box(2));
}

TEST_CASE("wired meters: a join or a reattached node ends the wire", "[collector]") {
    Scene scene;
    scene.table(1, {{1, meter(1), 0}}, noon);
    CHECK_FALSE(scene.wired.seen_on_radio(meter(1), noon - 1s));
    CHECK(scene.wired.seen_on_radio(meter(1), noon + 1s));
    CHECK(scene.wired.place(meter(1)) == nullptr);
    CHECK_FALSE(scene.wired.seen_on_radio(meter(1), noon + 2s));
}

TEST_CASE("wired meters: a table is fetched page by page, and anew when it changed meanwhile",
          "[collector]") {
    Scene scene;
    CHECK_FALSE(scene.wired.take_fetch(noon));
    scene.wired.collector_heard(box(1), noon);
    auto fetch = scene.wired.take_fetch(noon);
    REQUIRE(fetch);
    CHECK(fetch->first == 1);
    CHECK_FALSE(scene.wired.take_fetch(noon));
    const TablePage first{7, 0, 3, {{1, meter(1), 0}, {2, meter(2), 0}}};
    CHECK(scene.wired.page(box(1), 1, first, scene.radio_of(), noon).empty());
    CHECK(scene.wired.place(meter(1)) == nullptr);
    fetch = scene.wired.take_fetch(noon);
    REQUIRE(fetch);
    CHECK(fetch->first == 3);
    CHECK(
        scene.wired.page(box(1), 3, TablePage{8, 0, 0, {{3, meter(3), 0}}}, scene.radio_of(), noon).empty());
    fetch = scene.wired.take_fetch(noon);
    REQUIRE(fetch);
    CHECK(fetch->first == 1);
    CHECK(scene.wired.page(box(1), 1, TablePage{8, 0, 3, first.rows}, scene.radio_of(), noon).empty());
    CHECK(
        scene.wired.page(box(1), 3, TablePage{8, 0, 0, {{3, meter(3), 0}}}, scene.radio_of(), noon).size() ==
        3);
    CHECK(scene.wired.next_fetch() == noon + 10min);
    scene.wired.generation_told(box(1), 8, noon);
    CHECK(scene.wired.next_fetch() == noon + 10min);
    scene.wired.generation_told(box(1), 9, noon);
    CHECK(scene.wired.next_fetch() == noon + 2s);
}

TEST_CASE("wired meters: nobody but a listed collector is believed, and a collector hangs on no wire",
          "[collector]") {
    Scene scene;
    const TablePage page{1, 0, 0, {{1, meter(1), 0}}};
    CHECK(scene.wired.page(box(3), 1, page, scene.radio_of(), noon).empty());
    CHECK(scene.wired.place(meter(1)) == nullptr);
    scene.radio[box(2)] = {.listed = true, .joined = true, .proved = {}};
    CHECK(scene.table(1, {{1, box(2), 0}}, noon).empty());
    CHECK(scene.wired.place(box(2)) == nullptr);
    // taken off the list: its meters have no place any more
    scene.table(1, {{1, meter(1), 0}}, noon);
    scene.wired.set_collectors({box(2)});
    CHECK(kinds(scene.wired.judge(scene.radio_of(), noon)) == std::vector{Kind::left});
}

}  // namespace wattmesh::concentrator
