#include "terminal-sim/tool/tunnel_link.h"

namespace wattmesh::sim {

using link::TunnelReason;

void TunnelLink::start(platform::LinkEvents events) {
    events_ = std::move(events);
    say(link::TunnelOpen{end_.tunnel(), end_.limit()});
}

bool TunnelLink::send(Bytes octets) {
    if (over_ || octets.size() > room()) return false;
    end_.push(octets);
    flush();
    return true;
}

std::size_t TunnelLink::room() const { return over_ || end_.full() ? 0 : platform::write_queue_default; }

void TunnelLink::close() {
    if (over_) return;
    say(link::TunnelClose{end_.tunnel(), TunnelReason::done});
    finish("closed here");
}

void TunnelLink::line_received(Bytes octets) {
    decoder_.feed(octets);
    while (!over_) {
        const auto message = decoder_.next();
        if (!message) return;
        if (link::tunnel_of(*message) == end_.tunnel()) on(*message);  // else of the tunnel before
    }
}

void TunnelLink::on(const link::TunnelMessage& message) {
    if (const auto* close = std::get_if<link::TunnelClose>(&message)) {
        refused_ = close->reason;
        return finish("the concentrator closed the tunnel: " + std::string{to_string(close->reason)});
    }
    if (const auto* opened = std::get_if<link::TunnelOpened>(&message)) end_.allow(opened->limit);
    if (const auto* credit = std::get_if<link::TunnelCredit>(&message)) end_.allow(credit->limit);
    if (const auto* data = std::get_if<link::TunnelData>(&message)) {
        if (!end_.received(*data)) {
            say(link::TunnelClose{end_.tunnel(), TunnelReason::line});
            return finish("octets were lost on the line");
        }
        if (const auto credit = end_.passed_on(data->octets.size())) say(*credit);
        const auto on_bytes = events_.on_bytes;
        if (on_bytes) on_bytes(data->octets);
    }
    if (!over_) flush();
}

void TunnelLink::flush() {
    while (auto data = end_.take_data()) say(*std::move(data));
}

void TunnelLink::say(const link::TunnelMessage& message) { line_.send(link::encode_tunnel_line(message)); }

void TunnelLink::finish(const std::string& reason) {
    if (std::exchange(over_, true)) return;
    const auto on_closed = std::exchange(events_, {}).on_closed;
    if (on_closed) on_closed(reason);
}

}  // namespace wattmesh::sim
