#include <catch2/catch.hpp>

#include "protocol/dlms/security.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

/// A pre-established pair, plain or ciphered, whose server sends at most `pdu_size` octets at once.
Pair pair_of(bool ciphered, std::uint16_t pdu_size) {
    ClientConfig config;
    config.pre_established = true;
    config.ciphered = ciphered;
    config.keys = vector_keys();
    config.own_title = client_title;
    config.server_title = server_title;
    ClientAccess access;
    access.client = reading_client;
    access.pre_established = true;
    access.ciphered = ciphered;
    access.keys = vector_keys();
    access.client_title = client_title;
    access.pdu_size_max = pdu_size;
    return {config, access};
}

Data value_of(std::size_t size) {
    Buffer octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    return OctetString{std::move(octets)};
}

}  // namespace

TEST_CASE("block transfer: any value through any PDU size, none above it", "[dlms]") {
    const bool ciphered = GENERATE(false, true);
    const auto pdu_size = GENERATE(as<std::uint16_t>{}, 48, 64, 127, 128, 200, 256, 1'024, 0xFFFF);
    for (const std::size_t size : {0, 1, 10, 40, 100, 119, 120, 127, 128, 180, 200, 255, 256, 1'000, 5'000}) {
        Pair pair = pair_of(ciphered, pdu_size);
        pair.model.put(profile_buffer, value_of(size));
        pair.client.get(profile_buffer);
        pair.run();
        INFO("value of " << size << " octets, PDU of " << pdu_size << (ciphered ? ", ciphered" : ""));
        const auto events = pair.events();
        REQUIRE(events.size() == 1);
        REQUIRE(std::holds_alternative<ReadCompleted>(events[0]));
        CHECK(std::get<ReadCompleted>(events[0]).outcome == ReadOutcome{value_of(size)});
        CHECK(pair.model.calls == 1);
        std::size_t largest = 0;
        for (const Buffer& answer : pair.answers) largest = std::max(largest, answer.size());
        CHECK(largest <= pdu_size);
        // Blocks are as large as they can be: one octet more in the first would not fit.
        if (pair.answers.size() > 1) CHECK(pair.answers.front().size() + 2 >= pdu_size);
    }
}

TEST_CASE("block transfer: the client's proposed PDU size counts", "[dlms]") {
    ClientConfig config;
    config.pdu_size_max = 100;
    ClientAccess access;
    access.client = reading_client;
    Pair pair{config, access};
    pair.model.put(profile_buffer, value_of(400));
    pair.client.associate();
    pair.client.get(profile_buffer);
    pair.run();
    CHECK(pair.answers.size() == 6);  // AARE and five blocks
    for (const Buffer& answer : pair.answers) CHECK(answer.size() <= 100);
}

TEST_CASE("block transfer: a value beyond 65 535 octets passes a wrapper PDU by PDU", "[dlms]") {
    Pair pair = pair_of(true, 0xFFFF);
    pair.model.put(profile_buffer, value_of(150'000));
    pair.client.get(profile_buffer);
    pair.run();
    CHECK(pair.answers.size() == 3);
    CHECK(std::get<ReadCompleted>(pair.events().at(0)).outcome == ReadOutcome{value_of(150'000)});

    pair.client.set(clock_time, value_of(150'000));
    pair.run();
    CHECK(std::get<WriteCompleted>(pair.events().at(0)).result == AccessResult::success);
    CHECK(pair.model.at(clock_time) == value_of(150'000));
    for (const Buffer& request : pair.requests) CHECK(request.size() <= 65'535);
}

TEST_CASE("block transfer: a SET that is too long even in blocks is aborted", "[dlms]") {
    Pair pair = pair_of(false, 0xFFFF);
    pair.client.set(clock_time, value_of(300'000));
    pair.run();
    CHECK(std::get<WriteCompleted>(pair.events().at(0)).result == AccessResult::long_set_aborted);
    CHECK(pair.model.calls == 0);
}

TEST_CASE("block transfer: a wrong block number ends it", "[dlms]") {
    Pair pair = pair_of(false, 64);
    pair.model.put(profile_buffer, value_of(400));
    std::string answer;
    const auto ask = [&](const char* hex) {
        pair.server.handle(reading_client, test::octets(hex), now, [&](Buffer b) { answer = to_hex(b); });
        return answer;
    };
    const char* get = "C001C100070100630100FF0200";
    CHECK(ask(get).substr(0, 16) == "C402C10000000001");
    CHECK(ask("C002C100000001").substr(0, 16) == "C402C10000000002");
    CHECK(ask("C002C100000001") == "C402C101000000010113");  // block_number_invalid
    CHECK(ask("C002C100000002") == "C402C101000000020110");  // no_long_get: it is over
    ask(get);
    CHECK(ask("C002C200000001") == "C402C201000000010113");  // another invoke-id
    ask(get);
    ask("C001C300030100010800FF0200");  // another GET takes its place
    CHECK(ask("C002C100000001") == "C402C101000000010110");
}

TEST_CASE("block transfer: not without having been negotiated", "[dlms]") {
    ClientAccess access;
    access.client = reading_client;
    access.pdu_size_max = 64;
    Pair pair{{}, access};
    pair.model.put(profile_buffer, value_of(400));
    std::string answer;
    const auto ask = [&](const char* hex) {
        pair.server.handle(reading_client, test::octets(hex), now, [&](Buffer b) { answer = to_hex(b); });
        return answer;
    };
    // AARQ-1 with conformance 000010: GET alone
    ask("601DA109060760857405080101BE10040E01000000065F1F040000001004B0");
    CHECK(ask("C001C100070100630100FF0200") == "C401C101FA");  // other_reason
    CHECK(ask("C101C100080000010000FF02001105") == "D80102");
}
