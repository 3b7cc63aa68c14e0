#include "protocol/mesh/hop_security.h"

#include <algorithm>
#include <cassert>

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

void HopSecurity::put(const Key128& key, std::uint32_t counter_next, std::uint8_t id) {
    assert(id == 1 || id == 2);
    slot(id).mac = ciphers_.mac(key);
    slot(id).counter_next = std::max<std::uint32_t>(counter_next, 1);
    slot(id).senders.clear();
}

void HopSecurity::set_key(const Key128& key, std::uint32_t counter_next, std::uint8_t id) {
    clear_key();
    put(key, counter_next, id);
    current_ = id;
}

void HopSecurity::add_key(const Key128& key, std::uint32_t counter_next, std::uint8_t id) {
    assert(id != current_);
    put(key, counter_next, id);
}

void HopSecurity::use(std::uint8_t id) {
    if (knows(id)) current_ = id;
}

void HopSecurity::forget(std::uint8_t id) {
    if (!knows(id) || id == current_) return;
    slot(id).mac.reset();
    slot(id).senders.clear();
}

void HopSecurity::clear_key() {
    for (auto& one : slots_) {
        one.mac.reset();
        one.senders.clear();
    }
    current_ = 0;
}

Mic HopSecurity::compute(wattmesh::Mac& mac, Bytes covered) {
    const auto full = mac.compute(covered);
    Mic mic{};
    std::copy_n(full.begin(), mic.size(), mic.begin());
    return mic;
}

Buffer HopSecurity::seal(MacFrame& frame, Mic& mic) {
    mic = {};
    frame.counter = 0;
    frame.key = 0;
    if (!frame.secured) return finish(encode_covered(frame), mic);
    if (!has_key() || slot(current_).counter_next == 0xFFFFFFFF) return {};
    frame.key = current_;
    frame.counter = slot(current_).counter_next++;
    Buffer covered = encode_covered(frame);
    mic = compute(*slot(current_).mac, covered);
    return finish(std::move(covered), mic);
}

HopSecurity::Verdict HopSecurity::verify(const ReceivedFrame& received, Instant now) {
    const MacFrame& frame = received.frame;
    if (!frame.secured) return Verdict::fresh;
    if (!knows(frame.key) ||
        !equal_constant_time(compute(*slot(frame.key).mac, received.covered), received.mic))
        return Verdict::not_authentic;
    switch (slot(frame.key).senders.look(frame.source, frame.counter, now)) {
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
    if (frame.secured && knows(frame.key)) slot(frame.key).senders.accept(frame.source, frame.counter, now);
}

Mic HopSecurity::ack_mic(const AckFrame& ack, const MacFrame& frame, const Mic& mic) {
    const Buffer covered = ack_covered(ack, frame, mic);
    if (ack.secured && knows(frame.key)) return compute(*slot(frame.key).mac, covered);
    // No key on one side: a checksum keeps ACKs of different frames apart, nothing more.
    const auto first = crc16(covered);
    Buffer again = covered;
    again.push_back(0x5A);
    const auto second = crc16(again);
    return {static_cast<std::uint8_t>(first >> 8), static_cast<std::uint8_t>(first),
            static_cast<std::uint8_t>(second >> 8), static_cast<std::uint8_t>(second)};
}

}  // namespace wattmesh::mesh
