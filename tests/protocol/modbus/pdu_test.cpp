// Frames marked "mbpoll" were seen between mbpoll 1.4 and a slave over a pty; the others stand in the MODBUS
// Application Protocol Specification V1.1b3, section 6.
#include "protocol/modbus/pdu.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::modbus;

namespace {
Buffer hex(std::string_view text) { return from_hex(text).value(); }
}  // namespace

TEST_CASE("modbus: the examples of the specification, both ways", "[modbus]") {
    struct Row {
        const char* clause;
        Request request;
        const char* asked;
        Response response;
        const char* answered;
    };
    const std::vector<bool> coils{true,  false, true,  true, false, false, true, true,  true, true,
                                  false, true,  false, true, true,  false, true, false, true};
    const Row rows[]{
        {"6.1", Read{Function::read_coils, 0x13, 0x13}, "01 00 13 00 13", Bits{coils}, "01 03 CD 6B 05"},
        {"6.3", Read{Function::read_holding_registers, 0x6B, 3}, "03 00 6B 00 03",
         Registers{{0x022B, 0, 0x64}}, "03 06 02 2B 00 00 00 64"},
        {"6.4", Read{Function::read_input_registers, 8, 1}, "04 00 08 00 01", Registers{{10}}, "04 02 00 0A"},
        {"6.5", WriteCoils{0xAC, {true}, true}, "05 00 AC FF 00", Written{}, "05 00 AC FF 00"},
        {"6.6", WriteRegisters{1, {3}, true}, "06 00 01 00 03", Written{}, "06 00 01 00 03"},
        {"6.11", WriteCoils{0x13, {true, false, true, true, false, false, true, true, true, false}, false},
         "0F 00 13 00 0A 02 CD 01", Written{}, "0F 00 13 00 0A"},
        {"6.12", WriteRegisters{1, {0x0A, 0x0102}, false}, "10 00 01 00 02 04 00 0A 01 02", Written{},
         "10 00 01 00 02"},
        {"7", Read{Function::read_coils, 0x04A1, 1}, "01 04 A1 00 01",
         Exception{ExceptionCode::illegal_data_address}, "81 02"},
    };
    for (const Row& row : rows) {
        INFO(row.clause);
        CHECK(to_hex(encode(row.request)) == to_hex(hex(row.asked)));
        CHECK(decode_request(hex(row.asked)).value() == row.request);
        CHECK(to_hex(encode(row.response, row.request)) == to_hex(hex(row.answered)));
        CHECK(decode_response(hex(row.answered), row.request).value() == row.response);
        if (!std::holds_alternative<Exception>(row.response))
            CHECK(response_size(row.request) == hex(row.answered).size());
        for (std::size_t cut = 0; cut < hex(row.asked).size(); ++cut)
            CHECK_FALSE(decode_request(Bytes{hex(row.asked)}.first(cut)));
        for (std::size_t cut = 0; cut < hex(row.answered).size(); ++cut)
            CHECK_FALSE(decode_response(Bytes{hex(row.answered)}.first(cut), row.request));
    }
}

TEST_CASE("modbus: an answer to another question is refused", "[modbus]") {
    const Request asked = Read{Function::read_holding_registers, 100, 2};
    const auto fault = [&](const char* pdu, const Request& request) {
        return decode_response(hex(pdu), request).error().fault;
    };
    CHECK(decode_response(hex("03 04 0001 0002"), asked));
    CHECK(fault("04 04 0001 0002", asked) == Fault::unexpected);
    CHECK(fault("03 02 0001", asked) == Fault::unexpected);
    CHECK(fault("03 04 0001 0002 00", asked) == Fault::trailing);
    CHECK(fault("06 00 01 00 04", WriteRegisters{1, {3}, true}) == Fault::unexpected);
    CHECK(fault("10 00 01 00 03", WriteRegisters{1, {3, 4}, false}) == Fault::unexpected);
}

TEST_CASE("modbus: a slave refuses counts outside the specification before it takes memory", "[modbus]") {
    const auto fault = [](const char* pdu) { return decode_request(hex(pdu)).error(); };
    CHECK(fault("03 00 00 00 00") == Error{Fault::bad_value, 3});
    CHECK(fault("03 00 00 00 7E") == Error{Fault::bad_value, 3});
    CHECK(fault("01 00 00 07 D1") == Error{Fault::bad_value, 3});
    CHECK(fault("05 00 00 12 34") == Error{Fault::bad_value, 3});
    CHECK(fault("10 00 00 00 7C F8").fault == Fault::bad_value);
    CHECK(fault("10 00 01 00 02 03 00 0A 01").fault == Fault::bad_value);
    CHECK(fault("0F 00 13 00 0A 03 CD 01 00").fault == Fault::bad_value);
    CHECK(fault("2B 0E 01 00") == Error{Fault::unsupported, 0});
}
