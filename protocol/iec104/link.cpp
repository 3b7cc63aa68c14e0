#include "protocol/iec104/link.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::iec104 {

std::string_view to_string(LinkFault fault) {
    switch (fault) {
        case LinkFault::malformed:
            return "malformed";
        case LinkFault::sequence:
            return "sequence";
        case LinkFault::not_acknowledged:
            return "not_acknowledged";
        case LinkFault::not_started:
            return "not_started";
        case LinkFault::unexpected_control:
            return "unexpected_control";
    }
    return "?";
}

Link::Link(Side side, const LinkSettings& settings, Instant now)
    : side_(side), settings_(settings), heard_at_(now) {
    assert(settings.k > 0 && settings.k < sequence_modulus && settings.w > 0 && settings.t2 < settings.t1);
}

std::optional<Bytes> Link::next(Instant now) {
    while (!fault_) {
        const auto frame = decoder_.next();
        if (!frame) {
            if (decoder_.error()) fail(LinkFault::malformed);
            return std::nullopt;
        }
        heard_at_ = now;
        switch (frame->format) {
            case Format::information:
                if (const auto asdu = on_information(*frame, now)) return asdu;
                break;
            case Format::supervisory:
                on_acknowledgement(frame->received);
                break;
            case Format::unnumbered:
                on_unnumbered(frame->function);
                break;
        }
    }
    return std::nullopt;
}

std::optional<Bytes> Link::on_information(const Frame& frame, Instant now) {
    // A controlling station still gets what was under way when it asked to stop; so does a controlled one
    // whose confirmation waits.
    if (transfer_ == Transfer::stopped || transfer_ == Transfer::starting) {
        fail(LinkFault::not_started);
        return std::nullopt;
    }
    if (frame.sent != received_) {
        fail(LinkFault::sequence);
        return std::nullopt;
    }
    on_acknowledgement(frame.received);
    if (fault_) return std::nullopt;
    received_ = static_cast<std::uint16_t>((received_ + 1) % sequence_modulus);
    if (owed_++ == 0) owed_since_ = now;
    // Who stops acknowledges at once what was under way: the confirmation waits for it.
    if (owed_ >= settings_.w || transfer_ == Transfer::stopping) acknowledge();
    return frame.asdu;
}

void Link::on_acknowledgement(std::uint16_t received) {
    const auto waiting = static_cast<std::uint16_t>(sent_at_.size());
    const auto last = static_cast<std::uint16_t>((sent_ + sequence_modulus - waiting) % sequence_modulus);
    const auto count = static_cast<std::uint16_t>((received + sequence_modulus - last) % sequence_modulus);
    if (count > waiting) return fail(LinkFault::sequence);
    sent_at_.erase(sent_at_.begin(), sent_at_.begin() + count);
    acknowledged_total_ += count;
    if (stop_wanted_ && sent_at_.empty()) confirm_stop();
}

void Link::on_unnumbered(Unnumbered function) {
    switch (function) {
        case Unnumbered::start_activate:
        case Unnumbered::stop_activate:
        case Unnumbered::test_activate:
            return on_activate(function);
        case Unnumbered::start_confirm:
            if (transfer_ != Transfer::starting) return fail(LinkFault::unexpected_control);
            transfer_ = Transfer::started;
            asked_at_ = never;
            return;
        case Unnumbered::stop_confirm:
            if (side_ != Side::controlling || transfer_ != Transfer::stopping)
                return fail(LinkFault::unexpected_control);
            transfer_ = Transfer::stopped;
            asked_at_ = never;
            return;
        case Unnumbered::test_confirm:
            // One that comes late, after another frame has already shown the peer alive, is no fault.
            tested_at_ = never;
            return;
    }
}

void Link::on_activate(Unnumbered function) {
    if (function == Unnumbered::test_activate) return encode_unnumbered(Unnumbered::test_confirm, out_);
    if (side_ == Side::controlling) return fail(LinkFault::unexpected_control);
    if (function == Unnumbered::start_activate) {
        stop_wanted_ = false;
        transfer_ = Transfer::started;
        return encode_unnumbered(Unnumbered::start_confirm, out_);
    }
    acknowledge();
    if (sent_at_.empty()) return confirm_stop();
    stop_wanted_ = true;
    transfer_ = Transfer::stopping;
}

void Link::confirm_stop() {
    stop_wanted_ = false;
    acknowledge();
    transfer_ = Transfer::stopped;
    encode_unnumbered(Unnumbered::stop_confirm, out_);
}

void Link::acknowledge() {
    if (owed_ == 0) return;
    encode_supervisory(received_, out_);
    owed_ = 0;
    owed_since_ = never;
}

void Link::send(Bytes asdu, Instant now) {
    assert(ready());
    encode_information(sent_, received_, asdu, out_);
    sent_ = static_cast<std::uint16_t>((sent_ + 1) % sequence_modulus);
    sent_at_.push_back(now);
    owed_ = 0;
    owed_since_ = never;
}

void Link::ask(Unnumbered function, Instant now) {
    encode_unnumbered(function, out_);
    asked_at_ = now;
}

void Link::start(Instant now) {
    assert(side_ == Side::controlling && transfer_ == Transfer::stopped);
    transfer_ = Transfer::starting;
    ask(Unnumbered::start_activate, now);
}

void Link::stop(Instant now) {
    assert(side_ == Side::controlling && transfer_ == Transfer::started);
    acknowledge();
    transfer_ = Transfer::stopping;
    ask(Unnumbered::stop_activate, now);
}

void Link::suspend() {
    assert(side_ == Side::controlled);
    acknowledge();
    stop_wanted_ = false;
    transfer_ = Transfer::stopped;
}

Instant Link::wake() const {
    if (fault_) return never;
    const auto after = [](Instant at, Duration wait) { return at == never ? never : at + wait; };
    auto soonest = tested_at_ == never ? after(heard_at_, settings_.t3) : after(tested_at_, settings_.t1);
    soonest = std::min(soonest, after(owed_since_, settings_.t2));
    soonest = std::min(soonest, after(asked_at_, settings_.t1));
    if (!sent_at_.empty()) soonest = std::min(soonest, after(sent_at_.front(), settings_.t1));
    return soonest;
}

void Link::tick(Instant now) {
    if (fault_) return;
    const auto over = [now](Instant since, Duration wait) { return since != never && now - since >= wait; };
    if (over(asked_at_, settings_.t1) || over(tested_at_, settings_.t1) ||
        (!sent_at_.empty() && over(sent_at_.front(), settings_.t1)))
        return fail(LinkFault::not_acknowledged);
    if (over(owed_since_, settings_.t2)) acknowledge();
    if (tested_at_ == never && over(heard_at_, settings_.t3)) {
        encode_unnumbered(Unnumbered::test_activate, out_);
        tested_at_ = now;
    }
}

}  // namespace wattmesh::iec104
