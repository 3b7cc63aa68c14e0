#include <catch2/catch.hpp>

#include "protocol/mesh/last_gasp.h"
#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;

namespace {

/// What the concentrator said of the power, and when.
struct Told {
    std::map<DeviceNumber, bool> dark;  ///< inferred?
    std::set<DeviceNumber> back;
    std::vector<std::pair<concentrator::MeshOutage, Instant>> outages;
    std::vector<dcu::OutageEnd> ends;
    std::set<DeviceNumber> lost;
    std::map<std::uint32_t, dcu::ReadFault> failed;

    void operator()(std::size_t, const concentrator::MeshEvent& event, Instant at) {
        if (const auto* power = std::get_if<concentrator::MeshPower>(&event)) {
            if (power->on)
                back.insert(power->meter);
            else
                dark[power->meter] = power->inferred;
        }
        if (const auto* outage = std::get_if<concentrator::MeshOutage>(&event))
            outages.emplace_back(*outage, at);
        if (const auto* end = std::get_if<concentrator::MeshRestored>(&event)) ends.push_back(end->end);
        if (const auto* gone = std::get_if<concentrator::MeshLost>(&event)) lost.insert(gone->meter);
        if (const auto* gone = std::get_if<concentrator::MeshDeleted>(&event)) lost.insert(gone->meter);
        if (const auto* failure = std::get_if<concentrator::MeshFailure>(&event))
            failed[failure->handle] = failure->reason;
    }
    std::size_t reported() const {
        std::size_t count = 0;
        for (const auto& [meter, inferred] : dark) count += inferred ? 0 : 1;
        return count;
    }
};

struct Street {
    explicit Street(const sim::LayoutRequest& request)
        : town{request, {.seed = request.seed, .start = town_start}} {
        joined = form(town, 900s);
        town.run_for(120s);
    }
    Street(sim::Layout places, std::uint64_t seed)
        : town{std::move(places), {.seed = seed, .start = town_start}, {}} {
        joined = form(town, 900s);
        town.run_for(120s);
    }
    void run(Duration span) { town.run_until(town.now() + span, told); }
    void darken(std::size_t meter) { town.field->darken(meter_number(meter)); }
    std::size_t size() const { return town.layout.meters.size(); }

    Town town;
    std::set<DeviceNumber> joined;
    Told told;
};

}  // namespace

TEST_CASE("outage: a town that goes dark at once is named within fifteen seconds", "[mesh][town][outage]") {
    Street street{{.kind = sim::LayoutKind::urban, .meters = 120, .seed = 4, .hardness_db = 6}};
    REQUIRE(street.joined.size() >= 115);
    std::map<std::size_t, int> frames;
    const Instant fault = street.town.now();
    street.town.field->set_observer(
        [&](std::size_t station, Bytes, Instant) { frames[station] += station < street.size() ? 1 : 0; });
    for (std::size_t i = 0; i < street.size(); ++i) street.darken(i);
    street.run(16s);
    for (const auto& [station, sent] : frames)
        CHECK(sent <= mesh::LastGasp::frames_max + 1);  // one may have been on the air already
    REQUIRE(street.told.outages.size() == 1);
    const auto& [outage, at] = street.told.outages.front();
    CHECK(at - fault <= 15s);
    CHECK(outage.outage.reported >= street.joined.size() * 9 / 10);
    CHECK(outage.outage.reported + outage.outage.inferred >= street.joined.size() - 1U);
    CHECK(outage.outage.reported == street.told.reported());
    CHECK(street.told.dark.size() == outage.outage.reported + outage.outage.inferred);
    CHECK(node_of(street.town, 3).state == dcu::NodeState::dark);
    // A read that has no chance says why, at once.
    const auto handle = street.town.roots[0]->send(meter_number(3), {1, 2}, 3, street.town.now(), 10s);
    street.run(1s);
    REQUIRE(street.told.failed.contains(handle));
    CHECK(street.told.failed[handle] == dcu::ReadFault::outage);

    street.run(600s);
    for (std::size_t i = 0; i < street.size(); ++i) street.town.field->revive(meter_number(i));
    street.run(600s);
    CHECK(street.told.back.size() == street.told.dark.size());
    REQUIRE(street.told.ends.size() == 1);
    CHECK(street.told.ends.front().back == street.told.dark.size());
    CHECK(street.told.ends.front().missing == 0);
    CHECK(street.told.lost.empty());
    CHECK(street.town.read(3).answered);
}

TEST_CASE("outage: half a street without power, told by the neighbours that still have it",
          "[mesh][town][outage]") {
    Street street{{.kind = sim::LayoutKind::suburban, .meters = 80, .seed = 6, .hardness_db = 6}};
    for (std::size_t i = 0; i < 40; ++i) street.darken(i);
    street.run(16s);
    REQUIRE(street.told.outages.size() == 1);
    CHECK(street.told.reported() >= 36);
    for (const auto& [meter, inferred] : street.told.dark) {
        INFO(to_string(meter) << (inferred ? " inferred" : " reported"));
        CHECK(meter < meter_number(40));
    }
    int answered = 0;
    for (std::size_t i = 40; i < 80; ++i) answered += street.town.read(i).answered ? 1 : 0;
    CHECK(answered >= 36);
}

TEST_CASE("outage: silence without a last gasp is one power cut and deletes nobody", "[mesh][town][outage]") {
    Street street{{.kind = sim::LayoutKind::suburban, .meters = 60, .seed = 9, .hardness_db = 0}};
    for (std::size_t i = 0; i < street.size(); ++i) street.town.field->kill(meter_number(i));
    for (int minute = 0; minute < 10; ++minute) {
        for (std::size_t i = 0; i < 3; ++i)
            street.town.roots[0]->send(meter_number(static_cast<std::size_t>(minute) * 3 + i), {1, 2}, 3,
                                       street.town.now(), 20s);
        street.run(60s);
    }
    for (const auto& [outage, at] : street.told.outages)
        UNSCOPED_INFO("inferred " << outage.outage.inferred << " of " << outage.outage.members);
    REQUIRE(street.told.outages.size() == 1);
    const auto outage = street.told.outages.front().first.outage;
    CHECK(outage.reported == 0);
    CHECK(outage.inferred + 4U >= street.joined.size());
    CHECK(street.told.lost.size() <= 4);  // those whose silence began it
}

/// Twice as many meters as asked for, 500 m apart, and the last one between them with a good antenna.
sim::Layout two_villages(std::size_t meters, std::uint64_t seed) {
    sim::Layout layout =
        sim::layout({.kind = sim::LayoutKind::suburban, .meters = meters, .seed = seed, .hardness_db = 6});
    const auto right = [](const auto& a, const auto& b) { return a.x_cm < b.x_cm; };
    const auto far = layout.meters;
    const auto [first, last] = std::minmax_element(far.begin(), far.end(), right);
    auto relay = *last;
    for (auto place : far) {
        place.x_cm += last->x_cm - first->x_cm + 50'000;
        place.cluster += 1'000;
        layout.meters.push_back(place);
    }
    relay.x_cm += 25'000;
    relay.cluster = 5'000;
    relay.box_loss_mdb = -20'000;
    layout.meters.push_back(relay);
    layout.request.meters = layout.meters.size();
    return layout;
}

TEST_CASE("outage: a dead relay takes along who hangs on it, and nobody else", "[mesh][town][outage]") {
    constexpr std::size_t village = 30;
    Street street{two_villages(village, 5), 5};
    REQUIRE(street.joined.size() == 2 * village + 1);
    street.town.field->kill(meter_number(2 * village));
    const auto hops = street.town.field->oracle_hops();
    for (std::size_t i = 0; i < 2 * village; ++i) REQUIRE((hops[i] > 0) == (i < village));
    for (std::size_t i = village; i < village + 6; ++i) {
        street.town.roots[0]->send(meter_number(i), {1, 2}, 3, street.town.now(), 20s);
        street.run(2s);
    }
    street.run(90s);
    REQUIRE(street.told.outages.size() == 1);
    CHECK(street.told.outages.front().first.outage.reported == 0);
    for (const auto& [meter, inferred] : street.told.dark) CHECK(meter >= meter_number(village));
    CHECK(street.told.dark.size() >= village);
    CHECK(street.told.lost.empty());
}

TEST_CASE("outage: a flicker is over when the meter says so", "[mesh][town][outage]") {
    Street street{{.kind = sim::LayoutKind::suburban, .meters = 30, .seed = 2}};
    street.darken(5);
    street.darken(6);
    street.run(6s);
    CHECK(street.told.dark.size() == 2);
    street.town.field->revive(meter_number(5));
    street.town.field->revive(meter_number(6));
    street.run(60s);
    CHECK(street.told.back == std::set<DeviceNumber>{meter_number(5), meter_number(6)});
    CHECK(street.town.read(5).answered);
}

TEST_CASE("outage: U500 dark at once", "[.][nightly][outage]") {
    const auto seed = GENERATE(range(1, 11));
    Street street{{.kind = sim::LayoutKind::urban,
                   .meters = 500,
                   .seed = static_cast<std::uint64_t>(seed),
                   .hardness_db = 6}};
    const Instant fault = street.town.now();
    for (std::size_t i = 0; i < street.size(); ++i) street.darken(i);
    street.run(16s);
    REQUIRE(street.told.outages.size() == 1);
    const auto& [outage, at] = street.told.outages.front();
    WARN("seed " << seed << ": joined " << street.joined.size() << ", reported " << outage.outage.reported
                 << ", inferred " << outage.outage.inferred << ", told after "
                 << static_cast<double>((at - fault).count()) / 1e6 << " s");
    CHECK(at - fault <= 15s);
    CHECK(outage.outage.reported * 10 >= street.joined.size() * 9);
    CHECK(outage.outage.reported + outage.outage.inferred + 5U >= street.joined.size());
}
