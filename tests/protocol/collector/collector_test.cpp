#include <catch2/catch.hpp>

#include "tests/protocol/collector/fake_bus.h"

namespace wattmesh::collector {
namespace {
using namespace std::chrono_literals;
using namespace test;

GroupRequest::Item item(std::uint8_t sub, int meter, Buffer payload) {
    return {sub, check_of(meter_number(meter)), std::move(payload)};
}
std::vector<DeviceNumber> numbers(const Collector& collector) {
    std::vector<DeviceNumber> found;
    for (const auto& row : collector.table().all()) found.push_back(row.meter);
    return found;
}

}  // namespace

TEST_CASE("collector: finds what hangs on the bus and tells until the table is fetched", "[collector]") {
    Bus bus;
    bus.plug(16, device_name(1));
    bus.plug(77, device_name(2));
    bus.plug(125, device_name(3));
    bus.run_for(60s);
    CHECK(numbers(bus.collector) == std::vector{meter_number(1), meter_number(2), meter_number(3)});
    REQUIRE_FALSE(bus.notices.empty());
    CHECK(bus.notices.back().generation == bus.collector.table().generation());
    const auto said = bus.notices.size();
    bus.run_for(60s);
    CHECK(bus.notices.size() > said);

    const auto page = bus.ask<TablePage>(TableRequest{1});
    REQUIRE(page);
    CHECK(page->generation == bus.collector.table().generation());
    CHECK(page->next == 0);
    REQUIRE(page->rows.size() == 3);
    CHECK(page->rows[1].sub == 2);
    CHECK(page->rows[1].meter == meter_number(2));
    CHECK(page->rows[1].silent_s <= 60);
    const auto fetched = bus.notices.size();
    bus.run_for(30min);
    CHECK(bus.notices.size() == fetched);
}

TEST_CASE("collector: a full bus is told page by page, and the 65th meter is refused aloud", "[collector]") {
    Bus bus;
    for (int i = 1; i <= 65; ++i) bus.plug(static_cast<std::uint16_t>(15 + i), device_name(i));
    bus.run_for(3min);
    CHECK(bus.collector.table().all().size() == 64);
    CHECK(bus.collector.refused() == 1);
    CHECK(bus.collector.counters().no_place >= 1);
    std::vector<DeviceNumber> told;
    std::uint8_t next = 1;
    int pages = 0;
    while (next != 0 && pages < 10) {
        const auto page = bus.ask<TablePage>(TableRequest{next});
        REQUIRE(page);
        CHECK(page->refused == 1);
        CHECK(encode(*page).size() <= message_size_max);
        for (const auto& row : page->rows) told.push_back(row.meter);
        next = page->next;
        ++pages;
    }
    CHECK(pages == 4);
    CHECK(told == numbers(bus.collector));

    // one goes: the one that waited gets the place, and its sub-address only because no other is free
    bus.meters.erase(16);
    bus.run_for(5min);
    CHECK(bus.collector.table().all().size() == 64);
    CHECK(bus.collector.refused() == 0);
    CHECK(bus.collector.table().all().front().meter == meter_number(65));
}

TEST_CASE("collector: a group is one exchange, every answer with its own meter", "[collector]") {
    Bus bus;
    for (int i = 1; i <= 4; ++i) bus.plug(static_cast<std::uint16_t>(15 + i), device_name(i));
    bus.run_for(30s);
    const auto answer = bus.ask<GroupAnswer>(
        GroupRequest{{item(1, 1, {2, 0xC8, 1}), item(3, 3, {2, 0xC8, 3}), item(4, 4, {1, 0xCB, 4})}});
    REQUIRE(answer);
    CHECK(answer->items == std::vector<GroupAnswer::Item>{{1, ItemStatus::answered, {2, 1, 0xC8}},
                                                          {3, ItemStatus::answered, {2, 3, 0xC8}},
                                                          {4, ItemStatus::answered, {1, 4, 0xCB}}});
    CHECK(bus.meters[17]->asked == 0);
}

TEST_CASE("collector: what does not fit waits and is handed over alone, without asking the meter again",
          "[collector]") {
    Bus bus;
    for (int i = 1; i <= 2; ++i) {
        bus.plug(static_cast<std::uint16_t>(15 + i), device_name(i));
        bus.meters[static_cast<std::uint16_t>(15 + i)]->answer_size = 189;
    }
    bus.run_for(30s);
    const auto answer = bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {2, 0xC8}), item(2, 2, {2, 0xC8})}});
    REQUIRE(answer);
    CHECK(encode(*answer).size() <= message_size_max);
    CHECK(answer->items[0].status == ItemStatus::answered);
    CHECK(answer->items[1].status == ItemStatus::waiting);
    const auto rest = bus.ask<GroupAnswer>(GroupRequest{{item(2, 2, {})}});
    REQUIRE(rest);
    CHECK(rest->items[0].status == ItemStatus::answered);
    CHECK(rest->items[0].payload.size() == 190);
    CHECK(bus.meters[17]->asked == 1);
    CHECK(bus.ask<GroupAnswer>(GroupRequest{{item(2, 2, {})}})->items[0].status == ItemStatus::nothing);
}

TEST_CASE("collector: an answer that fits no frame is told as too long", "[collector]") {
    Bus bus;
    bus.plug(16, device_name(1));
    bus.meters[16]->answer_size = 201;
    bus.run_for(30s);
    CHECK(bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {2, 0xC8})}})->items[0].status ==
          ItemStatus::too_long);
    bus.meters[16]->answer_size = 200;
    const auto longest = bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {2, 0xC8})}});
    CHECK(longest->items[0].status == ItemStatus::answered);
    CHECK(encode(*longest).size() == message_size_max);
}

TEST_CASE("collector: a silent meter costs its own answer only, and leaves the table after three silences",
          "[collector]") {
    Bus bus;
    bus.plug(16, device_name(1));
    bus.plug(17, device_name(2));
    bus.run_for(30s);
    bus.ask<TablePage>(TableRequest{1});
    bus.meters[16]->mute = true;
    auto answer = bus.ask<GroupAnswer>(GroupRequest{{item(2, 2, {2, 0xC8}), item(1, 1, {2, 0xC8})}});
    REQUIRE(answer);
    CHECK(answer->items[0].status == ItemStatus::answered);
    CHECK((answer->items[1].status == ItemStatus::silent || answer->items[1].status == ItemStatus::waiting));
    bus.notices.clear();
    bus.run_for(3min);
    CHECK(numbers(bus.collector) == std::vector{meter_number(2)});
    CHECK(bus.collector.counters().removed == 1);
    REQUIRE_FALSE(bus.notices.empty());
    // re-plugged: the same place as before
    bus.meters[16]->mute = false;
    bus.run_for(3min);
    REQUIRE(bus.collector.table().all().size() == 2);
    CHECK(bus.collector.table().all()[0].sub == 1);
    CHECK(bus.collector.table().all()[0].meter == meter_number(1));
}

TEST_CASE("collector: a sub-address that is somebody else's by now is absent", "[collector]") {
    Bus bus;
    bus.plug(16, device_name(1));
    bus.run_for(30s);
    bus.plug(16, device_name(2));  // swapped in place
    bus.run_for(3min);
    REQUIRE(bus.collector.table().all().size() == 1);
    const auto sub = bus.collector.table().all()[0].sub;
    CHECK(bus.collector.table().all()[0].meter == meter_number(2));
    CHECK(sub != 1);
    CHECK(bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {2, 0xC8})}})->items[0].status == ItemStatus::absent);
    CHECK(bus.ask<GroupAnswer>(GroupRequest{{item(sub, 1, {2, 0xC8})}})->items[0].status ==
          ItemStatus::absent);
    CHECK(bus.meters[16]->asked == 0);
}

TEST_CASE("collector: one number at two addresses stays where it is heard", "[collector]") {
    Bus bus;
    bus.plug(40, device_name(1));
    bus.run_for(60s);
    bus.plug(30, device_name(1));
    bus.run_for(5min);
    REQUIRE(bus.collector.table().all().size() == 1);
    CHECK(bus.collector.table().all()[0].address == 40);
    CHECK(bus.collector.counters().twins > 0);
    bus.meters.erase(40);  // it was moved to another plug
    bus.run_for(5min);
    REQUIRE(bus.collector.table().all().size() == 1);
    CHECK(bus.collector.table().all()[0].address == 30);
    CHECK(bus.collector.table().all()[0].sub == 1);
}

TEST_CASE("collector: somebody without a readable number is counted and gets no place", "[collector]") {
    Bus bus;
    bus.plug(16, "WMT54000000000X");
    bus.run_for(60s);
    CHECK(bus.collector.table().all().empty());
    CHECK(bus.collector.counters().anonymous > 0);
}

TEST_CASE("collector: after a power cut every place is as before, and unheard until it answers",
          "[collector]") {
    Bus before;
    before.plug(16, device_name(1));
    before.plug(17, device_name(2));
    before.run_for(60s);
    Bus after{before.collector.state()};
    after.collector.request(99, encode(TableRequest{1}), after.now);
    const auto first = after.collector.take_answer();
    REQUIRE(first);
    const auto page = std::get<TablePage>(*decode(first->payload));
    for (const auto& row : page.rows) CHECK(row.silent_s == TablePage::unheard);
    after.plug(17, device_name(2));
    after.run_for(60s);
    CHECK(numbers(after.collector) == std::vector{meter_number(2)});
    CHECK(after.collector.table().all()[0].sub == 2);
}

TEST_CASE("collector: requests that are not for it get no answer, and a flood no memory", "[collector]") {
    Bus bus;
    bus.plug(16, device_name(1));
    bus.run_for(30s);
    bus.meters[16]->mute = true;
    bus.collector.request(1, Buffer{2, 0xC8}, bus.now);
    bus.collector.request(2, encode(Notice{7}), bus.now);
    CHECK(bus.collector.counters().malformed == 2);
    for (std::uint16_t i = 10; i < 100; ++i)
        bus.collector.request(i, encode(GroupRequest{{item(1, 1, {2, 0xC8})}}), bus.now);
    CHECK(bus.collector.counters().malformed == 2 + 86);
    bus.run_for(10s);
    CHECK_FALSE(bus.answers.contains(1));
    CHECK(bus.answers.size() == 4);
}

TEST_CASE("collector: one data link per meter, and the next client shows the last one out", "[collector]") {
    Bus bus;
    bus.plug(16, device_name(1));
    bus.run_for(30s);
    const auto established = bus.meters[16]->link.established();
    bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {2, 0xC8})}});
    bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {2, 0xC9})}});
    CHECK(bus.meters[16]->link.established() == established + 1);
    bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {1, 0xCB})}});
    CHECK(bus.meters[16]->link.established() == established + 2);
    CHECK(bus.meters[16]->link.peer().upper == 1);
    // the meter restarts and knows nothing of its link: the errand opens another one
    bus.meters[16]->link.reset();
    CHECK(bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {1, 0xCB})}})->items[0].status ==
          ItemStatus::answered);
}

TEST_CASE("collector: noise on the wire and half answers change nothing", "[collector]") {
    Bus bus;
    bus.plug(16, device_name(1));
    bus.run_for(30s);
    CountingRandom noise;
    for (int i = 0; i < 200; ++i) {
        Buffer octets(static_cast<std::size_t>(i % 40), 0);
        noise.fill(octets);
        bus.collector.bus_received(octets, bus.now);
        bus.run_for(50ms);
    }
    bus.run_for(2min);
    CHECK(numbers(bus.collector) == std::vector{meter_number(1)});
    CHECK(bus.ask<GroupAnswer>(GroupRequest{{item(1, 1, {2, 0xC8})}})->items[0].status ==
          ItemStatus::answered);
}

}  // namespace wattmesh::collector
