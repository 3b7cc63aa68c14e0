#include "tests/protocol/mesh/node_bench.h"

using namespace wattmesh;
using namespace wattmesh::mesh;
using namespace wattmesh::mesh::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t other_pan = 41;
const DeviceNumber ours{{0x90, 0, 0, 0, 0, 0x01}}, theirs{{0x90, 0, 0, 0, 0, 0x02}};

Buffer beacon_of(const DeviceNumber& concentrator, std::uint16_t version, std::uint16_t rank = 0) {
    return encode(Beacon{.concentrator = concentrator, .version = version, .rank = rank});
}

/// A member that has heard its root, and whose beacons have become rare.
struct Settled {
    explicit Settled(std::uint64_t seed) : bench{seed, Bench::member()} {
        bench.hear(root_address, FrameType::beacon, beacon_of(ours, 5), -70);
        bench.run(400s);
    }
    /// The beacon of a root whose key we have not.
    void hear_rival() {
        bench.root_key = next_key;
        bench.hear(root_address, FrameType::beacon, beacon_of(theirs, 1), -80);
        bench.root_key = net_key;
    }
    std::vector<LinkReport> reports_since(Instant from) {
        std::vector<LinkReport> found;
        for (const auto& one : bench.sent(FrameType::link_report)) {
            if (one.at < from) continue;
            const auto packet = decode_up(one.body);
            REQUIRE(packet);
            found.push_back(decode_link_report(packet->body).value());
        }
        return found;
    }
    Bench bench;
};

}  // namespace

TEST_CASE("node: follows its network into another PAN, keeps its place, and says so there", "[mesh][node]") {
    Settled town{1};
    Bench& bench = town.bench;
    const auto beacons = bench.sent(FrameType::beacon).size();
    bench.hear(root_address, FrameType::beacon, beacon_of(ours, 6), -70, broadcast_address, other_pan);
    CHECK(bench.node.state().pan == other_pan);
    CHECK(bench.node.state().short_address == own_address);
    CHECK(bench.node.attached());
    CHECK(bench.node.counters().joins == 0);
    bench.run(2s);
    REQUIRE(bench.sent(FrameType::beacon).size() > beacons);
    CHECK(bench.sent(FrameType::beacon).back().frame.pan == other_pan);
    // Who was asleep meanwhile still looks for it in the PAN before.
    bench.run(400s);
    const auto before = bench.sent(FrameType::beacon).size();
    bench.hear(0xFFFF, FrameType::solicit, encode(Solicit{.attempt = 2}), -70, broadcast_address, pan);
    bench.run(1s);
    CHECK(bench.sent(FrameType::beacon).size() == before + 1);
}

TEST_CASE("node: no recording and no stranger moves it to another PAN", "[mesh][node]") {
    Settled town{2};
    Bench& bench = town.bench;
    // As old as what it knows: recorded before the network came here.
    for (const std::uint16_t version : {std::uint16_t{5}, std::uint16_t{4}}) {
        bench.hear(root_address, FrameType::beacon, beacon_of(ours, version), -70, broadcast_address,
                   other_pan);
        CHECK(bench.node.state().pan == pan);
    }
    bench.root_key = next_key;
    bench.hear(root_address, FrameType::beacon, beacon_of(ours, 9), -70, broadcast_address, other_pan);
    CHECK(bench.node.state().pan == pan);
    // Nor after a reboot: the version is kept.
    Bench again{3, bench.node.state()};
    again.run(1s);
    again.hear(root_address, FrameType::beacon, beacon_of(ours, 5), -70, broadcast_address, other_pan);
    CHECK(again.node.state().pan == pan);
    again.hear(root_address, FrameType::beacon, beacon_of(ours, 6), -70, broadcast_address, other_pan);
    CHECK(again.node.state().pan == other_pan);
}

TEST_CASE("node: another network in its PAN is answered and told to the root, within seconds and rarely",
          "[mesh][node]") {
    Settled town{4};
    Bench& bench = town.bench;
    const Instant heard = bench.now;
    const auto beacons = bench.sent(FrameType::beacon).size();
    town.hear_rival();
    bench.run(8s);
    CHECK(bench.sent(FrameType::beacon).size() > beacons);
    const auto reports = town.reports_since(heard);
    REQUIRE(reports.size() == 1);
    CHECK(reports.front().rival == theirs);
    for (int second = 0; second < 200; ++second) {
        town.hear_rival();
        if (second % 100 == 0) bench.hear(root_address, FrameType::beacon, beacon_of(ours, 5), -70);
        bench.run(1s);
    }
    std::size_t told = 0;
    for (const auto& report : town.reports_since(heard)) told += report.rival ? 1 : 0;
    CHECK(told == 1);
    CHECK(bench.node.joined());
}

TEST_CASE("node: frames of its own concentrator under a key before are no other network", "[mesh][node]") {
    Settled town{5};
    const Instant heard = town.bench.now;
    town.bench.root_key = next_key;
    town.bench.hear(root_address, FrameType::beacon, beacon_of(ours, 5), -80);
    town.bench.run(30s);
    for (const auto& report : town.reports_since(heard)) CHECK_FALSE(report.rival.has_value());
}
