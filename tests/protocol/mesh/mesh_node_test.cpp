#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/protocol/mesh/node_bench.h"

using namespace wattmesh;
using namespace wattmesh::mesh;
using namespace wattmesh::mesh::test;
using namespace std::chrono_literals;

namespace {

std::vector<double> asking_times(std::uint8_t window, std::int8_t rssi_dbm, int frames_overheard_per_s = 0) {
    std::vector<double> times;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Bench bench{seed};
        bench.run(100ms);
        bench.hear_beacon(root_address, 0, rssi_dbm, window);
        const Instant heard = bench.now;
        while (!bench.first(FrameType::join_request) && bench.now < heard + 300s) {
            bench.run(1s);
            for (int i = 0; i < frames_overheard_per_s; ++i)
                bench.hear(3, FrameType::data_up, {1, 2, 3}, -80, 4);  // between two others
        }
        const auto asked = bench.first(FrameType::join_request);
        REQUIRE(asked);
        times.push_back(static_cast<double>((*asked - heard).count()) / 1e6);
    }
    std::sort(times.begin(), times.end());
    return times;
}

}  // namespace

TEST_CASE("node: joiners spread over the time the root says it needs for all of them", "[mesh][node]") {
    const auto alone = asking_times(0, -70);
    CHECK(alone.back() < 3.0);  // collecting, then up to a second
    const auto crowd = asking_times(120, -70);
    // Uniform over 60 s: about 15 of 60 in each quarter (three sigmas: 10).
    for (const double from : {0.0, 15.0, 30.0, 45.0}) {
        const auto in_quarter = std::count_if(
            crowd.begin(), crowd.end(), [&](double t) { return t - 1.6 >= from && t - 1.6 < from + 15; });
        INFO("quarter from " << from << " s");
        CHECK(in_quarter >= 5);
        CHECK(in_quarter <= 25);
    }
    CHECK(crowd.back() < 63);
}

TEST_CASE("node: a joiner waits for a neighbour it hears well, but not for ever", "[mesh][node]") {
    CHECK(asking_times(0, -100).front() > 7.9);
    CHECK(asking_times(0, -100).back() < 12);
    Bench bench{1};
    bench.run(100ms);
    bench.hear_beacon(root_address, 0, -100);
    bench.run(3s);
    bench.hear_beacon(5, 140, -75);
    bench.run(3s);
    const auto asked = bench.sent(FrameType::join_request);
    REQUIRE_FALSE(asked.empty());
    CHECK(asked.front().frame.destination == 5);
}

TEST_CASE("node: a joiner's turn comes later while the air is full", "[mesh][node]") {
    const auto quiet = asking_times(40, -70), full = asking_times(40, -70, 25);
    // 25 frames a second x 20 ms: every second of waiting becomes two.
    CHECK(full[30] > quiet[30] * 1.5);
    CHECK(full.back() < 5 * quiet.back() + 15);
}

TEST_CASE("node: a solicit of somebody without a network is answered, unless heard badly", "[mesh][node]") {
    for (const bool near : {true, false}) {
        Bench bench{3, Bench::member()};
        bench.hear_beacon(root_address, 0, -70);
        bench.run(400s);  // the beacons have become rare
        const auto before = bench.sent(FrameType::beacon).size();
        bench.hear(0xFFFF, FrameType::solicit, encode(Solicit{.attempt = 0}), near ? -80 : -101,
                   broadcast_address, no_pan);
        bench.run(1s);
        CHECK(bench.sent(FrameType::beacon).size() - before == (near ? 1 : 0));
    }
}

TEST_CASE("node: a better parent must stay better for a while", "[mesh][node]") {
    Bench bench{4, Bench::member()};
    bench.hear_beacon(5, 400, -70);
    REQUIRE(bench.node.parent() == 5);
    for (int second = 0; second < 100; ++second) {
        bench.hear_beacon(6, 200, -70);  // better by one transmission and a half
        bench.hear_beacon(5, 400, -70);
        bench.run(1s);
        CHECK(bench.node.parent() == 5);
    }
    bench.hear_beacon(6, 390, -70);  // it was a moment only: the count begins anew
    bench.hear_beacon(5, 400, -70);
    for (int second = 0; second < 100; ++second) {
        bench.hear_beacon(6, 200, -70);
        bench.run(1s);
        CHECK(bench.node.parent() == 5);
    }
    bench.run(300s);
    bench.hear_beacon(6, 200, -70);
    CHECK(bench.node.parent() == 6);
}

TEST_CASE("node: an answer goes back the way its request came, not over the parent", "[mesh][node]") {
    Bench bench{5, Bench::member()};
    bench.acknowledging = false;
    bench.hear_beacon(5, 128, -70);
    REQUIRE(bench.node.parent() == 5);
    bench.hear(6, FrameType::data_down, encode(read_of(77)), -80, own_address);
    bench.run(10ms);
    const auto request = bench.node.take_request();
    REQUIRE(request);
    bench.node.answer(request->ticket, {1, 2, 3}, bench.now);
    bench.run(50ms);
    auto answers = bench.sent(FrameType::data_up);
    REQUIRE_FALSE(answers.empty());
    CHECK(answers.front().frame.destination == 6);
    CHECK(decode_up(answers.front().body)->rank == rank_infinite);
    // Nobody acknowledges: after four tries over the gradient.
    bench.run(8s);
    answers = bench.sent(FrameType::data_up);
    CHECK(answers.back().frame.destination == 5);
    CHECK(decode_up(answers.back().body)->header.detoured);
    CHECK(decode_up(answers.back().body)->rank == bench.node.rank());
}

TEST_CASE("node: the next frame waits for the end of our own acknowledgement and no longer", "[mesh][node]") {
    // An ACK ends 1 ms and 23 octets at 50 kbit/s after the frame: 4.68 ms. Then at most 7 units of 0.4 ms
    // and a second look 1.32 ms later.
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Bench bench{seed, Bench::member()};
        bench.run(100ms);
        DownPacket packet = read_of(7);
        packet.header.destination = 5;
        packet.relays = {own_address};
        const Instant heard = bench.now;
        bench.hear(root_address, FrameType::data_down, encode(packet), -70, own_address);
        bench.run(50ms);
        const auto passed_on = bench.first(FrameType::data_down);
        REQUIRE(passed_on);
        CHECK(*passed_on - heard >= 6'000us);
        CHECK(*passed_on - heard <= 8'800us);
    }
}

TEST_CASE("node: one report is tried with two neighbours at most", "[mesh][node]") {
    Bench bench{6, Bench::member()};
    bench.acknowledging = false;
    for (std::uint16_t address = 4; address < 8; ++address) bench.hear_beacon(address, 128, -70);
    bench.run(20s);
    std::map<std::uint16_t, std::set<std::uint16_t>> tried;  // by packet
    for (const auto& report : bench.sent(FrameType::link_report))
        tried[decode_up(report.body)->header.sequence].insert(report.frame.destination);
    REQUIRE(tried.size() == 1);
    CHECK(tried.begin()->second.size() == 2);
}

TEST_CASE("node: what the root has been told goes into no second answer", "[mesh][node]") {
    Bench bench{7, Bench::member()};
    for (std::uint16_t address = 10; address < 16; ++address) bench.hear_beacon(address, 128, -75);
    const auto parent = bench.node.parent();
    std::vector<std::size_t> links;
    for (std::uint16_t sequence = 1; sequence <= 3; ++sequence) {
        bench.hear(parent, FrameType::data_down, encode(read_of(sequence)), -75, own_address);
        const auto request = bench.node.take_request();
        REQUIRE(request);
        bench.node.answer(request->ticket, Buffer(20, 1), bench.now);
        bench.run(20s);
        const auto answers = bench.sent(FrameType::data_up);
        links.push_back(decode_answer(decode_up(answers.back().body)->body)->links.size());
    }
    CHECK(links[0] == 6);  // everything is news
    CHECK(links[2] == 2);  // the parent, and one in turn
    CHECK(bench.sent(FrameType::link_report).empty());
}

TEST_CASE("node: who is cut off with its neighbours lets go instead of counting up", "[mesh][node]") {
    Bench bench{8, Bench::member()};
    bench.hear_beacon(5, 300, -70);
    REQUIRE(bench.node.attached());
    const auto first_rank = bench.node.rank();
    std::uint16_t rank = 300;
    while (bench.node.attached() && rank < 5'000) {
        bench.run(2s);
        rank = static_cast<std::uint16_t>(rank + 200);
        bench.hear_beacon(5, rank, -70);
    }
    CHECK_FALSE(bench.node.attached());
    CHECK(rank < 2 * first_rank + 8 * rank_per_transmission);
    bench.run(1s);
    const auto beacons = bench.sent(FrameType::beacon);
    REQUIRE_FALSE(beacons.empty());
    CHECK(decode_beacon(beacons.back().body)->rank == rank_infinite);  // its children learn of it
    bench.hear_beacon(6, 400, -70);
    CHECK(bench.node.parent() == 6);
}

TEST_CASE("node: after a power cut the first report waits within the root's window", "[mesh][node]") {
    std::vector<double> waits;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Bench bench{seed, Bench::member()};
        bench.hear_beacon(root_address, 0, -70, 60);
        bench.run(40s);
        const auto reports = bench.sent(FrameType::link_report);
        REQUIRE(reports.size() == 1);
        waits.push_back(static_cast<double>((reports.front().at - start).count()) / 1e6);
        CHECK(decode_link_report(decode_up(reports.front().body)->body)->reattached);
    }
    std::sort(waits.begin(), waits.end());
    // uniform over 30 s: the middle of 40 lies within 15 s +- 8 (three sigmas 7)
    CHECK(waits[20] > 7);
    CHECK(waits[20] < 23);
    CHECK(waits.back() < 31);
}

namespace {
Buffer key_update_of(std::uint16_t number, const Key128& key, std::uint16_t sequence) {
    security::OpensslCiphers ciphers;
    KeyUpdate update{.meter = *DeviceNumber::parse("540000000001"),
                     .key_number = number,
                     .wrapped_net_key = {},
                     .mac = {}};
    seal(update, pan, key, join_key, ciphers);
    DownPacket packet = read_of(sequence);
    packet.body = encode(update);
    return encode(packet);
}
}  // namespace

TEST_CASE("node: the next net key is confirmed, used when another uses it, and the old one heard for a while",
          "[mesh][node]") {
    Bench bench{5, Bench::member()};
    bench.run(100ms);
    bench.hear_beacon(root_address, 0, -70);
    bench.run(1s);
    bench.hear(root_address, FrameType::key_update, key_update_of(3, next_key, 1), -70, own_address);
    bench.run(1s);
    CHECK(bench.sent(FrameType::data_up).empty());  // not the next number
    bench.hear(root_address, FrameType::key_update, key_update_of(2, next_key, 2), -70, own_address);
    bench.run(1s);
    REQUIRE(bench.sent(FrameType::data_up).size() == 1);
    CHECK(bench.sent(FrameType::data_up).front().frame.key == 1);
    CHECK(bench.node.state().other == NodeState::Other::next);
    CHECK(bench.node.state().key_number == 1);
    CHECK(bench.node.state_dirty());

    bench.root_key = next_key;
    bench.root_key_id = 2;
    bench.hear_beacon(root_address, 0, -70);
    CHECK(bench.node.state().key_number == 2);
    CHECK(bench.node.state().counter_limit == 1 + counter_block);
    bench.hear(root_address, FrameType::data_down, encode(read_of(3)), -70, own_address);
    bench.run(1s);
    REQUIRE(bench.node.take_request());
    // Its answer was lost: the same update again, while the key is in use.
    bench.hear(root_address, FrameType::key_update, key_update_of(2, next_key, 4), -70, own_address);
    bench.run(1s);
    REQUIRE(bench.sent(FrameType::data_up).size() == 2);
    CHECK(bench.sent(FrameType::data_up).back().frame.key == 2);

    bench.root_key = net_key;
    bench.root_key_id = 1;
    bench.hear(root_address, FrameType::data_down, encode(read_of(5)), -70, own_address);
    CHECK(bench.node.take_request());
    bench.run(601s);
    CHECK(bench.node.state().other == NodeState::Other::none);
    bench.hear(root_address, FrameType::data_down, encode(read_of(6)), -70, own_address);
    CHECK_FALSE(bench.node.take_request());
}

TEST_CASE("node: a frame counter near its end is said in the report", "[mesh][node]") {
    for (const std::uint32_t limit : {0xBFFF0000U, 0xC0000001U}) {
        NodeState state = Bench::member();
        state.counter_limit = limit;
        Bench bench{5, state};
        bench.run(100ms);
        bench.hear_beacon(root_address, 0, -70);
        bench.run(60s);
        const auto reports = bench.sent(FrameType::link_report);
        REQUIRE_FALSE(reports.empty());
        const auto packet = decode_up(reports.front().body);
        REQUIRE(packet);
        const auto report = decode_link_report(packet->body);
        REQUIRE(report);
        CHECK(report->needs_key == (limit > 0xC0000000U));
    }
}
