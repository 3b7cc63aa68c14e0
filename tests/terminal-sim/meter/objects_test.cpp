#include <catch2/catch.hpp>
#include <set>

#include "protocol/cosem/activity_calendar.h"
#include "protocol/cosem/association_ln.h"
#include "protocol/cosem/image_transfer_class.h"
#include "protocol/cosem/measurement.h"
#include "protocol/cosem/profile_generic.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/security_setup.h"
#include "protocol/dlms/date_time.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;
using cosem::MethodCall;
using cosem::Quantity;
using cosem::disconnect_control::ControlMode;
using cosem::disconnect_control::ControlState;

namespace {

constexpr ObisCode calendar{{0, 0, 13, 0, 0, 255}}, limiter_name{{0, 0, 17, 0, 0, 255}},
    supply_schedule{{0, 0, 15, 0, 1, 255}}, image_name{{0, 0, 44, 0, 0, 255}},
    image_schedule{{0, 0, 15, 0, 2, 255}}, security_name{{0, 0, 43, 0, 0, 255}},
    special_days_name{{0, 0, 11, 0, 0, 255}}, firmware_name{{1, 0, 0, 2, 0, 255}};

/// One household with a breaker, and what a client of it gets.
struct House {
    explicit House(const cosem::MeterModel& model = cosem::models::generic,
                   const std::vector<Deed>& deeds = {})
        : street(5) {
        MeterSettings made{.number = customer_number(0), .seed = 5, .installed_at = monday};
        made.model = &model;
        meter.emplace(std::move(made), *street.customers[0], &street.customers[0]->supply(), nullptr);
        meter->replay(deeds);
    }
    Sap manager() const { return meter->settings().model->management_client.client; }
    ReadOutcome read(const AttributeId& id, Instant now, std::optional<Sap> client = {}) {
        std::optional<ReadOutcome> outcome;
        meter->get(id, {}, client.value_or(manager()), now, [&](ReadOutcome o) { outcome = std::move(o); });
        return outcome.value();
    }
    Data value(const AttributeId& id, Instant now) { return std::get<Data>(read(id, now)); }
    AccessResult write(const AttributeId& id, const Data& data, Instant now, std::optional<Sap> client = {}) {
        std::optional<AccessResult> result;
        meter->set(id, data, client.value_or(manager()), now, [&](AccessResult r) { result = r; });
        return result.value();
    }
    AccessResult call(const MethodCall& method, Instant now, std::optional<Sap> client = {}) {
        std::optional<ActionOutcome> outcome;
        meter->act(method.id, method.argument, client.value_or(manager()), now,
                   [&](ActionOutcome o) { outcome = std::move(o); });
        return outcome.value().result;
    }
    /// The same meter after a restart.
    House restarted() const { return House{*meter->settings().model, meter->deeds()}; }
    std::vector<cosem::association_ln::ListedObject> list(Sap client) {
        const auto listed = cosem::association_ln::object_list.read(
            std::get<Data>(read({15, obis::current_association, 2}, monday, client)));
        REQUIRE(listed);
        return *listed;
    }

    Street street;
    std::optional<Meter> meter;
};

RawDateTime at(Instant when) { return cosem::raw({.at = when}); }

Data schedule_at(Instant when) {
    using namespace cosem::single_action_schedule;
    return execution_time.write({execution_at(at(when))});
}

/// An image of a simulated meter.
Buffer firmware(std::string_view version, std::size_t size = 1000) {
    Buffer image = to_buffer(as_bytes(version));
    image.push_back('\n');
    image.resize(size, 0x5A);
    return image;
}

void send_image(House& house, const Buffer& image, Instant now) {
    using namespace cosem::image_transfer;
    REQUIRE(
        house.call(image_transfer_initiate(image_name, {{1, 2}, static_cast<std::uint32_t>(image.size())}),
                   now) == AccessResult::success);
    for (std::uint32_t i = 0; std::size_t{i} * 128 < image.size(); ++i) {
        const auto part = Bytes{image}.subspan(std::size_t{i} * 128);
        REQUIRE(
            house.call(image_block_transfer(
                           image_name, {i, to_buffer(part.first(std::min<std::size_t>(128, part.size())))}),
                       now) == AccessResult::success);
    }
}

}  // namespace

TEST_CASE("objects: every readable attribute of every model's meter is what the class table says", "[sim]") {
    for (const auto* model : cosem::meter_models()) {
        House house{*model};
        const auto objects = house.list(house.manager());
        CHECK(objects.size() > 40);
        for (const auto& object : objects) {
            const auto* spec = cosem::find_class(object.class_id, object.version);
            INFO(model->name << ' ' << to_string(object.logical_name));
            REQUIRE(spec != nullptr);
            CHECK(object.access_rights.attribute_access.size() == spec->attributes.size());
            for (const auto& access : object.access_rights.attribute_access) {
                if ((access.access_mode & 1) == 0) continue;
                const auto outcome =
                    house.read({object.class_id, object.logical_name, access.attribute_id}, monday + 26h);
                INFO(spec->name << '.' << int{access.attribute_id});
                REQUIRE(std::holds_alternative<Data>(outcome));
                const auto fits = cosem::conforms(*spec, access.attribute_id, std::get<Data>(outcome));
                INFO((fits ? "" : to_string(fits.error())));
                CHECK(fits);
            }
        }
    }
}

TEST_CASE("objects: what may be written takes its own value back, and no value of another type", "[sim]") {
    House house;
    int written = 0;
    for (const auto& object : house.list(management_client))
        for (const auto& access : object.access_rights.attribute_access) {
            const AttributeId id{object.class_id, object.logical_name, access.attribute_id};
            INFO(to_string(id.object) << '/' << int{id.attribute});
            const bool writable = (access.access_mode & 2) != 0;
            const auto outcome = house.read(id, monday + 1h);
            if (!std::holds_alternative<Data>(outcome)) continue;
            const auto result = house.write(id, std::get<Data>(outcome), monday + 1h);
            CHECK((result == AccessResult::success) == writable);
            CHECK(house.write(id, Data{DontCare{}}, monday + 1h) ==
                  (writable ? AccessResult::type_unmatched : AccessResult::read_write_denied));
            CHECK(house.write(id, std::get<Data>(outcome), monday + 1h, reading_client) ==
                  AccessResult::read_write_denied);
            written += writable ? 1 : 0;
        }
    CHECK(written > 40);
}

TEST_CASE("objects: classes of a household meter are there", "[sim]") {
    House house;
    std::set<int> classes;
    for (const auto& object : house.list(management_client)) classes.insert(object.class_id);
    for (const int id : {1,  3,  4,  5,  6,  7,  8,  9,  11, 15, 17, 18,  19,  20,  21,  22, 23,
                         28, 29, 40, 41, 42, 45, 47, 64, 70, 71, 72, 111, 112, 113, 115, 116}) {
        INFO(id);
        CHECK(classes.contains(id));
    }
    const auto reading = house.list(reading_client);
    for (const auto& object : reading) {
        INFO(to_string(object.logical_name));
        CHECK(object.class_id != 70);
        CHECK(object.class_id != 64);
        CHECK(object.class_id != 18);
    }
}

TEST_CASE("objects: what was written is there after a restart", "[sim]") {
    House house;
    using namespace cosem::activity_calendar;
    CHECK(house.write(calendar_name_passive.of(calendar), calendar_name_passive.write({'n', 'e', 'w'}),
                      monday + 1h) == AccessResult::success);
    CHECK(house.call(activate_passive_calendar(calendar), monday + 2h) == AccessResult::success);
    const cosem::special_days::Entry day{7, {{0xFF, 0xFF, 12, 25, 0xFF}}, 2};
    CHECK(house.call(cosem::special_days::insert(special_days_name, day), monday + 3h) ==
          AccessResult::success);

    House again = house.restarted();
    CHECK(*calendar_name_active.read(again.value(calendar_name_active.of(calendar), monday + 4h)) ==
          Buffer{'n', 'e', 'w'});
    CHECK(*cosem::special_days::entries.read(again.value({11, special_days_name, 2}, monday + 4h)) ==
          std::vector{day});
    CHECK(again.meter->deeds() == house.meter->deeds());
    CHECK(house.call(cosem::special_days::delete_(special_days_name, 7), monday + 5h) ==
          AccessResult::success);
    CHECK(house.call(cosem::special_days::delete_(special_days_name, 7), monday + 5h) ==
          AccessResult::other_reason);
    CHECK(house.restarted().value({11, special_days_name, 2}, monday + 6h) == Data{Array{}});
}

TEST_CASE("objects: a passive calendar becomes active at its time", "[sim]") {
    House house;
    using namespace cosem::activity_calendar;
    house.write(calendar_name_passive.of(calendar), calendar_name_passive.write({'x'}), monday + 1h);
    house.write(activate_passive_calendar_time.of(calendar),
                activate_passive_calendar_time.write(at(monday + 5h)), monday + 1h);
    CHECK(*calendar_name_active.read(house.value({20, calendar, 2}, monday + 5h - 1s)) != Buffer{'x'});
    CHECK(*calendar_name_active.read(house.value({20, calendar, 2}, monday + 5h)) == Buffer{'x'});
}

TEST_CASE("disconnect control: modes decide whether a reconnection needs a hand", "[sim]") {
    using namespace cosem::disconnect_control;
    House house;
    const auto mode =
        GENERATE(ControlMode::mode_1, ControlMode::mode_2, ControlMode::mode_4, ControlMode::mode_6);
    CAPTURE(static_cast<int>(mode));
    const auto state = [](House& of, Instant now) {
        return *control_state.read(of.value({70, obis::disconnect_control, 3}, now));
    };
    CHECK(house.write(control_mode.of(obis::disconnect_control), control_mode.write(mode), monday + 1h) ==
          AccessResult::success);
    CHECK(house.call(remote_disconnect(obis::disconnect_control), monday + 2h) == AccessResult::success);
    CHECK(state(house, monday + 2h) == ControlState::disconnected);
    CHECK_FALSE(house.meter->reconnect_by_hand(monday + 2h));
    CHECK(house.call(remote_reconnect(obis::disconnect_control), monday + 3h) == AccessResult::success);
    if (mode == ControlMode::mode_2 || mode == ControlMode::mode_4) {
        CHECK(state(house, monday + 3h) == ControlState::connected);
        return;
    }
    CHECK(state(house, monday + 3h) == ControlState::ready_for_reconnection);
    House again = house.restarted();
    CHECK(state(again, monday + 3h) == ControlState::ready_for_reconnection);
    CHECK(again.meter->deeds().size() == house.meter->deeds().size());
    CHECK(house.meter->reconnect_by_hand(monday + 4h));
    CHECK(state(house, monday + 4h) == ControlState::connected);
}

TEST_CASE("disconnect control: in mode none the supply cannot be cut", "[sim]") {
    using namespace cosem::disconnect_control;
    House house;
    house.write(control_mode.of(obis::disconnect_control), control_mode.write(ControlMode::none),
                monday + 1h);
    CHECK(house.call(remote_disconnect(obis::disconnect_control), monday + 2h) == AccessResult::other_reason);
    CHECK(house.value({70, obis::disconnect_control, 2}, monday + 2h) == Data{true});
    CHECK(house.write(control_mode.of(obis::disconnect_control), Enum{7}, monday + 2h) ==
          AccessResult::type_unmatched);
}

TEST_CASE("single action schedule: cuts the supply at its time, once, and a time gone by does nothing",
          "[sim]") {
    House house;
    CHECK(house.write({22, supply_schedule, 4}, schedule_at(monday + 3h), monday + 4h) ==
          AccessResult::success);
    CHECK(house.value({70, obis::disconnect_control, 2}, monday + 5h) == Data{true});
    CHECK(house.write({22, supply_schedule, 4}, schedule_at(monday + 6h + 10s), monday + 5h) ==
          AccessResult::success);
    CHECK(house.value({70, obis::disconnect_control, 2}, monday + 6h + 9s) == Data{true});
    CHECK(house.value({70, obis::disconnect_control, 2}, monday + 6h + 10s) == Data{false});
    CHECK(house.call(cosem::disconnect_control::remote_reconnect(obis::disconnect_control), monday + 7h) ==
          AccessResult::success);
    CHECK(house.value({70, obis::disconnect_control, 2}, monday + 30h) == Data{true});

    House again = house.restarted();
    CHECK(again.value({70, obis::disconnect_control, 2}, monday + 30h) == Data{true});
    CHECK(again.meter->registers(monday + 30h).total() == house.meter->registers(monday + 30h).total());
    CHECK(again.value({7, obis::event_log, 2}, monday + 30h) ==
          house.value({7, obis::event_log, 2}, monday + 30h));
}

TEST_CASE("limiter: opens the breaker when power stays above the threshold", "[sim]") {
    House house;
    CHECK(house.meter->watts(monday + 1h) > 10);
    const Data low{std::uint32_t{10}};
    CHECK(house.write(cosem::limiter::threshold_normal.of(limiter_name), low, monday + 1h + 1s) ==
          AccessResult::success);
    CHECK(house.value(cosem::limiter::threshold_active.of(limiter_name), monday + 1h + 2s) == low);
    CHECK(house.write(cosem::limiter::min_over_threshold_duration.of(limiter_name), Data{std::uint32_t{120}},
                      monday + 1h + 3s) == AccessResult::success);
    const Instant trip = monday + 1h + 15min + 120s;
    CHECK(house.value({70, obis::disconnect_control, 2}, trip - 1s) == Data{true});
    CHECK(house.value({70, obis::disconnect_control, 2}, trip) == Data{false});
    CHECK(*cosem::disconnect_control::control_state.read(
              house.value({70, obis::disconnect_control, 3}, trip)) == ControlState::ready_for_reconnection);
    CHECK(house.meter->watts(trip + 1s) == 0);
    House again = house.restarted();
    CHECK(again.value({70, obis::disconnect_control, 2}, trip - 1s) == Data{true});
    CHECK(again.value({70, obis::disconnect_control, 2}, trip + 1h) == Data{false});
    CHECK(again.meter->registers(trip + 1h).total() == house.meter->registers(trip + 1h).total());
}

TEST_CASE("image transfer: blocks, verification, activation at once", "[sim]") {
    using namespace cosem::image_transfer;
    House house;
    const Instant now = monday + 1h;
    CHECK(house.value({18, image_name, 6}, now) == Data{Enum{0}});
    send_image(house, firmware("WMT-SIM 1.1.0"), now);
    CHECK(house.value({18, image_name, 4}, now) == Data{std::uint32_t{8}});
    CHECK(house.call(image_activate(image_name), now) == AccessResult::other_reason);  // not verified
    CHECK(house.call(image_verify(image_name), now) == AccessResult::success);
    const auto info = image_to_activate_info.read(house.value({18, image_name, 7}, now));
    REQUIRE(info);
    REQUIRE(info->size() == 1);
    CHECK((*info)[0].size == 1000);
    CHECK((*info)[0].identification == Buffer{1, 2});
    CHECK(house.value({1, firmware_name, 2}, now) == octet_string(as_bytes("WMT-SIM 1.0.0")));
    CHECK(house.call(image_activate(image_name), now) == AccessResult::success);
    CHECK(house.value({18, image_name, 6}, now) == Data{Enum{6}});
    CHECK(house.value({1, firmware_name, 2}, now) == octet_string(as_bytes("WMT-SIM 1.1.0")));
    CHECK(house.restarted().value({1, firmware_name, 2}, now) == octet_string(as_bytes("WMT-SIM 1.1.0")));
}

TEST_CASE("image transfer: missing blocks show in the bitmap and fail the verification", "[sim]") {
    using namespace cosem::image_transfer;
    House house;
    const Buffer image = firmware("WMT-SIM 2", 300);
    CHECK(house.call(image_block_transfer(image_name, {0, Buffer(128)}), monday) ==
          AccessResult::other_reason);
    CHECK(house.call(image_transfer_initiate(image_name, {{1}, 5 << 20}), monday) ==
          AccessResult::other_reason);
    CHECK(house.call(image_transfer_initiate(image_name, {{1}, 300}), monday) == AccessResult::success);
    const auto block = [&](std::uint32_t number, std::size_t size) {
        return house.call(
            image_block_transfer(image_name, {number, to_buffer(Bytes{image}.subspan(number * 128, size))}),
            monday);
    };
    CHECK(block(0, 128) == AccessResult::success);
    CHECK(block(2, 44) == AccessResult::success);
    CHECK(block(1, 100) == AccessResult::other_reason);  // short
    CHECK(house.call(image_block_transfer(image_name, {3, Buffer(1)}), monday) == AccessResult::other_reason);
    CHECK(house.value({18, image_name, 3}, monday) == Data{BitString{3, {0xA0}}});
    CHECK(house.value({18, image_name, 4}, monday) == Data{std::uint32_t{1}});
    CHECK(house.call(image_verify(image_name), monday) == AccessResult::other_reason);
    CHECK(house.value({18, image_name, 6}, monday) == Data{Enum{4}});
}

TEST_CASE("image transfer: an image of another meter type fails, and a scheduled one waits for its time",
          "[sim]") {
    using namespace cosem::image_transfer;
    House house;
    send_image(house, firmware("WMT-OLD 9"), monday);
    CHECK(house.call(image_verify(image_name), monday) == AccessResult::other_reason);
    send_image(house, firmware("WMT-SIM 3"), monday + 1h);
    CHECK(house.call(image_verify(image_name), monday + 1h) == AccessResult::success);
    CHECK(house.write({22, image_schedule, 4}, schedule_at(monday + 9h), monday + 1h) ==
          AccessResult::success);
    CHECK(house.value({1, firmware_name, 2}, monday + 9h - 1s) == octet_string(as_bytes("WMT-SIM 1.0.0")));
    CHECK(house.value({1, firmware_name, 2}, monday + 9h) == octet_string(as_bytes("WMT-SIM 3")));
    CHECK(house.restarted().value({1, firmware_name, 2}, monday + 10h) ==
          octet_string(as_bytes("WMT-SIM 3")));
}

TEST_CASE("security setup: a policy gets stronger only, keys go to whoever holds them", "[sim]") {
    using namespace cosem::security_setup;
    House house;
    const auto policy = [&] { return *house.value({64, security_name, 2}, monday).integer(); };
    CHECK(policy() == 0x6C);
    CHECK(house.call(security_activate(security_name, static_cast<Policy>(0x0C)), monday) ==
          AccessResult::other_reason);
    CHECK(house.call(security_activate(security_name, static_cast<Policy>(0x7C)), monday) ==
          AccessResult::success);
    CHECK(policy() == 0x7C);
    CHECK(*house.restarted().value({64, security_name, 2}, monday).integer() == 0x7C);
    CHECK(house.call(key_transfer(security_name, {{KeyId::authentication, Buffer(24, 1)}}), monday) ==
          AccessResult::other_reason);  // nobody takes keys
    CHECK(house.value({64, security_name, 5}, monday) ==
          octet_string(Bytes{system_title(customer_number(0)).octets}));

    std::optional<Data> taken;
    MeterSettings made{.number = customer_number(0), .seed = 5, .installed_at = monday};
    made.replace_keys = [&](KeyOwner whose, const Data& argument) {
        taken = argument;
        return whose == KeyOwner::management;
    };
    Meter meter{made, *house.street.customers[0], nullptr, nullptr};
    const auto call = key_transfer(security_name, {{KeyId::authentication, Buffer(24, 1)}});
    meter.act(call.id, call.argument, management_client, monday,
              [](ActionOutcome outcome) { CHECK(outcome.result == AccessResult::success); });
    CHECK(taken == call.argument);
    CHECK(meter.deeds().empty());  // keys are no deeds
}

TEST_CASE("models: a meter plays its model's names, clients and columns", "[sim]") {
    House india{*cosem::meter_model("is15959")};
    const auto& model = *india.meter->settings().model;
    CHECK(india.manager() == Sap{48});
    CHECK(india.read({1, obis::logical_device_name, 2}, monday, Sap{16}) ==
          ReadOutcome{
              octet_string(as_bytes(std::string{model.makers.front()} + to_string(customer_number(0))))});
    CHECK(std::holds_alternative<AccessResult>(india.read({8, obis::clock, 2}, monday, management_client)));
    const auto columns =
        cosem::profile_generic::capture_objects.read(india.value({7, obis::load_profile, 3}, monday));
    REQUIRE(columns);
    CHECK(std::ranges::equal(*columns, model.profile(Quantity::load_profile)->columns));
    const auto rows = india.value({7, obis::load_profile, 2}, monday + 6h);
    REQUIRE(rows.elements()->size() == 24);
    const auto& row = *(*rows.elements())[10].elements();
    REQUIRE(row.size() == columns->size());
    CHECK(row[1].integer() > 2'200);              // average voltage, tenths
    CHECK(row[3].integer() >= row[2].integer());  // apparent is never less than active
    CHECK(std::holds_alternative<Data>(india.read({3, {{1, 0, 9, 8, 0, 255}}, 2}, monday)));
    CHECK(india.read({3, obis::reactive_import_total, 2}, monday) ==
          ReadOutcome{AccessResult::object_undefined});

    House idis{*cosem::meter_model("idis")};
    CHECK(std::holds_alternative<Data>(idis.read({7, {{1, 0, 99, 2, 0, 255}}, 2}, monday + 26h)));
    CHECK(idis.read({7, obis::daily_profile, 2}, monday) == ReadOutcome{AccessResult::object_undefined});
    CHECK(cosem::model_of(idis.meter->logical_device_name()).name == "idis");
}

TEST_CASE("demand: averages, maximum and the tariff that counts", "[sim]") {
    House house;
    const ObisCode demand{{1, 0, 1, 4, 0, 255}}, maximum{{1, 0, 1, 6, 0, 255}},
        activation{{0, 0, 14, 0, 0, 255}};
    const Instant now = monday + 12h + 5min;
    const auto rows = house.value({7, obis::load_profile, 2}, now);
    const auto& list = *rows.elements();
    std::int64_t greatest = 0;
    for (const auto& row : list) greatest = std::max(greatest, *(*row.elements())[2].integer() * 4);
    CHECK(house.value({5, demand, 3}, now).integer() == *(*list.back().elements())[2].integer() * 4);
    CHECK(house.value({4, maximum, 2}, now).integer() == greatest);
    CHECK(house.value({6, activation, 4}, now) == octet_string(as_bytes("T1")));
    CHECK(house.value({6, activation, 4}, monday + 23h) == octet_string(as_bytes("T2")));
}
