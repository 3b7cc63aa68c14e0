#include "protocol/dlms/general_block.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/apdu.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

Buffer message_of(std::size_t size) {
    Buffer octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 13 + i / 256);
    return octets;
}

/// Two ends and a line between them that loses blocks by a seed.
struct Line {
    BlockTransfer a, b;
    SeededRandom chance;
    unsigned loss_percent;

    bool lost() {
        std::array<std::uint8_t, 2> draw{};
        chance.fill(draw);
        return (draw[0] * 256U + draw[1]) % 100 < loss_percent;
    }
    /// Carries until nothing moves; faults fail the test.
    void carry() {
        for (bool moved = true; moved;) {
            moved = false;
            for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}})
                while (const auto block = from->take_output()) {
                    moved = true;
                    if (!lost()) REQUIRE_FALSE(to->receive(*block));
                }
        }
    }
};

}  // namespace

TEST_CASE("general block transfer: vectors decode to their values and back", "[dlms]") {
    const auto whole = vector("GETR-PROF");
    BlockTransfer receiver;
    for (const char* id : {"GBT-1", "GBT-2", "GBT-3"}) {
        const auto block = decode_general_block(vector(id));
        REQUIRE(block);
        CHECK(block->window == 3);
        CHECK(to_hex(encode(*block)) == to_hex(vector(id)));
        CHECK(general_block_size(block->octets.size()) == vector(id).size());
        CHECK_FALSE(receiver.receive(*block));
    }
    CHECK(receiver.take_message() == whole);
    const auto acknowledgement = decode_general_block(vector("GBT-ack"));
    CHECK(*acknowledgement == GeneralBlock{true, false, 3, 1, 3, {}});
}

TEST_CASE("general block transfer: a sender makes the vectors' blocks once the window is known", "[dlms]") {
    // The vectors' sender was told window 3 before; ours learns it from the first answer.
    BlockTransfer sender{{3, 30, 1'000}};
    sender.send(vector("GETR-PROF"));
    const auto first = sender.take_output();
    REQUIRE(first);
    CHECK(to_hex(encode(*first)).substr(0, 2) == "E0");
    CHECK_FALSE(first->streaming);  // waits: it does not know what the peer can take
    CHECK_FALSE(sender.receive({true, false, 3, 1, 1, {}}));
    CHECK(sender.take_output()->octets == decode_general_block(vector("GBT-2"))->octets);
    const auto third = sender.take_output();
    CHECK(third->octets == decode_general_block(vector("GBT-3"))->octets);
    CHECK(third->last);
    CHECK_FALSE(third->streaming);
}

TEST_CASE("general block transfer: messages pass both ways through lines that lose blocks", "[dlms]") {
    const unsigned loss = GENERATE(0U, 5U, 20U, 40U);
    const auto window = GENERATE(as<std::uint8_t>{}, 1, 2, 3, 8, 63);
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        INFO("loss " << loss << " %, window " << int{window} << ", seed " << seed);
        const BlockTransfer::Config config{window, 20, 100'000, 200};
        Line line{BlockTransfer{config}, BlockTransfer{config}, SeededRandom{seed}, loss};
        const Buffer request = message_of(1 + seed * 37), answer = message_of(1 + seed * 91);
        line.a.send(request);
        std::optional<Buffer> received, answered;
        for (int turn = 0; turn < 2'000 && !answered; ++turn) {
            line.carry();
            if (auto whole = line.b.take_message()) {
                REQUIRE_FALSE(received);  // once
                received = whole;
                line.b.send(answer);
                line.carry();
            }
            answered = line.a.take_message();
            if (!answered) line.a.resume();
        }
        CHECK(received == request);
        CHECK(answered == answer);
    }
}

TEST_CASE("general block transfer: a lost block is sent again, from the first one missing", "[dlms]") {
    BlockTransfer sender{{8, 10, 1'000}}, receiver{{4, 10, 1'000}};
    sender.send(message_of(55));
    CHECK_FALSE(receiver.receive(*sender.take_output()));
    CHECK_FALSE(sender.receive(*receiver.take_output()));  // says window 4
    std::vector<GeneralBlock> window;
    while (auto block = sender.take_output()) window.push_back(*block);
    REQUIRE(window.size() == 4);
    CHECK(window.back().number == 5);
    CHECK_FALSE(window.back().streaming);
    for (const auto& block : window)
        if (block.number != 3) CHECK_FALSE(receiver.receive(block));
    const auto gap = receiver.take_output();
    REQUIRE(gap);
    CHECK(gap->acknowledged == 2);
    CHECK_FALSE(receiver.take_output());
    CHECK_FALSE(sender.receive(*gap));
    while (auto block = sender.take_output()) CHECK_FALSE(receiver.receive(*block));
    CHECK(sender.repeated() == 3);
    CHECK(receiver.take_message() == message_of(55));
}

TEST_CASE("general block transfer: bounds", "[dlms]") {
    SECTION("more than the transfer may hold") {
        BlockTransfer receiver{{8, 100, 150}};
        CHECK_FALSE(receiver.receive({false, true, 8, 1, 0, message_of(100)}));
        CHECK(receiver.receive({false, true, 8, 2, 0, message_of(100)})->fault == Fault::too_long);
    }
    SECTION("an acknowledgement of what was never sent") {
        BlockTransfer sender{{8, 10, 1'000}};
        sender.send(message_of(50));
        CHECK(sender.receive({true, false, 8, 1, 4, {}})->fault == Fault::unexpected);
    }
    SECTION("a peer that never gets on") {
        BlockTransfer sender{{8, 10, 1'000, 3}};
        sender.send(message_of(50));
        for (int i = 0; i < 3; ++i) CHECK_FALSE(sender.receive({true, false, 8, 1, 0, {}}));
        CHECK(sender.receive({true, false, 8, 1, 0, {}})->fault == Fault::refused);
        BlockTransfer silent{{8, 10, 1'000, 3}};
        silent.send(message_of(50));
        CHECK((silent.resume() && silent.resume() && silent.resume()));
        CHECK_FALSE(silent.resume());
    }
}

TEST_CASE("general block transfer: one-way blocks are joined, a lost one drops the set", "[dlms]") {
    BlockCollector collector{1'000};
    const auto blocks = unconfirmed_blocks(message_of(95), 30);
    REQUIRE(blocks.size() == 4);
    CHECK(encode(blocks[3])[1] == 0xC0);  // last and streaming, window 0, as Landis+Gyr meters send it
    for (std::size_t lost = 0; lost < 4; ++lost) {
        std::optional<Buffer> whole;
        for (std::size_t i = 0; i < 4; ++i)
            if (i != lost) whole = collector.receive(blocks[i]);
        CHECK_FALSE(whole);
    }
    std::optional<Buffer> whole;
    for (const auto& block : blocks) whole = collector.receive(block);
    CHECK(whole == message_of(95));
    CHECK(collector.dropped() == 3);  // without its first block a set never began
    BlockCollector narrow{50};
    for (const auto& block : blocks) CHECK_FALSE(narrow.receive(block));
}

namespace {

ClientConfig blocks_config(bool ciphered, std::uint16_t pdu_size) {
    ClientConfig config;
    config.general_blocks = true;
    config.ciphered = ciphered;
    config.mechanism = ciphered ? Mechanism::high_gmac : Mechanism::none;
    config.keys = vector_keys();
    config.own_title = client_title;
    config.server_title = server_title;
    config.pdu_size_max = pdu_size;
    return config;
}
ClientAccess blocks_access(bool ciphered, std::uint16_t pdu_size) {
    ClientAccess access;
    access.client = management_client;
    access.ciphered = ciphered;
    access.mechanism = ciphered ? Mechanism::high_gmac : Mechanism::none;
    access.keys = vector_keys();
    access.pdu_size_max = pdu_size;
    return access;
}

/// Associated with general block transfer over a line that loses APDUs.
struct LossyPair : Pair {
    LossyPair(bool ciphered, std::uint16_t pdu_size)
        : Pair(blocks_config(ciphered, pdu_size), blocks_access(ciphered, pdu_size)) {
        client.associate();
        run();
        REQUIRE(client.associated());
        events();
    }
    void carry(unsigned loss_percent) {
        for (int turn = 0; turn < 3'000; ++turn) {
            while (const auto request = client.take_output()) {
                if (lost(loss_percent)) continue;
                server.handle(sap, *request, now, [&](Buffer answer) {
                    if (!lost(loss_percent)) client.receive(answer);
                });
            }
            if (!client.busy() || !client.resume()) return;
        }
    }
    bool lost(unsigned percent) {
        std::array<std::uint8_t, 1> draw{};
        chance.fill(draw);
        return draw[0] * 100U < percent * 256U;
    }
    SeededRandom chance{7};
};

}  // namespace

TEST_CASE("general block transfer: services in blocks, ciphered or not, through losses", "[dlms]") {
    const bool ciphered = GENERATE(false, true);
    const auto pdu_size = GENERATE(as<std::uint16_t>{}, 128, 200);  // an AARE takes 110 octets
    const unsigned loss = GENERATE(0U, 10U);
    LossyPair pair{ciphered, pdu_size};
    const Data value = OctetString{message_of(2'000)};
    pair.model.put(profile_buffer, value);
    pair.client.set(clock_time, value);
    pair.carry(loss);
    if (pair.client.busy())
        return;  // the first block itself was lost: nothing to resume, the owner's time-out
    CHECK(std::get<WriteCompleted>(pair.events().at(0)).result == AccessResult::success);
    CHECK(pair.model.at(clock_time) == value);
    CHECK(pair.model.calls == 1);

    pair.client.act({18, obis::clock, 2}, value);
    pair.carry(0);
    CHECK(std::get<ActionCompleted>(pair.events().at(0)).outcome.result == AccessResult::success);
    pair.client.get(profile_buffer);
    pair.carry(0);
    CHECK(std::get<ReadCompleted>(pair.events().at(0)).outcome == ReadOutcome{value});
    if (ciphered) return;  // ACCESS has no service-specific ciphering
    pair.client.access({AccessGet{.id = profile_buffer, .selection = {}}, AccessSet{{clock_time}}},
                       {Null{}, OctetString{message_of(600)}});
    pair.carry(0);
    const auto events = pair.events();
    CHECK(std::get<AccessCompleted>(events.at(0)).outcomes.at(0).value == value);
}

TEST_CASE("general block transfer: a push in one-way blocks is a notification", "[dlms]") {
    ClientConfig config;
    config.pre_established = true;
    ClientAccess access;
    access.client = reading_client;
    Pair pair{config, access};
    const Buffer push = vector("DN-1");
    for (const auto& block : unconfirmed_blocks(push, 10)) pair.client.receive(encode(block));
    const auto events = pair.events();
    REQUIRE(events.size() == 1);
    CHECK(std::get<Notified>(events[0]).invoke == 0x1DB);
}

TEST_CASE("general block transfer: blocks in blocks are refused", "[dlms]") {
    LossyPair pair{false, 200};
    pair.client.get(clock_time);
    pair.client.take_output();
    const Buffer inner = encode(GeneralBlock{true, false, 8, 1, 0, {1, 2, 3}});
    pair.client.receive(encode(GeneralBlock{true, false, 8, 1, 0, inner}));
    CHECK(std::get<RequestFailed>(pair.events().at(0)).error.fault == Fault::too_deep);
}
