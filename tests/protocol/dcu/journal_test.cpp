#include "protocol/dcu/journal.h"

#include <catch2/catch.hpp>

#include "protocol/dcu/objects.h"
#include "protocol/dlms/date_time.h"

namespace wattmesh::dcu {
namespace {

using namespace std::chrono;

const DeviceNumber meter = *DeviceNumber::parse("540000000341");
// 2026-11-01 00:00:00 UTC, a Sunday.
const Instant midnight = sys_days{2026y / November / 1};

Entry sample() { return {Sequence{7}, meter, EntryKind::read_failed, midnight, true, {0xAB}}; }

}  // namespace

TEST_CASE("journal entry: five columns in the form a profile buffer has", "[dcu]") {
    // Composed by hand from the A-XDR tags (Blue Book 4.1.5): structure 5, uint64, octet-string 6, enum,
    // octet-string 12 (2026-11-01, weekday 7, deviation 0, status doubtful), octet-string 1.
    const char* hex = "0205 150000000000000007 0906540000000341 1605 090C07EA0B01070000000000000 2 0901AB";
    std::string digits;
    for (const char* c = hex; *c != 0; ++c)
        if (*c != ' ') digits += *c;
    CHECK(to_hex(dlms::encode_data(to_data(sample()))) == digits);
    const auto decoded = entry_from_data(*dlms::decode_data(*from_hex(digits)));
    REQUIRE(decoded);
    CHECK(*decoded == sample());
}

TEST_CASE("journal entry: refuses what is not one and says which element", "[dcu]") {
    struct Row {
        const char* why;
        std::size_t element;
        dlms::Data value;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"sequence of another type", 0, dlms::Data{std::uint32_t{7}}, {Fault::bad_tag, 0}},
        {"meter of five octets", 1, dlms::octet_string(Buffer(5)), {Fault::bad_value, 1}},
        {"kind above a byte", 2, dlms::Data{std::uint16_t{256}}, {Fault::bad_value, 2}},
        {"time with a wildcard year",
         3,
         dlms::octet_string(*from_hex("FFFF0B01070000000000 0000")),
         {Fault::bad_value, 3}},
        {"payload over the bound",
         4,
         dlms::octet_string(Buffer(entry_payload_size_max + 1)),
         {Fault::too_long, 4}},
    }));
    DYNAMIC_SECTION(row.why) {
        auto data = to_data(sample());
        std::get<dlms::Structure>(data.value).elements[row.element] = row.value;
        CHECK(entry_from_data(data).error() == row.error);
    }
    auto longer = to_data(sample());
    std::get<dlms::Structure>(longer.value).elements.emplace_back();
    CHECK(entry_from_data(longer).error() == Error{Fault::trailing, 5});
    CHECK(entry_from_data(dlms::Data{}).error() == Error{Fault::bad_tag, 0});
}

TEST_CASE("interval rows: typed columns from captured rows, a null clock is one period on", "[dcu]") {
    // PROF-BUF of tests/vectors/dlms.json: 2019-12-31 (weekday 2) 23:00 deviation 0, status 11h, 2 x uint32.
    const auto buffer = dlms::decode_data(*from_hex(
        "01040204090C07E30C1F0217000000000000110606000005ED0600000654020400110606000005ED06000006540204001106"
        "06000005ED0600000654020400110606000005ED0600000654"));
    // The vector's row is {clock, status 06, 05ED, 0654}; its status octet follows the tag 11.
    REQUIRE(buffer);
    const auto rows = interval_rows({obis::load_profile, *buffer}, minutes{15});
    REQUIRE(rows);
    REQUIRE(rows->size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK((*rows)[i].at ==
              Instant{sys_days{2019y / December / 31}} + hours{23} + minutes{15} * static_cast<int>(i));
        CHECK((*rows)[i].status == 6);
        CHECK((*rows)[i].channels == 2);
        CHECK((*rows)[i].values[0] == 0x5ED);
        CHECK((*rows)[i].values[1] == 0x654);
        CHECK_FALSE((*rows)[i].values[2]);
    }
}

TEST_CASE("interval rows: null-data is as in the row before, dont-care is no value", "[dcu]") {
    const dlms::Data null, none = dlms::DontCare{};
    const auto rows = interval_rows(
        {obis::load_profile, dlms::array({dlms::structure({dlms::date_time_octets({midnight}),
                                                           std::uint8_t{4}, null, std::uint32_t{7}}),
                                          dlms::structure({null, null, std::uint32_t{5}, null}),
                                          dlms::structure({null, null, null, none}),
                                          dlms::structure({null, std::uint8_t{0}, null, null})})},
        minutes{15});
    REQUIRE(rows);
    using Values = std::array<std::optional<std::int64_t>, IntervalRow::channel_count_max>;
    const std::vector<IntervalRow> expected{
        {midnight, 4, 2, Values{std::nullopt, 7}},
        {midnight + minutes{15}, 4, 2, Values{5, 7}},
        {midnight + minutes{30}, 4, 2, Values{5, std::nullopt}},
        {midnight + minutes{45}, 0, 2, Values{5, std::nullopt}},
    };
    CHECK(*rows == expected);
}

TEST_CASE("interval rows: a bad row is named by its index", "[dcu]") {
    const auto good =
        dlms::structure({dlms::date_time_octets({midnight}), std::uint8_t{0}, std::uint32_t{1}});
    const auto rows_with = [&](dlms::Data bad) {
        return interval_rows({obis::load_profile, dlms::array({good, std::move(bad)})}, minutes{15});
    };
    CHECK(rows_with(dlms::Data{}).error() == Error{Fault::bad_tag, 1});
    CHECK(rows_with(dlms::structure({dlms::Null{}, std::uint8_t{0}})).error() == Error{Fault::bad_value, 1});
    std::vector<dlms::Data> nine(11, dlms::Data{std::uint8_t{1}});
    nine[0] = dlms::Null{};
    CHECK(rows_with(dlms::structure(nine)).error() == Error{Fault::bad_value, 1});
    CHECK(rows_with(dlms::structure({dlms::Null{}, std::uint8_t{0}, dlms::VisibleString{"x"}})).error() ==
          Error{Fault::bad_tag, 1});
    CHECK(rows_with(dlms::structure({dlms::Null{}, std::uint16_t{256}, std::uint8_t{1}})).error() ==
          Error{Fault::bad_value, 1});
    CHECK(rows_with(dlms::structure({dlms::Null{}, dlms::DontCare{}, std::uint8_t{1}})).error() ==
          Error{Fault::bad_tag, 1});
    CHECK(interval_rows({obis::load_profile, dlms::array({dlms::structure({dlms::date_time_octets({midnight}),
                                                                           dlms::Null{}, std::uint8_t{1}})})},
                        minutes{15})
              .error() == Error{Fault::bad_tag, 0});
    CHECK(interval_rows({obis::load_profile,
                         dlms::array({dlms::structure({dlms::Null{}, std::uint8_t{0}, std::uint8_t{1}})})},
                        minutes{15})
              .error() == Error{Fault::bad_value, 0});
}

TEST_CASE("journal payloads: survive the way through bytes, truncation at every prefix is refused", "[dcu]") {
    const MeterLink link{0x1234, meter, 3, -97, 0, {}};
    const ReadFailure failure{ReadFault::no_answer, midnight, midnight + minutes{15}};
    const GapRange gap{Sequence{3}, Sequence{1ULL << 40}};
    const ProfileRows rows{obis::load_profile, dlms::array({dlms::structure({std::uint8_t{1}})})};
    CHECK(*decode_meter_link(encode(link)) == link);
    const MeterLink wired{0, meter, 2, 0, 64, {}};
    CHECK(*decode_meter_link(encode(wired)) == wired);
    const MeterLink relayed{5, meter, 3, -90, 0, {meter, *DeviceNumber::parse("540000000099")}};
    CHECK(*decode_meter_link(encode(relayed)) == relayed);
    // Entries that are still in journals written by earlier versions.
    const auto early = dlms::encode_data(dlms::structure(
        {std::uint16_t{0x1234}, dlms::octet_string(meter.bcd), std::uint8_t{3}, std::int8_t{-97}}));
    CHECK(*decode_meter_link(early) == link);
    auto endless = relayed;
    endless.route.assign(route_length_max + 1, meter);
    CHECK(decode_meter_link(encode(endless)).error().fault == Fault::too_long);
    CHECK(*decode_power_loss(encode(PowerLoss{true})) == PowerLoss{true});
    CHECK(*decode_outage(encode(Outage{500, 450, 30})) == Outage{500, 450, 30});
    CHECK(*decode_outage_end(encode(OutageEnd{470, 10})) == OutageEnd{470, 10});
    CHECK(*decode_pan_clash(encode(PanClash{meter, 7, 9})) == PanClash{meter, 7, 9});
    CHECK(*decode_read_failure(encode(failure)) == failure);
    CHECK(*decode_gap_range(encode(gap)) == gap);
    CHECK(*decode_profile_rows(encode(rows)) == rows);
    const auto refuses_every_prefix = [](const Buffer& payload, auto decode) {
        for (std::size_t size = 0; size < payload.size(); ++size)
            CHECK_FALSE(decode(Bytes{payload}.first(size)).has_value());
    };
    refuses_every_prefix(encode(link), decode_meter_link);
    refuses_every_prefix(encode(PowerLoss{}), decode_power_loss);
    refuses_every_prefix(encode(Outage{1, 2, 3}), decode_outage);
    refuses_every_prefix(encode(OutageEnd{1, 2}), decode_outage_end);
    refuses_every_prefix(encode(PanClash{meter, 7, 9}), decode_pan_clash);
    refuses_every_prefix(encode(failure), decode_read_failure);
    refuses_every_prefix(encode(gap), decode_gap_range);
    refuses_every_prefix(encode(rows), decode_profile_rows);
}

TEST_CASE("journal directory: oldest first, bounded", "[dcu]") {
    const JournalInfo info{{{1, 2, 3}}, objects::journal(4), Sequence{1}, Sequence{9}, Sequence{5}};
    const auto directory = directory_from_data(dlms::array({to_data(info), to_data(info)}));
    REQUIRE(directory);
    CHECK(*directory == std::vector{info, info});
    CHECK_FALSE(directory_from_data(dlms::array(std::vector<dlms::Data>(256, to_data(info)))).has_value());
    const Acknowledgement acknowledgement{info.id, Sequence{9}};
    CHECK(*acknowledgement_from_data(to_data(acknowledgement)) == acknowledgement);
}

TEST_CASE("entries after: asks for the next count sequences by the journal's first column", "[dcu]") {
    const auto range = entries_after(Sequence{41}, 200);
    CHECK(range.restricting.object == objects::journal_sequence);
    CHECK(range.from == dlms::Data{std::uint64_t{42}});
    CHECK(range.to == dlms::Data{std::uint64_t{241}});
}

}  // namespace wattmesh::dcu
