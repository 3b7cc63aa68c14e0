#include "protocol/link/hdlc_link.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace wattmesh::link {
namespace {

constexpr std::size_t information_size_min = 16;
constexpr std::size_t output_waiting_max = 64;
constexpr std::uint16_t no_station = 0;

std::size_t clamp_size(std::size_t size) {
    return std::clamp(size, information_size_min, hdlc_information_size_max);
}

unsigned clamp_window(unsigned window) { return std::clamp(window, 1U, hdlc_window_max); }

}  // namespace

HdlcLink::HdlcLink(Config config)
    : config_(std::move(config)),
      own_(config_.own),
      peer_(config_.peer),
      agreed_(offer()),
      assembler_({.apdu_size_max = config_.apdu_size_max, .take_unconnected = config_.take_unconnected}) {}

HdlcParameters HdlcLink::offer() const {
    return {.send_size = clamp_size(config_.information_send_max),
            .receive_size = clamp_size(config_.information_receive_max),
            .send_window = clamp_window(config_.window_send_max),
            .receive_window = clamp_window(config_.window_receive_max)};
}

/// What the peer sends is what we receive and the other way round.
void HdlcLink::agree(Bytes information) {
    const auto decoded = decode_hdlc_parameters(information);
    if (!decoded) ++counters_.wrong_parameters;
    const HdlcParameters peer = decoded ? *decoded : HdlcParameters{};
    agreed_ = offer();
    agreed_.send_size = clamp_size(std::min(agreed_.send_size, peer.receive_size));
    agreed_.receive_size = clamp_size(std::min(agreed_.receive_size, peer.send_size));
    agreed_.send_window = std::min(agreed_.send_window, peer.receive_window);
    agreed_.receive_window = std::min(agreed_.receive_window, peer.send_window);
}

void HdlcLink::clear_traffic() {
    turn_ = client();
    owed_ = peer_busy_ = checkpoint_ = gap_told_ = accepted_ = acknowledged_ = discarding_ = false;
    repeats_ = 0;
    receive_state_ = 0;
    window_.clear();
    sending_.clear();
    sending_at_ = 0;
    receiving_.clear();
}

void HdlcLink::reset() {
    clear_traffic();
    state_ = State::closed;
    decoder_.reset();
    assembler_.drop();
    output_.clear();
    waiting_.clear();
    agreed_ = offer();
}

void HdlcLink::open() {
    assert(client());
    if (state_ != State::closed) return;
    clear_traffic();
    agreed_ = offer();
    state_ = State::opening;
    const bool plain = agreed_ == HdlcParameters{};
    send(hdlc_control::snrm, plain ? Buffer{} : encode_hdlc_parameters(agreed_));
}

void HdlcLink::close() {
    if (!client() || state_ == State::closed) {
        reset();
        return;
    }
    clear_traffic();
    waiting_.clear();
    state_ = State::closing;
    send(hdlc_control::disc);
}

bool HdlcLink::send_ui(Bytes apdu, const HdlcAddress& destination) {
    if (apdu.size() > config_.apdu_size_max) {
        ++counters_.oversized;
        return false;
    }
    const HdlcPush push{destination, own_, to_buffer(apdu)};
    for (auto& frame : encode_hdlc_push(push, !client(), agreed_.send_size))
        output_.push_back(std::move(frame));
    return true;
}

void HdlcLink::send(std::uint8_t control, Buffer information, bool segmented) {
    if (output_.size() >= output_waiting_max) {
        ++counters_.overflowed;
        return;
    }
    output_.push_back(encode_hdlc({.destination = peer_,
                                   .source = own_,
                                   .control = control,
                                   .segmented = segmented,
                                   .information = std::move(information)}));
}

std::optional<Buffer> HdlcLink::take_output() {
    if (output_.empty()) speak();
    if (output_.empty()) return std::nullopt;
    Buffer frame = std::move(output_.front());
    output_.pop_front();
    return frame;
}

std::optional<Buffer> HdlcLink::take_apdu() {
    if (apdus_.empty()) return std::nullopt;
    Buffer apdu = std::move(apdus_.front());
    apdus_.pop_front();
    return apdu;
}

std::optional<HdlcPush> HdlcLink::take_push() {
    if (pushes_.empty()) return std::nullopt;
    HdlcPush push = std::move(pushes_.front());
    pushes_.pop_front();
    return push;
}

HdlcLinkCounters HdlcLink::counters() const {
    HdlcLinkCounters counters = counters_;
    const HdlcPushCounters& pushes = assembler_.counters();
    counters.refused_frames += decoder_.refused() + pushes.refused_frames + pushes.broken_sets;
    counters.oversized += pushes.oversized;
    return counters;
}

void HdlcLink::feed(Bytes bytes) {
    decoder_.feed(bytes);
    while (const auto frame = decoder_.next()) on_frame(*frame);
}

bool HdlcLink::for_us(const HdlcFrame& frame) const {
    const HdlcAddress& to = frame.destination;
    const bool device = !config_.own.lower || to.any_device() || to.lower == config_.own.lower;
    if (to.upper != config_.own.upper || to.all_stations() || !device) return false;
    // A server talks to one client at a time; only an SNRM may change which.
    const bool first =
        !client() && (state_ == State::closed || hdlc_control::is_kind(frame.control, hdlc_control::snrm));
    if (first) return frame.source.upper != no_station && !frame.source.all_stations();
    const bool same_device = !peer_.lower || !frame.source.lower || peer_.lower == frame.source.lower;
    return frame.source.upper == peer_.upper && same_device;
}

/// UI frames, and I frames without a connection where the settings take them: true when it was one.
bool HdlcLink::on_outside(const HdlcFrame& frame) {
    const bool unconnected =
        config_.take_unconnected && state_ == State::closed && hdlc_control::is_information(frame.control);
    if (!unconnected && !hdlc_control::is_kind(frame.control, hdlc_control::ui)) return false;
    const HdlcAddress& to = frame.destination;
    const bool device = !config_.own.lower || to.any_device() || to.lower == config_.own.lower;
    const bool ours = to.all_stations() || (unconnected && to.upper == no_station) ||
                      (to.upper == config_.own.upper && device);
    if (!ours) {
        ++counters_.foreign_frames;
        return true;
    }
    auto push = assembler_.add(frame);
    if (push && pushes_.size() >= config_.pushes_waiting_max)
        ++counters_.overflowed;
    else if (push)
        pushes_.push_back(std::move(*push));
    return true;
}

void HdlcLink::on_frame(const HdlcFrame& frame) {
    using namespace hdlc_control;
    if (on_outside(frame)) return;
    if (!for_us(frame)) {
        ++counters_.foreign_frames;
        return;
    }
    if (!client()) {
        if (is_kind(frame.control, snrm)) return on_snrm(frame);
        if (state_ == State::closed) {
            own_ = frame.destination;
            peer_ = frame.source;
            return send(dm);  // not in a mode that could answer
        }
        if (is_kind(frame.control, disc)) return on_closed_by_peer();
    } else {
        if (is_kind(frame.control, ua)) return on_ua(frame);
        if (is_kind(frame.control, frmr)) ++counters_.rejected;
        if (is_kind(frame.control, frmr) || is_kind(frame.control, dm)) return on_closed_by_peer();
    }
    const bool numbered = is_information(frame.control) || is_receive_ready(frame.control) ||
                          is_receive_not_ready(frame.control) || is_reject(frame.control);
    if (!numbered || state_ != State::open)
        ++counters_.refused_frames;
    else
        on_numbered(frame);
}

void HdlcLink::on_snrm(const HdlcFrame& frame) {
    clear_traffic();
    waiting_.clear();
    output_.clear();
    apdus_.clear();  // what was asked on the old link is not answered on the new one
    own_ = frame.destination;
    peer_ = frame.source;
    agree(frame.information);
    state_ = State::open;
    ++established_;
    // A client that says nothing takes the defaults; it must hear of what we cannot.
    const HdlcParameters defaults;
    const bool plain = frame.information.empty() && agreed_.send_size == defaults.send_size &&
                       agreed_.receive_size == defaults.receive_size;
    send(hdlc_control::ua, plain ? Buffer{} : encode_hdlc_parameters(agreed_));
}

void HdlcLink::on_ua(const HdlcFrame& frame) {
    if (state_ == State::opening) {
        agree(frame.information);
        state_ = State::open;
        repeats_ = 0;
        ++established_;
    } else if (state_ == State::closing) {
        state_ = State::closed;
    } else {
        ++counters_.refused_frames;
    }
}

void HdlcLink::on_closed_by_peer() {
    clear_traffic();
    waiting_.clear();
    output_.clear();
    state_ = State::closed;
    if (!client()) send(hdlc_control::ua);
}

}  // namespace wattmesh::link
