#include "concentrator/uplink/machines.h"

#include <algorithm>

namespace wattmesh::concentrator {
namespace {

using link::TunnelReason;
constexpr std::uint8_t tls_handshake = 0x16;  // RFC 8446, 5.1: the type of a connection's first record

}  // namespace

void Machines::opened(MachineLine id, bool stays, const Now& now) {
    lines_[id] = {
        .speech = stays ? Speech::messages : Speech::unknown, .stays = stays, .idle_since = now.steady};
}

void Machines::closed(MachineLine id) {
    const auto line = lines_.find(id);
    if (line == lines_.end()) return;
    if (line->second.tunnel) {
        up(link::TunnelClose{*line->second.tunnel, TunnelReason::done});
        tunnels_.erase(*line->second.tunnel);
    }
    lines_.erase(line);
}

void Machines::received(MachineLine id, Bytes octets, const Now& now) {
    const auto found = lines_.find(id);
    if (found == lines_.end() || octets.empty()) return;
    Line& line = found->second;
    if (line.speech == Speech::unknown)
        line.speech = octets[0] == link::tunnel_flag ? Speech::messages : Speech::tls;
    if (line.speech == Speech::tls) return from_tls(id, line, octets, now);
    const auto faults = line.decoder.faults();
    line.decoder.feed(octets);
    while (auto message = line.decoder.next()) on(id, line, *std::move(message), now);
    counts_.stray += line.decoder.faults() - faults;
}

void Machines::on(MachineLine id, Line& line, link::TunnelMessage message, const Now& now) {
    if (const auto* open = std::get_if<link::TunnelOpen>(&message)) {
        ask(id, line, *open, now);
        return;
    }
    auto* tunnel = line.tunnel ? &tunnels_.at(*line.tunnel).second : nullptr;
    if (tunnel == nullptr || tunnel->on_line != link::tunnel_of(message) ||
        std::holds_alternative<link::TunnelOpened>(message)) {
        ++counts_.stray;
        return;
    }
    if (const auto* close = std::get_if<link::TunnelClose>(&message)) {
        up(link::TunnelClose{*line.tunnel, close->reason});
        tunnels_.erase(*line.tunnel);
        line.tunnel.reset();
        line.idle_since = now.steady;
        return;
    }
    if (const auto* data = std::get_if<link::TunnelData>(&message)) {
        const bool begins = data->offset == 0;
        if (begins && data->octets[0] != tls_handshake)
            return end(id, line, TunnelReason::not_tls, now, true);
        if (!lets_through(*tunnel, *data)) return end(id, line, TunnelReason::line, now, true);
        counts_.octets_up += data->octets.size();
    }
    link::set_tunnel(message, *line.tunnel);
    up(message);
}

/// Holes are seen by the front-end; what may fill the uplink is seen here.
bool Machines::lets_through(const Tunnel& tunnel, const link::TunnelData& data) const {
    return tunnel.open && data.offset <= tunnel.allowed && data.octets.size() <= tunnel.allowed - data.offset;
}

std::optional<TunnelReason> Machines::objection() const {
    if (!uplink_) return TunnelReason::uplink_down;
    if (tunnels_.size() >= tunnels_max) return TunnelReason::busy;
    return std::nullopt;
}

/// False: refused, and a line of TLS is gone.
bool Machines::ask(MachineLine id, Line& line, const link::TunnelOpen& open, const Now& now) {
    if (line.tunnel) {  // the machine began anew
        up(link::TunnelClose{*line.tunnel, TunnelReason::done});
        tunnels_.erase(*line.tunnel);
        line.tunnel.reset();
    }
    line.idle_since = now.steady;
    if (const auto no = objection()) return refuse(id, line, open.tunnel, *no), false;
    while (tunnels_.contains(++newest_)) {
    }
    tunnels_[newest_] = {id, {.on_line = open.tunnel, .asked = now.steady}};
    line.tunnel = newest_;
    up(link::TunnelOpen{newest_, open.limit});
    return true;
}

void Machines::from_tls(MachineLine id, Line& line, Bytes octets, const Now& now) {
    if (!line.tunnel) {
        if (octets[0] != tls_handshake) return refuse(id, line, 0, TunnelReason::not_tls);
        if (!ask(id, line, {.tunnel = 0, .limit = link::TunnelEnd{0}.limit()}, now)) return;
        tunnels_.at(*line.tunnel).second.end.emplace(*line.tunnel);
    }
    Tunnel& tunnel = tunnels_.at(*line.tunnel).second;
    counts_.octets_up += octets.size();
    tunnel.end->push(octets);
    send_waiting(id, line, tunnel);
}

void Machines::send_waiting(MachineLine id, Line& line, Tunnel& tunnel) {
    while (auto data = tunnel.end->take_data()) up(*std::move(data));
    if (tunnel.end->full() == line.paused) return;
    line.paused = tunnel.end->full();
    actions_.push_back(PauseMachine{id, line.paused});
}

void Machines::answered(Bytes payload, const Now& now) {
    auto message = link::decode_tunnel(payload);
    const auto found = message ? tunnels_.find(link::tunnel_of(*message)) : tunnels_.end();
    if (found == tunnels_.end() || std::holds_alternative<link::TunnelOpen>(*message)) {
        ++counts_.stray;
        return;
    }
    auto& [id, tunnel] = found->second;
    Line& line = lines_.at(id);
    if (const auto* close = std::get_if<link::TunnelClose>(&*message))
        return end(id, line, close->reason, now, false);
    if (const auto* opened = std::get_if<link::TunnelOpened>(&*message)) {
        tunnel.open = true;
        tunnel.allowed = opened->limit;
        ++counts_.opened;
        told_.reset();
    }
    if (const auto* credit = std::get_if<link::TunnelCredit>(&*message))
        tunnel.allowed = std::max(tunnel.allowed, credit->limit);
    if (const auto* data = std::get_if<link::TunnelData>(&*message))
        counts_.octets_down += data->octets.size();
    if (tunnel.end) return to_tls(id, line, tunnel, *message, now);
    link::set_tunnel(*message, tunnel.on_line);
    actions_.push_back(SendMachine{id, link::encode_tunnel_line(*message)});
}

void Machines::to_tls(MachineLine id, Line& line, Tunnel& tunnel, const link::TunnelMessage& message,
                      const Now& now) {
    tunnel.end->allow(tunnel.allowed);
    if (const auto* data = std::get_if<link::TunnelData>(&message)) {
        if (!tunnel.end->received(*data)) return end(id, line, TunnelReason::line, now, true);
        actions_.push_back(SendMachine{id, data->octets});
        if (const auto credit = tunnel.end->passed_on(data->octets.size())) up(*credit);
    }
    send_waiting(id, line, tunnel);
}

void Machines::refuse(MachineLine id, Line& line, std::uint16_t on_line, TunnelReason reason) {
    ++counts_.refused;
    if (std::exchange(told_, reason) != reason)
        actions_.push_back(Note{"a vending machine is refused: " + std::string{to_string(reason)}});
    tell_machine(id, line, on_line, reason);
}

/// A machine that speaks TLS only learns it by the end of its connection.
void Machines::tell_machine(MachineLine id, Line& line, std::uint16_t on_line, TunnelReason reason) {
    if (line.speech == Speech::messages) {
        actions_.push_back(SendMachine{id, link::encode_tunnel_line(link::TunnelClose{on_line, reason})});
        return;
    }
    actions_.push_back(CloseMachine{id});
    lines_.erase(id);
}

void Machines::end(MachineLine id, Line& line, TunnelReason reason, const Now& now, bool tell_headend) {
    const auto tunnel = tunnels_.extract(*line.tunnel);
    if (tell_headend) up(link::TunnelClose{tunnel.key(), reason});
    line.tunnel.reset();
    line.idle_since = now.steady;
    if (!tunnel.mapped().second.open) return refuse(id, line, tunnel.mapped().second.on_line, reason);
    tell_machine(id, line, tunnel.mapped().second.on_line, reason);
}

void Machines::set_uplink(bool is_up, const Now& now) {
    uplink_ = is_up;
    if (is_up) return;
    payloads_.clear();
    while (!tunnels_.empty()) {
        const auto id = tunnels_.begin()->second.first;
        end(id, lines_.at(id), TunnelReason::uplink_down, now, false);
    }
}

void Machines::tick(const Now& now) {
    std::vector<MachineLine> late, silent;
    for (const auto& [name, held] : tunnels_)
        if (!held.second.open && now.steady >= held.second.asked + answer_timeout) late.push_back(held.first);
    for (const auto id : late) end(id, lines_.at(id), TunnelReason::uplink_down, now, true);
    for (const auto& [id, line] : lines_)
        if (!line.stays && !line.tunnel && now.steady >= line.idle_since + silence_max) silent.push_back(id);
    for (const auto id : silent) {
        actions_.push_back(CloseMachine{id});
        lines_.erase(id);
    }
}

Instant Machines::next_deadline() const {
    auto next = Instant::max();
    for (const auto& [name, held] : tunnels_)
        if (!held.second.open) next = std::min(next, held.second.asked + answer_timeout);
    for (const auto& [id, line] : lines_)
        if (!line.stays && !line.tunnel) next = std::min(next, line.idle_since + silence_max);
    return next;
}

void Machines::up(const link::TunnelMessage& message) {
    if (uplink_) payloads_.push_back(link::encode_tunnel(message));
}

std::optional<Buffer> Machines::take_payload() {
    if (payloads_.empty()) return std::nullopt;
    Buffer payload = std::move(payloads_.front());
    payloads_.pop_front();
    return payload;
}

std::optional<Action> Machines::take_action() {
    if (actions_.empty()) return std::nullopt;
    Action action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

}  // namespace wattmesh::concentrator
