// Push setup (class 40): what a simulated meter sends, when, and as which octets.
#include <catch2/catch.hpp>

#include "protocol/cosem/monitors.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/security_setup.h"
#include "protocol/dlms/apdu.h"
#include "protocol/dlms/date_time.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/push_port.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;
using namespace cosem::push_setup;

namespace {

constexpr ObisCode push_name{{0, 0, 25, 9, 0, 255}}, push_schedule{{0, 0, 15, 0, 4, 255}},
    limiter_name{{0, 0, 17, 0, 0, 255}}, alarm_name{{0, 0, 97, 98, 0, 255}};
constexpr std::uint8_t authenticated_encrypted = 0x30;  // Green Book ed. 10, 9.2.7.2.4.1

struct House {
    House() : street(5) {
        MeterSettings made{.number = customer_number(0), .seed = 5, .installed_at = monday};
        made.push_destination = {TransportService::tcp, to_buffer(as_bytes("127.0.0.1:4059")), {}};
        made.send_push = [this](PushOrder order) { orders.push_back(std::move(order)); };
        meter.emplace(std::move(made), *street.customers[0], &street.customers[0]->supply(), nullptr);
    }
    AccessResult write(const AttributeId& id, const Data& data, Instant now) {
        std::optional<AccessResult> result;
        meter->set(id, data, management_client, now, [&](AccessResult r) { result = r; });
        return result.value();
    }
    template <class T>
    void configure(const cosem::Attribute<T>& which, const T& value) {
        REQUIRE(write({40, push_name, which.id}, which.write(value), monday) == AccessResult::success);
    }
    AccessResult push(Instant now) {
        std::optional<ActionOutcome> outcome;
        meter->act({40, push_name, 1}, Data{std::int8_t{0}}, management_client, now,
                   [&](ActionOutcome o) { outcome = std::move(o); });
        return outcome.value().result;
    }
    Street street;
    std::vector<PushOrder> orders;
    std::optional<Meter> meter;
};

RawDateTime hour(std::uint8_t h) { return {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, h, 0, 0, 0, 0x80, 0, 0xFF}}; }

}  // namespace

TEST_CASE("push setup: push sends the objects of the list, stamped, ciphered as the policy says", "[sim]") {
    House house;
    REQUIRE(house.push(monday + 1h) == AccessResult::success);
    REQUIRE(house.orders.size() == 1);
    const auto& order = house.orders[0];
    CHECK(order.protection == authenticated_encrypted);
    CHECK(order.client == management_client);
    const auto notification = decode_data_notification(order.apdu);
    REQUIRE(notification);
    CHECK(notification->invoke == 1);
    CHECK(octet_string(Bytes{notification->date_time}) == date_time_octets({.at = monday + 1h}));
    const auto& body = *notification->body.elements();
    REQUIRE(body.size() == 4);
    CHECK(body[0] == octet_string(push_name));
    CHECK(body[1] == octet_string(as_bytes(house.meter->logical_device_name())));
    CHECK(body[2] == date_time_octets({.at = monday + 1h}));
    CHECK(body[3].integer() == house.meter->registers(monday + 1h).total().channels[0]);
}

TEST_CASE("push setup: a meter with nowhere to send says so", "[sim]") {
    House house;
    house.configure(send_destination_and_method, Destination{});
    CHECK(house.push(monday) == AccessResult::other_reason);
    CHECK(house.orders.empty());
}

TEST_CASE("push setup: its attributes go with the order, and protection can only be more than the policy's",
          "[sim]") {
    House house;
    house.configure(number_of_retries, std::uint8_t{3});
    house.configure(repetition_delay, std::uint16_t{90});
    house.configure(randomisation_start_interval, std::uint16_t{120});
    house.configure(push_client_sap, std::int8_t{103});
    house.configure(communication_window, std::vector<cosem::Window>{{hour(2), hour(4)}});
    REQUIRE(house.push(monday) == AccessResult::success);
    const auto& order = house.orders.at(0);
    CHECK(order.retries == 3);
    CHECK(order.repetition_delay_s == 90);
    CHECK(order.randomisation_s == 120);
    CHECK(order.client == Sap{103});
    CHECK(order.windows.size() == 1);
}

TEST_CASE("push setup: rows of a profile by entry and by date, and single elements", "[sim]") {
    House house;
    const auto by_entry = structure({Data{std::uint16_t{2}}, Data{std::uint16_t{3}}});
    const auto by_date =
        structure({date_time_octets({.at = monday + 1h}), date_time_octets({.at = monday + 1h + 30min})});
    house.configure(push_object_list_1,
                    {PushObject{7, obis::load_profile, 2, 0, {RestrictionType::by_entry, by_entry}},
                     PushObject{7, obis::load_profile, 2, 0, {RestrictionType::by_date, by_date}},
                     PushObject{3, obis::active_import_total, 3, 2, {}},
                     PushObject{3, ObisCode{{9, 9, 9, 9, 9, 9}}, 2, 0, {}}});
    house.meter->advance(monday + 3h);
    const auto body = house.meter->push_body(monday + 3h);
    const auto& values = *body.elements();
    CHECK(values[0].elements()->size() == 2);
    CHECK(values[1].elements()->size() == 3);  // 01:00, 01:15, 01:30
    CHECK(values[2] == Data{Enum{30}});        // Wh
    CHECK(values[3] == Data{});
}

TEST_CASE("push setup: a schedule with wildcards pushes at each of its times, once", "[sim]") {
    using namespace cosem::single_action_schedule;
    House house;
    const RawDate any{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    const std::vector<ExecutionTime> every_hour{{RawTime{{0xFF, 10, 0, 0}}, any}};
    REQUIRE(house.write({22, push_schedule, 4}, execution_time.write(every_hour), monday + 30min) ==
            AccessResult::success);
    CHECK(house.meter->next_event() == monday + 45min);  // a row of the load profile
    house.meter->advance(monday + 46min);
    house.meter->advance(monday + 1h + 9min);
    CHECK(house.meter->next_event() == monday + 1h + 10min);
    CHECK(house.orders.empty());
    house.meter->advance(monday + 3h + 11min);
    house.meter->advance(monday + 3h + 11min);
    REQUIRE(house.orders.size() == 3);
    for (int i = 0; i < 3; ++i)
        CHECK(octet_string(Bytes{
                  decode_data_notification(house.orders[static_cast<std::size_t>(i)].apdu)->date_time}) ==
              date_time_octets({.at = monday + 1h * (i + 1) + 10min}));
}

TEST_CASE("push setup: the limiter's alarm goes out as EventNotification, once until it is cleared",
          "[sim]") {
    House house;
    const auto set_threshold = [&](std::uint32_t watts) {
        return house.write({71, limiter_name, 4}, Data{watts}, monday + 8h);
    };
    REQUIRE(set_threshold(1) == AccessResult::success);
    house.meter->advance(monday + 9h);
    REQUIRE(house.orders.size() == 1);
    const auto event = decode_event_notification(house.orders[0].apdu);
    REQUIRE(event);
    CHECK(event->id == AttributeId{1, alarm_name, 2});
    CHECK(event->value == Data{std::uint32_t{1}});
    CHECK(event->time);
    CHECK(house.orders[0].protection == authenticated_encrypted);
    const auto close = [&](Instant now) {
        house.meter->act({70, obis::disconnect_control, 2}, Data{std::int8_t{0}}, management_client, now,
                         [](const ActionOutcome&) {});
    };
    close(monday + 10h);
    house.meter->advance(monday + 12h);
    CHECK(house.orders.size() == 1);
    REQUIRE(house.write({1, alarm_name, 2}, Data{std::uint32_t{0}}, monday + 12h) == AccessResult::success);
    close(monday + 12h);
    house.meter->advance(monday + 14h);
    CHECK(house.orders.size() == 2);
}

TEST_CASE("push delivery: retries come after the delay, as many as there are", "[sim]") {
    PushOrder order;
    order.retries = 2;
    order.repetition_delay_s = 60;
    PushDelivery delivery{order, monday, 12345};
    Instant at = monday;
    for (int attempt = 0; attempt < 3; ++attempt) {
        CAPTURE(attempt);
        REQUIRE(delivery.due() == at);
        delivery.begin();
        CHECK_FALSE(delivery.over());
        CHECK_FALSE(delivery.due());
        delivery.failed(at + 5s);
        at += 65s;
    }
    CHECK(delivery.over());
    CHECK_FALSE(delivery.succeeded());

    PushDelivery good{order, monday, 0};
    good.begin();
    good.delivered();
    CHECK(good.over());
    CHECK(good.succeeded());
    CHECK(good.attempts() == 1);
}

TEST_CASE("push delivery: chance puts the first attempt off within the interval", "[sim]") {
    PushOrder order;
    order.randomisation_s = 10;
    CHECK(PushDelivery{order, monday, 0}.due() == monday);
    CHECK(PushDelivery{order, monday, 10'000'000}.due() == monday + 10s);
    CHECK(PushDelivery{order, monday, 10'000'001}.due() == monday);
    CHECK(PushDelivery{order, monday, 4'000'000}.due() == monday + 4s);
}

TEST_CASE("push delivery: attempts wait for a communication window", "[sim]") {
    const std::vector<cosem::Window> windows{{hour(2), hour(4)}, {hour(22), hour(1)}};
    CHECK(window_opens({}, monday + 12h) == monday + 12h);
    CHECK(window_opens(windows, monday + 3h) == monday + 3h);
    CHECK(window_opens(windows, monday + 2h) == monday + 2h);
    CHECK(window_opens(windows, monday + 4h) == monday + 22h);  // the end is outside
    CHECK(window_opens(windows, monday + 23h) == monday + 23h);
    CHECK(window_opens(windows, monday + 30min) == monday + 30min);  // began yesterday
    CHECK(window_opens(windows, monday + 90min) == monday + 2h);
    const RawDateTime begin{encode_date_time({.at = monday + 1h})},
        end{encode_date_time({.at = monday + 2h})};
    CHECK(window_opens({{begin, end}}, monday + 90min) == monday + 90min);
    CHECK(window_opens({{begin, end}}, monday) == monday + 1h);
    CHECK_FALSE(window_opens({{begin, end}}, monday + 3h));
}

TEST_CASE("push frames: a long APDU goes in blocks that nobody acknowledges, on each link", "[sim]") {
    const Buffer apdu(1'000, 0x55);
    for (const auto link : {PushLink::wrapper, PushLink::udp, PushLink::hdlc, PushLink::mbus}) {
        CAPTURE(to_string(link));
        const auto frames = push_frames({.link = link, .pdu_size_max = 400}, apdu);
        REQUIRE(frames.size() >= 3);
        if (link == PushLink::wrapper || link == PushLink::udp) {
            // wrapper 1 -> 1; E0, streaming and window 0, block 1 of 3 (Green Book ed. 10, 9.4.6.13)
            CHECK(to_hex(Bytes{frames[0]}.first(16)) == "0001000100010190E040000100008201");
            CHECK(to_hex(Bytes{frames[2]}.subspan(8, 6)) == "E0C000030000");
        }
        if (link == PushLink::mbus) CHECK(to_hex(Bytes{frames[0]}.subspan(4, 3)) == "53FF00");
        if (link == PushLink::hdlc) CHECK(to_hex(Bytes{frames[0]}.first(2)) == "7EA8");
    }
    CHECK(push_frames({.link = PushLink::wrapper}, apdu).size() == 1);
}

TEST_CASE("push port: a push that nobody takes costs its retries and is given up", "[sim]") {
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    security::SystemRandom random;
    PushPort port{loop,
                  random,
                  {.waiting_max = 2},
                  [](const PushOrder& order) { return std::optional{order.apdu}; },
                  [&] { return loop.now(); }};
    PushOrder order;
    order.apdu = {0x0F, 0, 0, 0, 1, 0, 0};
    order.destination.destination = to_buffer(as_bytes("127.0.0.1:1"));
    order.retries = 2;
    for (int i = 0; i < 3; ++i) port.push(order);
    CHECK(port.counters().dropped == 1);
    while (port.counters().given_up < 2) loop.poll();
    CHECK(port.counters().failed_attempts == 6);
    CHECK(port.counters().sent == 0);
    order.destination.destination = to_buffer(as_bytes("nowhere"));
    order.retries = 0;
    port.push(order);
    while (port.counters().given_up < 3) loop.poll();
    CHECK(port.counters().failed_attempts == 7);
}

TEST_CASE("push: what must be ciphered is not sent plain by a meter without keys", "[sim]") {
    security::OpensslCiphers ciphers;
    CounterFile counters{2};
    PushOrder order;
    order.apdu = {0x0F, 0, 0, 0, 1, 0, 0};
    const SystemTitle title = system_title(customer_number(0));
    CHECK(protected_push(order, {}, title, ciphers, counters, 0) == order.apdu);
    order.protection = authenticated_encrypted;
    CHECK_FALSE(protected_push(order, {}, title, ciphers, counters, 0));
    std::array<std::uint8_t, 16> octets{};
    const AccessKeys keys{ClientKeys{Key128{octets}, Key128{octets}}, {}, {}};
    const auto first = protected_push(order, keys, title, ciphers, counters, 0);
    const auto second = protected_push(order, keys, title, ciphers, counters, 0);
    REQUIRE(first);
    // general-glo with our title, then SC 30 and a counter that grows
    CHECK(to_hex(Bytes{*first}.first(10)) == "DB08" + to_hex(title.octets));
    CHECK((*first)[11] == authenticated_encrypted);
    CHECK(first != second);
}
