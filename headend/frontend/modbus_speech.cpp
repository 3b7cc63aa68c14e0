#include "headend/frontend/modbus_speech.h"

#include <cassert>
#include <utility>

namespace wattmesh::headend::frontend {

namespace {

/// An answer of 256 octets and what may stand around and within it.
constexpr std::size_t since_request_max = 1'024;

}  // namespace

Buffer ModbusSpeech::ask(std::uint8_t unit, Bytes pdu) {
    auto request = modbus::decode_request(pdu);
    assert(request);
    unit_ = unit;
    request_ = *std::move(request);
    answer_.reset();
    since_request_.clear();
    if (carries_ == link::Carried::modbus_tcp)
        return modbus::encode_tcp({++transaction_, unit, to_buffer(pdu)});
    finder_.open(unit, *request_);
    return modbus::encode_rtu(unit, pdu);
}

void ModbusSpeech::feed(Bytes octets, const link::HelloProfile* profile) {
    if (carries_ != link::Carried::modbus_tcp) return feed_rtu(octets, profile);
    decoder_.feed(octets);
    while (auto frame = decoder_.next())
        if (request_ && frame->transaction == transaction_ && frame->unit == unit_)
            answer_ = std::move(frame->pdu);
}

void ModbusSpeech::feed_rtu(Bytes octets, const link::HelloProfile* profile) {
    finder_.feed(octets);
    if (!finder_.is_open()) return;
    if (since_request_.size() + octets.size() <= since_request_max)
        since_request_.insert(since_request_.end(), octets.begin(), octets.end());
    if (answered(finder_.next()) || profile == nullptr) return;
    if (answered_between(*profile)) finder_.close();
}

bool ModbusSpeech::answered(std::optional<Result<modbus::Response>> response) {
    if (!response || !*response) return false;
    answer_ = modbus::encode(**response, *request_);
    return true;
}

/// Looks for the answer in what came since the request without one hello somewhere in it. The CRC decides.
bool ModbusSpeech::answered_between(const link::HelloProfile& profile) {
    const Bytes all{since_request_};
    for (std::size_t at = 1; at < all.size(); ++at) {
        const auto hello = link::find_hello({&profile}, all.subspan(at));
        if (hello.match.verdict != link::HelloMatch::Verdict::yes) continue;
        modbus::RtuAnswerFinder without;
        without.open(unit_, *request_);
        without.feed(all.first(at));
        without.feed(all.subspan(at + hello.match.size));
        if (answered(without.next())) return true;
    }
    return false;
}

std::optional<Buffer> ModbusSpeech::take_answer() {
    if (answer_) request_.reset();
    return std::exchange(answer_, std::nullopt);
}

}  // namespace wattmesh::headend::frontend
