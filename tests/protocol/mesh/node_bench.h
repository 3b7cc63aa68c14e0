#pragma once
#include <catch2/catch.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/mesh/join.h"
#include "protocol/mesh/node.h"
#include "security/ciphers.h"

/// One node of the mesh alone with whoever the test plays.
namespace wattmesh::mesh::test {
using namespace std::chrono_literals;

inline const Instant start{Duration{1'760'000'000'000'000}};
inline const Key128 net_key{{7, 7, 7}}, join_key{{9, 9}}, next_key{{8, 8}};
inline constexpr std::uint16_t pan = 40, own_address = 9;

class CountingRandom final : public Random {
public:
    explicit CountingRandom(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) {
            state_ = state_ * 6364136223846793005U + 1442695040888963407U;
            octet = static_cast<std::uint8_t>(state_ >> 56);
        }
    }

private:
    std::uint64_t state_;
};

struct Sent {
    Instant at;
    MacFrame frame;
    Buffer body;
};

/// One node alone with whoever the test plays; the air is always free.
class Bench final : Transceiver {
public:
    explicit Bench(std::uint64_t seed, NodeState state = {})
        : random_(seed),
          node({.number = *DeviceNumber::parse("540000000001"), .join_key = join_key}, std::move(state),
               ciphers_, random_, *this) {
        node.start(now);
    }
    static NodeState member() {
        NodeState state;
        state.pan = pan;
        state.short_address = own_address;
        state.net_key = net_key;
        return state;
    }

    void run(Duration span) {
        const Instant until = now + span;
        while (node.next_deadline() <= until || leaves_at_ <= until) {
            now = std::max(now, std::min(node.next_deadline(), leaves_at_));
            if (now >= leaves_at_) {
                leaves_at_ = never;
                node.transmitted(now);
                if (const auto ack = std::exchange(ack_, {}); !ack.empty() && acknowledging)
                    node.received_psdu(ack, -70, now);
            } else {
                node.tick(now);
            }
        }
        now = until;
    }
    /// A frame of `source` arrives; secured ones under the net key.
    void hear(std::uint16_t source, FrameType type, const Buffer& body, std::int8_t rssi_dbm,
              std::uint16_t destination = broadcast_address, std::uint16_t from_pan = pan) {
        MacFrame frame{.type = type,
                       .acknowledge_request = destination != broadcast_address,
                       .secured = type != FrameType::solicit,
                       .sequence = ++sequence_,
                       .pan = from_pan,
                       .destination = destination,
                       .source = source,
                       .counter = 0,
                       .body = body};
        HopSecurity security{ciphers_, 8};
        security.set_key(root_key, ++counter_, root_key_id);
        Mic mic{};
        node.received_psdu(security.seal(frame, mic), rssi_dbm, now);
    }
    void hear_beacon(std::uint16_t source, std::uint16_t rank, std::int8_t rssi_dbm,
                     std::uint8_t window = 0) {
        hear(source, FrameType::beacon,
             encode(Beacon{.concentrator = {},
                           .version = 1,
                           .rank = rank,
                           .hops = static_cast<std::uint8_t>(rank / 128),
                           .load = 0,
                           .join_window_half_s = window}),
             rssi_dbm);
    }
    std::vector<Sent> sent(FrameType type) const {
        std::vector<Sent> found;
        for (const auto& one : sent_)
            if (one.frame.type == type) found.push_back(one);
        return found;
    }
    std::optional<Instant> first(FrameType type) const {
        const auto all = sent(type);
        return all.empty() ? std::nullopt : std::optional{all.front().at};
    }

private:
    bool channel_busy() override { return leaves_at_ != never; }
    void transmit(Buffer psdu, Duration lead) override {
        leaves_at_ = now + lead + airtime(psdu.size(), PhyRate::kbit50);
        if (is_ack(psdu)) return;
        const auto decoded = decode_mac(psdu);
        REQUIRE(decoded);
        sent_.push_back({now, decoded->frame, to_buffer(decoded->frame.body)});
        if (!decoded->frame.acknowledge_request || !decoded->frame.secured) return;
        AckFrame ack{.sequence = decoded->frame.sequence, .rssi_dbm = -70, .hops = 1, .secured = true};
        HopSecurity security{ciphers_, 8};
        security.set_key(decoded->frame.key == 1 ? net_key : next_key, 1, decoded->frame.key);
        ack.mic = security.ack_mic(ack, decoded->frame, decoded->mic);
        ack_ = encode(ack);
    }

    security::OpensslCiphers ciphers_;
    CountingRandom random_;
    Instant leaves_at_ = never;
    Buffer ack_;
    std::uint8_t sequence_ = 0;
    std::uint32_t counter_ = 100;
    std::vector<Sent> sent_;

public:
    Instant now = start;
    bool acknowledging = true;  ///< whoever is addressed
    Key128 root_key = net_key;  ///< of what is heard
    std::uint8_t root_key_id = 1;
    Node node;
};

inline DownPacket read_of(std::uint16_t sequence) {
    DownPacket packet;
    packet.header = {.destination = own_address, .source = root_address, .sequence = sequence};
    packet.body = {1, 2};
    return packet;
}

}  // namespace wattmesh::mesh::test
