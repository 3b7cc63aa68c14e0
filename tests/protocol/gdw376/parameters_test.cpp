// Frames: uplink fact sheet, section 6.5.
#include "protocol/gdw376/parameters.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::gdw376;

namespace {

Buffer hex(std::string_view text) { return from_hex(text).value(); }
std::string plain(std::string_view text) { return to_hex(hex(text)); }
constexpr Address terminal{.area = 0x4403, .terminal = 0x1234, .group = false, .master = 2};
const Secret<16> no_password{std::array<std::uint8_t, 16>{}};

struct Row {
    Parameter parameter;
    std::uint8_t sequence;
    const char* frame;
};

std::vector<Row> rows() {
    ListedMeter meter;
    meter.sequence = meter.point = 2;
    meter.meter = DeviceNumber::parse("123456789012").value();
    meter.class_large = 5;
    meter.class_small = 1;
    meter.collector = {};
    return {
        {CommunicationParameters{}, 3,
         "68 8A 00 8A 00 68 4A 03 44 34 12 04 04 73 00 00 01 00 05 05 1E 30 04 05 00 00 00 00 00 00 00 00 00 "
         "00 00 00 00 00 "
         "00 00 B4 16"},
        {MasterAddress{{{192, 0, 2, 10}, 7'001}, {{192, 0, 2, 11}, 7'001}, "CMNET"}, 4,
         "68 E2 00 E2 00 68 4A 03 44 34 12 04 04 74 00 00 04 00 C0 00 02 0A 59 1B C0 00 02 0B 59 1B 43 4D 4E "
         "45 54 00 00 00 "
         "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 4F 16"},
        {MeterList{meter}, 5,
         "68 E6 00 E6 00 68 4A 03 44 34 12 04 04 75 00 00 02 01 01 00 02 00 02 00 7F 1E 12 90 78 56 34 12 00 "
         "00 00 00 00 00 "
         "04 09 00 00 00 00 00 00 51 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0D 16"},
    };
}

}  // namespace

TEST_CASE("376.1 parameters: set as the sheet has them, and read back", "[gdw376]") {
    for (const Row& row : rows()) {
        INFO(row.frame);
        CHECK(to_hex(encode(set_parameters(terminal, {row.parameter}, no_password, row.sequence))) ==
              plain(row.frame));
        Decoder decoder;
        decoder.feed(hex(row.frame));
        Frame frame = decoder.next().value();
        CHECK(decode_parameters(frame).value() == std::vector{row.parameter});
        for (std::size_t cut = 1; cut < frame.units.size(); ++cut) {
            Frame shorter = frame;
            shorter.units.resize(cut);
            CHECK_FALSE(decode_parameters(shorter));
        }
    }
    CHECK(to_hex(encode(query_meters(terminal, {1, 2}, 2))) ==
          plain("68 4A 00 4A 00 68 4B 03 44 34 12 04 0A 62 00 00 02 01 02 00 01 00 02 00 50 16"));
}

TEST_CASE("376.1 parameters: several items in one answer, and an answer that is none", "[gdw376]") {
    const auto all = rows();
    Frame answer =
        set_parameters(terminal, {all[0].parameter, all[1].parameter, all[2].parameter}, no_password, 1);
    answer.afn = Afn::query_parameters;
    answer.from_terminal = true;
    CHECK(decode_parameters(answer).value() ==
          std::vector{all[0].parameter, all[1].parameter, all[2].parameter});
    answer.from_terminal = false;
    CHECK(decode_parameters(answer).error().fault == Fault::unexpected);
    answer.from_terminal = true;
    answer.units = hex("00000201 FFFF");
    CHECK(decode_parameters(answer).error() == Error{Fault::too_long, 4});
    answer.units = hex("00000800 00");
    CHECK(decode_parameters(answer).error().fault == Fault::unsupported);
}
