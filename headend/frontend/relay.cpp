#include "headend/frontend/relay.h"

#include <algorithm>
#include <array>

namespace wattmesh::headend::frontend {
namespace {

/// exception-response: service-not-allowed, other-reason. What a concentrator says for a meter it cannot
/// reach.
constexpr std::array<std::uint8_t, 3> unreachable_apdu{0xD8, 0x01, 0x03};

}  // namespace

std::string_view to_string(RelayStatus status) {
    switch (status) {
        case RelayStatus::answered:
            return "answered";
        case RelayStatus::unreachable:
            return "unreachable";
        case RelayStatus::timed_out:
            return "timed_out";
        case RelayStatus::offline:
            return "offline";
        case RelayStatus::full:
            return "full";
    }
    return "?";
}

void Relay::request(DeviceNumber meter, Buffer apdu, Done done, Sap client) {
    if (closed_) return done({RelayStatus::offline, {}});
    if (waiting_.size() >= settings_.waiting_max) return done({RelayStatus::full, {}});
    waiting_.push_back({meter, client, std::move(apdu), std::move(done), now_});
    send_waiting();
}

void Relay::send_waiting() {
    for (auto request = waiting_.begin();
         request != waiting_.end() && open_.size() < settings_.transactions_max;) {
        if (open_.contains(request->meter) || resting_.contains(request->meter)) {
            ++request;
            continue;
        }
        link::GatewayFrame frame{.address = {request->meter.bcd.begin(), request->meter.bcd.end()},
                                 .apdu = std::move(request->apdu)};
        output_.emplace_back(request->client, link::encode_gateway(frame));
        open_.emplace(request->meter, Open{std::move(request->done), now_});
        request = waiting_.erase(request);
    }
}

void Relay::receive(const link::GatewayFrame& frame) {
    DeviceNumber meter;
    if (!frame.response || frame.address.size() != meter.bcd.size()) return;
    std::copy(frame.address.begin(), frame.address.end(), meter.bcd.begin());
    auto transaction = open_.extract(meter);
    if (!transaction) {
        ++late_answers_;
        resting_.erase(meter);  // the answer it rested for
        return send_waiting();
    }
    const bool reached =
        !std::equal(frame.apdu.begin(), frame.apdu.end(), unreachable_apdu.begin(), unreachable_apdu.end());
    transaction.mapped().done({reached ? RelayStatus::answered : RelayStatus::unreachable, frame.apdu});
    send_waiting();
}

void Relay::tick() {
    std::erase_if(resting_, [this](const auto& rest) { return rest.second <= now_; });
    std::vector<Done> ended;
    for (auto open = open_.begin(); open != open_.end();) {
        if (now_ - open->second.sent < settings_.timeout) {
            ++open;
            continue;
        }
        ended.push_back(std::move(open->second.done));
        resting_[open->first] = now_ + settings_.rest;
        open = open_.erase(open);
    }
    const auto overdue =
        std::stable_partition(waiting_.begin(), waiting_.end(), [this](const Request& request) {
            return now_ - request.asked < 2 * settings_.timeout + settings_.rest;
        });
    for (auto request = overdue; request != waiting_.end(); ++request)
        ended.push_back(std::move(request->done));
    waiting_.erase(overdue, waiting_.end());
    for (const Done& done : ended) done({RelayStatus::timed_out, {}});
    send_waiting();
}

void Relay::close() {
    closed_ = true;
    auto waiting = std::exchange(waiting_, {});
    auto open = std::exchange(open_, {});
    for (auto& [meter, transaction] : open) transaction.done({RelayStatus::offline, {}});
    for (Request& request : waiting) request.done({RelayStatus::offline, {}});
    output_.clear();
}

}  // namespace wattmesh::headend::frontend
