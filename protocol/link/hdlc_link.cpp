#include "protocol/link/hdlc_link.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::link {
namespace {

constexpr std::array<std::uint8_t, 3> llc_to_server{0xE6, 0xE6, 0x00}, llc_to_client{0xE6, 0xE7, 0x00};
constexpr std::uint8_t format_identifier = 0x81, group_identifier = 0x80;
constexpr std::uint8_t send_size = 5, receive_size = 6, send_window = 7, receive_window = 8;
constexpr std::size_t default_information_size = 128, information_size_min = 16;

void write_size(Writer& out, std::uint8_t id, std::size_t value) {
    if (value <= 0xFF) {
        out.u8(id).u8(1).u8(static_cast<std::uint8_t>(value));
    } else {
        out.u8(id).u8(2).u16(static_cast<std::uint16_t>(value));
    }
}

std::size_t clamp_size(std::size_t size) {
    return std::clamp(size, information_size_min, hdlc_information_size_max);
}

}  // namespace

HdlcLink::HdlcLink(Config config)
    : config_(std::move(config)),
      own_(config_.own),
      peer_(config_.peer),
      send_max_(clamp_size(config_.information_send_max)),
      receive_max_(clamp_size(config_.information_receive_max)) {}

void HdlcLink::clear_traffic() {
    send_state_ = receive_state_ = 0;
    unacknowledged_ = false;
    turn_ = config_.role == Role::client;
    sending_.clear();
    receiving_.clear();
}

void HdlcLink::reset() {
    clear_traffic();
    state_ = State::closed;
    decoder_.reset();
    output_.clear();
    waiting_.clear();
    last_sent_.clear();
    send_max_ = clamp_size(config_.information_send_max);
    receive_max_ = clamp_size(config_.information_receive_max);
}

void HdlcLink::open() {
    assert(config_.role == Role::client);
    if (state_ != State::closed) return;
    clear_traffic();
    state_ = State::opening;
    const bool plain = send_max_ == default_information_size && receive_max_ == default_information_size;
    send(hdlc_control::snrm, plain ? Buffer{} : parameters());
}

void HdlcLink::close() {
    if (config_.role == Role::server || state_ == State::closed) {
        reset();
        return;
    }
    clear_traffic();
    state_ = State::closing;
    send(hdlc_control::disc);
}

void HdlcLink::send_apdu(Bytes apdu) {
    const auto& llc = config_.role == Role::client ? llc_to_server : llc_to_client;
    Buffer message(llc.begin(), llc.end());
    message.insert(message.end(), apdu.begin(), apdu.end());
    waiting_.push_back(std::move(message));
    send_next_part();
}

void HdlcLink::send_next_part() {
    if (state_ != State::open || unacknowledged_ || !turn_) return;
    if (sending_.empty()) {
        if (waiting_.empty()) return;
        sending_ = std::move(waiting_.front());
        waiting_.pop_front();
    }
    const std::size_t size = std::min(sending_.size(), send_max_);
    Buffer part(sending_.begin(), sending_.begin() + static_cast<std::ptrdiff_t>(size));
    sending_.erase(sending_.begin(), sending_.begin() + static_cast<std::ptrdiff_t>(size));
    const auto control = hdlc_control::information(send_state_, receive_state_);
    send_state_ = (send_state_ + 1) & 7U;
    unacknowledged_ = true;
    turn_ = false;
    send(control, std::move(part), !sending_.empty());
}

void HdlcLink::send(std::uint8_t control, Buffer information, bool segmented) {
    last_sent_ = encode_hdlc({.destination = peer_,
                              .source = own_,
                              .control = control,
                              .segmented = segmented,
                              .information = std::move(information)});
    output_.push_back(last_sent_);
}

void HdlcLink::repeat() {
    if (!last_sent_.empty() && state_ != State::closed) output_.push_back(last_sent_);
}

std::optional<Buffer> HdlcLink::take_output() {
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

HdlcLinkCounters HdlcLink::counters() const {
    HdlcLinkCounters counters = counters_;
    counters.refused_frames += decoder_.refused();
    return counters;
}

void HdlcLink::feed(Bytes bytes) {
    decoder_.feed(bytes);
    while (const auto frame = decoder_.next()) on_frame(*frame);
}

bool HdlcLink::for_us(const HdlcFrame& frame) const {
    const bool physical =
        !config_.own.lower || !frame.destination.lower || config_.own.lower == frame.destination.lower;
    if (frame.destination.upper != config_.own.upper || !physical) return false;
    // A server talks to one client at a time; only an SNRM may change which.
    const bool first =
        config_.role == Role::server && (state_ == State::closed || frame.control == hdlc_control::snrm);
    return first || frame.source.upper == peer_.upper;
}

void HdlcLink::on_frame(const HdlcFrame& frame) {
    if (!for_us(frame)) {
        ++counters_.foreign_frames;
        return;
    }
    const std::uint8_t kind = frame.control | hdlc_control::poll;
    const bool server = config_.role == Role::server;
    if (server && frame.control == hdlc_control::snrm) return on_snrm(frame);
    if (server && state_ == State::closed) {
        if (kind == hdlc_control::ui) return;
        own_ = frame.destination;
        peer_ = frame.source;
        return send(hdlc_control::dm);  // not in a mode that could answer
    }
    if (server && frame.control == hdlc_control::disc) return on_closed_by_peer(frame);
    if (!server && kind == hdlc_control::ua) return on_ua(frame);
    if (!server && (kind == hdlc_control::dm || kind == hdlc_control::frmr)) return on_closed_by_peer(frame);
    if (state_ != State::open) return;
    if (hdlc_control::is_information(frame.control)) return on_information(frame);
    if (hdlc_control::is_receive_ready(frame.control)) {
        turn_ = true;
        return on_acknowledged(hdlc_control::receive_number(frame.control));
    }
}

void HdlcLink::on_snrm(const HdlcFrame& frame) {
    clear_traffic();
    waiting_.clear();
    apdus_.clear();  // what was asked on the old link is not answered on the new one
    own_ = frame.destination;
    peer_ = frame.source;
    send_max_ = clamp_size(config_.information_send_max);
    receive_max_ = clamp_size(config_.information_receive_max);
    adopt_parameters(frame.information);
    state_ = State::open;
    ++established_;
    send(hdlc_control::ua, frame.information.empty() ? Buffer{} : parameters());
}

void HdlcLink::on_ua(const HdlcFrame& frame) {
    if (state_ == State::opening) {
        adopt_parameters(frame.information);
        state_ = State::open;
        ++established_;
        send_next_part();
    } else if (state_ == State::closing) {
        state_ = State::closed;
    }
}

void HdlcLink::on_closed_by_peer(const HdlcFrame&) {
    clear_traffic();
    waiting_.clear();
    state_ = State::closed;
    if (config_.role == Role::server) send(hdlc_control::ua);
}

void HdlcLink::on_information(const HdlcFrame& frame) {
    const unsigned number = hdlc_control::send_number(frame.control);
    if (number != receive_state_) {
        // The client's timer ran out and it repeats what we have: our last frame was lost on the way.
        const bool again = ((number + 1) & 7U) == receive_state_;
        ++(again ? counters_.repeated : counters_.out_of_sequence);
        if (config_.role == Role::client) return;
        if (again && !last_sent_.empty() && !turn_) return output_.push_back(last_sent_);
        if (!again) send(hdlc_control::receive_ready(receive_state_));
        return;
    }
    receive_state_ = (receive_state_ + 1) & 7U;
    turn_ = true;
    unacknowledged_ = unacknowledged_ && hdlc_control::receive_number(frame.control) != send_state_;
    accept_part(frame);
    if (frame.segmented) {
        turn_ = false;
        send(hdlc_control::receive_ready(receive_state_));
    } else {
        send_next_part();
    }
}

void HdlcLink::on_acknowledged(unsigned receive_number) {
    if (unacknowledged_ && receive_number != send_state_) {
        ++counters_.repeated;  // the peer polls and has not seen our last frame
        turn_ = false;
        return output_.push_back(last_sent_);
    }
    unacknowledged_ = false;
    const bool idle = sending_.empty() && waiting_.empty();
    if (idle && config_.role == Role::server) {
        turn_ = false;
        return send(hdlc_control::receive_ready(receive_state_));  // polled, and nothing to say yet
    }
    send_next_part();
}

void HdlcLink::accept_part(const HdlcFrame& frame) {
    if (receiving_.size() + frame.information.size() > config_.apdu_size_max + llc_to_client.size()) {
        ++counters_.oversized;
        receiving_.assign(1, 0);  // no LLC begins with 0: the rest of this message is dropped below
        return;
    }
    receiving_.insert(receiving_.end(), frame.information.begin(), frame.information.end());
    if (frame.segmented) return;
    const auto& llc = config_.role == Role::client ? llc_to_client : llc_to_server;
    Buffer message = std::exchange(receiving_, {});
    if (message.size() <= llc.size() || !std::equal(llc.begin(), llc.end(), message.begin())) {
        ++counters_.refused_frames;
        return;
    }
    apdus_.emplace_back(message.begin() + static_cast<std::ptrdiff_t>(llc.size()), message.end());
}

Buffer HdlcLink::parameters() const {
    Writer group;
    write_size(group, send_size, send_max_);
    write_size(group, receive_size, receive_max_);
    group.u8(send_window).u8(4).u32(1).u8(receive_window).u8(4).u32(1);
    Writer out;
    out.u8(format_identifier)
        .u8(group_identifier)
        .u8(static_cast<std::uint8_t>(group.size()))
        .bytes(group.view());
    return out.take();
}

/// What the peer sends is what we receive and the other way round; a missing value means the standard's 128.
void HdlcLink::adopt_parameters(Bytes information) {
    std::size_t peer_sends = default_information_size, peer_receives = default_information_size;
    Reader in{information};
    if (in.u8() == format_identifier && in.u8() == group_identifier) {
        in.u8();
        while (in.remaining() >= 2) {
            const std::uint8_t id = in.u8();
            std::size_t value = 0;
            for (const std::uint8_t octet : in.bytes(in.u8())) value = value << 8U | octet;
            if (id == send_size && value > 0) peer_sends = value;
            if (id == receive_size && value > 0) peer_receives = value;
        }
    }
    send_max_ = clamp_size(std::min(send_max_, peer_receives));
    receive_max_ = clamp_size(std::min(receive_max_, peer_sends));
}

}  // namespace wattmesh::link
