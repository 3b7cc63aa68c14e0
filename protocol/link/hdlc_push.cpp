#include "protocol/link/hdlc_push.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace wattmesh::link {
namespace {

using Llc = std::array<std::uint8_t, 3>;
constexpr Llc llc_to_server{0xE6, 0xE6, 0x00}, llc_to_client{0xE6, 0xE7, 0x00};
constexpr std::uint8_t general_block_transfer = 0xE0;

bool begins_with_llc(Bytes information) {
    const auto begins = [&](const Llc& llc) {
        return information.size() > llc.size() && std::equal(llc.begin(), llc.end(), information.begin());
    };
    return begins(llc_to_client) || begins(llc_to_server);
}

}  // namespace

std::vector<Buffer> encode_hdlc_push(const HdlcPush& push, bool to_client, std::size_t information_size) {
    assert(information_size > llc_to_client.size());
    const Llc& llc = to_client ? llc_to_client : llc_to_server;
    Buffer message(llc.begin(), llc.end());
    message.insert(message.end(), push.apdu.begin(), push.apdu.end());
    std::vector<Buffer> frames;
    for (Bytes rest = message; !rest.empty();) {
        const Bytes part = rest.first(std::min(rest.size(), information_size));
        rest = rest.subspan(part.size());
        const bool last = rest.empty();
        const auto control =
            static_cast<std::uint8_t>(hdlc_control::ui & (last ? 0xFF : ~hdlc_control::poll));
        frames.push_back(encode_hdlc({.destination = push.destination,
                                      .source = push.source,
                                      .control = control,
                                      .segmented = !last,
                                      .information = to_buffer(part)}));
    }
    return frames;
}

void HdlcPushAssembler::drop() {
    if (!set_) return;
    set_.reset();
    ++counters_.broken_sets;
}

std::optional<HdlcPush> HdlcPushAssembler::add(const HdlcFrame& frame) {
    if (hdlc_control::is_information(frame.control)) {
        ++counters_.unconnected;
        if (!config_.take_unconnected) return std::nullopt;
    } else if (!hdlc_control::is_kind(frame.control, hdlc_control::ui)) {
        ++counters_.refused_frames;
        return std::nullopt;
    }
    Bytes part = frame.information;
    const bool first = begins_with_llc(part);
    const bool further = set_ && set_->destination == frame.destination && set_->source == frame.source;
    if (first || !further) {
        drop();
        if (first) {
            part = part.subspan(llc_to_client.size());
        } else if (frame.segmented || part.empty() || part.front() != general_block_transfer) {
            ++counters_.refused_frames;
            return std::nullopt;
        }
        set_ = HdlcPush{frame.destination, frame.source, {}};
    }
    if (set_->apdu.size() + part.size() > config_.apdu_size_max) {
        set_.reset();
        ++counters_.oversized;
        return std::nullopt;
    }
    set_->apdu.insert(set_->apdu.end(), part.begin(), part.end());
    if (frame.segmented) return std::nullopt;
    return std::exchange(set_, std::nullopt);
}

void HdlcPushReceiver::feed(Bytes bytes, Instant now) {
    if (now - last_at_ > config_.gap_max) {
        assembler_.drop();
        decoder_.reset();  // a frame does not pause that long either
    }
    last_at_ = now;
    decoder_.feed(bytes);
    while (const auto frame = decoder_.next()) {
        auto push = assembler_.add(*frame);
        if (!push) continue;
        if (waiting_.size() < config_.waiting_max)
            waiting_.push_back(std::move(*push));
        else
            ++overflowed_;
    }
}

std::optional<HdlcPush> HdlcPushReceiver::take() {
    if (waiting_.empty()) return std::nullopt;
    HdlcPush push = std::move(waiting_.front());
    waiting_.pop_front();
    return push;
}

HdlcPushCounters HdlcPushReceiver::counters() const {
    HdlcPushCounters counters = assembler_.counters();
    counters.refused_frames += decoder_.refused();
    counters.overflowed += overflowed_;
    return counters;
}

}  // namespace wattmesh::link
