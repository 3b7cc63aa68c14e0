#include <catch2/catch.hpp>
#include <deque>

#include "protocol/dlms/date_time.h"
#include "protocol/dlms/general_block.h"
#include "tests/conformance/bench.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::conformance;

namespace {

constexpr AttributeId import_total{3, obis::active_import_total, 2}, clock_time{8, obis::clock, 2},
    name{1, obis::logical_device_name, 2}, buffer{7, obis::load_profile, 2},
    nothing{1, ObisCode{{9, 9, 9, 9, 9, 9}}, 2};
constexpr MethodId image{18, ObisCode{{0, 0, 44, 0, 0, 255}}, 2}, breaker{70, obis::disconnect_control, 1};

Data text(std::size_t size) {
    Buffer octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 31);
    return OctetString{std::move(octets)};
}

void get_normal(Bench& bench) {
    bench.client.get(import_total);
    bench.run();
    CHECK(bench.only<ReadCompleted>().outcome == ReadOutcome{Data{std::uint32_t{5009}}});
    bench.client.get(nothing);
    bench.run();
    CHECK(bench.only<ReadCompleted>().outcome == ReadOutcome{AccessResult::object_undefined});
}

void get_long(Bench& bench) {
    bench.client.get(buffer);
    bench.run();
    CHECK(bench.only<ReadCompleted>().outcome == ReadOutcome{array(bench.objects.rows)});
    bench.client.get_octets(buffer);
    bench.run();
    CHECK(bench.only<OctetsRead>().octets == encode_data(array(bench.objects.rows)));
}

void get_by_range(Bench& bench) {
    const auto at = [&](std::size_t row) { return bench.objects.rows[row].elements()->front(); };
    bench.client.get(buffer, RangeSelection{bench.objects.columns[0], at(3), at(4), {}});
    bench.run();
    CHECK(bench.only<ReadCompleted>().outcome ==
          ReadOutcome{array({bench.objects.rows[3], bench.objects.rows[4]})});
}

void get_by_entry(Bench& bench) {
    bench.client.get(buffer, EntrySelection{2, 3, 2, 2});
    bench.run();
    CHECK(bench.only<ReadCompleted>().outcome ==
          ReadOutcome{array({structure({std::uint32_t{1'001}}), structure({std::uint32_t{1'002}})})});
}

void get_with_list(Bench& bench) {
    bench.client.get_list({{.id = import_total, .selection = {}},
                           {.id = nothing, .selection = {}},
                           {.id = buffer, .selection = EntrySelection{1, 20, 1, 0}}});
    bench.run();
    const auto read = bench.only<ListRead>();
    REQUIRE(read.outcomes.size() == 3);
    CHECK(read.outcomes[0] == ReadOutcome{Data{std::uint32_t{5009}}});
    CHECK(read.outcomes[1] == ReadOutcome{AccessResult::object_undefined});
    CHECK(std::get<Data>(read.outcomes[2]).elements()->size() == 20);
}

void set_normal(Bench& bench) {
    bench.client.set(clock_time, std::uint8_t{9});
    bench.run();
    CHECK(bench.only<WriteCompleted>().result == AccessResult::success);
    CHECK(bench.objects.values[obis::clock] == Data{std::uint8_t{9}});
    bench.client.set(name, text(3));
    bench.run();
    CHECK(bench.only<WriteCompleted>().result == AccessResult::read_write_denied);
}

void set_long(Bench& bench) {
    bench.client.set(clock_time, text(1'500));
    bench.run();
    CHECK(bench.only<WriteCompleted>().result == AccessResult::success);
    CHECK(bench.objects.values[obis::clock] == text(1'500));
    CHECK(bench.objects.changes == 1);
}

void set_with_list(Bench& bench) {
    bench.client.set_list({clock_time, name}, {text(700), text(3)});
    bench.run();
    CHECK(bench.only<ListWritten>().results ==
          std::vector{AccessResult::success, AccessResult::read_write_denied});
    CHECK(bench.objects.values[obis::clock] == text(700));
}

void action_normal(Bench& bench) {
    bench.client.act(breaker, std::int8_t{0});
    bench.run();
    CHECK(bench.only<ActionCompleted>().outcome ==
          ActionOutcome{AccessResult::success, Data{std::int8_t{0}}});
    bench.client.act(breaker);
    bench.run();
    CHECK(bench.only<ActionCompleted>().outcome == ActionOutcome{AccessResult::success, std::nullopt});
    CHECK(bench.objects.called.size() == 2);
}

void action_long(Bench& bench) {
    bench.client.act(image, text(1'200));
    bench.run();
    CHECK(bench.only<ActionCompleted>().outcome == ActionOutcome{AccessResult::success, text(1'200)});
    CHECK(bench.objects.called.size() == 1);
}

void action_with_list(Bench& bench) {
    bench.client.act_list({breaker, image}, {std::int8_t{0}, text(600)});
    bench.run();
    CHECK(bench.only<ListActed>().outcomes ==
          std::vector<ActionOutcome>{{AccessResult::success, Data{std::int8_t{0}}},
                                     {AccessResult::success, text(600)}});
}

void access(Bench& bench) {
    bench.client.access({AccessGet{.id = import_total, .selection = {}}, AccessSet{{clock_time}},
                         AccessAction{breaker}, AccessGet{.id = nothing, .selection = {}}},
                        {Null{}, std::uint8_t{3}, std::int8_t{0}, Null{}});
    bench.run();
    CHECK(bench.only<AccessCompleted>().outcomes ==
          std::vector<AccessOutcome>{{AccessResult::success, std::uint32_t{5009}},
                                     {AccessResult::success, Null{}},
                                     {AccessResult::success, std::int8_t{0}},
                                     {AccessResult::object_undefined, Null{}}});
}

void release(Bench& bench) {
    bench.client.release();
    bench.run();
    bench.only<Released>();
    bench.client.get(import_total);
    bench.run();
}

/// What a service needs of the association.
struct Service {
    const char* name;
    void (*prove)(Bench&);
    BenchSettings settings{};
};
const Service services[] = {
    {"GET normal", get_normal},
    {"GET in blocks", get_long},
    {"GET by range", get_by_range},
    {"GET by entry", get_by_entry},
    {"GET with-list", get_with_list},
    {"SET normal", set_normal},
    {"SET in blocks", set_long},
    {"SET with-list", set_with_list},
    {"ACTION normal", action_normal},
    {"ACTION in blocks", action_long},
    {"ACTION with-list", action_with_list},
    {"ACCESS", access},
    {"GET in general blocks", get_long, {.general_blocks = true}},
    {"SET in general blocks", set_long, {.general_blocks = true}},
    {"ACTION in general blocks", action_long, {.general_blocks = true}},
    {"ACCESS in general blocks", access, {.pdu_size = 128, .general_blocks = true}},
    {"release", release},
};
constexpr std::size_t service_count = std::size(services), mode_count_max = 24;

template <std::size_t index>
void prove() {
    const Service& service = services[index % service_count];
    const Mode& mode = modes()[index / service_count];
    for (const LayerKind& layer : layers()) {
        INFO(layer.name);
        Bench bench{mode, layer, service.settings};
        service.prove(bench);
    }
}

/// One test case for each service and mode.
template <std::size_t... indices>
int register_cases(std::index_sequence<indices...>) {
    static std::deque<std::string> names;
    const auto add = [](std::size_t index, void (*test)()) {
        if (index / service_count >= modes().size()) return;
        names.push_back(std::string{"conformance: "} + services[index % service_count].name + ", " +
                        modes()[index / service_count].name);
        Catch::AutoReg{Catch::makeTestInvoker(test), CATCH_INTERNAL_LINEINFO, Catch::StringRef{},
                       Catch::NameAndTags{names.back(), "[conformance]"}};
    };
    (add(indices, &prove<indices>), ...);
    return 0;
}
const int registered = register_cases(std::make_index_sequence<service_count * mode_count_max>{});

}  // namespace

TEST_CASE("conformance: every mode has its test cases", "[conformance]") {
    CHECK(registered == 0);
    CHECK(modes().size() <= mode_count_max);
}

TEST_CASE("conformance: DataNotification and EventNotification over every one-way layer", "[conformance]") {
    const DataNotification notification{.invoke = 0x40000000, .body = array({text(400), std::uint32_t{7}})};
    const EventNotification event{{}, import_total, std::uint32_t{1}};
    for (const OneWayKind& layer : one_way_layers()) {
        INFO(layer.name);
        SeededRandom random{1};
        security::OpensslCiphers ciphers;
        Counter send, receive;
        ClientConfig config;
        config.pre_established = true;
        Client client{config, ciphers, random, send, receive};
        for (const Buffer& arrived : layer.carry(encode(notification))) client.receive(arrived);
        auto first = client.take_event();
        REQUIRE(first);
        CHECK(std::get<Notified>(*first).body == notification.body);
        for (const Buffer& arrived : layer.carry(encode(event))) client.receive(arrived);
        auto second = client.take_event();
        REQUIRE(second);
        CHECK(std::get<EventNotified>(*second).event == event);
        for (const auto& block : unconfirmed_blocks(encode(notification), 100))
            for (const Buffer& arrived : layer.carry(encode(block))) client.receive(arrived);
        auto third = client.take_event();
        REQUIRE(third);
        CHECK(std::get<Notified>(*third).body == notification.body);
    }
}
