#include <catch2/catch.hpp>

#include "protocol/mesh/exchange_cache.h"
#include "protocol/mesh/hop_security.h"
#include "protocol/mesh/join.h"
#include "protocol/mesh/link_estimator.h"
#include "protocol/mesh/neighbour_table.h"
#include "protocol/mesh/node_state.h"
#include "protocol/mesh/trickle.h"
#include "security/ciphers.h"

using namespace wattmesh;
using namespace wattmesh::mesh;
using namespace std::chrono_literals;

namespace {
const Instant start{Duration{1'760'000'000'000'000}};
const Key128 key_a{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}, key_b{{16}};

MacFrame frame_of(std::uint16_t source, Bytes body) {
    return {.type = FrameType::data_up,
            .acknowledge_request = true,
            .secured = true,
            .sequence = 1,
            .pan = 5,
            .destination = 0,
            .source = source,
            .counter = 0,
            .body = body};
}
}  // namespace

TEST_CASE("link estimator: stronger is never worse", "[mesh]") {
    for (int dbm = -127; dbm < -1; ++dbm) {
        const LinkEstimator weaker{static_cast<std::int8_t>(dbm)},
            stronger{static_cast<std::int8_t>(dbm + 1)};
        CHECK(LinkEstimator::prior_q10(static_cast<std::int8_t>(dbm)) <=
              LinkEstimator::prior_q10(static_cast<std::int8_t>(dbm + 1)));
        CHECK(weaker.etx_q7() >= stronger.etx_q7());
    }
}

TEST_CASE("link estimator: evidence moves it, and it forgets", "[mesh]") {
    LinkEstimator link{-85};
    CHECK(link.etx_q7() < 140);
    CHECK_FALSE(link.measured());
    const auto fresh = link.etx_q7();
    link.record(4, false);
    CHECK(link.measured());
    CHECK(link.etx_q7() > fresh);
    const auto bad = link.etx_q7();
    link.record(1, true);
    CHECK(link.etx_q7() < bad);
    for (int i = 0; i < 100; ++i) link.record(1, true);
    CHECK(link.etx_q7() < 140);
    for (int i = 0; i < 100; ++i) link.record(4, false);
    CHECK(link.etx_q7() > 128 * 8);
    LinkEstimator grey{-95};
    grey.record(2, true);
    const auto measured = grey.etx_q7();
    grey.reseed(-60);
    CHECK(grey.etx_q7() == measured);  // strength does not overrule evidence
}

TEST_CASE("trickle: doubles, fires in the second half, keeps silent for others, starts over", "[mesh]") {
    Trickle trickle{{.interval_min = 1s, .interval_max = 8s, .redundancy = 2}};
    trickle.start(start, 0);
    CHECK(trickle.next_deadline() == start + 500ms);
    CHECK(trickle.tick(start + 500ms, 0));
    CHECK(trickle.next_deadline() == start + 1s);
    CHECK_FALSE(trickle.tick(start + 1s, 0xFFFF));
    CHECK(trickle.interval() == Duration{2s});
    CHECK(trickle.next_deadline() > start + 2s);
    CHECK(trickle.next_deadline() <= start + 3s);
    trickle.heard_consistent();
    trickle.heard_consistent();
    CHECK_FALSE(trickle.tick(start + 3s, 0));  // two others said it
    for (int i = 0; i < 20; ++i) trickle.tick(trickle.next_deadline(), 7);
    CHECK(trickle.interval() == Duration{8s});
    const Instant later = start + 1h;
    trickle.reset(later, 0);
    CHECK(trickle.interval() == Duration{1s});
    trickle.heard_consistent();
    trickle.heard_consistent();
    trickle.insist();
    CHECK(trickle.tick(later + 500ms, 0));
    trickle.reset(later + 600ms, 0);  // already at the smallest: does nothing
    CHECK(trickle.next_deadline() == later + 1s);
}

TEST_CASE("hop security: a changed frame, another key and a replay are refused", "[mesh]") {
    constexpr Instant now{1h};
    security::OpensslCiphers ciphers;
    HopSecurity sender{ciphers, 8}, receiver{ciphers, 8}, foreign{ciphers, 8};
    sender.set_key(key_a, 10);
    receiver.set_key(key_a, 1);
    foreign.set_key(key_b, 1);
    const Buffer body{1, 2, 3};
    MacFrame frame = frame_of(7, body);
    Mic mic{};
    const Buffer psdu = sender.seal(frame, mic);
    CHECK(frame.counter == 10);
    CHECK(sender.counter_next() == 11);
    const auto received = decode_mac(psdu);
    REQUIRE(received);
    CHECK(receiver.verify(*received, now) == HopSecurity::Verdict::fresh);
    CHECK(receiver.verify(*received, now) == HopSecurity::Verdict::fresh);  // looking does not remember
    receiver.remember(received->frame, now);
    CHECK(receiver.verify(*received, now) == HopSecurity::Verdict::repeated);
    CHECK(foreign.verify(*received, now) == HopSecurity::Verdict::not_authentic);
    Buffer forged_covered = to_buffer(received->covered);
    forged_covered.back() ^= 1;
    const Buffer forged = finish(forged_covered, received->mic);
    CHECK(receiver.verify(*decode_mac(forged), now) == HopSecurity::Verdict::not_authentic);
}

TEST_CASE("hop security: the window lets late frames in once and old ones never", "[mesh]") {
    constexpr Instant now{1h};
    ReplayTable table{2};
    CHECK(table.look(1, 100, now) == ReplayTable::Verdict::fresh);
    table.accept(1, 100, now);
    table.accept(1, 98, now);
    CHECK(table.look(1, 100, now) == ReplayTable::Verdict::repeated);
    CHECK(table.look(1, 99, now) == ReplayTable::Verdict::fresh);
    CHECK(table.look(1, 98, now) == ReplayTable::Verdict::repeated);
    CHECK(table.look(1, 68, now) == ReplayTable::Verdict::too_old);
    CHECK(table.look(1, 69, now) == ReplayTable::Verdict::fresh);
    // Recorded and held back: no frame waits that long for its tries.
    CHECK(table.look(1, 99, now + ReplayTable::late_max) == ReplayTable::Verdict::fresh);
    CHECK(table.look(1, 99, now + ReplayTable::late_max + 1us) == ReplayTable::Verdict::too_old);
    CHECK(table.look(1, 98, now + 1h) == ReplayTable::Verdict::repeated);
    CHECK(table.look(1, 101, now + 1h) == ReplayTable::Verdict::fresh);
    table.accept(1, 200, now);
    CHECK(table.look(1, 100, now) == ReplayTable::Verdict::too_old);
    CHECK(table.look(1, 0xFFFFFFFF, now) == ReplayTable::Verdict::fresh);
    table.accept(2, 1, now);
    table.accept(3, 1, now);  // room for two: the quiet one goes
    CHECK(table.size() == 2);
}

TEST_CASE("hop security: a used-up counter sends nothing", "[mesh]") {
    security::OpensslCiphers ciphers;
    HopSecurity sender{ciphers, 8};
    sender.set_key(key_a, 0xFFFFFFFE);
    MacFrame frame = frame_of(7, {});
    Mic mic{};
    CHECK_FALSE(sender.seal(frame, mic).empty());
    CHECK(sender.seal(frame, mic).empty());
}

TEST_CASE("hop security: two keys are heard while one takes over, each with counters of its own", "[mesh]") {
    constexpr Instant now{1h};
    security::OpensslCiphers ciphers;
    HopSecurity sender{ciphers, 8}, receiver{ciphers, 8};
    sender.set_key(key_a, 50, 1);
    receiver.set_key(key_a, 1, 1);
    Mic mic{};
    MacFrame old_frame = frame_of(7, {});
    const Buffer old_psdu = sender.seal(old_frame, mic);
    receiver.remember(decode_mac(old_psdu)->frame, now);

    sender.add_key(key_b, 1, 2);
    MacFrame frame = frame_of(7, {});
    CHECK(to_buffer(sender.seal(frame, mic)).size() == old_psdu.size());
    CHECK(frame.key == 1);  // known is not in use
    CHECK(frame.counter == 51);
    sender.use(2);
    const Buffer psdu = sender.seal(frame, mic);
    CHECK(frame.key == 2);
    CHECK(frame.counter == 1);
    CHECK(sender.counter_next() == 2);
    CHECK(receiver.verify(*decode_mac(psdu), now) == HopSecurity::Verdict::not_authentic);
    receiver.add_key(key_b, 1, 2);
    // Its counter is far below the sender's other one, and no replay.
    CHECK(receiver.verify(*decode_mac(psdu), now) == HopSecurity::Verdict::fresh);
    CHECK(receiver.verify(*decode_mac(old_psdu), now) == HopSecurity::Verdict::repeated);
    // An ACK is made under the key of what it acknowledges.
    AckFrame ack{.sequence = 1, .rssi_dbm = -70, .hops = 1, .secured = true};
    CHECK(sender.ack_mic(ack, frame, mic) == receiver.ack_mic(ack, frame, mic));

    receiver.use(2);
    receiver.forget(2);  // not the one in use
    CHECK(receiver.knows(2));
    receiver.forget(1);
    CHECK(receiver.verify(*decode_mac(old_psdu), now) == HopSecurity::Verdict::not_authentic);
    receiver.use(1);
    CHECK(receiver.current() == 2);
}

TEST_CASE("key update: only the right key, PAN, number and meter open it", "[mesh]") {
    security::OpensslCiphers ciphers;
    const Key128 net_key{{9, 9, 9}};
    KeyUpdate update{
        .meter = *DeviceNumber::parse("540000000001"), .key_number = 2, .wrapped_net_key = {}, .mac = {}};
    seal(update, 77, net_key, key_a, ciphers);
    const auto opened = open(update, 77, key_a, ciphers);
    REQUIRE(opened);
    CHECK(to_buffer(opened->reveal()) == to_buffer(net_key.reveal()));
    CHECK_FALSE(open(update, 78, key_a, ciphers));
    CHECK_FALSE(open(update, 77, key_b, ciphers));
    KeyUpdate later = update;
    later.key_number = 4;
    CHECK_FALSE(open(later, 77, key_a, ciphers));
    KeyUpdate other = update;
    other.meter = *DeviceNumber::parse("540000000002");
    CHECK_FALSE(open(other, 77, key_a, ciphers));
}

TEST_CASE("join: only the right key, PAN, request and meter open it", "[mesh]") {
    security::OpensslCiphers ciphers;
    const DeviceNumber meter = *DeviceNumber::parse("540000000001");
    JoinRequest request{.meter = meter,
                        .counter = 1,
                        .nonce = {1, 2, 3, 4},
                        .capabilities = 0,
                        .neighbours = {{1, -80}},
                        .mac = {}};
    sign(request, 77, key_a, ciphers);
    CHECK(authentic(request, 77, key_a, ciphers));
    CHECK_FALSE(authentic(request, 78, key_a, ciphers));
    CHECK_FALSE(authentic(request, 77, key_b, ciphers));
    JoinRequest later = request;
    later.counter = 2;
    CHECK_FALSE(authentic(later, 77, key_a, ciphers));

    const Key128 net_key{{9, 9, 9}};
    JoinAccept accept{.meter = meter,
                      .short_address = 12,
                      .version = 1,
                      .root_nonce = {},
                      .parents = {0},
                      .wrapped_net_key = {},
                      .mac = {}};
    seal(accept, request, 77, net_key, key_a, ciphers);
    const auto opened = open(accept, request, 77, key_a, ciphers);
    REQUIRE(opened);
    CHECK(to_buffer(opened->reveal()) == to_buffer(net_key.reveal()));
    CHECK_FALSE(open(accept, request, 77, key_b, ciphers));
    CHECK_FALSE(open(accept, later, 77, key_a, ciphers));
    CHECK_FALSE(open(accept, request, 78, key_a, ciphers));
    JoinAccept moved = accept;
    moved.short_address = 13;
    CHECK_FALSE(open(moved, request, 77, key_a, ciphers));
    // the net key is not on the air in clear
    const Buffer wire = encode(accept);
    const auto clear = net_key.reveal();
    CHECK(std::search(wire.begin(), wire.end(), clear.begin(), clear.end()) == wire.end());
}

TEST_CASE("neighbour table: parents by rank through the link; full tables keep what matters", "[mesh]") {
    NeighbourTable table;
    for (std::uint16_t address = 1; address <= 24; ++address)
        REQUIRE(table.heard(address, -90, start) != nullptr);
    CHECK(table.heard(30, -92, start) == nullptr);  // no better than what is there
    table.find(5)->rank = 128;
    table.find(6)->rank = 640;
    table.find(7)->rank = 256;
    CHECK(table.parents(rank_infinite, start) == std::vector<std::uint16_t>{5, 7, 6});
    CHECK(table.parents(200, start) == std::vector<std::uint16_t>{5, 7});  // a little above is tolerated ...
    table.find(7)->child_until = start + 1h;
    CHECK(table.parents(200, start) == std::vector<std::uint16_t>{5});  // ... unless it hangs on us
    table.find(9)->rssi_dbm = -105;
    REQUIRE(table.heard(31, -80, start) != nullptr);
    CHECK(table.find(9) == nullptr);
    CHECK(table.all().size() == NeighbourTable::size_max);
    table.record(5, 4, false, start);
    CHECK(table.parents(rank_infinite, start).front() != 5);  // mute for the moment
    CHECK(table.parents(rank_infinite, start + 11s).size() >= 2);
}

TEST_CASE("caches: a packet passes once, a request is executed once", "[mesh]") {
    DuplicateCache passed;
    CHECK(passed.admit(1, 2, 3, start));
    CHECK_FALSE(passed.admit(1, 2, 3, start + 1s));
    CHECK(passed.admit(1, 2, 4, start + 1s));
    CHECK(passed.admit(1, 2, 3, start + 40s));
    AnswerCache answers;
    const Buffer request{1, 2, 3}, other{3, 2, 1};
    CHECK(answers.find(5, request, start) == nullptr);
    answers.open(5, request, start).answer = Buffer{9};
    REQUIRE(answers.find(5, request, start + 30s) != nullptr);
    CHECK(answers.find(5, other, start + 30s) == nullptr);  // a root that lost its memory counts anew
    CHECK(answers.find(5, request, start + 120s) == nullptr);
}

TEST_CASE("node state: read back; no piece of it is", "[mesh]") {
    NodeState state;
    state.join_counter = 3;
    state.counter_limit = 4'096;
    state.pan = 8;
    state.short_address = 9;
    state.net_key = key_a;
    const Buffer stored = encode(state);
    const auto back = decode_node_state(stored);
    REQUIRE(back);
    CHECK(back->counter_limit == 4'096);
    CHECK(encode(*back) == stored);
    for (std::size_t size = 0; size < stored.size(); ++size)
        CHECK_FALSE(decode_node_state(Bytes{stored}.first(size)).has_value());
    state.key_number = 7;
    state.other = NodeState::Other::next;
    state.other_key = key_b;
    const Buffer both = encode(state);
    const auto two = decode_node_state(both);
    REQUIRE(two);
    CHECK(two->key_number == 7);
    CHECK(two->other == NodeState::Other::next);
    CHECK(encode(*two) == both);
    for (std::size_t size = 0; size < both.size(); ++size)
        CHECK_FALSE(decode_node_state(Bytes{both}.first(size)).has_value());
}

TEST_CASE("node state: what was stored before there were two keys is read", "[mesh]") {
    // version, join counter, counter limit, PAN, address, a key follows, the key
    const auto old = from_hex("01 00000003 00001000 0008 0009 01 000102030405060708090A0B0C0D0E0F");
    REQUIRE(old);
    const auto state = decode_node_state(*old);
    REQUIRE(state);
    CHECK(state->join_counter == 3);
    CHECK(state->short_address == 9);
    CHECK(state->key_number == 1);
    CHECK(state->other == NodeState::Other::none);
    CHECK(to_hex(state->net_key.value().reveal()) == "000102030405060708090A0B0C0D0E0F");
    Buffer newer = *old;
    newer[0] = 4;
    CHECK(decode_node_state(newer).error().fault == Fault::bad_version);
}

TEST_CASE("neighbour table: the fourteenth hop may be a parent, the fifteenth not", "[mesh]") {
    NeighbourTable table;  // fourteen relays, fifteen hops: mesh design 2.1
    for (std::uint8_t hops = 13; hops <= 15; ++hops) {
        table.heard(hops, -70, start);
        table.find(hops)->rank = static_cast<std::uint16_t>(hops * rank_per_transmission);
        table.find(hops)->hops = hops;
    }
    CHECK(table.parents(rank_infinite, start) == std::vector<std::uint16_t>{13, 14});
}

TEST_CASE("neighbour table: one silent exchange does not block a link that has worked", "[mesh]") {
    NeighbourTable table;
    for (std::uint16_t address = 5; address < 7; ++address) table.heard(address, -70, start)->rank = 128;
    table.record(5, 1, true, start);
    table.record(5, 4, false, start);
    CHECK(table.parents(rank_infinite, start).size() == 2);
    table.record(5, 4, false, start);
    CHECK(table.parents(rank_infinite, start) == std::vector<std::uint16_t>{6});
    table.record(6, 4, false, start);  // has never answered
    CHECK(table.parents(rank_infinite, start).empty());
}

TEST_CASE("neighbour table: news is what was never told or has changed, the parent always", "[mesh]") {
    NeighbourTable table;
    for (std::uint16_t address = 1; address <= 10; ++address) table.heard(address, -80, start)->rank = 256;
    auto told = table.news(3, 8);
    REQUIRE(told.size() == 8);
    CHECK(told.front().neighbour == 3);
    CHECK(table.news(3, 8).size() == 3);  // the parent and the two there was no room for
    CHECK(table.news(3, 8).size() == 1);
    CHECK_FALSE(table.has_news());
    for (int i = 0; i < 10; ++i) table.heard(7, -70, start);  // ten dB stronger
    told = table.news(3, 8);
    REQUIRE(told.size() == 2);
    CHECK(told.back().neighbour == 7);
    table.record(8, 1, true, start);  // tried for the first time
    CHECK(table.news(3, 8).size() == 2);
    table.untell();
    CHECK(table.news(3, 8).size() == 8);
}

TEST_CASE("way back: the newest hop of a request, for half a minute", "[mesh]") {
    WayBack ways;
    ways.passed(9, 1, 4, start);
    ways.passed(9, 1, 5, start + 1s);
    CHECK(ways.find(9, 1, start + 2s) == 5);
    CHECK_FALSE(ways.find(9, 2, start + 2s));
    CHECK_FALSE(ways.find(8, 1, start + 2s));
    CHECK_FALSE(ways.find(9, 1, start + 32s));
    for (std::uint16_t i = 0; i < 32; ++i) ways.passed(100, i, 1, start + 2s);
    CHECK_FALSE(ways.find(9, 1, start + 2s));  // bounded
}
