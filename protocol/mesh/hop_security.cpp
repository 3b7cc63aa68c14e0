#include "protocol/mesh/hop_security.h"

#include <algorithm>

namespace wattmesh::mesh {

const ReplayTable::Row* ReplayTable::find(std::uint16_t sender) const {
    const auto row = std::lower_bound(rows_.begin(), rows_.end(), sender,
                                      [](const Row& a, std::uint16_t b) { return a.sender < b; });
    return row != rows_.end() && row->sender == sender ? &*row : nullptr;
}

ReplayTable::Verdict ReplayTable::look(std::uint16_t sender, std::uint32_t counter, Instant now) const {
    const Row* row = find(sender);
    if (row == nullptr || counter > row->top) return Verdict::fresh;
    const auto age = row->top - counter;
    if (age >= 32) return Verdict::too_old;
    if ((row->window >> age & 1) != 0) return Verdict::repeated;
    return now - row->top_at > late_max ? Verdict::too_old : Verdict::fresh;
}

void ReplayTable::accept(std::uint16_t sender, std::uint32_t counter, Instant now) {
    auto row = std::lower_bound(rows_.begin(), rows_.end(), sender,
                                [](const Row& a, std::uint16_t b) { return a.sender < b; });
    if (row == rows_.end() || row->sender != sender) {
        if (rows_.size() == senders_max_) {
            rows_.erase(std::min_element(rows_.begin(), rows_.end(),
                                         [](const Row& a, const Row& b) { return a.used < b.used; }));
            row = std::lower_bound(rows_.begin(), rows_.end(), sender,
                                   [](const Row& a, std::uint16_t b) { return a.sender < b; });
        }
        rows_.insert(row, Row{.sender = sender, .top = counter, .window = 1, .used = ++uses_, .top_at = now});
        return;
    }
    row->used = ++uses_;
    if (counter > row->top) {
        const auto step = counter - row->top;
        row->window = step >= 32 ? 0 : row->window << step;
        row->top = counter;
        row->top_at = now;
    }
    const auto age = row->top - counter;
    if (age < 32) row->window |= 1U << age;
}

void HopSecurity::set_key(const Key128& key, std::uint32_t counter_next) {
    mac_ = ciphers_.mac(key);
    counter_next_ = std::max<std::uint32_t>(counter_next, 1);
    senders_.clear();
}

void HopSecurity::clear_key() {
    mac_.reset();
    senders_.clear();
}

Mic HopSecurity::compute(Bytes covered) {
    const auto full = mac_->compute(covered);
    Mic mic{};
    std::copy_n(full.begin(), mic.size(), mic.begin());
    return mic;
}

Buffer HopSecurity::seal(MacFrame& frame, Mic& mic) {
    mic = {};
    frame.counter = 0;
    if (!frame.secured) return finish(encode_covered(frame), mic);
    if (mac_ == nullptr || counter_next_ == 0xFFFFFFFF) return {};
    frame.counter = counter_next_++;
    Buffer covered = encode_covered(frame);
    mic = compute(covered);
    return finish(std::move(covered), mic);
}

HopSecurity::Verdict HopSecurity::verify(const ReceivedFrame& received, Instant now) {
    if (!received.frame.secured) return Verdict::fresh;
    if (mac_ == nullptr || !equal_constant_time(compute(received.covered), received.mic))
        return Verdict::not_authentic;
    switch (senders_.look(received.frame.source, received.frame.counter, now)) {
        case ReplayTable::Verdict::fresh:
            return Verdict::fresh;
        case ReplayTable::Verdict::repeated:
            return Verdict::repeated;
        case ReplayTable::Verdict::too_old:
            return Verdict::too_old;
    }
    return Verdict::too_old;
}

void HopSecurity::remember(const MacFrame& frame, Instant now) {
    if (frame.secured) senders_.accept(frame.source, frame.counter, now);
}

Mic HopSecurity::ack_mic(const AckFrame& ack, const MacFrame& frame, const Mic& mic) {
    const Buffer covered = ack_covered(ack, frame, mic);
    if (ack.secured && mac_ != nullptr) return compute(covered);
    // No key on one side: a checksum keeps ACKs of different frames apart, nothing more.
    const auto first = crc16(covered);
    Buffer again = covered;
    again.push_back(0x5A);
    const auto second = crc16(again);
    return {static_cast<std::uint8_t>(first >> 8), static_cast<std::uint8_t>(first),
            static_cast<std::uint8_t>(second >> 8), static_cast<std::uint8_t>(second)};
}

}  // namespace wattmesh::mesh
