#include "protocol/iec104/outstation.h"

#include <catch2/catch.hpp>

#include "tests/protocol/iec104/wire.h"

using namespace wattmesh;
using namespace wattmesh::iec104;
using namespace std::chrono;

namespace {

std::vector<PointDefinition> table() {
    std::vector<PointDefinition> points;
    for (std::uint32_t i = 0; i < 100; ++i) points.push_back({{1, 200'001 + i}, Type::short_float, 1});
    points.push_back({{1, 100'001}, Type::double_point, 2});
    points.push_back({{1, 400'001}, Type::integrated_total, 1});
    points.push_back({{1, 400'005}, Type::integrated_total, 2});
    points.push_back({{7, 5}, Type::single_point});
    points.push_back({{1, 500'001}, Type::double_command, 0, 0, {}, true, true});
    points.push_back({{1, 500'002}, Type::double_command, 0, 0, {}, false, true});
    return points;
}

PointState measured(float value, Instant at = noon) { return {Float{value}, {}, {at, false, false, false}}; }

int count(const std::vector<Asdu>& asdus, Type type, Cause cause) {
    int objects = 0;
    for (const auto& asdu : asdus)
        if (asdu.header.type == type && asdu.header.cause == cause)
            objects += static_cast<int>(asdu.objects.size());
    return objects;
}

}  // namespace

TEST_CASE("outstation: a general interrogation shows every point once, in order, without time", "[iec104]") {
    Wire wire{table()};
    auto& master = wire.add_master();
    wire.station.set(*wire.station.image().find({1, 200'007}), measured(7.5F), noon);
    CHECK(count(wire.start(master), Type::end_of_initialisation, Cause::initialised) == 2);  // two stations
    const auto asked = master.core.interrogate(1, whole_station, noon);
    const auto got = wire.run(master);
    REQUIRE(got.size() >= 4);
    CHECK(reply_to(asked, got.front()) == Reply::confirmed);
    CHECK(reply_to(asked, got.back()) == Reply::terminated);
    CHECK(count(got, Type::short_float, Cause::station_interrogation) == 100);
    CHECK(count(got, Type::double_point, Cause::station_interrogation) == 1);
    CHECK(count(got, Type::integrated_total, Cause::station_interrogation) == 0);
    std::uint32_t reached = 0;
    for (const auto& asdu : got) {
        CHECK(asdu.header.originator == 3);
        for (const auto& object : asdu.objects) {
            if (asdu.header.cause != Cause::station_interrogation) continue;
            CHECK(object.address > reached);
            reached = object.address;
            const bool known = object.address == 200'007;
            CHECK(object.quality.invalid == !known);
            if (known) CHECK(object.value == Value{Float{7.5F}});
        }
    }
    // 100 neighbours are 48 + 48 + 4, the point 1, the two ends 2
    CHECK(got.size() == 6);
}

TEST_CASE("outstation: a group, a single point and an unknown address are answered by the book", "[iec104]") {
    Wire wire{table()};
    auto& master = wire.add_master();
    wire.start(master);
    master.core.interrogate(1, 22, noon);
    CHECK(count(wire.run(master), Type::double_point, static_cast<Cause>(22)) == 1);
    master.core.read(1, 200'001, noon);
    CHECK(count(wire.run(master), Type::short_float, Cause::request) == 1);
    struct Row {
        const char* why;
        Asdu request;
        Cause cause;
    };
    const auto refused = [&](const Asdu& request) {
        const auto got = wire.run(master);
        REQUIRE(got.size() == 1);
        CHECK(got[0].header.negative);
        CHECK(got[0].objects == request.objects);
        return got[0].header.cause;
    };
    CHECK(refused(master.core.read(1, 4, noon)) == Cause::unknown_object_address);
    CHECK(refused(master.core.interrogate(9, 20, noon)) == Cause::unknown_common_address);
    CHECK(refused(master.core.interrogate(1, 37, noon)) == Cause::activation_confirmation);
    CHECK(refused(master.core.command(1, 500'009, DoubleCommand{DoubleState::on, 0, true}, noon)) ==
          Cause::unknown_object_address);
    const auto end =
        master.core.command(1, 500'001, DoubleCommand{DoubleState::on, 0, true}, noon, Cause::spontaneous);
    CHECK(refused(end) == Cause::unknown_cause);
    CHECK(wire.station.counters().unknown == 4);
}

TEST_CASE("outstation: a broadcast interrogation is answered by every station for itself", "[iec104]") {
    Wire wire{table()};
    auto& master = wire.add_master();
    wire.start(master);
    master.core.interrogate(broadcast, whole_station, noon);
    std::set<std::uint16_t> ended;
    for (const auto& asdu : wire.run(master))
        if (asdu.header.cause == Cause::activation_termination) ended.insert(asdu.header.common_address);
    CHECK(ended == std::set<std::uint16_t>{1, 7});
}

TEST_CASE("outstation: counters are read by group, frozen in a copy, and never reset", "[iec104]") {
    Wire wire{table()};
    auto& master = wire.add_master();
    wire.start(master);
    const auto counter = *wire.station.image().find({1, 400'001});
    const auto read = [&](std::uint8_t group) {
        master.core.interrogate_counters(1, {group, Freeze::read}, noon);
        std::vector<Object> objects;
        for (const auto& asdu : wire.run(master))
            if (asdu.header.type == Type::integrated_total)
                objects.insert(objects.end(), asdu.objects.begin(), asdu.objects.end());
        return objects;
    };
    wire.station.set(counter, {Counter{1000}, {}, {}}, noon);
    CHECK(read(all_counters).size() == 2);
    CHECK(read(1).at(0).value == Value{Counter{1000}});
    const auto freeze = master.core.interrogate_counters(1, {all_counters, Freeze::freeze}, noon);
    CHECK(reply_to(freeze, wire.run(master).back()) == Reply::terminated);
    wire.station.set(counter, {Counter{1500}, {}, {}}, noon);
    CHECK(read(1).at(0).value == Value{Counter{1000, 1}});
    CHECK(read(1).size() == 1);
    const auto reset = master.core.interrogate_counters(1, {all_counters, Freeze::freeze_and_reset}, noon);
    CHECK(reply_to(reset, wire.run(master).at(0)) == Reply::refused);
}

TEST_CASE("outstation: reports carry the sample's time and obey deadband and minimum interval", "[iec104]") {
    auto points = table();
    points[0].deadband = 1;
    points[0].interval_min = 10s;
    Wire wire{points};
    auto& master = wire.add_master();
    const auto first = *wire.station.image().find({1, 200'001});
    wire.start(master);
    const auto report = [&](float value, Instant at) {
        wire.now = at;
        wire.station.set(first, measured(value, at - 3s), at);
        wire.station.tick(at);
        master.core.tick(at);
        std::vector<float> values;
        for (const auto& asdu : wire.run(master)) {
            CHECK(asdu.header.type == Type::short_float_time);
            for (const auto& object : asdu.objects) {
                CHECK(object.time.at == at - 3s);
                values.push_back(std::get<Float>(object.value).value);
            }
        }
        return values;
    };
    CHECK(report(100, noon + 1s) == std::vector{100.0F});  // it was invalid
    CHECK(report(100.9F, noon + 12s).empty());             // within the deadband
    CHECK(report(102, noon + 13s) == std::vector{102.0F});
    CHECK(report(104, noon + 14s).empty());  // held back
    CHECK(report(105, noon + 15s).empty());
    CHECK(wire.station.wake() == noon + 23s);
    wire.now = noon + 23s;
    wire.station.tick(wire.now);
    const auto late = wire.run(master);
    REQUIRE(count(late, Type::short_float_time, Cause::spontaneous) == 1);
    CHECK(late[0].objects[0].value == Value{Float{105}});
}

TEST_CASE("outstation: what was not acknowledged comes again to whoever takes over, in order", "[iec104]") {
    Wire wire{table()};
    auto& first = wire.add_master();
    wire.start(first);
    const auto point = *wire.station.image().find({1, 200'001});
    std::vector<float> wanted;
    const auto burst = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            wire.station.set(point, measured(static_cast<float>(i)), wire.now);
            wanted.push_back(static_cast<float>(i));
        }
        wire.station.pump(wire.now);
    };
    burst(1, 1000);
    // 12 frames of 16 reports are on the wire; they are lost with it.
    wire.station.take(first.id);
    wire.station.disconnect(first.id);
    burst(1000, 1100);  // while nobody is there
    CHECK(wire.station.waiting(0) == wanted.size());
    auto& second = wire.add_master();
    std::vector<float> got;
    for (const auto& asdu : wire.start(second))
        for (const auto& object : asdu.objects) got.push_back(std::get<Float>(object.value).value);
    CHECK(got == wanted);
    CHECK(wire.station.dropped(0) == 0);
}

TEST_CASE("outstation: a second master of the group takes over, one of another group gets its own",
          "[iec104]") {
    Wire wire{table()};
    auto& one = wire.add_master();
    auto& two = wire.add_master();
    const auto other_group = wire.station.add_group({});
    auto& other = wire.add_master(other_group);
    wire.start(one);
    wire.start(other);
    CHECK(wire.station.active(one.id));
    wire.start(two);
    CHECK_FALSE(wire.station.active(one.id));
    CHECK(wire.station.active(two.id));
    wire.station.set(*wire.station.image().find({1, 200'001}), measured(4), noon);
    wire.station.pump(noon);
    CHECK(wire.run(one).empty());
    CHECK(count(wire.run(two), Type::short_float_time, Cause::spontaneous) == 1);
    CHECK(count(wire.run(other), Type::short_float_time, Cause::spontaneous) == 1);
}

TEST_CASE("outstation: a full buffer drops the oldest report and counts it", "[iec104]") {
    Wire wire{table(), {.events_max = 50, .commands = true}};
    auto& master = wire.add_master();
    wire.start(master);
    wire.station.disconnect(master.id);
    const auto point = *wire.station.image().find({1, 200'001});
    for (int i = 1; i <= 80; ++i) wire.station.set(point, measured(static_cast<float>(i)), noon);
    CHECK(wire.station.dropped(0) == 30);
    auto& next = wire.add_master();
    const auto got = wire.start(next);
    REQUIRE(count(got, Type::short_float_time, Cause::spontaneous) == 50);
    CHECK(got[0].objects[0].value == Value{Float{31}});
}

TEST_CASE("outstation: the point table is replaced under running masters", "[iec104]") {
    Wire wire{table()};
    auto& master = wire.add_master();
    wire.start(master);
    wire.station.set(*wire.station.image().find({1, 200'001}), measured(4), noon);
    wire.station.pump(noon);
    wire.run(master);
    auto points = table();
    points.erase(points.begin() + 1, points.begin() + 100);
    points.push_back({{1, 299'999}, Type::short_float});
    wire.station.replace(points, noon);
    CHECK(wire.run(master).empty());  // nothing is reported anew
    master.core.interrogate(1, whole_station, noon);
    const auto got = wire.run(master);
    CHECK(count(got, Type::short_float, Cause::station_interrogation) == 2);
    for (const auto& asdu : got)
        for (const auto& object : asdu.objects)
            if (object.address == 200'001) CHECK(object.value == Value{Float{4}});
}
