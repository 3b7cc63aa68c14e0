#include "protocol/iec104/asdu.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "protocol/iec104/apci.h"
#include "tests/protocol/iec104/vectors.h"

using namespace wattmesh;
using namespace wattmesh::iec104;
using namespace std::chrono;

namespace {

constexpr Instant moment = sys_days{year{2026} / September / 21} + 14h + 13min + 20'123ms;
const Time56 stamp{moment, false, false, false};

Header header_of(Type type, Cause cause, bool negative = false) {
    return {type, cause, negative, false, 3, 1};
}

Asdu one(Type type, Cause cause, std::uint32_t address, const Value& value) {
    return {header_of(type, cause), false, {{address, value, {}, {}}}};
}

Buffer with_header(Type type, Bytes object) {
    Buffer asdu{static_cast<std::uint8_t>(type), 1, 3, 3, 1, 0};
    asdu.insert(asdu.end(), object.begin(), object.end());
    return asdu;
}

void check_both_ways(Bytes octets, const Asdu& value) {
    const auto decoded = decode_asdu(octets);
    REQUIRE(decoded);
    CHECK(*decoded == value);
    CHECK(to_hex(encode(value)) == to_hex(octets));
}

}  // namespace

TEST_CASE("iec104: golden ASDUs decode to what they say and encode back", "[iec104]") {
    const Value on_selected = SingleCommand{true, 0, true}, on = SingleCommand{true, 0, false};
    check_both_ways(vector("asdu GI con"),
                    one(Type::interrogation, Cause::activation_confirmation, 0, Interrogation{20}));
    check_both_ways(vector("asdu GI term"),
                    one(Type::interrogation, Cause::activation_termination, 0, Interrogation{20}));
    check_both_ways(vector("asdu CI act"), one(Type::counter_interrogation, Cause::activation, 0,
                                               CounterInterrogation{5, Freeze::read}));
    check_both_ways(vector("asdu select 5000 on"),
                    one(Type::single_command, Cause::activation, 5000, on_selected));
    check_both_ways(vector("asdu execute 5000 on"), one(Type::single_command, Cause::activation, 5000, on));
    auto refused = one(Type::single_command, Cause::unknown_object_address, 0xFFFFFF, on);
    refused.header.negative = true;
    check_both_ways(vector("asdu refused unknown IOA"), refused);
    check_both_ways(vector("asdu CI data"), {header_of(Type::integrated_total, Cause::counter_interrogation),
                                             false,
                                             {{100'001, Counter{0, 1, false, false, false}, {}, {}},
                                              {100'002, Counter{7, 1, false, false, false}, {}, {}}}});
}

TEST_CASE("iec104: golden frames hold the golden interrogation", "[iec104]") {
    const std::vector<Object> floats{
        {1, Float{0}, {}, {}}, {2, Float{0.1F}, {}, {}}, {3, Float{0.2F}, {}, {}}};
    for (const bool sequence : {false, true}) {
        const auto octets = vector(sequence ? "frame GI data SQ" : "frame GI data");
        const auto frame = decode_frame(octets);
        REQUIRE(frame);
        CHECK(frame->sent == 2);
        CHECK(frame->received == 2);
        const Asdu asdu{header_of(Type::short_float, Cause::station_interrogation), sequence, floats};
        check_both_ways(frame->asdu, asdu);
        Buffer again;
        encode_information(2, 2, encode(asdu), again);
        CHECK(to_hex(again) == to_hex(octets));
    }
    const auto act = decode_frame(vector("frame GI act"));
    REQUIRE(act);
    check_both_ways(act->asdu, one(Type::interrogation, Cause::activation, 0, Interrogation{20}));
    for (const auto function : {Unnumbered::start_activate, Unnumbered::start_confirm,
                                Unnumbered::stop_activate, Unnumbered::stop_confirm}) {
        Buffer octets;
        encode_unnumbered(function, octets);
        CHECK(to_hex(octets) == to_hex(vector("frame " + std::string{to_string(function)})));
        CHECK(decode_frame(octets).value().function == function);
    }
}

TEST_CASE("iec104: golden information objects decode to what they say and encode back", "[iec104]") {
    const Quality substituted{false, false, true, false, false}, stale{false, false, false, true, false};
    struct Row {
        const char* name;
        Type type;
        Object object;
    };
    const std::vector<Row> rows{
        {"object 30 M_SP_TB_1 on", Type::single_point_time, {4660, SinglePoint{true}, {}, stamp}},
        {"object 31 M_DP_TB_1 on", Type::double_point_time, {4660, DoublePoint{DoubleState::on}, {}, stamp}},
        {"object 34 M_ME_TD_1 0.5", Type::normalized_time, {4660, Normalized{0x4000}, {}, stamp}},
        {"object 35 M_ME_TE_1 -123 SB", Type::scaled_time, {4660, Scaled{-123}, substituted, stamp}},
        {"object 36 M_ME_TF_1 230.5 NT", Type::short_float_time, {4660, Float{230.5F}, stale, stamp}},
        {"object 37 M_IT_TB_1 1234567 sq5 CY",
         Type::integrated_total_time,
         {4660, Counter{1'234'567, 5, true, false, false}, {}, stamp}},
        {"object 15 M_IT_NA_1 -1 sq31 CA IV",
         Type::integrated_total,
         {4660, Counter{-1, 31, false, true, true}, {}, {}}},
        {"object 70 M_EI_NA_1", Type::end_of_initialisation, {4660, EndOfInitialisation{0}, {}, {}}},
        {"object 46 C_DC_NA_1 on sel QU1",
         Type::double_command,
         {4660, DoubleCommand{DoubleState::on, 1, true}, {}, {}}},
        {"object 50 C_SE_NC_1 12.5", Type::float_setpoint, {4660, FloatSetpoint{12.5F, 0, false}, {}, {}}},
    };
    std::size_t objects = 0;
    for (const auto& [name, octets] : vectors()) objects += name.starts_with("object") ? 1 : 0;
    CHECK(rows.size() == objects);
    for (const auto& row : rows) {
        INFO(row.name);
        const auto number = std::to_string(static_cast<int>(row.type));
        CHECK(std::string{row.name}.starts_with(
            "object " + number + " " + std::string{form_of(static_cast<std::uint8_t>(row.type))->name}));
        check_both_ways(with_header(row.type, vector(row.name)),
                        {header_of(row.type, Cause::spontaneous), false, {row.object}});
    }
}

TEST_CASE("iec104: every prefix of a golden ASDU is refused, and so is what is longer", "[iec104]") {
    for (const auto& [name, octets] : vectors()) {
        if (!name.starts_with("asdu")) continue;
        INFO(name);
        for (std::size_t size = 0; size < octets.size(); ++size)
            CHECK_FALSE(decode_asdu(Bytes{octets}.first(size)));
        auto longer = octets;
        longer.push_back(0);
        CHECK(decode_asdu(longer).error() == Error{Fault::trailing, octets.size()});
    }
}

TEST_CASE("iec104: refuses what type and count do not allow, and says where", "[iec104]") {
    struct Row {
        const char* why;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"a type that we do not speak", "02010303010000000000", {Fault::unsupported, 0}},
        {"no object at all", "010003030100", {Fault::bad_value, 1}},
        {"a sequence of points with time", "1E8103030100341200019B4E0D0E15091A", {Fault::bad_value, 1}},
        {"two commands at once", "2D0206030100881300818913008 1", {Fault::bad_value, 1}},
        {"a sequence beyond the last address", "018203030100FFFFFF0101", {Fault::bad_value, 6}},
        {"a minute of 60 000 ms", "1E0103030100341200 0160EA0D0E15091A", {Fault::bad_value, 10}},
        {"a minute 60", "1E0103030100341200019B4E3C0E15091A", {Fault::bad_value, 12}},
        {"an hour 24", "1E0103030100341200019B4E0D1815091A", {Fault::bad_value, 13}},
        {"the 31st of September", "1E0103030100341200019B4E0D0E1F091A", {Fault::bad_value, 14}},
        {"a year 100", "1E0103030100341200019B4E0D0E150964", {Fault::bad_value, 16}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto octets = from_hex(row.hex);
        REQUIRE(octets);
        CHECK(decode_asdu(*octets).error() == row.error);
    }
}

TEST_CASE("iec104: the day of the week is not looked at, and a time has whole milliseconds", "[iec104]") {
    auto octets = with_header(Type::single_point_time, vector("object 30 M_SP_TB_1 on"));
    octets[octets.size() - 3] |= 7 << 5;
    CHECK(decode_asdu(octets).value().objects[0].time == stamp);
    Buffer out;
    encode_time({moment + 999us, true, true, true}, out);
    CHECK(decode_time(out).value() == Time56{moment, true, true, true});
    out.clear();
    encode_time({sys_days{year{2100} / January / 1}, false, false, false}, out);
    CHECK((out[2] & 0x80) != 0);
}

TEST_CASE("iec104: an ASDU holds 48 floats in a row, 30 with addresses, 16 with time", "[iec104]") {
    // 249 octets, 6 of header: (243 - 3) / 5 = 48; 243 / 8 = 30; 243 / 15 = 16
    CHECK(AsduBuilder::room(Type::short_float, true) == 48);
    CHECK(AsduBuilder::room(Type::short_float, false) == 30);
    CHECK(AsduBuilder::room(Type::short_float_time, false) == 16);
    CHECK(AsduBuilder::room(Type::single_point, true) == 127);
    CHECK(AsduBuilder::room(Type::single_command, false) == 1);
    AsduBuilder builder{header_of(Type::short_float, Cause::spontaneous), true};
    for (std::uint32_t address = 10; !builder.full(); ++address)
        builder.add({address, Float{static_cast<float>(address)}, {}, {}});
    const auto asdu = builder.take();
    CHECK(asdu.size() == 249);
    const auto decoded = decode_asdu(asdu).value();
    REQUIRE(decoded.objects.size() == 48);
    CHECK(decoded.objects.back() == Object{57, Float{57.0F}, {}, {}});
}
