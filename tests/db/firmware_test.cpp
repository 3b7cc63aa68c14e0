#include "headend/database/firmware.h"

#include "headend/database/desired_states.h"
#include "headend/database/scope.h"
#include "headend/monitor/desired.h"
#include "headend/monitor/firmware_activation.h"
#include "headend/monitor/firmware_job.h"
#include "headend/monitor/firmware_orders.h"
#include "protocol/cosem/image_file.h"
#include "tests/db/real_meter.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;
using namespace headend;
using monitor::FirmwareRefused;

const monitor::FirmwareAsker ada{TenantId{1}, "ada", "new tariffs"};
const security::FileMasterKey any_master{security::Key256{std::array<std::uint8_t, 32>{7}}};

struct Vendor {
    Vendor() : key(ciphers.generate(Curve::p256)) {}
    Buffer file(const std::string& version = "WMT-SIM 2.0.0", std::size_t size = 3'000) {
        cosem::ImageHeader head;
        head.model = "WMT-SIM";
        head.version = version;
        head.identifier = {4, 2};
        return cosem::sign_image(head, Buffer(size, 9), *key, ciphers);
    }
    security::OpensslCiphers ciphers;
    std::unique_ptr<PrivateKey> key;
};

/// A database with an image, and what a monitor does with orders.
struct Depot : RealMeter {
    Depot()
        : parameter_desk(keys, on_demand, road.carry(), ciphers, random),
          distribution(
              queue, [this] { ++refreshes; }, [this] { return clock->at; }),
          activation({.queue = queue,
                      .on_demand = on_demand,
                      .desk = parameter_desk,
                      .pump = [] {},
                      .now = [this] { return clock->at; }}),
          runner(loop, {.owner = "a", .look_real = look}, queue, {&distribution, &activation}) {
        limit(town.console, Scope::of(TenantId{1}));
        add_firmware_vendor(town.console, ada, "Ohm", to_hex(vendor.key->public_key()), clock->at);
        image = keep_firmware_image(town.console, ciphers, ada, vendor.file(), clock->at);
        runner.start();
    }
    ~Depot() { runner.stop(); }
    JobId order(const std::vector<DeviceNumber>& meters = {customer(0), customer(1)}) {
        return order_firmware(town.console, ada, job_of("", clock->at), image.id, meters);
    }
    std::optional<dcu::FirmwareOrder> desired() {
        monitor::refresh_desired(town.monitor, {}, any_master, ciphers, clock->at);
        const auto object = DesiredStates{town.monitor}.find(town.id, dcu::objects::firmware_order);
        if (!object) return std::nullopt;
        return dcu::firmware_order_from_data(dlms::decode_data(object->content).value()).value();
    }
    /// A journal with one word of a meter.
    void tell(DeviceNumber meter, const dcu::ImageTold& told, Duration later = {}) {
        auto batch = town.batch(told_so_far, told_so_far + 1, {});
        ++told_so_far;
        batch.events.push_back({{Sequence{told_so_far}, meter, dcu::EntryKind::image_told, clock->at + later,
                                 false, dcu::encode(told)}});
        REQUIRE(town.store(batch).outcome == StoreOutcome::stored);
    }
    std::string state(DeviceNumber meter) { return Firmware{town.console}.of_meter(meter).value().state; }

    Vendor vendor;
    FirmwareImage image;
    int refreshes = 0;
    std::uint64_t told_so_far = 0;
    monitor::ParameterDesk parameter_desk;
    monitor::FirmwareJob distribution;
    monitor::FirmwareActivation activation;
    jobs::JobRunner runner;
};

dcu::ImageTold told(std::uint32_t number, dcu::ImageState state, std::uint16_t missing = 0,
                    dcu::ImageTrouble trouble = {}) {
    return {.number = number, .state = state, .blocks = 20, .missing = missing, .trouble = trouble};
}

}  // namespace

TEST_CASE("firmware: only what a known vendor signed is kept, and each file once", "[db]") {
    Depot depot;
    auto& console = depot.town.console;
    const auto now = depot.clock->at;
    CHECK(depot.image.version == "WMT-SIM 2.0.0");
    CHECK(depot.town.value("select count(*) from audit where action like 'firmware%'") == 2);
    CHECK_THROWS_AS(
        keep_firmware_image(console, depot.ciphers, ada, depot.vendor.file("WMT-SIM 3", 800'000), now),
        FirmwareRefused);
    Vendor stranger;
    CHECK_THROWS_WITH(keep_firmware_image(console, depot.ciphers, ada, stranger.file(), now),
                      Catch::Contains("No vendor whose key is known"));
    CHECK_THROWS_WITH(keep_firmware_image(console, depot.ciphers, ada, Buffer(300, 1), now),
                      Catch::Contains("no firmware image"));
    CHECK_THROWS_WITH(add_firmware_vendor(console, ada, "Ohm", std::string(128, 'a'), now),
                      Catch::Contains("known already"));
    CHECK_THROWS_AS(add_firmware_vendor(console, ada, "Volt", "12", now), FirmwareRefused);
    const auto file = depot.vendor.file("WMT-SIM 2.1");
    keep_firmware_image(console, depot.ciphers, ada, file, now);
    CHECK_THROWS_WITH(keep_firmware_image(console, depot.ciphers, ada, file, now),
                      Catch::Contains("there already"));
    CHECK(Firmware{console}.images(TenantId{1}).size() == 2);
}

TEST_CASE("firmware: an order is what the concentrator should hold until every meter has said its word",
          "[db]") {
    Depot depot;
    auto& town = depot.town;
    CHECK_FALSE(depot.desired());  // who never distributed anything is not told to distribute nothing
    const auto job = depot.order();
    CHECK_THROWS_WITH(depot.order({customer(1)}), Catch::Contains("An open order is about these meters"));
    depot.turn();
    CHECK(depot.refreshes == 1);
    const auto order = depot.desired().value();
    CHECK(order.meters == std::vector{customer(0), customer(1)});
    CHECK(Buffer{order.image.begin(), order.image.end()} == depot.image.digest);

    FirmwareRoad road{town.frontend};
    auto wanted = road.wanted(unit, {}).value();
    CHECK(wanted.digest == depot.image.digest);
    CHECK(depot.ciphers.digest(Digest::sha256, wanted.content) == wanted.digest);
    CHECK_FALSE(wanted.initiated);
    road.supplied(wanted.digest, {.concentrator = unit,
                                  .state = "sending",
                                  .blocks_done = 1,
                                  .blocks = 2,
                                  .reason = {},
                                  .changed = depot.clock->at});
    wanted = road.wanted(unit, depot.image.digest).value();
    CHECK(wanted.content.empty());
    CHECK(wanted.initiated);

    const auto number = order.number;
    depot.tell(customer(0), told(number, dcu::ImageState::receiving, 15));
    depot.clock->at += 2min;
    depot.turn();
    const auto items = Jobs{town.monitor}.items(job, std::nullopt, 1, 2);
    CHECK(items.at(0).detail == "the meter has 5 of 20 blocks");
    CHECK(items.at(1).detail ==
          "the concentrator has 1 of 2 blocks of the image, the meter was not asked yet");
    CHECK(items.at(0).attempts == 0);

    // Paused, the concentrator shall distribute nothing; what meters hold they keep.
    REQUIRE(Jobs{town.console}.pause(job));
    CHECK(depot.desired().value() == dcu::FirmwareOrder{});
    CHECK_FALSE(road.wanted(unit, {}));
    REQUIRE(Jobs{town.console}.resume(job));
    CHECK(depot.desired().value() == order);

    // A meter's last word ends its item without waiting for the next look; an older word changes nothing.
    depot.tell(customer(0), told(number, dcu::ImageState::verified), 1s);
    depot.tell(customer(0), told(number, dcu::ImageState::receiving, 3), 2s);
    depot.tell(customer(1), told(number + 1, dcu::ImageState::verified));  // of no order of ours
    depot.turn();
    CHECK(depot.state(customer(0)) == "verified");
    CHECK(depot.state(customer(1)) == "waiting");
    CHECK(depot.item(job).state == ItemState::done);
    CHECK(depot.desired().value() == order);  // the other meter still lacks it
    depot.tell(customer(1), told(number, dcu::ImageState::failed, 0, dcu::ImageTrouble::other_model), 1s);
    depot.turn();
    CHECK(Jobs{town.monitor}.find(job)->state == JobState::done);
    CHECK(Jobs{town.monitor}.items(job, std::nullopt, 2, 1).at(0).detail ==
          "failed: the image is for another model");
    CHECK(depot.desired().value() == dcu::FirmwareOrder{});
    const auto counts = Firmware{town.console}.counts(job);
    REQUIRE(counts.size() == 2);
    CHECK(counts[0].state == "failed");
    CHECK(Firmware{town.console}.meters(job, "failed", {}, 10).at(0).meter == customer(1));
    CHECK(Firmware{town.console}.supplies(job).at(0).blocks_done == 1);
}

TEST_CASE("firmware: a meter runs the image that it holds, and says so, also when its answer was lost",
          "[db]") {
    Depot depot;
    auto& town = depot.town;
    const auto activate = [&](Instant at) {
        auto job = job_of("", depot.clock->at);
        return order_activation(town.console, ada, job, depot.image.id, {customer(1)}, at);
    };
    auto job = activate(depot.clock->at);
    depot.turn(8);
    CHECK(depot.item(job).state == ItemState::failed);
    CHECK(depot.item(job).detail == "the meter holds no verified image");

    const auto order = depot.order({customer(1)});
    depot.meter.device.hold_image("WMT-SIM 2.0.0", Buffer{4, 2}, 3'000);
    depot.tell(customer(1), told(depot.desired().value().number, dcu::ImageState::verified));
    depot.turn();
    CHECK(Jobs{town.monitor}.find(order)->state == JobState::done);

    job = activate(depot.clock->at + 1h);  // at a time
    depot.turn(8);
    CHECK(depot.item(job).state == ItemState::waiting);
    CHECK(depot.item(job).detail == "waits for its time");
    CHECK(depot.meter.device.running_firmware() == "WMT-SIM 1.0.0");
    depot.clock->at += 61min;
    depot.turn(12);
    INFO(depot.item(job).detail);
    CHECK(depot.item(job).state == ItemState::done);
    CHECK(depot.meter.device.running_firmware() == "WMT-SIM 2.0.0");
    const auto shown = Firmware{town.console}.of_meter(customer(1)).value();
    CHECK(shown.running == "WMT-SIM 2.0.0");
    CHECK(town.value("select count(*) from audit where action = 'firmware activate' and after = 'WMT-SIM "
                     "2.0.0' and before = 'WMT-SIM 1.0.0' and actor = 'ada'") == 1);

    job = activate(depot.clock->at);  // again: nothing is sent
    depot.turn(8);
    CHECK(depot.item(job).detail == "runs it already: WMT-SIM 2.0.0");
}

}  // namespace wattmesh::test
