#pragma once
#include <cstdint>
#include <deque>

#include "protocol/base/bytes.h"

namespace wattmesh::link {

/// The sending half of a link: numbered parts (modulo 8) until the peer has acknowledged them, go-back-N.
/// Source: ISO/IEC 13239, 5.6.2 (checkpointing) and 5.6.4.2.
class HdlcSendWindow {
public:
    struct Part {
        Buffer information;
        bool segmented = false;
    };
    enum class Acknowledgement : std::uint8_t { foreign, nothing_new, progress };

    void clear() { *this = {}; }
    /// Parts that are not acknowledged, sent or not.
    std::size_t size() const { return parts_.size(); }
    void add(Part part) { parts_.push_back(std::move(part)); }

    /// The part to send next, or null.
    const Part* next() const { return next_ < parts_.size() ? &parts_[next_] : nullptr; }
    unsigned next_number() const { return (first_ + static_cast<unsigned>(next_)) & 7U; }
    /// It went out; true if it went out before.
    bool sent() {
        const bool again = ++next_ <= sent_;
        if (!again) sent_ = next_;
        return again;
    }
    /// Something was sent that nobody acknowledged.
    bool outstanding() const { return sent_ > 0; }
    /// Everything unacknowledged goes out again.
    void go_back() { next_ = 0; }
    /// Only the last part that went out goes out again, for the peer to say what it misses.
    void go_back_to_last() { next_ = sent_ > 0 ? sent_ - 1 : 0; }

    /// N(R) of the peer. `foreign`: a number that was never sent; nothing changes.
    Acknowledgement acknowledge(unsigned receive_number) {
        const std::size_t count = (receive_number - first_) & 7U;
        if (count > sent_) return Acknowledgement::foreign;
        if (count == 0) return Acknowledgement::nothing_new;
        parts_.erase(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(count));
        first_ = receive_number & 7U;
        sent_ -= count;
        next_ -= next_ < count ? next_ : count;
        return Acknowledgement::progress;
    }

private:
    std::deque<Part> parts_;
    unsigned first_ = 0;               ///< number of parts_.front()
    std::size_t next_ = 0, sent_ = 0;  ///< into parts_: next to send; behind the last one ever sent
};

}  // namespace wattmesh::link
