#include "concentrator/uplink/uplink.h"

#include <catch2/catch.hpp>

#include "concentrator/journal/queued_store.h"
#include "concentrator/uplink/logical_device.h"
#include "protocol/dlms/date_time.h"
#include "security/ciphers.h"
#include "tests/concentrator/journal/queue_executor.h"
#include "tests/concentrator/journal/scratch.h"
#include "tests/concentrator/uplink/head_end.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;
namespace o = dcu::objects;

namespace {

const DeviceNumber self = *DeviceNumber::parse("900000000001");
constexpr std::uint16_t data_class = 1, profile_class = 7;

/// An uplink with its logical device on a real journal, and the head-end at the other end of a perfect link.
struct Line {
    Line() : random(7), database(scratch.file("journal.sqlite"), journal_id(1)), store(database, executor) {
        connect_device();
        head.emplace(ciphers, random);
    }
    void connect_device() {
        objects = std::make_unique<VersionedObjects>(store, database.recovered().objects);
        DevicePorts ports;
        ports.topology = [] {
            dcu::TopologyNode node;
            node.number = meter(1);
            node.hops = 3;
            return std::vector{node};
        };
        ports.statistics = [] { return dcu::Statistics{.reads = 5, .reads_first_try = 4}; };
        ports.time = [this] { return std::pair{clock.at(now.steady - Instant{}).utc, !clock.trusted()}; };
        ports.set_time = [this](Instant truth) { clock.set(truth, now.steady - Instant{}); };
        ports.objects_changed = [this](const ObisCode& code) { changed.push_back(code); };
        ports.read_again = [this](const auto& ranges, auto done) {
            backfilled = ranges;
            done(true);
        };
        ports.new_journal_id = [] { return journal_id(99); };
        ports.certificate_request = [] { return Buffer{1, 2, 3}; };
        ports.install_certificate = [this](Buffer der, auto done) {
            installed = der;
            done(der.size() == 2);
        };
        device = std::make_unique<LogicalDevice>(self, store, *objects, ports);
        UplinkSettings settings;
        settings.number = self;
        uplink = std::make_unique<Uplink>(settings, *device, ciphers, random);
    }

    void pump() {
        for (bool moved = true; moved;) {
            moved = false;
            uplink->tick(now);
            while (auto action = uplink->take_action()) {
                moved = true;
                if (std::holds_alternative<OpenUplink>(*action)) ++opens;
                if (std::holds_alternative<CloseUplink>(*action)) ++closes;
                if (const auto* out = std::get_if<SendUplink>(&*action)) head->receive(out->bytes);
            }
            const auto bytes = head->take_output();
            moved = moved || !bytes.empty();
            if (!bytes.empty()) uplink->receive(bytes, now);
            moved = moved || !executor.works.empty();
            executor.run();
        }
    }
    void wait(Duration time) {
        for (Duration step{}; step < time; step += 1s) {
            now.steady += 1s;
            now.utc += 1s;
            pump();
        }
    }
    void log_in() {
        pump();
        uplink->opened(now);
        pump();
        head->replication.associate();
        head->configuration.associate();
        pump();
    }
    dlms::ReadOutcome get(const dlms::AttributeId& id, dlms::Selection selection = {}) {
        const auto request = head->replication.get(id, std::move(selection));
        pump();
        const auto found = head->reads.find(request);
        REQUIRE(found != head->reads.end());
        return found->second;
    }
    dlms::Data value(const dlms::AttributeId& id, dlms::Selection selection = {}) {
        auto outcome = get(id, std::move(selection));
        REQUIRE(std::holds_alternative<dlms::Data>(outcome));
        return std::get<dlms::Data>(outcome);
    }
    dlms::AccessResult set(const ObisCode& object, dlms::Data data) {
        const auto request = head->configuration.set({data_class, object, 2}, std::move(data));
        pump();
        const auto found = head->writes.find(request);
        REQUIRE(found != head->writes.end());
        return found->second;
    }

    Scratch scratch;
    security::OpensslCiphers ciphers;
    SeededRandom random;
    QueueExecutor executor;
    JournalDatabase database;
    QueuedStore store;
    TrustedClock clock{at(1'600'000'000)};
    Now now{at(0), at(1'700'000'000), false};
    std::unique_ptr<VersionedObjects> objects;
    std::unique_ptr<LogicalDevice> device;
    std::unique_ptr<Uplink> uplink;
    std::optional<HeadEnd> head;
    std::vector<ObisCode> changed;
    std::vector<dcu::BackfillRange> backfilled;
    Buffer installed;
    int opens = 0, closes = 0;
};

std::vector<dcu::Entry> entries_in(const dlms::Data& rows) {
    std::vector<dcu::Entry> out;
    for (const auto& row : *rows.elements()) out.push_back(*dcu::entry_from_data(row));
    return out;
}

}  // namespace

TEST_CASE("uplink: logs in with the captured form of hello, and beats", "[concentrator]") {
    Line line;
    line.log_in();
    CHECK(line.opens == 1);
    REQUIRE(line.head->hellos.size() == 1);
    CHECK(line.head->hellos[0].kind == link::Hello::Kind::login);
    CHECK(line.head->hellos[0].type == 2);
    CHECK(line.head->hellos[0].address == "900000000001");
    CHECK(line.head->hellos[0].option == std::uint8_t{0});
    CHECK(line.uplink->logged_in());
    line.wait(3min);
    CHECK(line.head->hellos.size() == 1 + 3);
    CHECK(line.head->hellos.back().kind == link::Hello::Kind::heartbeat);
    CHECK(line.closes == 0);
}

TEST_CASE("uplink: calls in again and again, ever more slowly, and quickly after a good log-in",
          "[concentrator]") {
    Line line;
    std::vector<Instant> calls;
    for (int i = 0; i < 600; ++i) {
        const int before = line.opens;
        line.wait(1s);
        if (line.opens == before) continue;
        calls.push_back(line.now.steady);
        line.uplink->closed("refused", line.now);
    }
    REQUIRE(calls.size() > 10);
    CHECK(calls[1] - calls[0] <= 3s);
    for (std::size_t i = 7; i < calls.size(); ++i) {
        CHECK(calls[i] - calls[i - 1] >= 30s);
        CHECK(calls[i] - calls[i - 1] <= 62s);
    }
    line.opens = 0;
    while (line.opens == 0) line.wait(1s);
    line.uplink->opened(line.now);
    line.pump();
    CHECK(line.uplink->logged_in());
    line.uplink->closed("reset by peer", line.now);
    line.wait(3s);
    CHECK(line.opens == 2);
}

TEST_CASE("uplink: drops a head-end that is silent, half-spoken or no head-end", "[concentrator]") {
    Line line;
    SECTION("log-in is not answered") {
        line.head->answers_hello = false;
        line.log_in();
        line.wait(61s);
        CHECK(line.closes == 1);
    }
    SECTION("heartbeats are not answered") {
        line.log_in();
        line.head->answers_hello = false;
        line.wait(3min);
        CHECK(line.closes == 0);
        line.wait(61s);
        CHECK(line.closes == 1);
    }
    SECTION("half a frame") {
        line.log_in();
        line.head->send_raw(Buffer{0, 1, 0, 1, 0, 1});
        line.wait(62s);
        CHECK(line.closes == 1);
    }
    SECTION("other octets") {
        line.log_in();
        line.head->send_raw(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
        line.pump();
        CHECK(line.closes == 1);
        CHECK(line.uplink->counts().malformed == 1);
    }
    CHECK_FALSE(line.uplink->logged_in());
}

TEST_CASE("logical device: directory and entries after a sequence, over block transfer", "[concentrator]") {
    Line line;
    line.log_in();
    for (int i = 1; i <= 150; ++i) {
        Commit commit = entry(i);
        commit.entries[0].payload.assign(1'000, static_cast<std::uint8_t>(i));
        line.database.commit(commit);
    }
    const auto directory = dcu::directory_from_data(line.value({data_class, o::journal_directory, 2}));
    REQUIRE(directory);
    REQUIRE(directory->size() == 1);
    CHECK((*directory)[0] == dcu::JournalInfo{journal_id(1), o::journal(0), {1}, {150}, {0}});

    const dlms::AttributeId buffer{profile_class, (*directory)[0].profile, 2};
    auto entries =
        entries_in(line.value(buffer, dcu::entries_after({0}, 100)));  // over 64 KiB: more than one block
    REQUIRE(entries.size() == 100);
    CHECK(entries[99].sequence == Sequence{100});
    CHECK(entries[99].payload == Buffer(1'000, 100));
    CHECK(entries[99].meter == meter(100));
    entries = entries_in(line.value(buffer, dcu::entries_after({100}, 200)));
    CHECK(entries.size() == 50);
    CHECK(entries_in(line.value(buffer, dcu::entries_after({150}, 200))).empty());
    CHECK(entries_in(line.value(buffer, dcu::entries_after({7'000}, 200))).empty());
    entries = entries_in(line.value(buffer, dlms::EntrySelection{149, 0, 1, 0}));
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].sequence == Sequence{149});
    CHECK(line.value({profile_class, o::journal(0), 7}) == dlms::Data{std::uint32_t{150}});
    CHECK(std::get<dlms::AccessResult>(line.get({profile_class, o::journal(1), 2})) ==
          dlms::AccessResult::object_undefined);
}

TEST_CASE("logical device: entries count as taken only when the head-end says so", "[concentrator]") {
    Line line;
    line.log_in();
    for (int i = 1; i <= 5; ++i) line.database.commit(entry(i));
    line.value({profile_class, o::journal(0), 2}, dcu::entries_after({0}, 5));
    CHECK(line.database.directory()[0].acknowledged == Sequence{0});
    CHECK(line.set(o::journal_acknowledge, dcu::to_data(dcu::Acknowledgement{journal_id(1), {3}})) ==
          dlms::AccessResult::success);
    CHECK(line.database.directory()[0].acknowledged == Sequence{3});
    CHECK(line.set(o::journal_acknowledge, dlms::Data{std::uint8_t{1}}) ==
          dlms::AccessResult::type_unmatched);
    CHECK(line.set(o::journal_acknowledge, dcu::to_data(dcu::Acknowledgement{journal_id(8), {1}})) ==
          dlms::AccessResult::scope_of_access_violated);
    CHECK(line.set(o::journal_acknowledge, dcu::to_data(dcu::Acknowledgement{journal_id(1), {9}})) ==
          dlms::AccessResult::scope_of_access_violated);
    CHECK(line.database.directory().back().id == journal_id(99));  // the head-end knew more: a new journal
}

TEST_CASE("logical device: growth is told at most once a second", "[concentrator]") {
    Line line;
    line.log_in();
    for (int i = 1; i <= 10; ++i) {
        line.uplink->notify(line.database.commit(entry(i)));
        line.pump();
    }
    CHECK(line.head->notifications.size() == 1);
    line.wait(1s);
    REQUIRE(line.head->notifications.size() == 2);
    const auto directory = dcu::directory_from_data(line.head->notifications[1]);
    REQUIRE(directory);
    CHECK(directory->back().last == Sequence{10});
    line.wait(10s);
    CHECK(line.head->notifications.size() == 2);
}

TEST_CASE("objects: written durably, read back, only forward", "[concentrator]") {
    Line line;
    line.log_in();
    CHECK(std::get<dlms::AccessResult>(line.get({data_class, o::limits, 2})) ==
          dlms::AccessResult::object_unavailable);
    const dcu::Limits limits{.version = 5, .heartbeat_s = 30};
    CHECK(line.set(o::limits, dcu::to_data(limits)) == dlms::AccessResult::success);
    CHECK(line.value({data_class, o::limits, 2}) == dcu::to_data(limits));
    CHECK(line.objects->limits() == limits);
    CHECK(line.changed == std::vector<ObisCode>{o::limits});
    CHECK(line.set(o::limits, dcu::to_data(limits)) == dlms::AccessResult::success);  // the same again
    CHECK(line.changed.size() == 1);
    auto other = limits;
    other.heartbeat_s = 31;
    CHECK(line.set(o::limits, dcu::to_data(other)) == dlms::AccessResult::scope_of_access_violated);
    other.version = 4;
    CHECK(line.set(o::limits, dcu::to_data(other)) == dlms::AccessResult::scope_of_access_violated);
    CHECK(line.set(o::limits, dlms::structure({std::uint32_t{9}, std::uint8_t{1}})) ==
          dlms::AccessResult::type_unmatched);
    CHECK(line.set(o::limits, dlms::Data{std::uint32_t{9}}) == dlms::AccessResult::type_unmatched);
    CHECK(line.objects->limits() == limits);

    const dcu::MeterList list{2, {{meter(1), dcu::MeterRole::customer}, {meter(2), dcu::MeterRole::summary}}};
    CHECK(line.set(o::meter_list, dcu::to_data(list)) == dlms::AccessResult::success);
    CHECK(line.set(o::topology, dlms::array({})) == dlms::AccessResult::read_write_denied);

    JournalDatabase again(line.scratch.file("journal.sqlite"), journal_id(2));
    const VersionedObjects recovered(line.store, again.recovered().objects);
    CHECK(recovered.limits() == limits);
    CHECK(recovered.meter_list() == list);
}

TEST_CASE("objects: keys never come back", "[concentrator]") {
    Line line;
    line.log_in();
    dcu::WrappedKeys keys{3, {}};
    for (int n = 1; n <= 1'024; ++n)
        keys.meters.push_back({meter(n), Buffer(56, static_cast<std::uint8_t>(0xA0 + n % 7))});
    const auto written = dcu::to_data(keys);
    CHECK(line.set(o::wrapped_keys, written) == dlms::AccessResult::success);  // over 64 KiB: a set by blocks
    const auto shown = line.value({data_class, o::wrapped_keys, 2});
    CHECK(shown == dlms::structure(
                       {std::uint32_t{3}, dlms::octet_string(security::sha256(dlms::encode_data(written)))}));
    CHECK(line.objects->wrapped_keys() == keys);
}

TEST_CASE("logical device: clock, backfill, certificate, name, topology, statistics", "[concentrator]") {
    Line line;
    line.log_in();
    const dlms::AttributeId clock{8, obis::clock, 2};
    auto time = dlms::date_time(line.value(clock));
    REQUIRE(time);
    CHECK(time->at == at(1'600'000'000));
    CHECK(time->status == dlms::clock_status::doubtful);
    const auto request =
        line.head->configuration.set(clock, dlms::date_time_octets({at(1'700'000'123), 0, 0}));
    line.pump();
    CHECK(line.head->writes.at(request) == dlms::AccessResult::success);
    time = dlms::date_time(line.value(clock));
    CHECK(time->at == at(1'700'000'123));
    CHECK(time->status == 0);

    const dcu::Backfill backfill{1, {{meter(1), obis::load_profile, at(900), at(1'800)}}};
    CHECK(line.set(o::backfill, dcu::to_data(backfill)) == dlms::AccessResult::success);
    CHECK(line.backfilled == backfill.ranges);
    line.backfilled.clear();
    CHECK(line.set(o::backfill, dcu::to_data(backfill)) == dlms::AccessResult::success);
    CHECK(line.backfilled.empty());
    CHECK(std::get<dlms::AccessResult>(line.get({data_class, o::backfill, 2})) ==
          dlms::AccessResult::read_write_denied);

    CHECK(line.value({data_class, o::certificate_request, 2}) == dlms::octet_string(Buffer{1, 2, 3}));
    CHECK(line.set(o::certificate_request, dlms::octet_string(Buffer{4, 5})) == dlms::AccessResult::success);
    CHECK(line.set(o::certificate_request, dlms::octet_string(Buffer{4})) ==
          dlms::AccessResult::scope_of_access_violated);
    CHECK(line.value({data_class, obis::logical_device_name, 2}) ==
          dlms::octet_string(as_bytes("WMT900000000001")));
    const auto topology = dcu::topology_from_data(line.value({data_class, o::topology, 2}));
    REQUIRE(topology);
    CHECK((*topology)[0].hops == 3);
    CHECK(dcu::statistics_from_data(line.value({data_class, o::statistics, 2}))->reads == 5);
    CHECK(line.value({15, obis::current_association, 2}).elements()->size() > 10);
    CHECK(std::get<dlms::AccessResult>(line.get({data_class, obis::load_profile, 2})) ==
          dlms::AccessResult::object_undefined);
}

TEST_CASE("relay: requests to several meters at once, one at a time for each, unopened both ways",
          "[concentrator]") {
    Line line;
    line.log_in();
    auto& relay = line.uplink->relay();
    relay.set_meters({meter(1), meter(2), meter(3)});
    relay.set_transactions_max(2);
    line.head->ask(meter(1), {0xC0, 1});
    line.head->ask(meter(1), {0xC0, 2});
    line.head->ask(meter(2), {0xC0, 3});
    line.head->ask(meter(3), {0xC0, 4}, public_client);
    line.pump();
    CHECK(relay.wanted() == std::set{meter(1), meter(2), meter(3)});
    const auto free = [](const DeviceNumber&) { return true; };
    CHECK_FALSE(relay.take_talk([](const DeviceNumber&) { return false; }));  // our own read is on the air
    auto talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->meter == meter(1));
    CHECK(talk->payload == Buffer{1, 0xC0, 1});
    talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->meter == meter(2));
    CHECK_FALSE(relay.take_talk(free));  // two at once, no more

    relay.answered(meter(2), Buffer{1, 0xC4, 9});
    line.uplink->flush_relay();
    line.pump();
    REQUIRE(line.head->relayed.size() == 1);
    const auto second = meter(2);
    CHECK(line.head->relayed[0] ==
          link::GatewayFrame{true, 0, {second.bcd.begin(), second.bcd.end()}, {0xC4, 9}});
    talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->payload == Buffer{16, 0xC0, 4});
    relay.failed(meter(1));
    line.uplink->flush_relay();
    line.pump();
    CHECK(line.head->relayed[1].apdu == Buffer{0xD8, 1, 3});
    talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->payload == Buffer{1, 0xC0, 2});
}

TEST_CASE("relay: what cannot go is refused with an exception", "[concentrator]") {
    Line line;
    line.log_in();
    line.uplink->relay().set_meters({meter(1)});
    struct Row {
        const char* why;
        int meter;
        Buffer apdu;
        Sap client;
        Buffer answer;
    };
    const auto row = GENERATE(values<Row>({
        {"unlisted meter", 2, {0xC0}, management_client, {0xD8, 1, 3}},
        {"our own client", 1, {0xC8}, reading_client, {0xD8, 1, 3}},
        {"too long", 1, Buffer(201, 0xC8), management_client, {0xD8, 1, 4}},
    }));
    DYNAMIC_SECTION(row.why) {
        line.head->ask(meter(row.meter), row.apdu, row.client);
        line.pump();
        REQUIRE(line.head->relayed.size() == 1);
        CHECK(line.head->relayed[0].apdu == row.answer);
        CHECK(line.head->relayed_to[0] == row.client);
        CHECK_FALSE(line.uplink->relay().take_talk([](const DeviceNumber&) { return true; }));
    }
}

TEST_CASE("relay: an answer for a link that is gone does not go out on the next one", "[concentrator]") {
    Line line;
    line.log_in();
    auto& relay = line.uplink->relay();
    relay.set_meters({meter(1)});
    line.head->ask(meter(1), {0xC0, 1});
    line.pump();
    REQUIRE(relay.take_talk([](const DeviceNumber&) { return true; }));
    line.uplink->closed("reset by peer", line.now);
    line.head.emplace(line.ciphers, line.random);
    line.wait(3s);
    line.uplink->opened(line.now);
    line.pump();
    line.head->ask(meter(1), {0xC0, 2});
    line.pump();
    CHECK_FALSE(relay.take_talk(
        [](const DeviceNumber&) { return true; }));  // the mesh still works on the old request
    relay.answered(meter(1), Buffer{1, 0xC4, 1});
    line.uplink->flush_relay();
    line.pump();
    CHECK(line.head->relayed.empty());
    CHECK(relay.take_talk([](const DeviceNumber&) { return true; }));
}
