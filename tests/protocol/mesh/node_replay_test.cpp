#include "tests/protocol/mesh/node_bench.h"

using namespace wattmesh;
using namespace wattmesh::mesh;
using namespace wattmesh::mesh::test;
using namespace std::chrono_literals;

namespace {

/// A request arrives; true when the application gets it.
bool executes(Bench& bench, std::uint16_t sequence) {
    bench.hear(root_address, FrameType::data_down, encode(read_of(sequence)), -70, own_address);
    const auto request = bench.node.take_request();
    if (request) bench.node.answer(request->ticket, {4, 5}, bench.now);
    bench.run(1s);
    return request.has_value();
}

std::optional<Answer> last_answer(const Bench& bench) {
    const auto all = bench.sent(FrameType::data_up);
    if (all.empty()) return std::nullopt;
    const auto packet = decode_up(all.back().body);
    REQUIRE(packet);
    return decode_answer(packet->body).value();
}

}  // namespace

TEST_CASE(
    "node: a request that is not above the last one is not executed, and the root is told where to go on",
    "[mesh][node]") {
    Bench bench{1, Bench::member()};
    bench.hear_beacon(root_address, 0, -70);
    bench.run(20s);
    CHECK(executes(bench, 10));
    CHECK(executes(bench, 11));
    CHECK_FALSE(executes(bench, 11));  // its answer was lost: it is given again
    CHECK(last_answer(bench).value().payload == Buffer{4, 5});
    bench.run(120s);
    for (const std::uint16_t recorded : {std::uint16_t{10}, std::uint16_t{11}, std::uint16_t{65'000}}) {
        CHECK_FALSE(executes(bench, recorded));
        const auto answer = last_answer(bench);
        CHECK(answer.value().floor == 11);
        CHECK(answer.value().payload.empty());
    }
    CHECK(bench.node.counters().requests_refused == 3);
    CHECK(executes(bench, 12));
}

TEST_CASE("node: nothing recorded before a restart is executed after it", "[mesh][node]") {
    Bench before{2, Bench::member()};
    before.hear_beacon(root_address, 0, -70);
    before.run(20s);
    int writes = 0;
    before.node.state_saved();
    for (std::uint16_t sequence = 1; sequence <= 200; ++sequence) {
        CHECK(executes(before, sequence));
        writes += before.node.state_dirty() ? 1 : 0;
        before.node.state_saved();
    }
    CHECK(writes <= 6);  // one for every 64 requests, and the frame counter's
    const auto stored = decode_node_state(encode(before.node.state()));
    REQUIRE(stored);
    Bench after{3, *stored};
    after.hear_beacon(root_address, 0, -70);
    after.run(20s);
    const auto report = decode_link_report(decode_up(after.sent(FrameType::link_report).front().body)->body);
    const auto floor = report.value().floor;
    REQUIRE(floor);
    CHECK(*floor >= 200);
    for (std::uint16_t sequence = 1; sequence <= 200; ++sequence) CHECK_FALSE(executes(after, sequence));
    CHECK(executes(after, static_cast<std::uint16_t>(*floor + 1)));
}

TEST_CASE("node: sequences go round", "[mesh][node]") {
    Bench bench{4, Bench::member()};
    bench.hear_beacon(root_address, 0, -70);
    bench.run(20s);
    CHECK(executes(bench, 65'535));
    CHECK(executes(bench, 0));
    CHECK(executes(bench, 1));
    CHECK_FALSE(executes(bench, 65'534));
}
