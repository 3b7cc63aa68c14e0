// Numbered frames of a link. Rules: ISO/IEC 13239, 5.6 in normal response mode, as IEC 62056-46, 6.4.4 uses
// it.
//
// Both ends send only in their turn and end it with P or F. The server says something to every P. The client
// keeps the peace: to an F that shows no progress it says nothing, because a late or doubled answer would
// start a second chain of turns that runs next to the first one for ever; `repeat` decides such a case.
#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "protocol/link/hdlc_link.h"

namespace wattmesh::link {
namespace {

constexpr std::array<std::uint8_t, 3> llc_to_server{0xE6, 0xE6, 0x00}, llc_to_client{0xE6, 0xE7, 0x00};

}  // namespace

bool HdlcLink::send_apdu(Bytes apdu) {
    const bool oversized = apdu.size() > config_.apdu_size_max;
    if (oversized || waiting_.size() >= config_.sends_waiting_max) {
        ++(oversized ? counters_.oversized : counters_.overflowed);
        return false;
    }
    const auto& llc = client() ? llc_to_server : llc_to_client;
    Buffer message(llc.begin(), llc.end());
    message.insert(message.end(), apdu.begin(), apdu.end());
    waiting_.push_back(std::move(message));
    return true;
}

void HdlcLink::fill_window() {
    while (window_.size() < agreed_.send_window) {
        if (sending_at_ == sending_.size()) {
            if (waiting_.empty()) return;
            sending_ = std::move(waiting_.front());
            waiting_.pop_front();
            sending_at_ = 0;
        }
        const std::size_t size = std::min(sending_.size() - sending_at_, agreed_.send_size);
        const Bytes part = Bytes{sending_}.subspan(sending_at_, size);
        sending_at_ += size;
        window_.add({to_buffer(part), sending_at_ < sending_.size()});
    }
}

/// Uses the turn, if it is ours and there is something to say.
void HdlcLink::speak() {
    if (state_ != State::open || !turn_) return;
    if (!peer_busy_) fill_window();
    if (!peer_busy_ && window_.next() != nullptr) {
        while (const auto* part = window_.next()) {
            const unsigned number = window_.next_number();
            if (window_.sent()) ++counters_.retransmitted;
            const bool last = window_.next() == nullptr;
            send(hdlc_control::information(number, receive_state_, last), part->information, part->segmented);
        }
    } else {
        // A busy client just does not ask for more.
        if (!owed_ || (client() && busy())) return;
        send(busy() ? hdlc_control::receive_not_ready(receive_state_)
                    : hdlc_control::receive_ready(receive_state_));
    }
    turn_ = owed_ = accepted_ = acknowledged_ = false;
}

bool HdlcLink::repeat() {
    if (!client() || state_ == State::closed) return false;
    if (++repeats_ > config_.repeats_max) {
        ++counters_.given_up;
        reset();
        return false;
    }
    decoder_.reset();
    if (state_ == State::closing) {
        send(hdlc_control::disc);
        return true;
    }
    if (state_ == State::opening) {
        const bool plain = agreed_ == HdlcParameters{};
        send(hdlc_control::snrm, plain ? Buffer{} : encode_hdlc_parameters(agreed_));
        return true;
    }
    checkpoint_ = true;
    gap_told_ = false;
    turn_ = owed_ = true;
    if (!window_.outstanding() || peer_busy_) {
        send(hdlc_control::receive_ready(receive_state_));
    } else {
        window_.go_back_to_last();
        const auto* part = window_.next();
        const auto control = hdlc_control::information(window_.next_number(), receive_state_);
        send(control, part->information, part->segmented);
        window_.sent();
        ++counters_.retransmitted;
    }
    turn_ = owed_ = accepted_ = acknowledged_ = false;
    return true;
}

void HdlcLink::on_numbered(const HdlcFrame& frame) {
    using enum HdlcSendWindow::Acknowledgement;
    const auto acknowledgement = window_.acknowledge(hdlc_control::receive_number(frame.control));
    if (acknowledgement == foreign) ++counters_.wrong_acknowledgements;
    if (acknowledgement == progress) acknowledged_ = true;
    peer_busy_ = hdlc_control::is_receive_not_ready(frame.control);
    if (hdlc_control::is_reject(frame.control)) {
        ++counters_.rejected;
        window_.go_back();
    }
    const bool information = hdlc_control::is_information(frame.control);
    const bool accepted = information && on_information(frame);
    // With a window of one every I frame ends the turn, even where a server forgets to say so.
    const bool only_frame = client() && accepted && agreed_.receive_window == 1;
    if (!hdlc_control::is_polled(frame.control) && !only_frame) return;
    client() ? on_final(frame, accepted) : on_polled(frame, accepted);
}

/// True when the frame was the next one in sequence and was taken.
bool HdlcLink::on_information(const HdlcFrame& frame) {
    const unsigned number = hdlc_control::send_number(frame.control);
    if (number != receive_state_) {
        ++(gap_certain(number) ? counters_.out_of_sequence : counters_.repeated);
        return false;
    }
    if (busy()) {
        ++counters_.overflowed;
        return false;
    }
    receive_state_ = (receive_state_ + 1) & 7U;
    accepted_ = true;
    gap_told_ = false;
    accept_part(frame);
    return true;
}

/// A frame was lost before this one. Numbers repeat after eight: in windows above four a frame that comes
/// once more looks the same, and this is false.
bool HdlcLink::gap_certain(unsigned number) const {
    const unsigned ahead = (number - receive_state_) & 7U, window = agreed_.receive_window;
    return ahead != 0 && ahead < window && ahead < 8 - window;
}

void HdlcLink::accept_part(const HdlcFrame& frame) {
    const std::size_t bound = config_.apdu_size_max + llc_to_client.size();
    if (frame.information.size() > config_.information_accept_max ||
        receiving_.size() + frame.information.size() > bound) {
        if (!std::exchange(discarding_, true)) ++counters_.oversized;
        receiving_ = {};
    }
    if (!discarding_) receiving_.insert(receiving_.end(), frame.information.begin(), frame.information.end());
    if (frame.segmented) return;
    Buffer message = std::exchange(receiving_, {});
    if (std::exchange(discarding_, false)) return;
    const auto& llc = client() ? llc_to_client : llc_to_server;
    if (message.size() <= llc.size() || !std::equal(llc.begin(), llc.end(), message.begin())) {
        ++counters_.refused_frames;
        return;
    }
    message.erase(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(llc.size()));
    apdus_.push_back(std::move(message));
}

/// Server: the client polls. Only to a whole APDU the answer may wait until the owner has one.
void HdlcLink::on_polled(const HdlcFrame& frame, bool accepted) {
    const bool held = std::exchange(turn_, true);
    window_.go_back();
    if (!hdlc_control::is_information(frame.control))
        owed_ = true;
    else if (accepted)
        owed_ = frame.segmented || apdus_.empty();
    else  // what we have already and are working on, or what cannot be taken now
        owed_ = owed_ || !held || busy() || gap_certain(hdlc_control::send_number(frame.control));
}

/// Client: the server has finished.
void HdlcLink::on_final(const HdlcFrame& frame, bool accepted) {
    const bool told_all = checkpoint_ || accepted_ || acknowledged_;
    if (hdlc_control::is_information(frame.control)) {
        const bool refused = busy() && hdlc_control::send_number(frame.control) == receive_state_;
        const bool gap = gap_certain(hdlc_control::send_number(frame.control)) && !gap_told_;
        if (!accepted && !refused && !gap && !told_all) return;
        gap_told_ = !accepted;
        owed_ = !accepted || frame.segmented;
    } else {
        const bool stuck = window_.outstanding() && !hdlc_control::is_reject(frame.control);
        if (stuck && !told_all && !peer_busy_) return;
        owed_ = accepted_ && (discarding_ || !receiving_.empty());
    }
    turn_ = true;
    if (told_all) window_.go_back();
    if (accepted_ || acknowledged_ || !window_.outstanding()) repeats_ = 0;
    checkpoint_ = false;
}

}  // namespace wattmesh::link
