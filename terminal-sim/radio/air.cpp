#include "terminal-sim/radio/air.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t { reception = 200 };
constexpr Mdb lock_snr_mdb = 4'000, capture_mdb = 6'000, assessment_mdbm = -92'000;
constexpr Mdb ignored_below_noise_mdb = 3'000, fading_reserve_mdb = 9'000;
constexpr Power adjacent_divisor = 1'000;  // -30 dB
static_assert(Channel::adjacent_mdb == -30'000);

}  // namespace

Air::Air(const Channel& channel, std::uint64_t seed, mesh::PhyRate rate, Instant start)
    : channel_(channel), seed_(seed), rate_(rate), receivers_(channel.size()), reach_(channel.size()) {
    for (std::size_t from = 0; from < channel.size(); ++from)
        for (std::size_t to = 0; to < channel.size(); ++to)
            if (from != to && channel.mean_mdbm(from, to) + fading_reserve_mdb >=
                                  channel.noise_mdbm(to, start) - ignored_below_noise_mdb)
                reach_[from].push_back(channel.link(from, to));
}

void Air::power(std::size_t node, bool on) {
    receivers_[node].on = on;
    receivers_[node].sending = false;
    receivers_[node].locked = -1;
}

Power Air::leaking(Power power, int sent_on, int heard_on) {
    if (sent_on == heard_on) return power;
    return sent_on - heard_on == 1 || heard_on - sent_on == 1 ? power / adjacent_divisor : 0;
}

void Air::tune(std::size_t node, int channel, Instant) {
    assert(channel >= 0 && channel < Channel::channels);
    Receiver& receiver = receivers_[node];
    receiver.channel = channel;
    receiver.locked = -1;
    receiver.signals = 0;
    for (const auto& transmission : transmissions_) {
        if (!transmission.on_air) continue;
        for (const auto& heard : transmission.heard)
            if (heard.to == node) receiver.signals += leaking(heard.power, transmission.channel, channel);
    }
    for (const auto& live : jams_)
        if (std::find(live.near.begin(), live.near.end(), node) != live.near.end())
            receiver.signals += leaking(power_of(live.jam.mdbm), live.jam.channel, channel);
}

bool Air::busy(std::size_t node) const {
    const Receiver& receiver = receivers_[node];
    return receiver.sending || receiver.locked >= 0 || mdbm_of(receiver.signals) >= assessment_mdbm;
}

std::size_t Air::begin(std::size_t from, std::size_t psdu_size, Instant now) {
    std::size_t slot = transmissions_.size();
    if (free_.empty()) {
        transmissions_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    Transmission& transmission = transmissions_[slot];
    transmission.from = from;
    transmission.psdu_size = psdu_size;
    transmission.channel = receivers_[from].channel;
    transmission.begin = now;
    transmission.heard.clear();
    transmission.on_air = true;
    const bool evening = Channel::evening(now);
    for (auto& link : reach_[from]) {
        const Mdb floor = channel_.noise_mdbm(link.to, evening) - ignored_below_noise_mdb;
        const auto mdbm = channel_.now_mdbm(link, transmission.channel, now, floor);
        if (!mdbm) continue;
        transmission.heard.push_back({link.to, power_of(*mdbm), *mdbm});
        arrive(slot, transmission.heard.back(), now);
    }
    return slot;
}

void Air::arrive(std::size_t slot, const Heard& heard, Instant now) {
    Receiver& receiver = receivers_[heard.to];
    const Transmission& transmission = transmissions_[slot];
    close_segment(heard.to, now);
    receiver.signals += leaking(heard.power, transmission.channel, receiver.channel);
    if (!receiver.on || receiver.sending || transmission.channel != receiver.channel) return;
    const auto preamble = mesh::airtime(0, rate_);
    if (receiver.locked >= 0) {
        const Transmission& held = transmissions_[static_cast<std::size_t>(receiver.locked)];
        if (now >= held.begin + preamble || heard.mdbm < receiver.locked_mdbm + capture_mdb) return;
    } else if (heard.mdbm < channel_.noise_mdbm(heard.to, now) + lock_snr_mdb) {
        return;
    }
    receiver.locked = static_cast<std::int64_t>(slot);
    receiver.locked_power = heard.power;
    receiver.locked_mdbm = heard.mdbm;
    receiver.segment_from = now + preamble;  // the preamble may suffer, the frame begins after it
    receiver.loss_q32 = 0;
}

/// Adds up what the stretch of constant interference that ends now cost the frame being received.
void Air::close_segment(std::size_t node, Instant now) {
    Receiver& receiver = receivers_[node];
    if (receiver.locked < 0 || now <= receiver.segment_from) return;
    const Power disturbing =
        channel_.noise_power(node, Channel::evening(now)) + receiver.signals - receiver.locked_power;
    const Mdb eb_n0 = receiver.locked_mdbm - mdbm_of(disturbing) + channel_.processing_gain();
    const auto us = static_cast<std::uint64_t>((now - receiver.segment_from).count());
    const auto bits_q10 = us * static_cast<std::uint64_t>(mesh::bits_per_second(rate_)) * 1'024 / 1'000'000;
    receiver.loss_q32 += (bit_loss_q32(eb_n0) * bits_q10) >> 10;
    receiver.segment_from = now;
}

const std::vector<Air::Reception>& Air::end(std::size_t slot, bool cut, Instant now) {
    Transmission& transmission = transmissions_[slot];
    const auto began = static_cast<std::uint64_t>(epoch_us(transmission.begin));
    ended_.clear();
    for (const auto& one : transmission.heard) {
        Receiver& receiver = receivers_[one.to];
        close_segment(one.to, now);
        receiver.signals -= leaking(one.power, transmission.channel, receiver.channel);
        if (receiver.locked != static_cast<std::int64_t>(slot)) continue;
        receiver.locked = -1;
        const auto link = std::uint64_t{transmission.from} << 32 | one.to;
        const auto draw = keyed(seed_, reception, link, began) & 0xFFFF;
        ended_.push_back({one.to, static_cast<std::int8_t>(std::clamp(one.mdbm / 1'000, -127, -1)),
                          !cut && draw < success_q16(receiver.loss_q32)});
    }
    transmission.on_air = false;
    free_.push_back(slot);
    return ended_;
}

void Air::burst(const Channel::Burst& burst, bool on, Instant now) {
    jam({burst.channel, Channel::burst_mdbm, burst.x_cm, burst.y_cm, Channel::burst_radius_cm}, on, now);
}

void Air::jam(const Jam& jam, bool on, Instant now) {
    const Power power = power_of(jam.mdbm);
    const auto change = [&](const LiveJam& live) {
        for (const auto node : live.near) {
            close_segment(node, now);
            const Power share = leaking(power, jam.channel, receivers_[node].channel);
            receivers_[node].signals += on ? share : Power{0} - share;
        }
    };
    if (!on) {
        const auto live =
            std::find_if(jams_.begin(), jams_.end(), [&](const LiveJam& one) { return one.jam == jam; });
        assert(live != jams_.end());
        change(*live);
        jams_.erase(live);
        return;
    }
    LiveJam live{jam, {}};
    const std::int64_t radius = jam.radius_cm;
    for (std::size_t i = 0; i < receivers_.size(); ++i) {
        const auto& place = channel_.place(i);
        const std::int64_t dx = place.x_cm - jam.x_cm, dy = place.y_cm - jam.y_cm;
        if (dx * dx + dy * dy <= radius * radius) live.near.push_back(i);
    }
    change(live);
    jams_.push_back(std::move(live));
}

}  // namespace wattmesh::sim
