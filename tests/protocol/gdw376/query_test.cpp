// Questions, joined answers, events and the parameters of tasks. Frames: uplink fact sheet, 6.4 (captured)
// and 6.5 (built, checked).
#include <catch2/catch.hpp>
#include <fstream>

#include "protocol/gdw376/answer.h"
#include "protocol/gdw376/event.h"
#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/measurement.h"
#include "protocol/gdw376/parameters.h"
#include "protocol/gdw376/terminal_number.h"

using namespace wattmesh;
using namespace wattmesh::gdw376;
using namespace std::chrono_literals;

namespace {

constexpr Address terminal{.area = 0x4403, .terminal = 0x1234, .group = false, .master = 2};
const Secret<16> no_password{std::array<std::uint8_t, 16>{}};

Frame decoded(std::string_view text) {
    Decoder decoder;
    decoder.feed(from_hex(text).value());
    return decoder.next().value();
}
std::string plain(std::string_view text) { return to_hex(from_hex(text).value()); }
WallTime on(int year, unsigned month, unsigned day, std::uint8_t hour = 0, std::uint8_t minute = 0) {
    return {std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day), hour, minute, 0};
}

const char* const captured_event =
    "68 CA 00 CA 00 68 C4 00 10 01 00 00 0E 61 00 00 01 00 14 0B 13 14 34 20 36 09 15 04 15 02 00 01 02 03 "
    "03 03 03 "
    "03 03 44 44 11 11 22 22 33 33 44 44 44 55 55 55 66 66 66 B4 16";

}  // namespace

TEST_CASE("376.1: every frame of the vectors is read and written again octet for octet, in every chunking",
          "[gdw376]") {
    std::ifstream in{"tests/vectors/gdw376.txt"};
    int frames = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line.front() == '#') continue;
        INFO(line);
        const Buffer octets = from_hex(line.substr(line.rfind('|') + 1)).value();
        const bool up = line.find("| up |") != std::string::npos;
        for (std::size_t size = 1; size <= octets.size(); ++size) {
            Decoder decoder;
            std::optional<Frame> frame;
            for (std::size_t at = 0; at < octets.size(); at += size) {
                REQUIRE_FALSE(frame);
                decoder.feed(Bytes{octets}.subspan(at, std::min(size, octets.size() - at)));
                frame = decoder.next();
            }
            REQUIRE(frame);
            REQUIRE(encode(*frame) == octets);
            REQUIRE(frame->from_terminal == up);
        }
        ++frames;
    }
    CHECK(frames == 39);
}

TEST_CASE("376.1: questions are those of the sheet, and the terminal reads them back", "[gdw376]") {
    const std::vector<Query> counter{{.point = 2, .item = 129, .at = {}}};
    const auto now = ask(terminal, Afn::class_1, counter, 3);
    CHECK(to_hex(encode(now)) == plain("68 32 00 32 00 68 4A 03 44 34 12 04 0C 63 02 01 01 10 5E 16"));
    CHECK(decode_queries(now).value() == counter);
    const std::vector<Query> curve{
        {.point = 2, .item = 81, .at = on(2024, 11, 21), .step = 15min, .count = 96}};
    const auto frozen = ask(terminal, Afn::class_2, curve, 5);
    CHECK(to_hex(encode(frozen)) ==
          plain("68 4E 00 4E 00 68 4B 03 44 34 12 04 0D 65 02 01 01 0A 00 00 21 11 24 01 60 13 16"));
    CHECK(decode_queries(frozen).value() == curve);
    CHECK(to_hex(encode(request_day(terminal, 2, 1, on(2024, 11, 21), 4))) ==
          plain("68 3E 00 3E 00 68 4B 03 44 34 12 04 0D 64 02 01 01 00 21 11 24 A7 16"));
}

TEST_CASE("376.1: points of one group of eight share a unit, day by day they do not", "[gdw376]") {
    std::vector<Query> queries;
    for (const auto point : std::vector<std::uint16_t>{1, 2, 8, 9, 16, 2'040})
        queries.push_back({.point = point, .item = 25, .at = {}});
    const auto now = ask(terminal, Afn::class_1, queries, 0);
    // DA of p1+p2+p8, p9+p16, p2040; DT of F25 (sheet 6.1)
    CHECK(to_hex(now.units) == plain("83 01 01 03 81 02 01 03 80 FF 01 03"));
    CHECK(decode_queries(now).value() == queries);
    for (auto& query : queries) query = {.point = query.point, .item = 161, .at = on(2026, 10, 31)};
    const auto days = ask(terminal, Afn::class_2, queries, 0);
    CHECK(days.units.size() == 6 * 7);
    CHECK(decode_queries(days).value() == queries);
    for (std::size_t size = 0; size < days.units.size(); ++size) {
        Frame cut = days;
        cut.units.resize(size);
        CHECK(decode_queries(cut).has_value() == (size % 7 == 0));
    }
    Frame unknown = days;
    unknown.units = from_hex("02 01 80 00 01").value();  // 0D F8
    CHECK(decode_queries(unknown).error().fault == Fault::unsupported);
}

TEST_CASE("376.1: events as a terminal sent them", "[gdw376]") {
    const auto frame = decoded(captured_event);
    const auto list = decode_events(frame).value();
    CHECK(list.rank == EventRank::important);
    CHECK(list.counters == EventCounters{0x14, 0x0B});
    CHECK(list.first == 0x13);
    CHECK(list.last == 0x14);
    REQUIRE(list.events.size() == 1);
    CHECK(list.events[0].code == 0x34);
    CHECK(list.events[0].at == on(2015, 4, 15, 9, 36));
    CHECK(list.events[0].body.size() == 0x20 - 5);
    Writer unit;
    encode(unit, list);
    CHECK(unit.take() == frame.units);
    for (std::size_t size = 0; size < frame.units.size(); ++size) {
        Frame cut = frame;
        cut.units.resize(size);
        // a head with its pointers and no records is whole
        CHECK(decode_events(cut).has_value() == (size == 8));
    }
    const auto asked = request_events(terminal, EventRank::normal, 250, 4, 7);
    CHECK(decode_event_query(asked).value() == EventQuery{EventRank::normal, 250, 4});
}

TEST_CASE("376.1: an answer in several frames is joined by number; strangers and holes are none",
          "[gdw376]") {
    using Took = AnswerFinder::Took;
    const auto asked = ask(terminal, Afn::class_1, {{.point = 2, .item = 129, .at = {}}}, 15);
    const auto part = [&](std::uint8_t sequence, bool first, bool last) {
        Frame frame = answer_to(asked, Afn::class_1);
        frame.sequence = sequence;
        frame.first = first;
        frame.last = last;
        return frame;
    };
    AnswerFinder finder;
    CHECK(finder.take(part(15, true, true)) == Took::no);  // nothing is open
    finder.open(asked);
    Frame stranger = part(15, true, true);
    stranger.address.terminal = 0x1235;
    CHECK(finder.take(stranger) == Took::no);
    CHECK(finder.take(part(14, true, true)) == Took::no);  // late, of the question before
    CHECK(finder.take(link_frame(terminal, LinkItem::heartbeat, 15)) == Took::no);
    CHECK(finder.take(part(15, true, false)) == Took::part);
    CHECK(finder.take(part(1, false, true)) == Took::no);  // 0 is missing
    CHECK(finder.take(part(0, false, false)) == Took::part);
    CHECK(finder.take(part(0, false, false)) == Took::part);  // said twice
    CHECK(finder.take(part(1, false, true)) == Took::whole);
    CHECK(finder.take_frames().size() == 3);
    CHECK_FALSE(finder.is_open());
    finder.open(asked);
    const auto no = confirm(asked, false);
    Frame denial = no;
    denial.from_terminal = true;
    CHECK(is_denial(denial));
    CHECK(finder.take(denial) == Took::whole);
    CHECK_FALSE(is_denial(confirm(asked, true)));
}

TEST_CASE("376.1: a terminal's address is a device number and back", "[gdw376]") {
    CHECK(to_string(terminal_number(terminal).value()) == "376440304660");
    CHECK(to_string(terminal_number({.area = 0x0171, .terminal = 0x0822}).value()) == "376017102082");
    CHECK(terminal_address(DeviceNumber::parse("376017102082").value()) ==
          Address{.area = 0x0171, .terminal = 0x0822});
    CHECK_FALSE(terminal_number({.area = 0x44A3, .terminal = 1}));
    CHECK_FALSE(terminal_number({.area = 0x4403, .terminal = 0}));
    CHECK_FALSE(terminal_number({.area = 0x4403, .terminal = 0xFFFF, .group = true}));
    for (const char* const none : {"375440304660", "376440300000", "376440365536", "000000000001"})
        CHECK_FALSE(terminal_address(DeviceNumber::parse(none).value()));
}

TEST_CASE("376.1: modes, schedules and report tasks come back as they were set", "[gdw376]") {
    const UplinkMode mode{.udp = false,
                          .online = UplinkMode::Online::in_windows,
                          .role = UplinkMode::Role::client,
                          .redial_s = 300,
                          .redials = 2,
                          .idle_close_min = 7,
                          .hours = 0x00FF00};
    const PortSchedules schedules{{.port = 31,
                                   .control = 1,
                                   .days = 0x7FFFFFFF,
                                   .at = {1, 30},
                                   .interval_min = 15,
                                   .broadcast = {0, 12, 1},
                                   .windows = {{{0, 0}, {12, 0}}, {{13, 0}, {23, 59}}}}};
    const ReportTask task{.number = 9,
                          .frozen = true,
                          .unit = ReportTask::Unit::days,
                          .period = 1,
                          .base = on(2026, 11, 23, 1, 5),
                          .every_nth = 1,
                          .units = {{.points = {2}, .items = {161}}, {.points = {3}, .items = {163}}}};
    const std::vector<Parameter> all{mode, schedules, task, ReportSwitch{9, true, true},
                                     ReportSwitch{1, false, false}};
    const auto frame = set_parameters(terminal, all, no_password, 3);
    CHECK(decode_parameters(frame).value() == all);
    // F68 of task 9, on: DA p9, DT F68 (group 8, bit 3), 55h (sheet 6.2)
    CHECK(to_hex(frame.units).find(plain("01 02 08 08 55")) != std::string::npos);
    for (std::size_t size = 1; size < frame.units.size(); ++size) {
        Frame cut = frame;
        cut.units.resize(size);
        const auto read = decode_parameters(cut);
        CHECK((!read || read->size() < all.size()));
    }
    const auto asked = query_task(terminal, item::report_frozen, 9, 1);
    CHECK(decode_parameter_query(asked).value() == std::vector<ParameterQuery>{{9, item::report_frozen, {}}});
    Frame answer = parameter_answer(asked, {task});
    CHECK(answer.from_terminal);
    CHECK(decode_parameters(answer).value() == std::vector<Parameter>{task});
    CHECK(decode_parameter_query(query_meters(terminal, {1, 2}, 2)).value() ==
          std::vector<ParameterQuery>{{0, 10, {1, 2}}});
}
