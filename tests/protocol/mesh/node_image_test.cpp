#include "protocol/mesh/image.h"
#include "tests/protocol/mesh/node_bench.h"

using namespace wattmesh;
using namespace wattmesh::mesh;
using namespace wattmesh::mesh::test;

namespace {

constexpr std::uint16_t child = 20, other_child = 21;

ImageBlock block_of(std::uint16_t index, std::uint8_t pass = 1) {
    return {.pass = pass, .piece = {.image = 5, .index = index, .octets = Buffer(180, 1)}};
}

/// A member below the root, with a child or without.
struct Relay {
    explicit Relay(bool with_child) : bench{1, Bench::member()} {
        bench.hear_beacon(root_address, 0, -70);
        bench.run(2s);
        if (!with_child) return;
        bench.hear_beacon(child, 400, -75);
        UpPacket packet;
        packet.header = {.destination = root_address, .source = child, .sequence = 1};
        packet.rank = 400;
        bench.hear(child, FrameType::link_report, encode(packet), -75, own_address);
        bench.run(10s);
    }
    std::size_t passed_on() const { return bench.sent(FrameType::image_block).size(); }
    Bench bench;
};

}  // namespace

TEST_CASE("mesh node: blocks of an image are passed on once, by who has somebody below", "[mesh][image]") {
    Relay leaf{false}, relay{true};
    for (Relay* one : {&leaf, &relay}) {
        one->bench.hear(root_address, FrameType::image_block, encode(block_of(3)), -70);
        one->bench.run(5s);
        one->bench.hear(root_address, FrameType::image_block, encode(block_of(3)), -70);
        one->bench.run(5s);
    }
    CHECK(leaf.passed_on() == 0);
    REQUIRE(relay.passed_on() == 1);
    auto expected = block_of(3);
    --expected.time_to_live;
    CHECK(decode_image_block(relay.bench.sent(FrameType::image_block).front().body).value() == expected);
    CHECK_FALSE(relay.bench.sent(FrameType::image_block).front().frame.acknowledge_request);
    relay.bench.hear(root_address, FrameType::image_block, encode(block_of(3, 2)), -70);  // the next pass
    relay.bench.run(5s);
    CHECK(relay.passed_on() == 2);
    auto last = block_of(4);
    last.time_to_live = 1;
    relay.bench.hear(root_address, FrameType::image_block, encode(last), -70);
    relay.bench.run(5s);
    CHECK(relay.passed_on() == 2);
}

TEST_CASE("mesh node: who has heard a block three times keeps silent", "[mesh][image]") {
    Relay relay{true};
    for (const std::uint16_t source : {root_address, child, other_child})
        relay.bench.hear(source, FrameType::image_block, encode(block_of(3)), -70);
    relay.bench.run(5s);
    CHECK(relay.passed_on() == 0);
}

TEST_CASE("mesh node: an image that nobody can keep is refused, a malformed request is not answered",
          "[mesh][image]") {
    Relay leaf{false};
    DownPacket packet = read_of(50);
    ImageOffer offer{.number = 1, .size = 500};
    packet.body = encode(ImageRequest{offer});
    leaf.bench.hear(root_address, FrameType::image_request, encode(packet), -70, own_address);
    leaf.bench.run(2s);
    const auto answers = leaf.bench.sent(FrameType::data_up);
    REQUIRE(answers.size() == 1);
    const auto status = decode_image_status(decode_answer(decode_up(answers.front().body)->body)->payload);
    REQUIRE(status);
    CHECK(status->state == ImageState::refused);
    packet = read_of(51);
    packet.body = {9, 9};
    leaf.bench.hear(root_address, FrameType::image_request, encode(packet), -70, own_address);
    leaf.bench.run(2s);
    CHECK(leaf.bench.sent(FrameType::data_up).size() == 1);
    CHECK_FALSE(leaf.bench.node.take_request());  // it is nothing for the application
}

namespace {

/// A radio whose channel the test keeps busy.
class Crowded final : Transceiver, MacListener {
public:
    void send(FrameType type, std::uint8_t priority) {
        mac_.send({.destination = broadcast_address,
                   .type = type,
                   .secured = false,
                   .priority = priority,
                   .body = {1}},
                  now_);
        mac_.tick(now_);
    }
    void run(Duration span) {
        const Instant until = now_ + span;
        for (; mac_.next_deadline() <= until; mac_.tick(now_)) now_ = std::max(now_, mac_.next_deadline());
        now_ = until;
    }
    void leave_air() { mac_.transmitted(now_); }
    bool busy = true;
    std::vector<std::size_t> left{};  ///< types, in the order of their leaving

private:
    bool channel_busy() override { return busy; }
    void transmit(Buffer psdu, Duration) override { left.push_back(type_index(psdu)); }
    Acceptance received(const Arrival&, Instant) override { return Acceptance::taken; }
    void sent(const Departure&, Instant) override {}
    std::uint8_t hops() const override { return 1; }

    security::OpensslCiphers ciphers_;
    CountingRandom random_{3};
    MediumAccess mac_{{}, ciphers_, random_, *this, *this};
    Instant now_ = start;
};

}  // namespace

TEST_CASE("mesh mac: what matters more overtakes a frame that is not on the air yet", "[mesh][image]") {
    Crowded radio;
    radio.send(FrameType::image_block, priority_bulk);
    radio.run(1ms);  // it has picked its turn, and finds the channel busy
    radio.send(FrameType::data_down, 0);
    radio.busy = false;
    radio.run(200ms);
    REQUIRE(radio.left == std::vector<std::size_t>{6});
    radio.leave_air();
    radio.run(200ms);
    CHECK(radio.left == std::vector<std::size_t>{6, 16});
    // On the air, it is not interrupted; of the same priority, first come is first served.
    radio.send(FrameType::beacon, 3);
    CHECK(radio.left.size() == 2);
    radio.leave_air();
    radio.send(FrameType::notice, 3);
    radio.run(200ms);
    radio.leave_air();
    radio.run(200ms);
    CHECK(radio.left == std::vector<std::size_t>{6, 16, 1, 14});
}
