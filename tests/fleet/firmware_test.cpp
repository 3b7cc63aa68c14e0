#include <unistd.h>

#include <catch2/catch.hpp>

#include "protocol/cosem/image_file.h"
#include "tests/fleet/world.h"

namespace wattmesh::fleet {
namespace {

using namespace std::chrono_literals;

std::filesystem::path firmware_folder() {
    return std::filesystem::temp_directory_path() / ("wattmesh-firmware-" + std::to_string(getpid()));
}

Buffer signed_file(PrivateKey& key, Ciphers& ciphers, const std::string& model) {
    Buffer image(20'000);
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(i * 37 + i / 253);
    cosem::ImageHeader header;
    header.model = model;
    header.version = "WMT-SIM 2.0.0";
    header.identifier = {1, 2};
    return cosem::sign_image(header, image, key, ciphers);
}

struct Campaign {
    explicit Campaign(std::uint64_t seed) : model(make_scene(seed)), world(seed, model, firmware_folder()) {
        const auto& town = world.scene().town;
        for (const auto& meter : town.meters)
            if (meter.concentrator == town.concentrators[0] && !meter.collector)
                meters.push_back(meter.number);
        wired = std::find_if(town.meters.begin(), town.meters.end(), [](const auto& meter) {
                    return meter.collector.has_value();
                })->number;
    }
    void order(const Buffer& file, std::uint32_t number) {
        dcu::FirmwareOrder order{.number = number, .image = {}, .ends = world.now() + 48h, .meters = meters};
        order.meters.push_back(wired);
        const auto digest = ciphers.digest(Digest::sha256, file);
        std::copy(digest.begin(), digest.end(), order.image.begin());
        world.depot().offer(world.scene().town.concentrators[0], digest, file);
        world.wanted().order(world.scene().town.concentrators[0], order);
    }
    std::size_t in_state(dcu::ImageState state) const {
        return static_cast<std::size_t>(
            std::count_if(model.told().begin(), model.told().end(),
                          [&](const auto& one) { return one.second.state == state; }));
    }
    bool run_until(const std::function<bool()>& reached, Duration most, Duration step = 10s) {
        const auto end = world.now() + most;
        while (!reached() && world.now() < end) world.run_until(world.now() + step);
        return reached();
    }

    security::OpensslCiphers ciphers;
    MemoryModel model;
    World world;
    std::vector<DeviceNumber> meters;  ///< on radio at the first concentrator
    DeviceNumber wired;
};

}  // namespace

TEST_CASE("firmware: an image gets from the head-end to every meter, whatever crashes on the way",
          "[fleet][firmware]") {
    Campaign campaign{7};
    auto& world = campaign.world;
    const auto site = world.scene().town.concentrators[0];
    world.run_until(world.start() + 30min);
    const auto file = signed_file(world.vendor(), campaign.ciphers, "WMT-SIM");
    campaign.order(file, 5);

    // The uplink breaks in the middle of the image, and again: what is there is not sent again.
    REQUIRE(campaign.run_until([&] { return world.depot().initiations > 0; }, 10min, 10ms));
    REQUIRE_FALSE(world.depot().verified[site]);
    world.cut(0, false);
    world.crash_head(0, 2min);
    world.crash_head(1, 3min);
    world.run_until(world.now() + 4min);
    REQUIRE(campaign.run_until([&] { return world.depot().verified[site]; }, 30min));
    CHECK(world.depot().initiations == 1);
    CHECK(world.depot().failures == 0);

    // The concentrator crashes while the mesh carries blocks: image and order are on its disk.
    REQUIRE(campaign.run_until([&] { return campaign.in_state(dcu::ImageState::receiving) >= 5; }, 1h));
    world.crash_concentrator(0, 3min, false);
    world.kill_meter(0, 20min);
    const auto all = campaign.meters.size();
    CHECK(campaign.run_until([&] { return campaign.in_state(dcu::ImageState::verified) == all; }, 12h));
    CHECK(world.depot().initiations == 1);  // to the concentrator it went once
    // Over a collector's wire no image goes, and the operator hears why.
    CHECK(campaign.model.told().at(campaign.wired).trouble == dcu::ImageTrouble::on_wire);
    for (const auto& [meter, told] : campaign.model.told()) CHECK(told.number == 5);
}

TEST_CASE("firmware: meters refuse what is not for them, and say why", "[fleet][firmware]") {
    Campaign campaign{7};
    auto& world = campaign.world;
    const auto all = campaign.meters.size();
    world.run_until(world.start() + 30min);
    campaign.order(signed_file(world.vendor(), campaign.ciphers, "OTHER"), 1);
    const auto say = [&](dcu::ImageTrouble why) {
        return std::count_if(campaign.model.told().begin(), campaign.model.told().end(),
                             [&](const auto& one) { return one.second.trouble == why; });
    };
    CHECK(campaign.run_until(
        [&] { return say(dcu::ImageTrouble::other_model) == static_cast<std::ptrdiff_t>(all); }, 12h));
    const auto stranger = campaign.ciphers.generate(Curve::p256);
    campaign.order(signed_file(*stranger, campaign.ciphers, "WMT-SIM"), 2);
    CHECK(campaign.run_until(
        [&] { return say(dcu::ImageTrouble::not_signed) == static_cast<std::ptrdiff_t>(all); }, 12h));
    CHECK(campaign.in_state(dcu::ImageState::verified) == 0);
}

}  // namespace wattmesh::fleet
