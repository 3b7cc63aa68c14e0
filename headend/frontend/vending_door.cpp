#include "headend/frontend/vending_door.h"

namespace wattmesh::headend::frontend {
namespace {

constexpr std::chrono::seconds attempt_max{5};
constexpr Duration no_second_attempt = std::chrono::hours{24 * 365};
constexpr std::size_t vending_queue_max = 64 * 1'024;

}  // namespace

VendingDoor::VendingDoor(platform::Loop& loop, Random& random, std::optional<platform::HostPort> vending,
                         Core& core, std::function<void()> pump)
    : loop_(loop), random_(random), vending_(std::move(vending)), core_(core), pump_(std::move(pump)) {
    if (vending_) core_.serve_machines(this);
}
VendingDoor::~VendingDoor() { core_.serve_machines(nullptr); }

std::optional<link::TunnelReason> VendingDoor::open(const TunnelKey& key) {
    if (ways_.size() >= tunnels_max) {
        log_.warning("refused tunnel concentrator={} reason=\"too many at once\"",
                     to_string(key.concentrator));
        return link::TunnelReason::busy;
    }
    platform::ConnectorSettings settings;
    settings.host = vending_->host;
    settings.port = vending_->port;
    settings.attempt_real_max = attempt_max;
    settings.wait_min = settings.wait_max = no_second_attempt;
    settings.write_queue_max = vending_queue_max;
    auto& way = ways_[key];
    way.connector = std::make_unique<platform::Connector>(loop_, random_, settings);
    way.connector->start(
        {.on_open =
             [this, key](platform::Link&) {
                 ways_.at(key).open = true;
                 log_.information("opened tunnel concentrator={} tunnel={} vending={}:{}",
                                  to_string(key.concentrator), key.tunnel, vending_->host, vending_->port);
                 core_.tunnel_opened(key, loop_.now());
                 pump_();
             },
         .on_bytes =
             [this, key](Bytes octets) {
                 ways_.at(key).down += octets.size();
                 core_.tunnel_came(key, octets, loop_.now());
                 pump_();
             },
         .on_closed = [this, key](const std::string& reason, Duration) { ended(key, reason); }});
    return std::nullopt;
}

void VendingDoor::ended(const TunnelKey& key, const std::string& reason) {
    const auto way = ways_.extract(key);
    if (way.empty()) return;
    tell_end(key, way.mapped(), reason);
    core_.tunnel_closed(key, way.mapped().open ? link::TunnelReason::done : link::TunnelReason::vending_down,
                        loop_.now());
    pump_();
}

void VendingDoor::tell_end(const TunnelKey& key, const Way& way, std::string_view reason) {
    log_.information("closed tunnel concentrator={} tunnel={} octets_up={} octets_down={} reason={}",
                     to_string(key.concentrator), key.tunnel, way.up, way.down,
                     platform::quoted(std::string{reason}));
}

bool VendingDoor::send(const TunnelKey& key, Bytes octets) {
    const auto way = ways_.find(key);
    auto* link = way == ways_.end() ? nullptr : way->second.connector->link();
    if (link == nullptr || !link->send(octets)) return false;
    way->second.up += octets.size();
    return true;
}

void VendingDoor::pause(const TunnelKey& key, bool paused) {
    const auto way = ways_.find(key);
    auto* link = way == ways_.end() ? nullptr : way->second.connector->link();
    if (link != nullptr) link->pause(paused);
}

void VendingDoor::close(const TunnelKey& key, link::TunnelReason why) {
    const auto way = ways_.extract(key);
    if (way.empty()) return;
    tell_end(key, way.mapped(), to_string(why));
    if (auto* link = way.mapped().connector->link()) link->close();
}

}  // namespace wattmesh::headend::frontend
