#include <catch2/catch.hpp>
#include <deque>

#include "tests/concentrator/mesh/meter_flash.h"
#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t street_meters = 40;

struct ImageStreet {
    ImageStreet()
        : town{{.kind = sim::LayoutKind::rural, .meters = street_meters, .seed = 6},
               {.seed = 6, .start = town_start}},
          vendor{town.ciphers} {
        for (std::size_t i = 0; i < street_meters; ++i) {
            flashes.emplace_back(vendor, i == odd_one ? "OTHER" : "WMT-SIM");
            town.field->set_image_flash(i, &flashes.back());
        }
        REQUIRE(form(town, 600s).size() == street_meters);
        town.run_for(60s);
    }
    concentrator::ImageOrder order(Buffer file, std::uint32_t number = 1) const {
        concentrator::ImageOrder order{.number = number, .octets = std::move(file)};
        for (std::size_t i = 0; i < street_meters; ++i) order.meters.push_back(meter_number(i));
        return order;
    }
    std::size_t verified() const {
        return static_cast<std::size_t>(std::count_if(flashes.begin(), flashes.end(), [](const auto& flash) {
            return flash.offer() && flash.state() == mesh::ImageState::verified;
        }));
    }
    bool run_until_ended(Duration limit) {
        const Instant end = town.now() + limit;
        while (town.now() < end && !ended)
            town.run_until(town.now() + 1s, [&](std::size_t, const concentrator::MeshEvent& event, Instant) {
                if (const auto* one = std::get_if<concentrator::MeshImageEnded>(&event)) ended = *one;
            });
        return ended.has_value();
    }

    static constexpr std::size_t odd_one = 5;  // a meter of another model
    Town town;
    Vendor vendor;
    std::deque<MeterFlash> flashes;
    std::optional<concentrator::MeshImageEnded> ended;
};

}  // namespace

TEST_CASE("mesh image: every meter has it, verified, over cuts of power and a restart of the concentrator",
          "[mesh][town][image]") {
    ImageStreet street;
    const Buffer file = street.vendor.file(12'000);
    const auto blocks = (file.size() + mesh::image_block_size - 1) / mesh::image_block_size;
    REQUIRE(street.town.roots[0]->distribute_image(street.order(file), street.town.now()));
    const auto halfway = [&](std::size_t meter) { return street.flashes[meter].held() >= blocks / 3; };
    for (int i = 0; i < 3'000 && !halfway(7); ++i) street.town.run_for(1s);
    REQUIRE(halfway(7));
    CHECK(street.verified() == 0);
    // The power of one meter goes, then the concentrator restarts and remembers nothing of the image.
    street.town.field->kill(meter_number(7));
    const auto held = street.flashes[7].held();
    street.town.run_for(20s);
    street.town.field->revive(meter_number(7));
    const Buffer state = street.town.roots[0]->save_state();
    street.town.roots[0].reset();
    street.town.run_for(5s);
    street.town.start_root(0, mesh::PhyRate::kbit50, state);
    CHECK(street.flashes[7].held() >= held);
    REQUIRE(street.town.roots[0]->distribute_image(street.order(file), street.town.now()));

    REQUIRE(street.run_until_ended(4h));
    CHECK(street.verified() == street_meters - 1);
    CHECK(street.ended->progress.verified == street_meters - 1);
    CHECK(street.ended->progress.failed == 1);
    CHECK(street.flashes[ImageStreet::odd_one].state() == mesh::ImageState::failed);
    for (const auto& flash : street.flashes) {
        CHECK(to_buffer(flash.octets()) == file);
        CHECK(flash.kept == blocks);  // none was taken twice: what was there before the troubles counted
    }
    INFO("passes " << street.ended->progress.passes << " broadcasts " << street.ended->progress.broadcasts
                   << " alone " << street.ended->progress.alone << " asked " << street.ended->progress.asked);
    CHECK(street.ended->progress.alone < street_meters * blocks / 10);
    CHECK_FALSE(street.town.roots[0]->image_progress());
}

TEST_CASE("mesh image: a relay command does not wait for it, and it waits for reads", "[mesh][town][image]") {
    ImageStreet street;
    REQUIRE(
        street.town.roots[0]->distribute_image(street.order(street.vendor.file(30'000)), street.town.now()));
    street.town.run_for(120s);
    std::size_t answered = 0;
    for (std::size_t i = 0; i < street_meters; ++i) {
        street.town.run_for(700ms);  // somewhere between two blocks, or in the middle of one
        answered += street.town.read(i, 5s).answered ? 1 : 0;
    }
    CHECK(answered == street_meters);
    CHECK(street.town.roots[0]->image_progress()->broadcasts > 30);
    // No block leaves while a read waits or is on the air.
    auto& root = *street.town.roots[0];
    for (std::size_t i = 0; i < street_meters; ++i)
        root.send(meter_number(i), {1, 2}, 3, street.town.now(), 25s);
    const auto before = root.image_progress()->broadcasts;
    int looks = 0;
    for (; root.in_flight() > 0; ++looks) {
        CHECK(root.image_progress()->broadcasts == before);
        street.town.run_for(100ms);
    }
    CHECK(looks > 10);
    street.town.run_for(20s);
    CHECK(root.image_progress()->broadcasts > before + 2);
}

TEST_CASE("mesh image: a meter without room refuses, a forged file fails, nobody takes an older one",
          "[mesh][town][image]") {
    ImageStreet street;
    street.flashes[3].room = 1'000;
    Buffer forged = street.vendor.file(2'000);
    forged.back() ^= 1;
    REQUIRE(street.town.roots[0]->distribute_image(street.order(forged, 9), street.town.now()));
    REQUIRE(street.run_until_ended(2h));
    CHECK(street.ended->progress.verified == 0);
    CHECK(street.ended->progress.failed == street_meters - 1);
    CHECK(street.ended->progress.refused == 1);
    street.ended.reset();
    REQUIRE(street.town.roots[0]->distribute_image(street.order(street.vendor.file(2'000, "WMT-SIM", 8), 9),
                                                   street.town.now()));
    REQUIRE(street.run_until_ended(2h));
    CHECK(street.ended->progress.refused == street_meters);
    CHECK(street.ended->progress.broadcasts == 0);
    CHECK_FALSE(street.town.roots[0]->distribute_image(street.order(Buffer(mesh::image_size_max + 1), 10),
                                                       street.town.now()));
}
