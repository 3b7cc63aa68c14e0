#include "protocol/dlms/server.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/acse.h"
#include "protocol/dlms/initiate.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

/// A server with one client and no client of ours: requests are octets.
struct Bench {
    explicit Bench(ClientAccess access = {}) {
        access.client = management_client;
        access.keys = vector_keys();
        access.send = &send;
        access.receive = &receive;
        client_access = access;
        model.put(clock_time, OctetString{test::octets("07EA0B160700101000800000")});
        model.put(import_total, std::uint32_t{5009});
        server.emplace(server_title, std::vector{access}, model, ciphers, random);
    }
    /// The answer in hexadecimal; empty when there is none.
    std::string ask(Bytes apdu, Sap client = management_client) {
        std::string answer;
        server->handle(client, apdu, now, [&](Buffer reply) { answer = to_hex(reply); });
        return answer;
    }
    std::string ask(const char* hex) { return ask(test::octets(hex)); }

    security::OpensslCiphers ciphers;
    SeededRandom random{7};
    MemoryCounter send, receive;
    TableModel model;
    ClientAccess client_access;
    std::optional<Server> server;
};

Bench pre_established() {
    ClientAccess access;
    access.pre_established = true;
    return Bench{access};
}

Bench ciphered() {
    ClientAccess access;
    access.pre_established = access.ciphered = true;
    access.client_title = server_title;  // the vectors' client has the title 4D4D4D0000BC614E
    return Bench{access};
}

const std::string no_association = "D80101", malformed = "D80103", deciphering_error = "D80105";

}  // namespace

TEST_CASE("server: answers vectors of a standard client", "[dlms][server]") {
    Bench bench;
    // Negotiated: GET, SET, ACTION, EVENT, selective access, lists, three block transfers, of the proposed
    // 007E1F
    CHECK(bench.ask(test::vector("AARQ-1")) ==
          "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1FFFFF0007");
    CHECK(bench.ask(test::vector("GET-1")) == to_hex(test::vector("GETR-1c")));
    CHECK(bench.ask("C001C100030100010800FF0200") == to_hex(test::vector("GETR-1")));
    CHECK(bench.ask(test::vector("SET-1")) == to_hex(test::vector("SETR-1")));
    CHECK(bench.ask(test::vector("ACT-DISC")) ==
          "C701C100010011"
          "2A");
    CHECK(bench.model.acted == MethodId{70, obis::disconnect_control, 1});
    CHECK(bench.ask(test::vector("RLRQ-1")) == to_hex(test::vector("RLRE-1")));
    CHECK(bench.ask(test::vector("GET-1")) == no_association);
}

TEST_CASE("server: a selection reaches the model", "[dlms][server]") {
    Bench bench = pre_established();
    bench.ask(test::vector("GET-ENT"));
    CHECK(bench.model.selection == Selection{EntrySelection{1, 6, 1, 0}});
    CHECK(bench.ask("C001C100070100630100FF02010300") == "C401C1010C");  // selector 3: type_unmatched
}

TEST_CASE("server: a long SET arrives in blocks", "[dlms][server]") {
    Bench bench = pre_established();
    CHECK(bench.ask(test::vector("SETB-1")) == to_hex(test::vector("SETBR-1")));
    CHECK(bench.ask(test::vector("SETB-2")) == "C503C10000000002");
    CHECK(to_hex(encode_data(bench.model.at(clock_time))) == "090C07E50118FF0E303950FFC400");
    CHECK(bench.ask(test::vector("SETB-2")) == "C503C11200000002");  // no_long_set: nothing is open
    bench.ask(test::vector("SETB-1"));
    CHECK(bench.ask("C103C1010000000307 0E303950FFC400") == "C503C11300000003");  // block 3 after block 1
}

TEST_CASE("server: what it does not serve it refuses by the standard's answers", "[dlms][server]") {
    struct Row {
        const char* why;
        const char* hex;
        const char* answer;
    };
    const auto row = GENERATE(values<Row>({
        {"GET with-list of what it has not and has", "C003C102000100002A0000FF020000080000010000FF0200",
         "C403C102010400090C07EA0B160700101000800000"},
        {"SET with-list", "C104C10100080000010000FF03000110FF88", "C505C10100"},
        {"ACTION with half a block", "C304C100", "D80103"},
        {"a block of ACTION parameters that begins nowhere", "C306C1 00 00000002 01 00", "C701C11200"},
        {"the next block of no return parameters", "C302C1 00000001", "C701C11000"},
        {"general blocks that were not negotiated", "E0830001000000", "D80102"},
        {"SN read", "050102FA08", "D80202"},
        {"a truncated GET", "C001C100080000010000", "D80103"},
        {"an attribute it has not", "C001C100010000600100FF0200", "C401C10104"},
        {"the next block of nothing", "C002C100000001", "C402C101000000010110"},
        {"SET with selection", "C101C100080000010000FF02010100 00", "C501C10D"},
        {"AARQ where it is pre-established", "601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0",
         "D80101"},
        {"RLRQ where it is pre-established", "6203800100", "D80101"},
    }));
    Bench bench = pre_established();
    DYNAMIC_SECTION(row.why) { CHECK(bench.ask(row.hex) == row.answer); }
}

TEST_CASE("server: without an association every service is refused", "[dlms][server]") {
    Bench bench;
    for (const char* id : {"GET-1", "SET-1", "ACT-DISC", "GLO-30", "RLRQ-1"})
        CHECK(bench.ask(test::vector(id)) == no_association);
    CHECK(bench.model.calls == 0);
}

TEST_CASE("server: an unknown client gets no answer", "[dlms][server]") {
    Bench bench;
    CHECK(bench.ask(test::vector("AARQ-1"), public_client).empty());
    CHECK(bench.ask(Bytes{}).empty());
}

TEST_CASE("server: an AARQ that asks the impossible is refused with the reason", "[dlms][server]") {
    struct Row {
        const char* why;
        const char* hex;
        const char* user_information;  ///< confirmedServiceError (Green Book ed. 10, 9.5)
    };
    const auto row = GENERATE(values<Row>({
        {"DLMS version 5", "01000000055F1F0400007E1F04B0", "0E010601"},
        {"no service of ours", "01000000065F1F040000000004B0", "0E010602"},
        {"PDUs of 12 octets", "01000000065F1F0400007E1F000C", "0E010603"},
    }));
    DYNAMIC_SECTION(row.why) {
        Bench bench;
        const Aarq aarq{.user_information = test::octets(row.hex)};
        const auto aare = decode_aare(test::octets(bench.ask(encode(aarq))));
        REQUIRE(aare);
        CHECK(aare->result == association_result::rejected_permanent);
        CHECK(to_hex(aare->user_information) == row.user_information);
        CHECK_FALSE(bench.server->associated(management_client));
    }
}

TEST_CASE("server: a published ciphered request is answered ciphered, once", "[dlms][server][security]") {
    Bench bench = ciphered();
    const std::string answer = bench.ask(test::vector("GLO-30"));
    security::OpensslCiphers ciphers;
    MemoryCounter send, receive;
    SecurityContext peer{vector_keys(), server_title, server_title, ciphers, send, receive};
    const auto opened = peer.open(test::octets(answer));
    REQUIRE(opened);
    CHECK(to_hex(*opened) == "C40100" + to_hex(test::vector("GETR-1c")).substr(6));

    CHECK(bench.ask(test::vector("GLO-30")).empty());
    CHECK(bench.server->counters().replayed == 1);
    CHECK(bench.model.calls == 1);
}

TEST_CASE("server: what is not authentic is counted and not answered", "[dlms][server][security]") {
    Bench bench = ciphered();
    Buffer forged = test::vector("GLO-30");
    forged.back() ^= 1;
    CHECK(bench.ask(forged).empty());
    CHECK(bench.server->counters().not_authentic == 1);
    for (const char* id : {"GLO-10", "GLO-20", "GLO-S1", "DED-30", "GET-1"}) {
        INFO(id);
        CHECK(bench.ask(test::vector(id)) == deciphering_error);
    }
    CHECK(bench.server->counters().malformed == 5);
    CHECK(bench.model.calls == 0);
    CHECK_FALSE(bench.ask(test::vector("GLO-30")).empty());
}

TEST_CASE("server: takes the published ciphered AARQ with its password", "[dlms][server][security]") {
    ClientAccess access;
    access.ciphered = true;
    access.mechanism = Mechanism::low;
    access.password = test::octets("3132333435363738");
    access.pdu_size_max = 500;
    Bench bench{access};
    const auto aare = decode_aare(test::octets(bench.ask(test::vector("AARQ-2c"))));
    REQUIRE(aare);
    CHECK(aare->result == association_result::accepted);
    CHECK(aare->context == ContextName::logical_ciphered);
    CHECK(aare->responding_title == server_title);
    CHECK(aare->user_information.at(0) == 0x28);
    CHECK(bench.server->associated(management_client));
}

TEST_CASE("server: until HLS is proven only the proof is taken", "[dlms][server][security]") {
    ClientAccess access;
    access.mechanism = Mechanism::high_gmac;
    access.client_title = client_title;
    Bench bench{access};
    const auto aare = decode_aare(test::octets(bench.ask(test::vector("AARQ-5"))));
    REQUIRE(aare);
    CHECK(aare->diagnostic == diagnostic::authentication_required);
    REQUIRE(aare->authentication);
    CHECK(bench.ask(test::vector("GET-1")) == no_association);
    CHECK(bench.ask(test::vector("ACT-DISC")) == no_association);
    CHECK_FALSE(bench.server->associated(management_client));

    // f(StoC) of the vectors belongs to another challenge: refused, and the association is gone
    CHECK(bench.ask(test::vector("ACT-HLS")) == "C701C00300");
    CHECK(bench.server->counters().refused_associations == 1);
    CHECK(bench.ask(test::vector("ACT-HLS")) == no_association);
    CHECK(bench.model.calls == 0);
}

TEST_CASE("server: the model may answer later; a request meanwhile is dropped", "[dlms][server]") {
    Bench bench = pre_established();
    bench.model.later = true;
    std::vector<std::string> answers;
    const auto reply = [&](Buffer answer) { answers.push_back(to_hex(answer)); };
    bench.server->handle(management_client, test::vector("GET-1"), now, reply);
    bench.server->handle(management_client, test::vector("GET-1"), now, reply);
    CHECK(answers.empty());
    CHECK(bench.model.calls == 1);
    CHECK(bench.server->counters().dropped == 1);
    bench.model.answer();
    CHECK(answers == std::vector{to_hex(test::vector("GETR-1c"))});
}

TEST_CASE("server: an answer for a link that broke goes nowhere", "[dlms][server]") {
    Bench bench = pre_established();
    bench.model.later = true;
    int answers = 0;
    bench.server->handle(management_client, test::vector("GET-1"), now, [&](Buffer) { ++answers; });
    const bool destroyed = GENERATE(false, true);
    if (destroyed)
        bench.server.reset();
    else
        bench.server->disconnect(management_client);
    bench.model.answer();
    CHECK(answers == 0);
}

TEST_CASE("server: an unconfirmed SET or ACTION is done and not answered", "[dlms][server]") {
    Bench bench = pre_established();
    CHECK(bench.ask("C1018100080000010000FF02001105").empty());
    CHECK(bench.model.at(clock_time) == Data{std::uint8_t{5}});
    CHECK(bench.ask("C301810046000060030AFF0100").empty());
    CHECK(bench.model.calls == 2);
}

TEST_CASE("server: a request above its PDU size is refused", "[dlms][server]") {
    ClientAccess access;
    access.pre_established = true;
    access.pdu_size_max = 100;
    Bench bench{access};
    Buffer large = test::octets("C101C100080000010000FF02000955");
    large.resize(large.size() + 0x55);
    CHECK(large.size() == 100);
    CHECK(bench.ask(large) == "C501C100");
    large.push_back(0);
    CHECK(bench.ask(large) == "D80104");
}

TEST_CASE("server: survives any octets in any state", "[dlms][server]") {
    for (const bool with_keys : {false, true}) {
        Bench bench = with_keys ? ciphered() : pre_established();
        for (const auto& [id, bytes] : test::vectors())
            for (std::size_t size = 0; size <= bytes.size(); ++size) bench.ask(Bytes{bytes}.first(size));
    }
    SUCCEED();
}
