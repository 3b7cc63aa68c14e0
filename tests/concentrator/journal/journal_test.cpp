#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "protocol/dcu/objects.h"
#include "tests/concentrator/journal/scratch.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;

namespace {

std::vector<std::uint64_t> sequences(const std::vector<dcu::Entry>& entries) {
    std::vector<std::uint64_t> out;
    for (const auto& e : entries) out.push_back(e.sequence.value);
    return out;
}
constexpr std::size_t plenty = 1 << 20;

}  // namespace

TEST_CASE("journal: entries come back as they were written, in order, without holes", "[concentrator]") {
    const Scratch scratch;
    JournalDatabase database(scratch.file("journal.sqlite"), journal_id(1));
    Commit commit = entry(1);
    commit.entries.push_back({meter(2), dcu::EntryKind::meter_lost, at(1'700'000'005), true, {}});
    database.commit(commit);
    const auto directory = database.commit(entry(3));
    REQUIRE(directory.size() == 1);
    CHECK(directory[0] == dcu::JournalInfo{journal_id(1), dcu::objects::journal(0), {1}, {3}, {0}});

    const auto entries = database.read(journal_id(1), {0}, 10, plenty);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0] ==
          dcu::Entry{{1}, meter(1), dcu::EntryKind::interval_rows, at(1'700'000'000), false, {1, 0, 1}});
    CHECK(entries[1] == dcu::Entry{{2}, meter(2), dcu::EntryKind::meter_lost, at(1'700'000'005), true, {}});
    CHECK(sequences(database.read(journal_id(1), {1}, 1, plenty)) == std::vector<std::uint64_t>{2});
    CHECK(sequences(database.read(journal_id(1), {0}, 10, 4)) == std::vector<std::uint64_t>{1, 2});
    CHECK(sequences(database.read(journal_id(1), {0}, 10, 0)) == std::vector<std::uint64_t>{1});
    CHECK(database.read(journal_id(9), {0}, 10, plenty).empty());
}

TEST_CASE("journal: every start begins a new journal, the old one drains first", "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    {
        JournalDatabase database(path, journal_id(1));
        CHECK_FALSE(database.recovered().last_time);
        database.commit(entry(1, 1'700'000'100));
        database.commit(entry(2, 1'700'000'050));
    }
    {
        JournalDatabase empty(path, journal_id(2));
    }
    JournalDatabase database(path, journal_id(3));
    database.commit(entry(3));
    const auto directory = database.directory();
    REQUIRE(directory.size() == 2);  // the empty journal 2 is gone
    CHECK(directory[0] == dcu::JournalInfo{journal_id(1), dcu::objects::journal(0), {1}, {2}, {0}});
    CHECK(directory[1] == dcu::JournalInfo{journal_id(3), dcu::objects::journal(1), {1}, {1}, {0}});
    CHECK(database.recovered().journal == journal_id(3));
    CHECK(database.recovered().last_time == at(1'700'000'050));
}

TEST_CASE("journal: positions, ranges and counters stand or fall with their entry", "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    const KeyCheck key{1, 2, 3};
    {
        JournalDatabase database(path, journal_id(1));
        database.reserve_counters({{meter(1), key}}, 100);
        Commit commit = entry(1);
        commit.positions.push_back({meter(1), obis::load_profile, at(900)});
        commit.ranges = {{1, meter(1), obis::load_profile, at(0), at(800)},
                         {2, meter(1), obis::load_profile, at(0), at(1)}};
        commit.received.push_back({meter(1), 77});
        database.commit(commit);
        commit.positions[0].at = at(1'800);
        commit.ranges = {{1, meter(1), obis::load_profile, at(0), at(400)}};
        commit.ranges_done = {2};
        commit.received[0].value = 50;  // never backwards
        database.commit(commit);
    }
    JournalDatabase database(path, journal_id(3));
    const auto& found = database.recovered();
    CHECK(found.positions == std::vector<ReadPosition>{{meter(1), obis::load_profile, at(1'800)}});
    CHECK(found.ranges == std::vector<PendingRange>{{1, meter(1), obis::load_profile, at(0), at(400)}});
    CHECK(found.range_id_last == 2);
    const auto blocks = database.reserve_counters({{meter(1), key}}, 100);
    CHECK(blocks[0].received == 77);
}

TEST_CASE("journal: acknowledged and old entries are erased, others never", "[concentrator]") {
    const Scratch scratch;
    JournalDatabase database(scratch.file("journal.sqlite"), journal_id(1));
    for (int i = 1; i <= 6; ++i) database.commit(entry(i, 1'000 * i));
    CHECK(database.acknowledge({journal_id(1), {4}}, journal_id(2)) == AcknowledgeOutcome::accepted);
    CHECK(database.acknowledge({journal_id(1), {2}}, journal_id(2)) ==
          AcknowledgeOutcome::accepted);  // never backwards
    auto directory = database.erase(at(3'000));
    CHECK(directory[0] == dcu::JournalInfo{journal_id(1), dcu::objects::journal(0), {3}, {6}, {4}});
    directory = database.erase(at(1'000'000));
    CHECK(directory[0].first == Sequence{5});
    CHECK(sequences(database.read(journal_id(1), {0}, 10, plenty)) == std::vector<std::uint64_t>{5, 6});
    CHECK(database.acknowledge({journal_id(7), {1}}, journal_id(2)) == AcknowledgeOutcome::unknown_journal);
}

TEST_CASE("journal: an entry of doubtful time is as old as the next trusted one", "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    const auto doubtful = [](int n) {
        auto commit = entry(n, 1);
        commit.entries[0].clock_doubtful = true;
        return commit;
    };
    {
        JournalDatabase old(path, journal_id(1));
        old.commit(doubtful(1));
        old.acknowledge({journal_id(1), {1}}, journal_id(9));
    }
    JournalDatabase database(path, journal_id(2));
    database.commit(doubtful(1));
    database.commit(entry(2, 5'000));
    database.commit(doubtful(3));
    database.acknowledge({journal_id(2), {3}}, journal_id(9));
    auto directory = database.erase(at(4'000));
    CHECK(directory[0].first == Sequence{1});
    CHECK(directory[1].first == Sequence{1});
    directory = database.erase(at(6'000));
    CHECK(directory[1].first == Sequence{3});
    directory = database.erase(at(6'000));
    CHECK(directory[0].first == Sequence{2});  // all of the older journal
}

TEST_CASE("journal: the head-end knows more than we have: a new journal begins", "[concentrator]") {
    const Scratch scratch;
    JournalDatabase database(scratch.file("journal.sqlite"), journal_id(1));
    database.commit(entry(1));
    CHECK(database.acknowledge({journal_id(1), {5}}, journal_id(2)) == AcknowledgeOutcome::beyond_end);
    const auto directory = database.commit(entry(2));
    REQUIRE(directory.size() == 2);
    CHECK(directory[0].last == Sequence{1});
    CHECK(directory[1].id == journal_id(2));
    CHECK(directory[1].last == Sequence{1});
}

TEST_CASE("journal: a full ring overwrites acknowledged entries first and names what it lost",
          "[concentrator]") {
    const Scratch scratch;
    JournalDatabase database(scratch.file("journal.sqlite"), journal_id(1));
    database.limit(10);
    for (int i = 1; i <= 10; ++i) database.commit(entry(i));
    database.acknowledge({journal_id(1), {4}}, journal_id(2));

    database.commit(entry(11));  // 11 entries: makes room for 3, all acknowledged: no gap
    auto entries = database.read(journal_id(1), {0}, 100, plenty);
    CHECK(sequences(entries) == std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9, 10, 11});
    for (int i = 12; i <= 14; ++i) database.commit(entry(i));
    // 4 is acknowledged, 5 and 6 are not
    entries = database.read(journal_id(1), {0}, 100, plenty);
    REQUIRE(entries.front().sequence == Sequence{7});
    CHECK(entries.back().kind == dcu::EntryKind::gap);
    CHECK(*dcu::decode_gap_range(entries.back().payload) == dcu::GapRange{{5}, {6}});
    CHECK(entries.back().sequence == Sequence{15});
    CHECK(entries.size() <= 10);
    CHECK(database.directory()[0].first == Sequence{7});
}

TEST_CASE("journal: a full ring in an old journal leaves the gap entry there", "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    {
        JournalDatabase old(path, journal_id(1));
        for (int i = 1; i <= 5; ++i) old.commit(entry(i));
    }
    JournalDatabase database(path, journal_id(2));
    database.limit(5);
    database.commit(entry(6));
    const auto entries = database.read(journal_id(1), {0}, 100, plenty);
    CHECK(sequences(entries) == std::vector<std::uint64_t>{4, 5, 6});
    CHECK(*dcu::decode_gap_range(entries.back().payload) == dcu::GapRange{{1}, {3}});
    CHECK(sequences(database.read(journal_id(2), {0}, 100, plenty)) == std::vector<std::uint64_t>{1});
}

TEST_CASE("journal: counter blocks are never handed out twice, whichever keys come and go",
          "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    const KeyCheck key{1}, other{2};
    CounterBlock first;
    {
        JournalDatabase database(path, journal_id(1));
        first = database.reserve_counters({{meter(1), key}}, 100)[0];
        CHECK(first.first == 1);
        CHECK(first.limit == 101);
    }
    JournalDatabase database(path, journal_id(2));
    CHECK(database.reserve_counters({{meter(1), key}}, 100)[0].first == first.limit);
    CHECK(database.reserve_counters({{meter(1), other}}, 100)[0].first == 201);
    CHECK(database.reserve_counters({{meter(1), key}}, 100)[0].first == 301);  // the old key is back
    CHECK(database.reserve_counters({{meter(2), other}}, 100)[0].first == 1);
    CHECK(database.reserve_counters({{meter(1), other, 5'000}}, 100)[0].first == 5'000);
    CHECK(database.reserve_counters({{meter(1), other, 10}}, 100)[0].first == 5'100);
    auto last = database.reserve_counters({{meter(1), other}}, 0xFFFFFFFF)[0];
    CHECK(last.limit == 0xFFFFFFFF);
    last = database.reserve_counters({{meter(1), other}}, 100)[0];
    CHECK(last.first == last.limit);  // used up: no counter is left, and none repeats
    CHECK(database.reserve_counters({{meter(1), key}}, 100)[0].first == 1);
}

TEST_CASE("journal: objects and mesh state survive", "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    const StoredObject object{dcu::objects::limits, 4'000'000'000, {1, 0, 2}};
    {
        JournalDatabase database(path, journal_id(1));
        CHECK(database.recovered().mesh_state.empty());
        database.put_object({dcu::objects::limits, 1, {9}});
        database.put_object(object);
        database.put_mesh_state({0, 1, 2, 0});
        database.put_mesh_state({5, 0, 5});
    }
    JournalDatabase database(path, journal_id(2));
    CHECK(database.recovered().objects == std::vector<StoredObject>{object});
    CHECK(database.recovered().mesh_state == Buffer{5, 0, 5});
}

TEST_CASE("journal: a file that is none is refused by name", "[concentrator]") {
    const Scratch scratch;
    CHECK_THROWS_WITH(JournalDatabase(scratch.file("no/such/folder"), journal_id(1)),
                      Catch::Contains("no/such/folder"));
}

// The child dies without closing anything, in the middle of its appends; what it had reported must be there,
// and the position must fit the entries exactly.
TEST_CASE("journal: a killed program loses nothing that it had reported", "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    int reported = 0;
    for (int run = 0; run < 3; ++run) {
        int channel[2];
        REQUIRE(pipe(channel) == 0);
        const pid_t child = fork();
        if (child == 0) {
            JournalDatabase database(path, journal_id(static_cast<std::uint8_t>(run + 1)));
            const auto start =
                database.recovered().positions.empty() ? 0 : epoch_us(database.recovered().positions[0].at);
            for (int i = 1;; ++i) {
                Commit commit = entry(i);
                commit.positions.push_back({meter(0), obis::load_profile, from_epoch_us(start + i)});
                database.commit(commit);
                if (write(channel[1], &i, sizeof i) != sizeof i || i == 20 + run * 7) _exit(9);
            }
        }
        close(channel[1]);
        for (int i = 0; read(channel[0], &i, sizeof i) == sizeof i;) ++reported;
        close(channel[0]);
        REQUIRE(waitpid(child, nullptr, 0) == child);
    }
    JournalDatabase database(path, journal_id(9));
    std::uint64_t kept = 0;
    for (std::uint8_t run = 1; run <= 3; ++run)
        kept += database.read(journal_id(run), {0}, 1'000, plenty).size();
    CHECK(kept == static_cast<std::uint64_t>(reported));
    REQUIRE(database.recovered().positions.size() == 1);
    CHECK(epoch_us(database.recovered().positions[0].at) == reported);
}
