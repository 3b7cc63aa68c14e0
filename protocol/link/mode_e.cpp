#include "protocol/link/mode_e.h"

#include <algorithm>
#include <utility>

namespace wattmesh::link {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t acknowledge = 0x06, line_feed = 0x0A, character_mask = 0x7F;
constexpr unsigned start_baud = 300, bits_per_character = 10;
constexpr std::size_t wake_up_characters = 66;  // 2.2 s at 300 baud
constexpr Duration wake_up_pause = 1'600ms, pause_default = 200ms, pause_short = 20ms;

bool begins_message(std::uint8_t octet) {
    const std::uint8_t character = octet & character_mask;
    return character == '/' || character == acknowledge || character == sign_on_nak;
}
Duration time_of(std::size_t characters, unsigned baud) {
    return std::chrono::duration_cast<Duration>(std::chrono::seconds{characters * bits_per_character}) / baud;
}
std::optional<SignOnAction> take_front(std::deque<SignOnAction>& actions) {
    if (actions.empty()) return std::nullopt;
    SignOnAction action = std::move(actions.front());
    actions.pop_front();
    return action;
}

}  // namespace

void SignOnDecoder::feed(Bytes bytes) {
    const std::size_t room = waiting_max - raw_.size();
    if (bytes.size() > room) ++refused_;
    bytes = bytes.first(std::min(bytes.size(), room));
    raw_.insert(raw_.end(), bytes.begin(), bytes.end());
}

std::optional<Buffer> SignOnDecoder::next() {
    for (;;) {
        const auto begin = std::find_if(raw_.begin(), raw_.end(), begins_message);
        const bool noise = std::any_of(raw_.begin(), begin, [](std::uint8_t octet) {
            return (octet & character_mask) != 0;  // zeros wake up and mean nothing else
        });
        if (noise) ++refused_;
        raw_.erase(raw_.begin(), begin);
        if (raw_.empty()) return std::nullopt;
        auto end = raw_.begin() + 1;
        if ((raw_.front() & character_mask) != sign_on_nak) {
            // Up to the line feed; another beginning in between means that the rest of this one is lost.
            end = std::find_if(end, raw_.end(), [](std::uint8_t octet) {
                return (octet & character_mask) == line_feed || begins_message(octet);
            });
            const auto size = static_cast<std::size_t>(end - raw_.begin());
            const bool whole = end != raw_.end() && !begins_message(*end);
            if (end == raw_.end() && size < sign_on_message_max) return std::nullopt;
            if (!whole || size >= sign_on_message_max) {
                ++refused_;
                raw_.erase(raw_.begin(), end);
                continue;
            }
            ++end;
        }
        Buffer message(raw_.begin(), end);
        raw_.erase(raw_.begin(), end);
        for (auto& octet : message) octet &= character_mask;
        return message;
    }
}

Buffer SignOnDecoder::take_rest() { return std::exchange(raw_, {}); }

void ModeEClient::start() {
    decoder_.reset();
    actions_.clear();
    attempts_ = 0;
    failure_ = Failure::none;
    actions_.emplace_back(SwitchBaud{start_baud, Framing::seven_even});
    if (!config_.wake_up) return ask();
    state_ = State::waking;
    actions_.emplace_back(Buffer(wake_up_characters, 0));
    actions_.emplace_back(StartTimer{time_of(wake_up_characters, start_baud) + wake_up_pause});
}

void ModeEClient::ask() {
    if (++attempts_ > config_.attempts_max) return fail(Failure::no_answer);
    decoder_.reset();
    state_ = State::asking;
    actions_.emplace_back(encode(SignOnRequest{config_.address}));
    actions_.emplace_back(StartTimer{config_.answer_max});
}

void ModeEClient::fail(Failure failure) {
    state_ = State::failed;
    failure_ = failure;
}

Duration ModeEClient::reaction() const {
    const char third = meter_.manufacturer.empty() ? 'A' : meter_.manufacturer.back();
    return third >= 'a' && third <= 'z' ? pause_short : pause_default;
}

void ModeEClient::feed(Bytes bytes) {
    decoder_.feed(bytes);
    while (state_ == State::asking || state_ == State::selecting) {
        const auto message = decoder_.next();
        if (!message) return;
        state_ == State::asking ? on_identification(*message) : on_confirmation(*message);
    }
    if (state_ == State::idle || state_ == State::failed) decoder_.reset();
}

void ModeEClient::on_identification(Bytes message) {
    const auto decoded = decode_sign_on_identification(message);
    if (!decoded) {
        ++refused_;
        return;  // the timer asks again
    }
    meter_ = *decoded;
    if (!meter_.offers_hdlc()) return fail(Failure::not_offered);
    const unsigned baud = baud_of(meter_.baud);
    if (baud == 0) return fail(Failure::bad_baud);
    select_ = {.baud = baud <= config_.baud_max ? meter_.baud : '0'};  // one of the two: 6.3.3, Z
    state_ = State::pausing;
    actions_.emplace_back(StartTimer{reaction()});
}

void ModeEClient::on_confirmation(Bytes message) {
    const auto decoded = decode_sign_on_select(message);
    if (!decoded || *decoded != select_) {
        ++refused_;
        if (decoded || message.front() == sign_on_nak) fail(Failure::refused);
        return;
    }
    state_ = State::settling;
    actions_.emplace_back(SwitchBaud{baud_of(select_.baud), Framing::eight_none});
    actions_.emplace_back(StartTimer{reaction()});
}

void ModeEClient::timed_out() {
    switch (state_) {
        case State::waking:
        case State::asking:
            return ask();
        case State::pausing:
            decoder_.reset();
            state_ = State::selecting;
            actions_.emplace_back(encode(select_));
            actions_.emplace_back(SwitchBaud{baud_of(select_.baud), Framing::seven_even});
            actions_.emplace_back(StartTimer{config_.answer_max});
            return;
        case State::selecting:
            if (config_.confirmation_required) return fail(Failure::no_answer);
            ++refused_;
            decoder_.reset();
            actions_.emplace_back(SwitchBaud{baud_of(select_.baud), Framing::eight_none});
            state_ = State::ready;
            return;
        case State::settling:
            state_ = State::ready;
            return;
        case State::idle:
        case State::ready:
        case State::failed:
            return;
    }
}

std::optional<SignOnAction> ModeEClient::take_action() { return take_front(actions_); }

void ModeEServer::start() {
    state_ = State::idle;
    repeats_ = 0;
    decoder_.reset();
    actions_.clear();
    actions_.emplace_back(SwitchBaud{start_baud, Framing::seven_even});
}

void ModeEServer::feed(Bytes bytes) {
    decoder_.feed(bytes);
    while (state_ == State::idle || state_ == State::selecting) {
        const auto message = decoder_.next();
        if (!message) return;
        on_message(*message);
    }
}

void ModeEServer::answer() {
    state_ = State::answering;
    actions_.emplace_back(StartTimer{config_.reaction});
}

void ModeEServer::on_message(Bytes message) {
    if (const auto request = decode_sign_on_request(message)) {
        repeats_ = 0;
        if (asks(*request, config_.address)) return answer();
    }
    if (state_ == State::selecting) {
        if (message.front() == sign_on_nak && repeats_++ < config_.repeats_max) return answer();
        const auto select = decode_sign_on_select(message);
        const bool ours = select && (select->baud == config_.identification.baud || select->baud == '0');
        if (ours && select->hdlc()) {
            select_ = *select;
            state_ = State::confirming;
            actions_.emplace_back(SwitchBaud{baud_of(select_.baud), Framing::seven_even});
            actions_.emplace_back(StartTimer{config_.reaction});
            return;
        }
    }
    ++refused_;
    state_ = State::idle;
}

void ModeEServer::timed_out() {
    if (state_ == State::answering) {
        state_ = State::selecting;
        actions_.emplace_back(encode(config_.identification));
        actions_.emplace_back(StartTimer{config_.select_max});
        feed({});  // what came during the pause
    } else if (state_ == State::selecting) {
        state_ = State::idle;
        ++refused_;
        decoder_.reset();
    } else if (state_ == State::confirming) {
        actions_.emplace_back(encode(select_));
        actions_.emplace_back(SwitchBaud{baud_of(select_.baud), Framing::eight_none});
        state_ = State::ready;
    }
}

std::optional<SignOnAction> ModeEServer::take_action() { return take_front(actions_); }

}  // namespace wattmesh::link
