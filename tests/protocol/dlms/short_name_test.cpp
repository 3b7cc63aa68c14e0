#include "protocol/dlms/short_name.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

TEST_CASE("short names: vectors decode to their values and back", "[dlms]") {
    const ReadRequest read{{attribute_of(association_sn, 2)}};
    CHECK(*decode_read_request(vector("SN-READ")) == read);
    CHECK(encode(read) == vector("SN-READ"));
    const ReadResponse answer{std::vector<ReadOutcome>{Data{std::uint8_t{5}}}};
    CHECK(*decode_read_response(vector("SN-READR")) == answer);
    CHECK(encode(answer) == vector("SN-READR"));
    const WriteRequest write{{ShortName{0x0100}}, {std::uint8_t{1}}};
    CHECK(*decode_write_request(vector("SN-WRITE")) == write);
    CHECK(encode(write) == vector("SN-WRITE"));
    CHECK(*decode_write_response(vector("SN-WRITER")) == WriteResponse{{AccessResult::success}});
    CHECK(encode(WriteResponse{{AccessResult::success}}) == vector("SN-WRITER"));
}

TEST_CASE("short names: errors and blocks, by hand", "[dlms]") {
    // Green Book ed. 10, 9.5: ReadResponse choices 1 and 2, block-number-access
    CHECK(*decode_read_response(octets("0C02 0103 00112A")) ==
          ReadResponse{std::vector<ReadOutcome>{AccessResult::read_write_denied, Data{std::uint8_t{42}}}});
    const ReadResponse block{ReadResponse::Block{false, 1, {1, 0, 0x11}}};
    CHECK(*decode_read_response(octets("0C01 02 00 0001 03 010011")) == block);
    CHECK(to_hex(encode(block)) == to_hex(octets("0C01 02 00 0001 03 010011")));
    CHECK(encode(ReadRequest{{ReadRequest::NextBlock{1}}}) == octets("0501 05 0001"));
    CHECK(decode_read_request(octets("0501 04 FA08 01 00")).error() == Error{Fault::unsupported, 2});
    CHECK(decode_write_request(octets("0601 02 0100 02 1101 1102")).error() == Error{Fault::bad_value, 5});
}

TEST_CASE("short names: a client reads a meter of that kind, in blocks where it is long", "[dlms]") {
    ClientConfig config;
    config.short_names = config.pre_established = true;
    ClientAccess nobody;
    nobody.client = public_client;
    Pair pair{config, nobody};
    pair.client.read_names({attribute_of(association_sn, 2)});
    CHECK(pair.client.take_output() == vector("SN-READ"));
    pair.client.receive(vector("SN-READR"));
    CHECK(std::get<ListRead>(pair.events().at(0)).outcomes ==
          std::vector<ReadOutcome>{Data{std::uint8_t{5}}});

    pair.client.read_names({ShortName{0x0100}});
    pair.client.take_output();
    pair.client.receive(octets("0C01 02 00 0001 03 010006"));
    CHECK(pair.client.take_output() == octets("0501 05 0001"));
    pair.client.receive(octets("0C01 02 01 0002 04 00001391"));
    CHECK(std::get<ListRead>(pair.events().at(0)).outcomes ==
          std::vector<ReadOutcome>{Data{std::uint32_t{5009}}});

    pair.client.write_names({ShortName{0x0100}}, {std::uint8_t{1}});
    CHECK(pair.client.take_output() == vector("SN-WRITE"));
    pair.client.receive(vector("SN-WRITER"));
    CHECK(std::get<ListWritten>(pair.events().at(0)).results == std::vector{AccessResult::success});

    pair.client.read_names({ShortName{0x0100}});
    pair.client.take_output();
    pair.client.receive(octets("0C02 0011 01 0011 02"));  // two answers to one name
    CHECK(std::get<RequestFailed>(pair.events().at(0)).error.fault == Fault::unexpected);
}
