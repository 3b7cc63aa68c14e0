#include "protocol/mesh/medium_access.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace wattmesh::mesh {
namespace {

constexpr std::int64_t backoff_unit_bits = 20, assess_bits = 8;
constexpr int exponent_min = 3, exponent_max = 5, assessments_max = 6, busy_max = 8, crowded_max = 4;
// Spacing before try 2, 3, 4: a fade lasts about a second (mesh design 1.2 point 4, 2.5).
constexpr std::array<std::int64_t, 3> spacing_us{20'000, 250'000, 900'000};

}  // namespace

MediumAccess::MediumAccess(Settings settings, Ciphers& ciphers, Random& random, Transceiver& transceiver,
                           MacListener& listener)
    : settings_(settings),
      random_(random),
      transceiver_(transceiver),
      listener_(listener),
      security_(ciphers, settings.senders_max) {
    sequence_ = static_cast<std::uint8_t>(chance());
}

std::uint32_t MediumAccess::chance() {
    std::array<std::uint8_t, 4> octets{};
    random_.fill(octets);
    return static_cast<std::uint32_t>(octets[0]) << 24 | static_cast<std::uint32_t>(octets[1]) << 16 |
           static_cast<std::uint32_t>(octets[2]) << 8 | octets[3];
}

void MediumAccess::set_address(std::optional<std::uint16_t> pan, std::uint16_t address) {
    pan_ = pan;
    address_ = address;
}

void MediumAccess::reset() {
    queue_.clear();
    phase_ = Phase::idle;
}

bool MediumAccess::send(Outgoing outgoing, Instant now) {
    assert(outgoing.body.size() <= frame_body_size_max);
    if (full()) return false;
    Entry entry;
    entry.not_before = now + outgoing.delay;
    entry.expires = now + outgoing.delay + outgoing.lifetime;
    entry.order = ++orders_;
    entry.out = std::move(outgoing);
    queue_.push_back(std::move(entry));
    return true;
}

MediumAccess::Entry* MediumAccess::current() {
    const auto entry =
        std::find_if(queue_.begin(), queue_.end(), [&](const Entry& e) { return e.order == current_; });
    return entry == queue_.end() ? nullptr : &*entry;
}

Instant MediumAccess::next_deadline() const {
    if (phase_ == Phase::wait_ack) return due_;
    if (phase_ == Phase::on_air || sending_ack_) return never;
    if (phase_ == Phase::backoff) return due_;
    Instant next = never;
    for (const auto& entry : queue_) next = std::min(next, std::min(entry.not_before, entry.expires));
    return next;
}

void MediumAccess::tick(Instant now) {
    if (phase_ == Phase::wait_ack && now >= due_) try_failed(now);
    // Our own acknowledgement is no crowd to step back from: the next frame waits for its end and no longer.
    if (sending_ack_) return;
    if (phase_ == Phase::backoff && overtaken(now)) phase_ = Phase::idle;
    if (phase_ == Phase::idle) {
        expire(now);
        if (pick(now)) draw_backoff(now);
    }
    if (phase_ == Phase::backoff && now >= due_) assess(now);
}

void MediumAccess::expire(Instant now) {
    for (std::size_t i = 0; i < queue_.size();) {
        if (now < queue_[i].expires) {
            ++i;
            continue;
        }
        current_ = queue_[i].order;
        finish_current(queue_[i].tries > 0 ? TxOutcome::no_acknowledge : TxOutcome::channel_busy, 0, now);
        i = 0;
    }
}

bool MediumAccess::pick(Instant now) {
    const Entry* best = nullptr;
    for (const auto& entry : queue_) {
        if (entry.not_before > now) continue;
        if (best == nullptr || entry.out.priority < best->out.priority ||
            (entry.out.priority == best->out.priority && entry.order < best->order))
            best = &entry;
    }
    if (best == nullptr) return false;
    current_ = best->order;
    exponent_ = std::min(exponent_min + best->tries, exponent_max);
    assessments_ = 0;
    return true;
}

/// What backs off steps aside for control, and bulk for everything; it begins anew after them.
bool MediumAccess::overtaken(Instant now) {
    const Entry* held = current();
    assert(held != nullptr);
    return std::any_of(queue_.begin(), queue_.end(), [&](const Entry& entry) {
        const auto mine = entry.out.priority, its = held->out.priority;
        return entry.not_before <= now && mine < its && (mine == priority_control || its >= priority_bulk);
    });
}

void MediumAccess::draw_backoff(Instant now) {
    const auto units = static_cast<std::int64_t>(chance() & ((1U << exponent_) - 1));
    phase_ = Phase::backoff;
    clear_once_ = false;
    due_ = now + bits(backoff_unit_bits * units);
}

void MediumAccess::assess(Instant now) {
    if (!transceiver_.channel_busy()) {
        // Clear twice, farther apart than the silence between a frame and its ACK: else we would talk into
        // the ACK.
        if (clear_once_) return launch(now);
        clear_once_ = true;
        due_ = now + turnaround() + bits(2 * assess_bits);
        return;
    }
    clear_once_ = false;
    exponent_ = std::min(exponent_ + 1, exponent_max);
    if (++assessments_ < assessments_max) return draw_backoff(now);
    // Says nothing about the link: no try is counted (mesh design 2.4).
    Entry* entry = current();
    assert(entry != nullptr);
    // The longer the channel stays full, the longer everybody waits.
    const std::uint32_t span = 30'000U << std::min<int>(entry->crowded, crowded_max);
    entry->crowded = static_cast<std::uint8_t>(std::min(entry->crowded + 1, crowded_max));
    entry->not_before = now + scaled(10'000 + static_cast<std::int64_t>(chance() % span));
    phase_ = Phase::idle;
}

void MediumAccess::launch(Instant now) {
    Entry* entry = current();
    assert(entry != nullptr);
    if (!entry->sealed) {
        entry->frame = MacFrame{.type = entry->out.type,
                                .acknowledge_request = entry->out.destination != broadcast_address,
                                .secured = entry->out.secured,
                                .sequence = ++sequence_,
                                .pan = entry->out.every_pan ? no_pan : pan_.value_or(no_pan),
                                .destination = entry->out.destination,
                                .source = address_,
                                .counter = 0,
                                .body = entry->out.body};
        entry->psdu = security_.seal(entry->frame, entry->mic);
        entry->frame.body = {};
        entry->sealed = true;
        if (entry->psdu.empty()) return finish_current(TxOutcome::not_initialised, 0, now);
    }
    ++entry->tries;
    ++counters_.sent;
    phase_ = Phase::on_air;
    transceiver_.transmit(entry->psdu, bits(assess_bits) + turnaround());
}

void MediumAccess::transmitted(Instant now) {
    if (sending_ack_) {
        sending_ack_ = false;
        if (phase_ == Phase::backoff) draw_backoff(now);
        return;
    }
    if (phase_ != Phase::on_air) return;  // reset() came in between
    const Entry* entry = current();
    assert(entry != nullptr);
    if (!entry->frame.acknowledge_request) return finish_current(TxOutcome::acknowledged, 0, now);
    phase_ = Phase::wait_ack;
    due_ = now + turnaround() + acknowledge_airtime() + turnaround() / 2;
}

void MediumAccess::try_failed(Instant now) {
    Entry* entry = current();
    assert(entry != nullptr);
    if (entry->tries > spacing_us.size() || entry->tries >= entry->out.tries_max)
        return finish_current(TxOutcome::no_acknowledge, 0, now);
    const auto gap = spacing_us[entry->tries - 1U];
    entry->not_before =
        now + scaled(gap / 2 + static_cast<std::int64_t>(chance() % static_cast<std::uint32_t>(gap)));
    phase_ = Phase::idle;
}

void MediumAccess::finish_current(TxOutcome outcome, std::int8_t rssi_dbm, Instant now) {
    const auto entry =
        std::find_if(queue_.begin(), queue_.end(), [&](const Entry& e) { return e.order == current_; });
    assert(entry != queue_.end());
    const Departure departure{.tag = entry->out.tag,
                              .destination = entry->out.destination,
                              .type = entry->out.type,
                              .outcome = outcome,
                              .tries = entry->tries,
                              .rssi_dbm = rssi_dbm};
    queue_.erase(entry);
    phase_ = Phase::idle;
    listener_.sent(departure, now);
}

bool MediumAccess::concerns(Bytes psdu) const {
    if (is_ack(psdu)) return phase_ == Phase::wait_ack;
    const auto destination = destination_of(psdu);
    return !destination || *destination == broadcast_address || *destination == address_;
}

void MediumAccess::received(Bytes psdu, std::int8_t rssi_dbm, Instant now) {
    ++counters_.heard;
    if (is_ack(psdu)) return received_ack(psdu, now);
    const auto decoded = decode_mac(psdu);
    if (!decoded) {
        ++counters_.malformed;
        return;
    }
    const MacFrame& frame = decoded->frame;
    const bool broadcast = frame.destination == broadcast_address;
    // Who knows no network yet asks them all.
    const bool everybody = frame.type == FrameType::solicit &&
                           (frame.pan == no_pan || (former_pan_ && frame.pan == *former_pan_));
    const bool ours = !pan_ || frame.pan == *pan_ || everybody;
    if (broadcast && !ours && frame.type == FrameType::beacon)
        return received_elsewhere(*decoded, rssi_dbm, now);
    if ((!broadcast && frame.destination != address_) || !ours) return;
    if (!broadcast && address_ == broadcast_address) return;
    auto verdict = HopSecurity::Verdict::fresh;
    const bool check = frame.secured && security_.has_key();
    if (check) verdict = security_.verify(*decoded, now);
    if (verdict == HopSecurity::Verdict::not_authentic) {
        ++counters_.not_authentic;
        if (broadcast && frame.type == FrameType::beacon) listener_.rival_beacon(frame, rssi_dbm, now);
        return;
    }
    if (verdict == HopSecurity::Verdict::too_old) {
        ++counters_.replayed;
        if (frame.source == root_address) ++counters_.root_too_old;
        return;
    }
    if (verdict == HopSecurity::Verdict::repeated) {
        // Our ACK was lost, or somebody replays: say "taken" again, hand on nothing.
        ++counters_.replayed;
        if (frame.acknowledge_request && !broadcast) acknowledge(*decoded, Acceptance::taken, rssi_dbm);
        return;
    }
    ++counters_.received;
    const auto acceptance =
        listener_.received(Arrival{.frame = frame, .rssi_dbm = rssi_dbm, .verified = check}, now);
    if (check && acceptance == Acceptance::taken) security_.remember(frame, now);
    if (frame.acknowledge_request && !broadcast) acknowledge(*decoded, acceptance, rssi_dbm);
}

/// A beacon of another PAN.
void MediumAccess::received_elsewhere(const ReceivedFrame& received, std::int8_t rssi_dbm, Instant now) {
    const MacFrame& frame = received.frame;
    const bool fresh = frame.secured && security_.has_key() &&
                       security_.verify(received, now) == HopSecurity::Verdict::fresh;
    if (!fresh) return listener_.foreign_beacon(frame, rssi_dbm, now);
    if (listener_.own_beacon_elsewhere({.frame = frame, .rssi_dbm = rssi_dbm, .verified = true}, now))
        security_.remember(frame, now);
}

void MediumAccess::acknowledge(const ReceivedFrame& received, Acceptance acceptance, std::int8_t rssi_dbm) {
    if (sending_ack_ || !acknowledging_) return;
    AckFrame ack{.sequence = received.frame.sequence,
                 .rssi_dbm = rssi_dbm,
                 .acceptance = acceptance,
                 .hops = listener_.hops(),
                 .secured = received.frame.secured && security_.has_key(),
                 .mic = {}};
    ack.mic = security_.ack_mic(ack, received.frame, received.mic);
    sending_ack_ = true;
    transceiver_.transmit(encode(ack), turnaround());
}

void MediumAccess::received_ack(Bytes psdu, Instant now) {
    if (phase_ != Phase::wait_ack) return;
    const auto ack = decode_ack(psdu);
    Entry* entry = current();
    if (!ack || entry == nullptr || ack->sequence != entry->frame.sequence) return;
    if (ack->secured != entry->frame.secured ||
        !equal_constant_time(security_.ack_mic(*ack, entry->frame, entry->mic), ack->mic)) {
        ++counters_.not_authentic;
        return;
    }
    if (ack->acceptance == Acceptance::taken)
        return finish_current(TxOutcome::acknowledged, ack->rssi_dbm, now);
    if (ack->acceptance == Acceptance::loop) return finish_current(TxOutcome::refused, ack->rssi_dbm, now);
    if (++entry->busy >= busy_max) return finish_current(TxOutcome::queue_full, ack->rssi_dbm, now);
    --entry->tries;  // the link is good
    entry->not_before = now + scaled(80'000 + static_cast<std::int64_t>(chance() % 160'000));
    phase_ = Phase::idle;
}

}  // namespace wattmesh::mesh
