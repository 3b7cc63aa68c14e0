#include "terminal-sim/field/mesh_flash.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "protocol/cosem/image_file.h"
#include "security/ciphers.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using mesh::ImageState;
using mesh::ImageTrouble;

namespace {

const Instant built{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};

/// A meter with a flash in a file, and a vendor.
struct Cellar {
    Cellar()
        : folder(std::filesystem::temp_directory_path() / ("wattmesh-flash-" + std::to_string(getpid()))) {
        std::filesystem::create_directories(folder);
        power_on();
    }
    ~Cellar() { std::filesystem::remove_all(folder); }
    void power_on() {
        flash.reset();
        meter = std::make_unique<Meter>(
            MeterSettings{.number = *DeviceNumber::parse("540000000001"), .seed = 5, .installed_at = built},
            *street.customers[0], &street.customers[0]->supply(), nullptr);
        flash = std::make_unique<MeshFlash>(folder / "flash", vendor->public_key(), *meter, ciphers);
    }
    Buffer file(PrivateKey& key, const std::string& model) {
        cosem::ImageHeader header;
        header.model = model;
        header.version = "WMT-SIM 7";
        header.identifier = {7};
        return cosem::sign_image(header, Buffer(500, 3), key, ciphers);
    }
    mesh::ImageOffer offer(const Buffer& octets, std::uint32_t number = 1) {
        mesh::ImageOffer made{.number = number, .size = static_cast<std::uint32_t>(octets.size())};
        const auto digest = ciphers.digest(Digest::sha256, octets);
        std::copy(digest.begin(), digest.end(), made.sha256.begin());
        return made;
    }
    void keep(const Buffer& octets, std::uint16_t block) {
        const auto made = flash->offer().value();
        flash->keep(block, Bytes{octets}.subspan(block * mesh::image_block_size, made.block_size(block)));
    }

    std::filesystem::path folder;
    security::OpensslCiphers ciphers;
    std::unique_ptr<PrivateKey> vendor = ciphers.generate(Curve::p256);
    Street street{5};
    std::unique_ptr<Meter> meter;
    std::unique_ptr<MeshFlash> flash;
};

}  // namespace

TEST_CASE("mesh flash: a power cut loses no block, and what was verified may be activated afterwards",
          "[sim]") {
    Cellar cellar;
    const Buffer file = cellar.file(*cellar.vendor, "WMT-SIM");
    REQUIRE(cellar.flash->begin(cellar.offer(file)));
    const auto blocks = static_cast<std::uint16_t>(cellar.flash->offer()->blocks());
    for (std::uint16_t i = 0; i < blocks; ++i) {
        CHECK_FALSE(cellar.flash->holds(i));
        cellar.keep(file, i);
        cellar.power_on();
        REQUIRE(cellar.flash->offer());
        CHECK(cellar.flash->holds(i));
        CHECK(cellar.flash->state() == ImageState::receiving);
    }
    CHECK(to_buffer(cellar.flash->octets()) == file);
    CHECK(cellar.flash->take_over());
    cellar.power_on();
    CHECK(cellar.flash->state() == ImageState::verified);
    CHECK(cellar.meter->running_firmware() == "WMT-SIM 1.0.0");
    dlms::AccessResult answer{};
    cellar.meter->act({18, *ObisCode::parse("0-0:44.0.0*255"), 4}, dlms::Data{std::int8_t{0}},
                      management_client, built + std::chrono::hours{1},
                      [&](const dlms::ActionOutcome& outcome) { answer = outcome.result; });
    CHECK(answer == dlms::AccessResult::success);
    CHECK(cellar.meter->running_firmware() == "WMT-SIM 7");
    cellar.flash->renumber(9);
    CHECK(cellar.flash->offer()->number == 9);
}

TEST_CASE("mesh flash: says why an image is not taken", "[sim]") {
    Cellar cellar;
    const auto judged = [&](const Buffer& file) {
        REQUIRE(cellar.flash->begin(cellar.offer(file)));
        for (std::uint16_t i = 0; i < cellar.flash->offer()->blocks(); ++i) cellar.keep(file, i);
        CHECK_FALSE(cellar.flash->take_over());
        cellar.power_on();
        CHECK(cellar.flash->state() == ImageState::failed);
        return cellar.flash->trouble();
    };
    CHECK(judged(cellar.file(*cellar.vendor, "OTHER")) == ImageTrouble::other_model);
    CHECK(judged(cellar.file(*cellar.ciphers.generate(Curve::p256), "WMT-SIM")) == ImageTrouble::not_signed);
    CHECK(judged(Buffer(300, 1)) == ImageTrouble::not_signed);
    CHECK_FALSE(cellar.flash->begin({.number = 2, .size = mesh::image_size_max + 1}));
    cellar.flash->erase();
    CHECK(cellar.flash->state() == ImageState::receiving);

    std::ofstream{cellar.folder / "flash", std::ios::trunc} << "WMM1 and nothing more";
    cellar.power_on();
    CHECK_FALSE(cellar.flash->offer());
}
