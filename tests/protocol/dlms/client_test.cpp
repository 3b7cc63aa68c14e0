#include "protocol/dlms/client.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

/// A client without a server of ours: answers are octets.
struct Bench {
    explicit Bench(ClientConfig config) : client(std::move(config), ciphers, random, send, receive) {}
    void answer(Bytes apdu) { client.receive(apdu); }
    void answer(const char* hex) { client.receive(test::octets(hex)); }
    std::string sent() {
        const auto apdu = client.take_output();
        return apdu ? to_hex(*apdu) : std::string{};
    }
    /// The next event, which must be of this kind.
    template <class T>
    T event() {
        const auto next = client.take_event();
        REQUIRE(next);
        const auto* match = std::get_if<T>(&*next);
        REQUIRE(match);
        return *match;
    }
    Error failure() { return event<RequestFailed>().error; }

    security::OpensslCiphers ciphers;
    SeededRandom random{3};
    MemoryCounter send, receive;
    Client client;
};

ClientConfig pre_established() {
    ClientConfig config;
    config.pre_established = true;
    return config;
}

ClientConfig high(bool ciphered) {
    ClientConfig config;
    config.mechanism = Mechanism::high_gmac;
    config.ciphered = ciphered;
    config.keys = vector_keys();
    config.own_title = client_title;
    config.server_title = server_title;
    return config;
}

}  // namespace

TEST_CASE("client: speaks the vectors of a standard client", "[dlms][client]") {
    Bench bench{{}};
    bench.client.associate();
    CHECK(bench.sent() == "601DA109060760857405080101BE10040E01000000065F1F0400001EDFFFFF");
    bench.answer(test::vector("AARE-1"));
    CHECK(bench.event<Associated>().server_pdu_size_max == 500);
    bench.client.get(clock_time);
    CHECK(bench.sent() == to_hex(test::vector("GET-1")));
    bench.answer(test::vector("GETR-1c"));
    const auto read = bench.event<ReadCompleted>();
    CHECK(std::get<Data>(read.outcome).octets().size() == 12);

    bench.client.get(clock_time);
    CHECK(bench.sent().substr(0, 6) == "C001C2");
    bench.answer("C401C20101");
    CHECK(bench.event<ReadCompleted>().outcome == ReadOutcome{AccessResult::hardware_fault});
    bench.client.release();
    CHECK(bench.sent() == to_hex(test::vector("RLRQ-1")));
    bench.answer(test::vector("RLRE-1"));
    bench.event<Released>();
    CHECK_FALSE(bench.client.associated());
}

TEST_CASE("client: a refusal carries result and diagnostic", "[dlms][client]") {
    Bench bench{{}};
    bench.client.associate();
    bench.answer(test::vector("AARE-1r"));
    const auto refused = bench.event<AssociationRefused>();
    CHECK(refused.result == 1);
    CHECK(refused.diagnostic == 2);
    CHECK_FALSE(refused.proof_failed);
    CHECK_FALSE(bench.client.busy());
}

TEST_CASE("client: blocks become one value", "[dlms][client]") {
    Bench bench{pre_established()};
    bench.client.get(profile_buffer);
    bench.sent();
    bench.answer(test::vector("GETB-1"));
    CHECK(bench.sent() == to_hex(test::vector("GETN-1")));
    bench.answer(test::vector("GETB-2"));
    CHECK(bench.sent() == "C002C100000002");
    bench.answer(test::vector("GETB-3"));
    const auto read = bench.event<ReadCompleted>();
    CHECK(std::get<Data>(read.outcome) == *decode_data(test::vector("PROF-BUF")));
}

TEST_CASE("client: a long SET leaves in blocks when the server's PDU size asks for it", "[dlms][client]") {
    Bench bench{{}};
    bench.client.associate();
    // 00181D: block transfer with SET; PDU size 100
    bench.answer("6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F040000181D00640007");
    bench.event<Associated>();
    bench.sent();
    const Data value = OctetString{Buffer(180, 0xAA)};
    bench.client.set(clock_time, value);
    const std::string first = bench.sent();
    CHECK(first.size() / 2 <= 100);
    CHECK(first.substr(0, 38) ==
          "C102C100080000010000FF02000000000001"
          "51");
    bench.answer("C502C100000001");
    const std::string second = bench.sent();
    CHECK(second.substr(0, 18) ==
          "C103C1000000000"
          "25B");
    bench.answer("C502C100000002");
    CHECK(bench.sent() ==
          "C103C10100000003"
          "0BAAAAAAAAAAAAAAAAAAAAAA");
    bench.answer("C503C10000000003");
    CHECK(bench.event<WriteCompleted>().result == AccessResult::success);
}

TEST_CASE("client: whatever breaks the protocol fails the request with its fault", "[dlms][client]") {
    struct Row {
        const char* why;
        std::vector<const char*> answers;
        Fault fault;
    };
    const auto row = GENERATE(values<Row>({
        {"empty", {""}, Fault::truncated},
        {"a truncated answer", {"C401C10006000013"}, Fault::truncated},
        {"octets behind the end", {"C401C100060000139100"}, Fault::trailing},
        {"a tag that does not exist", {"F001C1000600001391"}, Fault::bad_tag},
        {"another invoke-id", {"C401C2000600001391"}, Fault::unexpected},
        {"the answer to another service", {"C501C100"}, Fault::unexpected},
        {"an AARE out of turn", {"6100"}, Fault::unexpected},
        {"block 2 first", {"C402C100000000020001 00"}, Fault::unexpected},
        {"block 1 again", {"C402C1000000000100 0100", "C402C100000000010001 00"}, Fault::unexpected},
        {"an empty block that is not the last", {"C402C100000000010000"}, Fault::bad_value},
        {"a whole answer among blocks", {"C402C100000000010001 01", "C401C1000600001391"}, Fault::unexpected},
        {"blocks that are no value", {"C402C1010000000100 020103"}, Fault::truncated},
        {"a with-list answer", {"C403C1010000"}, Fault::unexpected},
    }));
    DYNAMIC_SECTION(row.why) {
        Bench bench{pre_established()};
        const RequestId request = bench.client.get(clock_time);
        const RequestId next = bench.client.get(import_total);
        bench.sent();
        for (const char* hex : row.answers) bench.answer(hex);
        const auto failed = bench.event<RequestFailed>();
        CHECK(failed.request == request);
        CHECK(failed.error.fault == row.fault);
        CHECK_FALSE(failed.association_lost);
        while (!bench.sent().empty()) {
        }
        bench.answer("C401C2000600001391");  // the request behind it goes on
        CHECK(bench.event<ReadCompleted>().request == next);
    }
}

TEST_CASE("client: a transfer or an APDU above its bound fails", "[dlms][client]") {
    auto config = pre_established();
    config.transfer_size_max = 5;
    config.pdu_size_max = 20;
    Bench bench{config};
    bench.client.get(profile_buffer);
    bench.answer("C402C100000000010003 010203");
    bench.answer("C402C100000000020003 040506");
    CHECK(bench.failure().fault == Fault::too_long);
    bench.client.get(profile_buffer);
    bench.answer(Buffer(21, 0xC4));
    CHECK(bench.failure().fault == Fault::too_long);
}

TEST_CASE("client: an exception fails the request, and without association the rest too", "[dlms][client]") {
    Bench bench{{}};
    bench.client.associate();
    bench.answer(test::vector("AARE-1"));
    bench.event<Associated>();
    bench.client.get(clock_time);
    bench.answer("D80103");
    auto failed = bench.event<RequestFailed>();
    CHECK(failed.exception == std::array<std::uint8_t, 2>{1, 3});
    CHECK(failed.error.fault == Fault::refused);
    CHECK(bench.client.associated());

    bench.client.get(clock_time);
    bench.client.get(clock_time);
    bench.answer(test::vector("EXC-1"));
    CHECK(bench.event<RequestFailed>().association_lost);
    CHECK(bench.event<RequestFailed>().association_lost);
    CHECK_FALSE(bench.client.associated());
    CHECK_FALSE(bench.client.busy());
}

TEST_CASE("client: abort fails what is open and what waits", "[dlms][client]") {
    const bool pre = GENERATE(false, true);
    Bench bench{pre ? pre_established() : ClientConfig{}};
    bench.client.associate();
    if (!pre) {
        bench.answer(test::vector("AARE-1"));
        bench.event<Associated>();
    }
    const RequestId first = bench.client.get(clock_time), second = bench.client.get(clock_time);
    bench.client.abort();
    CHECK(bench.event<RequestFailed>().request == first);
    const auto failed = bench.event<RequestFailed>();
    CHECK(failed.request == second);
    CHECK(failed.error.fault == Fault::truncated);
    CHECK(failed.association_lost == !pre);
    CHECK(bench.client.associated() == pre);
    CHECK(bench.sent().empty());
}

TEST_CASE("client: takes a tagged date-time in a push from a meter with that quirk only", "[dlms][client]") {
    ClientConfig config = pre_established();
    config.quirks.tagged_date_time = GENERATE(false, true);
    const bool allowed = config.quirks.tagged_date_time;
    Bench bench{std::move(config)};
    bench.answer("0F40000000090C07E40203010F1B0CFF80000002010600000037");
    if (allowed)
        CHECK(to_hex(bench.event<Notified>().date_time) == "07E40203010F1B0CFF800000");
    else
        CHECK(bench.failure() == Error{Fault::bad_value, 5});
}

TEST_CASE("client: a notification comes beside the open request", "[dlms][client]") {
    Bench bench{pre_established()};
    bench.client.get(clock_time);
    bench.answer(test::vector("DN-2"));
    CHECK(bench.event<Notified>().invoke == 0x40000000);
    bench.answer(test::vector("GETR-1"));
    bench.event<ReadCompleted>();
}

TEST_CASE("client: refuses a server that sends the challenge back or waives HLS",
          "[dlms][client][security]") {
    const std::string head = "A109060760857405080101A203020100",
                      initiate = "BE10040E0800065F1F040000501F01F40007";
    Bench bench{high(false)};
    bench.client.associate();
    const std::string aarq = bench.sent();
    const auto at = aarq.find("AC128010");
    REQUIRE(at != std::string::npos);
    const std::string own_challenge = aarq.substr(at + 8, 32);
    std::string body;
    SECTION("our own challenge") {
        body = head + "A305A10302010E" + "88020780890760857405080205AA128010" + own_challenge + initiate;
    }
    SECTION("a challenge of seven octets") {
        body = head + "A305A10302010E" + "88020780890760857405080205AA09800701020304050607" + initiate;
    }
    SECTION("another mechanism") {
        body = head + "A305A10302010E" + "88020780890760857405080201AA0A8008503677524A323146" + initiate;
    }
    SECTION("accepted without a proof") { body = head + "A305A103020100" + initiate; }
    SECTION("another title than the one we know") {
        body = head + "A305A10302010E" + "A40A04084D4D4D0000000099" +
               "88020780890760857405080205AA0A8008503677524A323146" + initiate;
    }
    Buffer aare = test::octets(body);
    aare.insert(aare.begin(), {0x61, static_cast<std::uint8_t>(aare.size())});
    bench.answer(aare);
    CHECK(bench.event<AssociationRefused>().proof_failed);
    CHECK(bench.sent().empty());
    CHECK_FALSE(bench.client.associated());
}

TEST_CASE("client: refuses a server that cannot prove itself", "[dlms][client][security]") {
    Bench bench{high(false)};
    bench.client.associate();
    bench.answer(test::vector("AARE-5"));
    CHECK_FALSE(bench.sent().empty());
    const std::string proof = bench.sent();
    CHECK(proof.substr(0, 32) == "C301C1000F0000280000FF0101091110");
    bench.answer("C701C100010009111001234567FE1466AFB3DBCD4F9389E2B7");  // right for another challenge
    CHECK(bench.event<AssociationRefused>().proof_failed);
    CHECK_FALSE(bench.client.associated());
}

TEST_CASE("client: with ciphering a plain, forged or repeated answer fails the request",
          "[dlms][client][security]") {
    ClientConfig config = high(true);
    config.mechanism = Mechanism::none;
    config.pre_established = true;
    Bench bench{config};
    MemoryCounter send{100}, receive;
    SecurityContext server{vector_keys(), server_title, client_title, bench.ciphers, send, receive};
    const auto sealed = [&](const char* hex) { return *server.protect(test::octets(hex)); };

    bench.client.get(clock_time);
    const Buffer first = sealed("C401C1000600001391");
    bench.answer(first);
    CHECK(bench.event<ReadCompleted>().outcome == ReadOutcome{Data{std::uint32_t{5009}}});

    bench.client.get(clock_time);
    bench.answer("C401C2000600001391");
    CHECK(bench.failure().fault == Fault::bad_tag);
    bench.client.get(clock_time);
    Buffer forged = sealed("C401C3000600001391");
    forged[10] ^= 0x80;
    bench.answer(forged);
    CHECK(bench.failure().fault == Fault::not_authentic);
    bench.client.get(clock_time);
    bench.answer(first);
    CHECK(bench.failure().fault == Fault::replayed);
    bench.answer(test::vector("DN-2"));
    CHECK(bench.failure().fault == Fault::not_authentic);
}

TEST_CASE("client: stops when its counter is used up", "[dlms][client][security]") {
    ClientConfig config = high(true);
    config.mechanism = Mechanism::none;
    config.pre_established = true;
    Bench bench{config};
    bench.send = MemoryCounter{0xFFFFFFFF};
    bench.client.get(clock_time);
    CHECK_FALSE(bench.sent().empty());
    bench.client.abort();
    bench.failure();
    bench.client.get(clock_time);
    CHECK(bench.failure().fault == Fault::refused);
    CHECK(bench.sent().empty());
}
