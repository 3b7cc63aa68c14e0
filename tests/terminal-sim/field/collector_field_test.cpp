#include <catch2/catch.hpp>
#include <set>

#include "concentrator/mesh/mesh_root.h"
#include "protocol/base/obis.h"
#include "protocol/dcu/journal.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/date_time.h"
#include "security/ciphers.h"
#include "terminal-sim/field/control_port.h"
#include "terminal-sim/field/field.h"
#include "tests/terminal-sim/field/scratch.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

/// 2026-11-17 06:00 UTC, a Tuesday.
constexpr Instant morning{std::chrono::sys_days{std::chrono::year{2026} / 11 / 17} + 6h};

/// A concentrator's mesh root over a field with two collectors, reading as the product does: one
/// pre-established ciphered client per meter whose counters go on wherever the meter is.
struct Street {
    explicit Street(std::size_t wired = 8, std::size_t on_radio = 10) {
        LayoutRequest request;
        request.meters = on_radio;
        request.seed = 101;
        town = make_town(request, {.collectors = 2, .meters_each = wired});
        shipment = make_shipment(town, random);
        options.start = morning + 10s;
        options.installed_at = morning - 2h;
    }
    void begin() {
        field = std::make_unique<Field>(town, shipment, options, ciphers, random);
        root = std::make_unique<concentrator::MeshRoot>(concentrator::RootSettings{town.concentrators[0], 7},
                                                        ciphers, random);
        root->set_collectors({town.collectors[0].number, town.collectors[1].number});
        list_meters([](const TownMeter&) { return true; });
    }
    template <class Wanted>
    void list_meters(const Wanted& wanted) {
        std::vector<std::pair<DeviceNumber, Key128>> list;
        for (const auto& meter : town.meters)
            if (wanted(meter)) list.emplace_back(meter.number, shipment.at(meter.number).join);
        for (const auto& collector : town.collectors)
            list.emplace_back(collector.number, shipment.collectors.at(collector.number));
        root->set_meters(list);
    }
    template <class Enough>
    bool run(Duration duration, const Enough& enough) {
        const Instant end = field->now() + duration;
        while (field->now() < end && !enough()) {
            root->tick(field->now());
            while (auto output = root->take_output()) field->feed(0, *output);
            field->run_until(std::min(
                {end, field->now() + 50ms,
                 std::max(field->now() + 1ms, std::min(root->next_deadline(), field->next_event()))}));
            while (auto payload = field->take(0)) root->receive(*payload, field->now());
            while (auto event = root->take_event()) take(*event);
        }
        return enough();
    }
    void take(const concentrator::MeshEvent& event) {
        if (const auto* joined = std::get_if<concentrator::MeshJoined>(&event))
            links[joined->meter] = joined->link, ++told[joined->meter];
        if (const auto* lost = std::get_if<concentrator::MeshLost>(&event)) links.erase(lost->meter);
        if (const auto* unknown = std::get_if<concentrator::MeshUnknown>(&event))
            parked.insert(unknown->meter);
        if (const auto* answer = std::get_if<concentrator::MeshAnswer>(&event))
            answers[answer->handle] = answer->payload;
        if (const auto* failure = std::get_if<concentrator::MeshFailure>(&event))
            answers[failure->handle] = {};
    }
    bool all_there() const { return links.size() == town.meters.size() + town.collectors.size(); }
    dlms::Client& client(const DeviceNumber& meter) {
        auto& talk = talks[meter];
        if (!talk) {
            dlms::ClientConfig config;
            config.ciphered = config.pre_established = true;
            config.keys = shipment.at(meter).reading;
            config.own_title = system_title(town.concentrators[0]);
            config.server_title = system_title(meter);
            counters.push_back(std::make_unique<CounterFile>(2));
            talk = std::make_unique<dlms::Client>(config, ciphers, random, counters.back()->send(0),
                                                  counters.back()->receive(0));
        }
        return *talk;
    }
    /// Rows of the last hour of every one of these meters, asked for at once; how many were right.
    std::size_t read(const std::vector<DeviceNumber>& meters, int rows_wanted = 1) {
        std::map<std::uint32_t, DeviceNumber> open;
        const Instant quarter{field->now().time_since_epoch() / 15min * 15min};
        for (const auto& meter : meters) {
            client(meter).get(
                {7, obis::load_profile, 2},
                dlms::RangeSelection{{8, obis::clock, 2, 0},
                                     dlms::date_time_octets({.at = quarter - (rows_wanted - 1) * 15min}),
                                     dlms::date_time_octets({.at = quarter}),
                                     {}});
            Buffer payload = client(meter).take_output().value();
            payload.insert(payload.begin(), static_cast<std::uint8_t>(reading_client.value));
            open[root->send(meter, payload, 3, field->now(), 60s)] = meter;
        }
        run(90s, [&] {
            return std::all_of(open.begin(), open.end(),
                               [&](const auto& row) { return answers.contains(row.first); });
        });
        std::size_t right = 0;
        for (const auto& [handle, meter] : open) {
            if (!answers.contains(handle) || answers[handle].empty()) {
                client(meter).abort();
                while (client(meter).take_event()) {
                }
                continue;
            }
            right += check(meter, answers[handle], rows_wanted) ? 1 : 0;
        }
        return right;
    }
    bool check(const DeviceNumber& meter, const Buffer& payload, int rows_wanted) {
        client(meter).receive(Bytes{payload}.subspan(1));
        const auto event = client(meter).take_event();
        const auto* read = event ? std::get_if<dlms::ReadCompleted>(&*event) : nullptr;
        if (read == nullptr || !std::holds_alternative<dlms::Data>(read->outcome)) return false;
        const auto rows =
            dcu::interval_rows({obis::load_profile, std::get<dlms::Data>(read->outcome)}, 15min);
        if (!rows || rows->size() != static_cast<std::size_t>(rows_wanted)) return false;
        for (const auto& row : *rows) {
            const auto& truth = field->truth().rows().at({meter, epoch_us(row.at) / 1'000'000});
            for (std::size_t channel = 0; channel < 4; ++channel)
                if (row.values[channel] != std::optional{truth.channels[channel]}) return false;
        }
        return true;
    }
    dcu::TopologyNode node(const DeviceNumber& meter) const {
        for (const auto& found : root->topology())
            if (found.number == meter) return found;
        return {};
    }
    std::vector<DeviceNumber> wired() const {
        std::vector<DeviceNumber> found;
        for (const auto& meter : town.meters)
            if (field->collector_of(meter.number)) found.push_back(meter.number);
        return found;
    }

    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    Town town;
    Shipment shipment;
    FieldOptions options;
    std::unique_ptr<Field> field;
    std::unique_ptr<concentrator::MeshRoot> root;
    std::map<DeviceNumber, dcu::MeterLink> links;
    std::map<DeviceNumber, int> told;
    std::set<DeviceNumber> parked;
    std::map<std::uint32_t, Buffer> answers;
    std::vector<std::unique_ptr<CounterFile>> counters;
    std::map<DeviceNumber, std::unique_ptr<dlms::Client>> talks;
};

}  // namespace

TEST_CASE("collectors: wired meters are found, told of and read in groups, as the truth says",
          "[sim][collector]") {
    Street street;
    street.begin();
    REQUIRE(street.run(10min, [&] { return street.all_there(); }));
    const auto wired = street.wired();
    REQUIRE(wired.size() == 16);
    CHECK(street.field->status().wired == 16);
    for (const auto& meter : wired) {
        const auto& link = street.links.at(meter);
        CHECK(link.parent == *street.field->collector_of(meter));
        CHECK(link.sub_address >= 1);
        CHECK(link.hops == street.node(link.parent).hops + 1);
        const auto node = street.node(meter);
        CHECK(node.state == dcu::NodeState::joined);
        CHECK(node.sub_address == link.sub_address);
        REQUIRE_FALSE(node.route.empty());
        CHECK(node.route.back() == link.parent);
    }
    const auto before = street.root->statistics();
    const auto frames = street.field->radio().counters().sent_by_type;
    CHECK(street.read(wired) == 16);
    const auto after = street.root->statistics();
    CHECK(after.reads - before.reads == 16);
    CHECK(after.reads_first_try - before.reads_first_try == 16);
    // two ciphered requests of a range fill a frame: eight exchanges, each over the collector's hops
    std::size_t hops = 0;
    for (const auto& collector : street.town.collectors) hops += 4 * street.node(collector.number).hops;
    const auto down = static_cast<std::size_t>(mesh::FrameType::data_down);
    CHECK(street.field->radio().counters().sent_by_type[down] - frames[down] <= hops + 4);
    // six rows fill a frame alone: what has no room is handed over, and nobody is asked twice
    CHECK(street.read(wired, 6) == 16);
    for (std::size_t i = 0; i < street.town.meters.size(); ++i)
        CHECK(street.field->server_counters(i).replayed == 0);
}

TEST_CASE("collectors: a meter that moves between wires and radio stays the same meter", "[sim][collector]") {
    Street street{4, 8};
    street.begin();
    REQUIRE(street.run(10min, [&] { return street.all_there(); }));
    const auto mover = street.wired().front();
    const auto first = street.town.collectors[0].number, second = street.town.collectors[1].number;
    REQUIRE(street.read({mover}) == 1);

    REQUIRE(street.field->move(mover, second));
    REQUIRE(street.run(
        5min, [&] { return street.links.contains(mover) && street.links.at(mover).parent == second; }));
    CHECK(street.read({mover}, 2) == 1);
    CHECK(street.node(mover).parent == second);
    // the old collector notices much later, and that is no news
    const int told = street.told[mover];
    street.run(5min, [] { return false; });
    CHECK(street.told[mover] == told);
    CHECK(street.links.at(mover).parent == second);

    REQUIRE(street.field->move(mover, std::nullopt));
    REQUIRE(street.run(
        5min, [&] { return street.links.contains(mover) && street.links.at(mover).sub_address == 0; }));
    CHECK(street.read({mover}) == 1);
    street.run(12min, [] { return false; });  // past the next fetch of every table
    CHECK(street.links.at(mover).sub_address == 0);
    CHECK(street.node(mover).sub_address == 0);

    REQUIRE(street.field->move(mover, first));
    REQUIRE(street.run(5min, [&] {
        return street.links.contains(mover) && street.links.at(mover).parent == first &&
               street.links.at(mover).sub_address != 0;
    }));
    CHECK(street.read({mover}) == 1);
    CHECK(street.read(street.wired()) == street.wired().size());
}

TEST_CASE("collectors: a wired meter that nobody listed is parked, and read as soon as it is approved",
          "[sim][collector]") {
    Street street{2, 6};
    street.begin();
    const auto stranger = street.wired().back();
    street.list_meters([&](const TownMeter& meter) { return meter.number != stranger; });
    REQUIRE(street.run(10min, [&] {
        return street.links.size() == street.town.meters.size() + 2 - 1 && street.parked.contains(stranger);
    }));
    CHECK(street.node(stranger).state == dcu::NodeState::parked);
    const auto refused = street.root->send(stranger, {2, 0xC8}, 3, street.field->now(), 10s);
    street.run(1s, [] { return false; });
    CHECK(street.answers.at(refused).empty());
    street.list_meters([](const TownMeter&) { return true; });
    REQUIRE(street.run(10s, [&] { return street.links.contains(stranger); }));
    CHECK(street.read({stranger}) == 1);
}

TEST_CASE("collectors: unplugged, mute or without power, and back: each is told, and nothing else stops",
          "[sim][collector]") {
    Street street{3, 6};
    street.begin();
    REQUIRE(street.run(10min, [&] { return street.all_there(); }));
    const auto wired = street.wired();
    const auto mute = wired[0], unplugged = wired[1];
    REQUIRE(street.field->kill(mute));
    REQUIRE(street.field->unplug(unplugged));
    CHECK(street.field->status().dead == std::vector{mute, unplugged});
    CHECK(street.read(wired) == wired.size() - 2);
    REQUIRE(
        street.run(10min, [&] { return !street.links.contains(mute) && !street.links.contains(unplugged); }));
    REQUIRE(street.field->revive(mute));
    REQUIRE(street.field->move(unplugged, street.town.collectors[0].number));
    REQUIRE(street.run(10min, [&] { return street.all_there(); }));
    CHECK(street.read(wired) == wired.size());

    // the collector loses power for a while; its meters keep their places
    const auto subs = street.links;
    REQUIRE(street.field->kill(street.town.collectors[0].number));
    street.run(2min, [] { return false; });
    REQUIRE(street.field->revive(street.town.collectors[0].number));
    REQUIRE(street.run(10min, [&] { return street.read(wired) == wired.size(); }));
    for (const auto& meter : wired) CHECK(street.links.at(meter).sub_address == subs.at(meter).sub_address);
}

TEST_CASE("collectors: a restart of the field finds everybody on the wire where they were left",
          "[sim][collector]") {
    const Scratch scratch;
    Street street{3, 6};
    street.options.state_folder = scratch.path / "state";
    street.begin();
    REQUIRE(street.run(10min, [&] { return street.all_there(); }));
    const auto mover = street.wired().front();
    REQUIRE(street.field->move(mover, street.town.collectors[1].number));
    const auto wired = street.wired();
    street.field->save();
    street.options.start = street.field->now();
    street.field.reset();
    street.links.clear();
    street.begin();
    CHECK(street.wired() == wired);
    CHECK(street.field->collector_of(mover) == street.town.collectors[1].number);
    REQUIRE(street.run(10min, [&] { return street.all_there(); }));
    CHECK(street.read(wired) == wired.size());
}

TEST_CASE("collectors: a node that is not listed as a collector is not believed", "[sim][collector]") {
    Street street{2, 6};
    street.begin();
    street.root->set_collectors({street.town.collectors[0].number});
    street.list_meters([](const TownMeter&) { return true; });
    const auto expected = 6 + 2 + 2;  // on radio, on the wire of the first, both collectors as nodes
    REQUIRE(street.run(10min, [&] { return street.links.size() == static_cast<std::size_t>(expected); }));
    street.run(5min, [] { return false; });
    CHECK(street.links.size() == static_cast<std::size_t>(expected));
    CHECK(street.root->statistics().frames_refused > 0);
    for (const auto& meter : street.wired())
        CHECK(street.links.contains(meter) ==
              (street.field->collector_of(meter) == street.town.collectors[0].number));
}

TEST_CASE("collectors: nothing wakes the concentrator for what it cannot do yet", "[sim][collector]") {
    Street street{2, 6};
    street.begin();
    REQUIRE(street.run(10min, [&] { return street.all_there(); }));
    const auto wired = street.wired();
    street.field->kill(wired[0]);
    // a mute meter keeps its group on the wire for longer than the deadline of the other one
    const auto first = street.root->send(wired[0], {2, 0xC8, 1}, 3, street.field->now(), 60s);
    const auto second = street.root->send(wired[1], {2, 0xC8, 1}, 3, street.field->now(), 300ms);
    for (int i = 0; i < 1'000; ++i) {
        street.run(10ms, [] { return false; });
        street.root->tick(street.field->now());
        while (auto output = street.root->take_output()) street.field->feed(0, *output);
        REQUIRE(street.root->next_deadline() > street.field->now());
    }
    street.run(20s, [] { return false; });
    CHECK(street.answers.contains(first));
    CHECK(street.answers.contains(second));
}

TEST_CASE("collectors: what cannot be moved is refused, and the control port says why", "[sim][collector]") {
    Street street{1, 4};
    street.begin();
    const auto wired = to_string(street.wired().front());
    const auto second = to_string(street.town.collectors[1].number);
    struct Row {
        std::string line, answer;
    };
    const std::string usage =
        R"({"ok":false,"error":"say move NUMBER COLLECTOR or move NUMBER radio; numbers have twelve digits"})";
    const std::string nobody =
        R"({"ok":false,"error":"no such meter in this field, or no such collector with room at its concentrator: )";
    const std::vector<Row> rows{
        {"move " + wired + " " + second,
         R"({"ok":true,"moved":")" + wired + R"(","to":")" + second + R"("})"},
        {"move " + wired + " radio", R"({"ok":true,"moved":")" + wired + R"(","to":"radio"})"},
        {"unplug " + wired, R"({"ok":true,"unplugged":")" + wired + R"(","to":""})"},
        {"move", usage},
        {"move " + wired, usage},
        {"move " + wired + " 12", usage},
        {"move 540000009999 radio", nobody + R"(540000009999 radio"})"},
        {"move " + wired + " 700000000009", nobody + wired + R"( 700000000009"})"},
        {"unplug 12", R"({"ok":false,"error":"a device number has twelve decimal digits"})"},
    };
    for (const auto& row : rows) CHECK(ControlPort::answer(*street.field, {}, row.line) == row.answer);
}
