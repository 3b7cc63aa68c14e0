#include "tests/bench/baseline/tree.h"

#include <algorithm>

namespace wattmesh::bench {

using namespace std::chrono_literals;
using namespace mesh;

void TreeMeter::hang_on(std::uint16_t parent) {
    if (parent == parent_) return;
    parent_ = parent;
    ++book_.parent_changes;
    book_.attached[address_] = true;
    known_ = false;
}

void TreeMeter::let_go() {
    parent_ = nobody;
    book_.attached[address_] = false;
    ++turn_;
}

void TreeMeter::register_after(Duration delay) {
    tries_ = 0;
    after(within(delay), [this, turn = ++turn_] { try_to_register(turn); });
}

void TreeMeter::try_to_register(std::uint64_t turn) {
    if (turn != turn_ || known_ || parent_ == nobody) return;
    send_up(FrameType::join_request, to_root(words({parent_}, registration_size)));
    tries_ = std::min(tries_ + 1, 5);
    const Duration pause = book_.scaled(4s) * (1 << tries_);
    after(pause / 2 + within(pause / 2), [this, turn] { try_to_register(turn); });
}

void TreeMeter::arrived_down(FrameType type, const DownPacket& packet) {
    if (type == FrameType::join_accept && word(packet.body, 0) == parent_) known_ = true;
}

std::optional<std::vector<std::uint16_t>> TreeRoot::route(std::uint16_t meter) const {
    std::vector<std::uint16_t> relays;
    for (auto at = meter; at != root_address;) {
        const auto row = rows_.find(at);
        if (row == rows_.end() || now_ - row->second.told > lifetime()) return std::nullopt;
        at = row->second.parent;
        if (at != root_address) relays.push_back(at);
        if (relays.size() > relays_max) return std::nullopt;  // too far, or in a circle
    }
    std::reverse(relays.begin(), relays.end());
    return relays;
}

void TreeRoot::registered(FrameType type, const UpPacket& packet, const Heard&) {
    if (type != FrameType::join_request) return;
    const auto meter = packet.header.source, parent = word(packet.body, 0);
    if (parent > book_.meters) return;
    rows_[meter] = {parent, now_};
    const auto relays = route(meter);
    if (!relays) return;
    send_down(FrameType::join_accept, to_meter(meter, *relays, words({parent}, acceptance_size)));
    joined(meter);
}

}  // namespace wattmesh::bench
