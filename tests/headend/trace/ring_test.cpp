#include <catch2/catch.hpp>

#include "headend/trace/reader.h"
#include "tests/security/folder.h"

using namespace wattmesh;
using namespace wattmesh::headend::trace;
using security::Folder;

namespace {

const Instant noon = from_epoch_us(1'790'000'000'000'000);
const DeviceNumber first = DeviceNumber::parse("900000000001").value();
const DeviceNumber second = DeviceNumber::parse("900000000002").value();

Record frame(std::optional<DeviceNumber> device, std::uint64_t link, int second_of_minute, Buffer content) {
    return {.kind = Record::Kind::received,
            .carries = link::Carried::wrapper,
            .link = link,
            .device = device,
            .at = noon + std::chrono::seconds{second_of_minute},
            .size = content.size(),
            .content = std::move(content)};
}
RingSettings small(const Folder& folder) { return {.directory = folder.path / "trace"}; }

std::vector<Record> records_of(const Reading& reading) {
    std::vector<Record> records;
    for (const auto& found : reading.records) records.push_back(found.record);
    return records;
}
std::uint64_t size_of(const std::filesystem::path& folder) {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) sum += entry.file_size();
    return sum;
}

}  // namespace

TEST_CASE("trace record: is read as it was written; cut and damaged ones are told", "[trace]") {
    Record record = frame(first, 7, 3, {1, 2, 3});
    record.size = 100'000;
    const Buffer octets = encode(record);
    CHECK(octets.size() == size_field + record_head + 3);
    const auto decoded = decode_record(octets);
    REQUIRE(decoded.verdict == Decoded::Verdict::whole);
    CHECK(decoded.size == octets.size());
    CHECK(decoded.record == record);
    for (std::size_t size = 0; size < octets.size(); ++size)
        CHECK(decode_record(Bytes{octets}.first(size)).verdict == Decoded::Verdict::unfinished);
    for (const std::size_t place : {0U, 4U, 5U}) {  // size, kind, carries
        Buffer wrong = octets;
        wrong[place] = 0xF0;
        CHECK(decode_record(wrong).verdict == Decoded::Verdict::damaged);
    }
    record.device.reset();
    CHECK(decode_record(encode(record)).record == record);
}

TEST_CASE("trace ring: goes on in a new file when somebody removed its own", "[trace]") {
    Folder folder;
    Ring ring{small(folder), "1-1"};
    ring.push(frame(first, 1, 0, {1}));
    ring.flush();
    for (const auto& entry : std::filesystem::directory_iterator{small(folder).directory})
        std::filesystem::remove(entry);
    const auto later = frame(first, 1, 1, {2});
    ring.push(later);
    ring.flush();
    CHECK(records_of(read(small(folder).directory, {}, {})) == std::vector{later});
    CHECK(ring.lost() == 0);
}

TEST_CASE("trace ring: what was pushed is read in order; a cursor goes on behind it", "[trace]") {
    Folder folder;
    Ring ring{small(folder), "1-1"};
    const std::vector<Record> said{frame({}, 1, 0, {1}), frame(first, 1, 1, {2}), frame(second, 2, 2, {3})};
    for (const auto& record : said) ring.push(record);
    ring.flush();
    const auto all = read(small(folder).directory, {}, {});
    CHECK(records_of(all) == said);

    SECTION("of one device, with what its link said before it had a name") {
        const auto of_first = read(small(folder).directory, {.device = first}, {});
        CHECK(records_of(of_first) == std::vector{said[0], said[1]});
    }
    SECTION("only the newest, and how many are older") {
        const auto newest = read(small(folder).directory, {.records_max = 1}, {});
        CHECK(records_of(newest) == std::vector{said[2]});
        CHECK(newest.left_out == 2);
    }
    SECTION("between two instants") {
        const auto between =
            read(small(folder).directory,
                 {.from = noon + std::chrono::seconds{1}, .to = noon + std::chrono::seconds{1}}, {});
        CHECK(records_of(between) == std::vector{said[1]});
    }
    SECTION("what comes later, once") {
        const auto cursor = parse_cursor(to_string(all.cursor));
        REQUIRE(cursor);
        CHECK(read(small(folder).directory, {}, *cursor).records.empty());
        ring.push(frame(first, 1, 9, {9}));
        ring.flush();
        const auto later = read(small(folder).directory, {}, *cursor);
        CHECK(records_of(later) == std::vector{frame(first, 1, 9, {9})});
        CHECK(read(small(folder).directory, {}, later.cursor).records.empty());
    }
    SECTION("a second process, sorted by time") {
        Ring other{small(folder), "2-2"};
        other.push(frame(first, 1, 1, {8}));
        other.flush();
        CHECK(records_of(read(small(folder).directory, {}, {})) ==
              std::vector{said[0], said[1], frame(first, 1, 1, {8}), said[2]});
        CHECK(records_of(read(small(folder).directory, {}, all.cursor)) ==
              std::vector{frame(first, 1, 1, {8})});
    }
}

TEST_CASE("trace ring: stays within its size, the oldest go first, long frames are cut", "[trace]") {
    Folder folder;
    RingSettings settings = small(folder);
    settings.size_max = 160'000;
    settings.frame_size_max = 1'000;
    Ring ring{settings, "1-1"};
    Record last;
    for (int i = 0; i < 400; ++i) {
        last = frame(first, 1, i, Buffer(1'500, static_cast<std::uint8_t>(i)));
        ring.push(last);
        ring.flush();
    }
    CHECK(size_of(settings.directory) <= settings.size_max);
    const auto reading = read(settings.directory, {.records_max = 1'000}, {});
    CHECK(reading.records.size() > 120);
    CHECK(reading.records.size() < 160);
    const Record& newest = reading.records.back().record;
    CHECK(newest.at == last.at);
    CHECK(newest.size == 1'500);
    CHECK(newest.content == Buffer(1'000, static_cast<std::uint8_t>(399)));
    CHECK(ring.lost() == 0);
}

TEST_CASE("trace ring: a file cut by a crash gives what is whole; foreign files are left alone", "[trace]") {
    Folder folder;
    const auto directory = small(folder).directory;
    {
        Ring ring{small(folder), "1-1"};
        ring.push(frame(first, 1, 0, {1}));
        ring.push(frame(first, 1, 1, {2}));
    }
    const auto file = directory / to_string(FileName{"1-1", 1});
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    security::put(directory / "notes.txt", as_bytes("not ours"));
    security::put(directory / "3-3.000001.trace", as_bytes("another program's file"));
    CHECK(records_of(read(directory, {}, {})) == std::vector{frame(first, 1, 0, {1})});
    CHECK_THROWS_WITH(read(folder.path / "nowhere", {}, {}), Catch::Contains("nowhere"));
}

TEST_CASE("trace ring: a disk that takes nothing loses records, counted, and nobody waits", "[trace]") {
    Folder folder;
    const auto directory = small(folder).directory;
    Ring ring{small(folder), "1-1"};
    std::filesystem::remove_all(directory);
    ring.push(frame(first, 1, 0, {1}));
    ring.flush();
    CHECK(ring.lost() == 1);
    for (int i = 0; i < 10'000; ++i) ring.push(frame(first, 1, 1, Buffer(2'000, 0)));
    ring.flush();
    CHECK(ring.lost() == 10'001);
}

TEST_CASE("trace cursor: what clients send is checked", "[trace]") {
    CHECK(parse_cursor("")->processes.empty());
    const auto two = parse_cursor("1-1:2:300,5-77:1:8");
    REQUIRE(two);
    CHECK(two->processes.at("1-1") == Cursor::Place{2, 300});
    CHECK(to_string(*two) == "1-1:2:300,5-77:1:8");
    for (const char* bad : {"x", ":", "::", "a:1", "a:b:1", "a:1:b", "a:1:-1", ":1:1", "a:99999999999:1"})
        CHECK_FALSE(parse_cursor(bad));
    CHECK_FALSE(parse_cursor(std::string(20'000, 'a')));
}
