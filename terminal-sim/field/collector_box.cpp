#include "terminal-sim/field/collector_box.h"

#include <algorithm>

namespace wattmesh::sim {
namespace {
constexpr std::size_t replies_max = 16;
}

CollectorBox::CollectorBox(Bytes state, Ciphers& ciphers, Random& random)
    : ciphers_(ciphers),
      random_(random),
      state_(to_buffer(state)),
      wire_({}, [this](Bytes octets, Instant now) {
          if (core_) core_->bus_received(octets, now);
      }) {}

void CollectorBox::power_on(Instant now) {
    if (core_) return;
    core_ = std::make_unique<collector::Collector>(collector::BusSettings{}, state_, ciphers_, random_);
    core_->start(now);
    pump(now);
}

void CollectorBox::power_off() {
    core_.reset();
    replies_.clear();
}

void CollectorBox::request(Bytes payload, Instant now, Reply reply) {
    if (!core_) return;
    if (replies_.size() >= replies_max) replies_.erase(replies_.begin());
    replies_[++ticket_] = std::move(reply);
    core_->request(ticket_, payload, now);
    pump(now);
}

std::optional<Buffer> CollectorBox::take_notice() { return core_ ? core_->take_notice() : std::nullopt; }

Instant CollectorBox::next_event() const {
    return std::min(wire_.next_event(), core_ ? core_->next_deadline() : never);
}

void CollectorBox::step(Instant now) {
    wire_.step(now);
    if (!core_) return;
    if (core_->next_deadline() <= now) core_->tick(now);
    pump(now);
}

void CollectorBox::pump(Instant now) {
    while (auto octets = core_->take_bus_output()) wire_.send(std::move(*octets), now);
    while (auto answer = core_->take_answer()) {
        auto waiting = replies_.extract(answer->ticket);
        if (!waiting.empty()) waiting.mapped()(std::move(answer->payload));
    }
    if (!core_->state_dirty()) return;
    state_ = core_->state();
    core_->state_saved();
}

}  // namespace wattmesh::sim
