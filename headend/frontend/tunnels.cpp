#include "headend/frontend/tunnels.h"

namespace wattmesh::headend::frontend {

using link::TunnelReason;

Buffer Tunnels::too_early(Bytes payload) {
    const auto message = link::decode_tunnel(payload);
    if (!message || !std::holds_alternative<link::TunnelOpen>(*message)) return {};
    return link::encode_tunnel(link::TunnelClose{link::tunnel_of(*message), TunnelReason::uplink_down});
}

void Tunnels::receive(Bytes payload) {
    const auto message = link::decode_tunnel(payload);
    if (!message) {
        ++counters_.stray;
        return;
    }
    if (const auto* open = std::get_if<link::TunnelOpen>(&*message)) return on(*open);
    const auto held = tunnels_.find(link::tunnel_of(*message));
    if (held == tunnels_.end() || std::holds_alternative<link::TunnelOpened>(*message)) {
        ++counters_.stray;  // of one that we have just closed, mostly
        return;
    }
    if (const auto* data = std::get_if<link::TunnelData>(&*message)) return on(*data, held);
    if (const auto* close = std::get_if<link::TunnelClose>(&*message)) {
        door_->close(key(held->first), close->reason);
        tunnels_.erase(held);
        return;
    }
    held->second.end.allow(std::get<link::TunnelCredit>(*message).limit);
    flush(held);
}

void Tunnels::on(const link::TunnelOpen& open) {
    const auto refuse = [&](TunnelReason reason) {
        ++counters_.refused;
        send(link::TunnelClose{open.tunnel, reason});
    };
    if (door_ == nullptr) return refuse(TunnelReason::not_configured);
    if (const auto held = tunnels_.find(open.tunnel); held != tunnels_.end())
        return drop(held, TunnelReason::line);
    if (tunnels_.size() >= tunnels_max) return refuse(TunnelReason::busy);
    if (const auto no = door_->open(key(open.tunnel))) return refuse(*no);
    const auto held = tunnels_.emplace(open.tunnel, Tunnel{.end = link::TunnelEnd{open.tunnel}}).first;
    held->second.end.allow(open.limit);
}

void Tunnels::on(const link::TunnelData& data, Held held) {
    auto& end = held->second.end;
    if (!end.received(data)) return drop(held, TunnelReason::line);
    counters_.octets_up += data.octets.size();
    if (held->second.over) return;  // vending listens no more
    if (!door_->send(key(held->first), data.octets)) return drop(held, TunnelReason::vending_down);
    if (const auto credit = end.passed_on(data.octets.size())) send(*credit);
    if (end.spent()) drop(held, TunnelReason::too_long);
}

void Tunnels::opened(std::uint16_t tunnel) {
    const auto held = tunnels_.find(tunnel);
    if (held == tunnels_.end()) return;
    ++counters_.opened;
    send(link::TunnelOpened{tunnel, held->second.end.limit()});
}

void Tunnels::came(std::uint16_t tunnel, Bytes octets) {
    const auto held = tunnels_.find(tunnel);
    if (held == tunnels_.end()) return;
    held->second.end.push(octets);
    flush(held);
}

void Tunnels::closed(std::uint16_t tunnel, TunnelReason reason) {
    const auto held = tunnels_.find(tunnel);
    if (held == tunnels_.end()) return;
    if (reason == TunnelReason::vending_down) ++counters_.refused;
    held->second.over = reason;
    flush(held);
}

/// As much as the machine takes now; the end comes behind the last octet.
void Tunnels::flush(Held held) {
    auto& [tunnel, state] = *held;
    while (const auto data = state.end.take_data()) {
        counters_.octets_down += data->octets.size();
        send(*data);
    }
    if (state.end.spent()) return drop(held, TunnelReason::too_long);
    if (state.over) {
        if (!state.end.idle()) return;
        send(link::TunnelClose{tunnel, *state.over});
        tunnels_.erase(held);
        return;
    }
    if (state.end.full() == state.paused) return;
    state.paused = state.end.full();
    door_->pause(key(tunnel), state.paused);
}

void Tunnels::drop(Held held, TunnelReason reason) {
    send(link::TunnelClose{held->first, reason});
    if (!held->second.over) door_->close(key(held->first), reason);
    tunnels_.erase(held);
}

void Tunnels::close() {
    for (const auto& [tunnel, state] : std::exchange(tunnels_, {}))
        if (!state.over) door_->close(key(tunnel), TunnelReason::uplink_down);
}

}  // namespace wattmesh::headend::frontend
