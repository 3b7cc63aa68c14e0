#include "concentrator/uplink/relay.h"

#include <algorithm>

namespace wattmesh::concentrator {
namespace {

constexpr std::size_t apdu_size_max = 200;  // one mesh message
constexpr std::uint8_t exception_response = 0xD8, service_not_allowed = 1;
constexpr std::uint8_t not_possible = 1, other_reason = 3, pdu_too_long = 4;

std::optional<DeviceNumber> device_number(const Buffer& address) {
    DeviceNumber number;
    if (address.size() != number.bcd.size()) return std::nullopt;
    std::copy(address.begin(), address.end(), number.bcd.begin());
    return number;
}

}  // namespace

void Relay::request(Sap client, const link::GatewayFrame& frame) {
    if (frame.response) return;
    const auto number = device_number(frame.address);
    Request request{client, frame.network, number.value_or(DeviceNumber{}), frame.apdu};
    if (!number) {
        answers_.push_back(
            {client,
             {true, frame.network, frame.address, {exception_response, service_not_allowed, other_reason}}});
        return;
    }
    // The reading client's keys are ours alone: the head-end has no business under its name.
    const bool allowed = client == management_client || client == public_client;
    if (!allowed || !meters_.contains(*number)) return refuse(request, other_reason);
    if (request.apdu.empty() || request.apdu.size() > apdu_size_max) return refuse(request, pdu_too_long);
    if (waiting_.size() >= waiting_max) return refuse(request, not_possible);
    waiting_.push_back(std::move(request));
}

void Relay::refuse(const Request& request, std::uint8_t reason) {
    answers_.push_back({request.client,
                        {true,
                         request.network,
                         {request.meter.bcd.begin(), request.meter.bcd.end()},
                         {exception_response, service_not_allowed, reason}}});
}

void Relay::reset() {
    waiting_.clear();
    answers_.clear();
    for (auto& [meter, request] : open_) request.reset();
}

std::optional<RelayTalk> Relay::take_talk(const std::function<bool(const DeviceNumber&)>& free) {
    if (open_.size() >= transactions_max_) return std::nullopt;
    const auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](const Request& request) {
        return !open_.contains(request.meter) && free(request.meter);
    });
    if (next == waiting_.end()) return std::nullopt;
    RelayTalk talk{next->meter, {static_cast<std::uint8_t>(next->client.value)}};
    talk.payload.insert(talk.payload.end(), next->apdu.begin(), next->apdu.end());
    open_[next->meter] = std::move(*next);
    waiting_.erase(next);
    return talk;
}

void Relay::answered(const DeviceNumber& meter, Bytes payload) {
    const auto open = open_.extract(meter);
    if (open.empty() || !open.mapped()) return;
    const Request& request = *open.mapped();
    if (payload.size() < 2 || payload[0] != request.client.value) return refuse(request, other_reason);
    answers_.push_back(
        {request.client,
         {true, request.network, {meter.bcd.begin(), meter.bcd.end()}, to_buffer(payload.subspan(1))}});
}

void Relay::failed(const DeviceNumber& meter) {
    const auto open = open_.extract(meter);
    if (!open.empty() && open.mapped()) refuse(*open.mapped(), other_reason);
}

std::optional<RelayAnswer> Relay::take_answer() {
    if (answers_.empty()) return std::nullopt;
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
}

std::set<DeviceNumber> Relay::wanted() const {
    std::set<DeviceNumber> meters;
    for (const auto& request : waiting_) meters.insert(request.meter);
    for (const auto& [meter, request] : open_) meters.insert(meter);
    return meters;
}

}  // namespace wattmesh::concentrator
