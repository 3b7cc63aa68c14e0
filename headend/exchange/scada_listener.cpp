#include "headend/exchange/scada_listener.h"

#include "platform/steady.h"

namespace wattmesh::headend::exchange {
namespace {

/// "10.0.0.7:41000" and "[2001:db8::1]:41000" without the port.
std::string host_of(const std::string& peer) {
    auto host = peer.substr(0, peer.rfind(':'));
    if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
    return host;
}

}  // namespace

ScadaListener::ScadaListener(platform::Loop& loop, ScadaListenerSettings settings,
                             platform::TlsLink::Context tls, iec104::Outstation& outstation, Events events)
    : loop_(loop),
      settings_(std::move(settings)),
      outstation_(outstation),
      events_(std::move(events)),
      acceptor_(loop, {.address = settings_.address,
                       .port = settings_.port,
                       .tls = std::move(tls),
                       .refuse = [this](const std::string& peer) -> std::string {
                           if (links_.size() >= settings_.connections_max) return "too many connections";
                           return group_of(peer) ? "" : "not on the allow-list";
                       }}),
      timer_(loop),
      dropped_(settings_.groups.size(), 0) {
    for (const auto& group : settings_.groups) outstation_.add_group(group.outstation);
}

void ScadaListener::start() {
    acceptor_.start([this](std::unique_ptr<platform::Link> link) { on_link(std::move(link)); },
                    [this](const std::string& peer, const std::string& reason) {
                        log_.warning("refused master from={} reason={}", peer, platform::quoted(reason));
                    });
}

void ScadaListener::stop() {
    acceptor_.stop();
    timer_.cancel();
    for (const auto& [id, link] : links_) outstation_.disconnect(id);
    links_.clear();
}

std::optional<std::size_t> ScadaListener::group_of(const std::string& peer) const {
    for (std::size_t i = 0; i < settings_.groups.size(); ++i)
        if (admits(settings_.groups[i].allowed, peer)) return i;
    return std::nullopt;
}

void ScadaListener::on_link(std::unique_ptr<platform::Link> link) {
    const auto group = group_of(host_of(link->peer_address()));
    if (!group || links_.size() >= settings_.connections_max) return;
    const auto id = outstation_.connect(*group, platform::steady_now());
    log_.information("connected master={} group={} from={}{}", id.value, settings_.groups[*group].name,
                     link->peer_address(),
                     link->peer() ? " certificate=" + platform::quoted(link->peer()->common_name) : "");
    auto& started = *links_.emplace(id, std::move(link)).first->second;
    started.start({[this, id](Bytes octets) { on_bytes(id, octets); },
                   [this, id](const std::string& reason) {
                       log_.information("ended master={} reason={}", id.value, platform::quoted(reason));
                       outstation_.disconnect(id);
                       links_.erase(id);
                   }});
    arm();
}

void ScadaListener::on_bytes(iec104::ConnectionId id, Bytes octets) {
    outstation_.set_clock(loop_.now());
    outstation_.feed(id, octets, platform::steady_now());
    for (const auto& command : outstation_.take_commands()) {
        const auto from = links_.find(command.connection);
        events_.on_command(command, from == links_.end() ? "" : from->second->peer_address());
    }
    pump();
}

void ScadaListener::pump() {
    outstation_.pump(platform::steady_now());
    std::vector<std::pair<iec104::ConnectionId, std::string>> over;
    for (const auto& [id, link] : links_) {
        const auto octets = outstation_.take(id);
        if (!octets.empty() && !link->send(octets)) over.emplace_back(id, "it does not take what we send");
        if (const auto fault = outstation_.fault(id)) over.emplace_back(id, to_string(*fault));
    }
    for (const auto& [id, why] : over) drop(id, why);
    watch_buffers();
    arm();
}

void ScadaListener::drop(iec104::ConnectionId id, const std::string& why) {
    if (links_.erase(id) == 0) return;
    log_.warning("dropped master={} reason={}", id.value, platform::quoted(why));
    outstation_.disconnect(id);
}

/// A partner that has lost reports is told about in the operator's log, once for each doubling.
void ScadaListener::watch_buffers() {
    for (std::size_t i = 0; i < dropped_.size(); ++i) {
        const auto dropped = outstation_.dropped(i);
        if (dropped == 0 || dropped < 2 * dropped_[i] || dropped == dropped_[i]) continue;
        dropped_[i] = dropped;
        log_.warning("lost reports group={} dropped={} waiting={}", settings_.groups[i].name, dropped,
                     outstation_.waiting(i));
    }
}

void ScadaListener::arm() {
    const auto wake = outstation_.wake();
    if (wake == never) return timer_.cancel();
    timer_.after_real(std::max(Duration{0}, wake - platform::steady_now()), [this] {
        outstation_.set_clock(loop_.now());
        outstation_.tick(platform::steady_now());
        pump();
    });
}

}  // namespace wattmesh::headend::exchange
