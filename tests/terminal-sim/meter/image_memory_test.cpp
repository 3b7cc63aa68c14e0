// Firmware of a simulated meter over restarts.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "protocol/cosem/image_transfer_class.h"
#include "protocol/cosem/schedule.h"
#include "protocol/dlms/date_time.h"
#include "tests/terminal-sim/meter/house.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;
using namespace cosem::image_transfer;

namespace {

constexpr ObisCode image_name{{0, 0, 44, 0, 0, 255}}, image_schedule{{0, 0, 15, 0, 2, 255}},
    firmware_name{{1, 0, 0, 2, 0, 255}};

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "wattmesh-image-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

Buffer image_of(const std::string& line, std::size_t size) {
    Buffer octets = to_buffer(as_bytes(line + "\n"));
    while (octets.size() < size) octets.push_back(static_cast<std::uint8_t>(octets.size() * 7));
    return octets;
}

void send_blocks(House& house, const Buffer& image, std::uint32_t from, std::uint32_t to, Instant now) {
    for (std::uint32_t number = from; number < to; ++number) {
        const auto rest = Bytes{image}.subspan(std::size_t{number} * 128);
        REQUIRE(house.call(
                    image_block_transfer(
                        image_name, {number, to_buffer(rest.first(std::min<std::size_t>(rest.size(), 128)))}),
                    now) == AccessResult::success);
    }
}

}  // namespace

TEST_CASE("image memory: blocks, verification and activation survive a meter that is gone at any moment",
          "[sim]") {
    const Folder folder;
    const Buffer image = image_of("WMT-SIM 1.5.0", 1'000);
    std::vector<Deed> deeds;
    const auto with_meter = [&](const std::function<void(House&)>& what) {
        ImageMemory memory{folder.path / "image"};
        House house{&memory, deeds};
        what(house);
        deeds = house.meter->deeds();
    };
    with_meter([&](House& house) {
        REQUIRE(house.call(image_transfer_initiate(image_name, {{1, 2}, 1'000}), monday) ==
                AccessResult::success);
        send_blocks(house, image, 0, 3, monday);
        send_blocks(house, image, 5, 6, monday);
    });
    with_meter([&](House& house) {
        CHECK(house.value({18, image_name, 6}, monday) == Data{Enum{1}});
        CHECK(house.value({18, image_name, 4}, monday) == Data{std::uint32_t{3}});
        CHECK(house.value({18, image_name, 3}, monday) == Data{BitString{8, {0xE4}}});
        send_blocks(house, image, 3, 5, monday);
        send_blocks(house, image, 6, 8, monday);
    });
    with_meter([&](House& house) {
        CHECK(house.call(image_verify(image_name), monday + 1h) == AccessResult::success);
    });
    with_meter([&](House& house) {
        CHECK(house.value({18, image_name, 6}, monday + 1h) == Data{Enum{3}});
        const auto info = image_to_activate_info.read(house.value({18, image_name, 7}, monday + 1h));
        REQUIRE(info->size() == 1);
        CHECK((*info)[0].identification == Buffer{1, 2});
        CHECK(house.call(image_activate(image_name), monday + 2h) == AccessResult::success);
    });
    with_meter([&](House& house) {
        CHECK(house.value({18, image_name, 6}, monday + 2h) == Data{Enum{6}});
        CHECK(house.value({1, firmware_name, 2}, monday + 2h) == octet_string(as_bytes("WMT-SIM 1.5.0")));
    });
}

TEST_CASE("image memory: a schedule that is gone through again does not activate a later image", "[sim]") {
    const Folder folder;
    std::vector<Deed> deeds;
    const auto bring = [&](House& house, const std::string& line, Instant now) {
        const Buffer image = image_of(line, 300);
        REQUIRE(house.call(image_transfer_initiate(image_name, {{1}, 300}), now) == AccessResult::success);
        send_blocks(house, image, 0, 3, now);
        REQUIRE(house.call(image_verify(image_name), now) == AccessResult::success);
    };
    {
        ImageMemory memory{folder.path / "image"};
        House house{&memory};
        bring(house, "WMT-SIM 2", monday);
        using namespace cosem::single_action_schedule;
        const cosem::single_action_schedule::ExecutionTime at{RawTime{{3, 0, 0, 0}},
                                                              RawDate{{0x07, 0xEA, 11, 16, 0xFF}}};
        REQUIRE(house.write({22, image_schedule, 4}, execution_time.write({at}), monday) ==
                AccessResult::success);
        house.meter->advance(monday + 4h);
        bring(house, "WMT-SIM 3", monday + 5h);
        deeds = house.meter->deeds();
    }
    ImageMemory memory{folder.path / "image"};
    House house{&memory, deeds};
    CHECK(house.value({1, firmware_name, 2}, monday + 6h) == octet_string(as_bytes("WMT-SIM 2")));
    CHECK(house.value({18, image_name, 6}, monday + 6h) == Data{Enum{3}});
}

TEST_CASE("image memory: a damaged file is named and not believed", "[sim]") {
    const Folder folder;
    const auto file = folder.path / "image";
    {
        ImageMemory memory{file};
        House house{&memory};
        REQUIRE(house.call(image_transfer_initiate(image_name, {{1}, 300}), monday) == AccessResult::success);
    }
    const auto size = std::filesystem::file_size(file);
    const auto damaged = GENERATE(0, 1, 2);
    if (damaged == 0) std::filesystem::resize_file(file, size - 1);
    if (damaged == 1) std::filesystem::resize_file(file, 10);
    if (damaged == 2) std::ofstream{file} << std::string(size, 'x');
    ImageMemory memory{file};
    CHECK_THROWS_WITH(memory.restore(), Catch::Contains("image"));
}
