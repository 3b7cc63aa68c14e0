#include "terminal-sim/device/bridge.h"

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"device.bridge"};
    return source;
}

}  // namespace

Bridge::Bridge(platform::Loop& loop, Random& random, Settings settings, const link::HelloProfile& profile,
               std::unique_ptr<platform::Link> line, std::function<void(const std::string&)> on_line_lost)
    : loop_(loop),
      settings_(std::move(settings)),
      profile_(profile),
      gap_(loop),
      beat_(loop),
      line_(std::move(line)),
      connector_(loop, random,
                 {.host = settings_.host,
                  .port = settings_.port,
                  .tls = {},
                  .certificate_time = {},
                  .wait_min = std::chrono::seconds{2},
                  .wait_max = std::chrono::seconds{60}}) {
    line_->start({[this](Bytes octets) { from_line(octets); }, std::move(on_line_lost)});
    connector_.start({[this](platform::Link&) { open(); },
                      [this](Bytes octets) {
                          connector_.settled();
                          counters_.octets_down += octets.size();
                          if (!line_->send(octets)) counters_.octets_lost += octets.size();
                      },
                      [this](const std::string& reason, Duration) {
                          log().information("lost the head-end reason={}", platform::quoted(reason));
                          beat_.cancel();
                      }});
}

void Bridge::open() {
    ++counters_.calls;
    packet_.clear();  // of the time before: an answer that nobody waits for any more
    send(profile_.login.build(settings_.identity).value());
}

void Bridge::beat() {
    ++counters_.beats;
    send(profile_.beat.build(settings_.identity).value());
}

void Bridge::from_line(Bytes octets) {
    packet_.insert(packet_.end(), octets.begin(), octets.end());
    if (packet_.size() >= settings_.packet_max) return flush();
    gap_.after_real(settings_.gap, [this] { flush(); });
}

void Bridge::flush() {
    gap_.cancel();
    const Buffer packet = std::exchange(packet_, {});
    if (packet.empty()) return;
    if (connector_.link() == nullptr) {
        counters_.octets_lost += packet.size();
        return;
    }
    ++counters_.packets_up;
    counters_.octets_up += packet.size();
    send(packet);
}

void Bridge::send(Bytes octets) {
    platform::Link* link = connector_.link();
    if (link == nullptr) return;
    if (!link->send(octets)) return connector_.reconnect();
    if (!profile_.beat.empty()) beat_.after(profile_.beat_every, [this] { beat(); });
}

}  // namespace wattmesh::sim
