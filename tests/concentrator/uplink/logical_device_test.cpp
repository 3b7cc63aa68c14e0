#include "protocol/dlms/date_time.h"
#include "tests/concentrator/uplink/line.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;
namespace o = dcu::objects;

namespace {

std::vector<dcu::Entry> entries_in(const dlms::Data& rows) {
    std::vector<dcu::Entry> out;
    for (const auto& row : *rows.elements()) out.push_back(*dcu::entry_from_data(row));
    return out;
}

}  // namespace

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
