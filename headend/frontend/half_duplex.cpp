#include "headend/frontend/half_duplex.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace wattmesh::headend::frontend {

void HalfDuplex::request(Sap client, Buffer apdu, Relay::Done done) {
    if (closed_) return done({RelayStatus::offline, {}});
    if (waiting_.size() >= settings_.waiting_max) return done({RelayStatus::full, {}});
    waiting_.push_back({client, std::move(apdu), std::move(done), now_});
}

bool HalfDuplex::receive(Bytes apdu) {
    if (!open_) {
        ++late_answers_;
        rests_until_.reset();  // the answer it rested for
        return false;
    }
    const auto answered = std::exchange(open_, std::nullopt);
    answered->done({RelayStatus::answered, to_buffer(apdu)});
    return true;
}

void HalfDuplex::tick() {
    if (rests_until_ && now_ >= *rests_until_) rests_until_.reset();
    std::vector<Relay::Done> ended;
    if (open_ && now_ - open_->sent >= settings_.timeout) {
        ++timeouts_;
        rests_until_ = now_ + settings_.rest;
        ended.push_back(std::move(std::exchange(open_, std::nullopt)->done));
    }
    while (!waiting_.empty() && now_ - waiting_.front().asked >= 2 * settings_.timeout + settings_.rest) {
        ended.push_back(std::move(waiting_.front().done));
        waiting_.pop_front();
    }
    for (const auto& done : ended) done({RelayStatus::timed_out, {}});
}

Instant HalfDuplex::due() const {
    Instant first = rests_until_.value_or(never);
    if (open_) first = std::min(first, open_->sent + settings_.timeout);
    if (!waiting_.empty())
        first = std::min(first, waiting_.front().asked + 2 * settings_.timeout + settings_.rest);
    return first;
}

void HalfDuplex::close() {
    closed_ = true;
    const auto open = std::exchange(open_, std::nullopt);
    auto waiting = std::exchange(waiting_, {});
    if (open) open->done({RelayStatus::offline, {}});
    for (const auto& one : waiting) one.done({RelayStatus::offline, {}});
}

std::optional<std::pair<Sap, Buffer>> HalfDuplex::take_output() {
    if (open_ || rests_until_ || waiting_.empty()) return std::nullopt;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    open_ = Open{std::move(next.done), now_, next.apdu.empty() ? std::uint8_t{0} : next.apdu.front()};
    return std::pair{next.client, std::move(next.apdu)};
}

}  // namespace wattmesh::headend::frontend
