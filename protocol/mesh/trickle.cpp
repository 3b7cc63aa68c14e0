#include "protocol/mesh/trickle.h"

#include <algorithm>

namespace wattmesh::mesh {

void Trickle::start(Instant now, std::uint32_t chance, int stretch) {
    running_ = true;
    interval_first_ = std::min(settings_.interval_min * std::max(stretch, 1), settings_.interval_max);
    interval_ = interval_first_;
    begin(now, chance);
}

void Trickle::reset(Instant now, std::uint32_t chance, int stretch) {
    if (running_ && interval_ <= interval_first_) return;
    start(now, chance, stretch);
}

void Trickle::begin(Instant now, std::uint32_t chance) {
    heard_ = 0;
    fired_ = false;
    const auto half = interval_.count() / 2;
    fire_at_ = now + Duration{half + static_cast<std::int64_t>(
                                         static_cast<std::uint64_t>(half) * (chance & 0xFFFF) >> 16)};
    end_ = now + interval_;
}

bool Trickle::tick(Instant now, std::uint32_t chance) {
    if (!running_) return false;
    bool send = false;
    if (!fired_ && now >= fire_at_) {
        fired_ = true;
        send = insist_ || heard_ < settings_.redundancy;
        insist_ = false;
    }
    if (now >= end_) {
        interval_ = std::min(interval_ * 2, settings_.interval_max);
        begin(now, chance);
    }
    return send;
}

Instant Trickle::next_deadline() const {
    if (!running_) return never;
    return fired_ ? end_ : fire_at_;
}

}  // namespace wattmesh::mesh
