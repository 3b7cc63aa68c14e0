#include "tests/bench/faults/liar.h"

#include <algorithm>
#include <utility>

namespace wattmesh::bench {
namespace {
using namespace mesh;
constexpr Duration turnaround{1'000};
}  // namespace

Liar::Liar(const NodeSettings& settings, const NodeState& state, Ciphers& ciphers, Random& random,
           Transceiver& radio, std::uint16_t rank_told)
    : radio_(radio),
      rate_(settings.rate),
      rank_told_(rank_told),
      forging_(ciphers, 1),
      node_(settings, state, ciphers, random, *this) {}

void Liar::start(Instant now) {
    now_ = now;
    node_.start(now);
}

bool Liar::received(Bytes psdu, std::int8_t rssi_dbm, Instant now) {
    now_ = now;
    const bool changed = node_.received_psdu(psdu, rssi_dbm, now);
    while (node_.take_request()) continue;  // says nothing of itself either
    return changed;
}

void Liar::transmitted(Instant now) {
    now_ = now;
    node_.transmitted(now);
}

void Liar::tick(Instant now) {
    now_ = now;
    if (now >= sent_at_) {
        sent_at_ = never;
        node_.transmitted(now);
    }
    if (now >= answered_at_) {
        answered_at_ = never;
        node_.received_psdu(acknowledge_, -60, now);
    }
    node_.tick(now);
}

Instant Liar::next_deadline() const { return std::min({node_.next_deadline(), sent_at_, answered_at_}); }

bool Liar::swallows(const MacFrame& frame) {
    std::uint16_t source = frame.source;
    if (frame.type == FrameType::data_up) {
        const auto packet = decode_up(frame.body);
        if (packet) source = packet->header.source;
    } else if (frame.type == FrameType::data_down) {
        source = root_address;
    }
    return source != frame.source && ++turns_ % 2 == 0;
}

void Liar::transmit(Buffer psdu, Duration lead) {
    const auto decoded = is_ack(psdu) ? Result<ReceivedFrame>{Error{Fault::bad_tag, 0}} : decode_mac(psdu);
    if (!decoded || !decoded->frame.secured) return radio_.transmit(std::move(psdu), lead);
    MacFrame frame = decoded->frame;
    // The key that it has now: it may have been let in again.
    forging_.set_key(node_.state().net_key.value(), frame.counter, frame.key);
    if (frame.type == FrameType::beacon) {
        auto beacon = decode_beacon(frame.body);
        if (!beacon) return radio_.transmit(std::move(psdu), lead);
        beacon->rank = rank_told_;
        beacon->hops = 1;
        const Buffer body = encode(*beacon);
        frame.body = body;
        Mic mic{};
        return radio_.transmit(forging_.seal(frame, mic), lead);
    }
    if (!swallows(frame)) return radio_.transmit(std::move(psdu), lead);
    ++dropped_;
    AckFrame ack{.sequence = frame.sequence,
                 .rssi_dbm = -60,
                 .acceptance = Acceptance::taken,
                 .hops = 0,
                 .secured = true,
                 .mic = {}};
    ack.mic = forging_.ack_mic(ack, frame, decoded->mic);
    acknowledge_ = encode(ack);
    sent_at_ = now_ + lead + airtime(psdu.size(), rate_);
    answered_at_ = sent_at_ + turnaround + airtime(ack_size, rate_);
}

}  // namespace wattmesh::bench
