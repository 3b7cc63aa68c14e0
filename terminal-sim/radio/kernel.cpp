#include "terminal-sim/radio/kernel.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::sim {
namespace {
enum Stream : std::uint64_t { reception = 200, power_on_time };
constexpr Mdb lock_snr_mdb = 4'000, capture_mdb = 6'000, assessment_mdbm = -92'000;
constexpr Mdb ignored_below_noise_mdb = 3'000, fading_reserve_mdb = 9'000;
}  // namespace

bool Station::channel_busy() {
    if (transmitting || locked >= 0) return true;
    return mdbm_of(signals) >= assessment_mdbm;
}

void Station::transmit(Buffer psdu, Duration lead) {
    transmitting = true;
    locked = -1;  // half duplex
    const auto slot = kernel->reserve(*this, std::move(psdu));
    kernel->push(kernel->now + lead, RadioField::Kernel::What::begin, slot);
}

Instant Station::next_deadline() const { return node ? node->next_deadline() : module->next_deadline(); }
void Station::tick(Instant now) { node ? node->tick(now) : module->tick(now); }

RadioField::Kernel::Kernel(FieldSettings field_settings, const Layout& layout, std::vector<FieldMeter> meters,
                           const std::vector<DeviceNumber>& concentrators, Ciphers& cipher_port)
    : settings(field_settings),
      channel(layout, field_settings.seed, field_settings.rate),
      ciphers(cipher_port),
      meter_count(meters.size()),
      now(field_settings.start) {
    assert(meters.size() == layout.meters.size() && concentrators.size() == layout.concentrators.size());
    const auto add = [&](DeviceNumber number) -> Station& {
        auto station = std::make_unique<Station>();
        station->kernel = this;
        station->index = stations.size();
        station->number = number;
        station->random = std::make_unique<StationRandom>(settings.seed, stations.size());
        by_number.emplace(number, stations.size());
        stations.push_back(std::move(station));
        return *stations.back();
    };
    for (auto& meter : meters) {
        Station& station = add(meter.number);
        station.join_key = meter.join_key;
        station.state = std::move(meter.state);
    }
    for (const auto& number : concentrators) add(number);
    reach.resize(stations.size());
    for (std::size_t from = 0; from < stations.size(); ++from)
        for (std::size_t to = 0; to < stations.size(); ++to)
            if (from != to && channel.mean_mdbm(from, to) + fading_reserve_mdb >=
                                  channel.noise_mdbm(to, settings.start) - ignored_below_noise_mdb)
                reach[from].push_back(to);
    for (std::size_t i = 0; i < stations.size(); ++i) {
        const auto spread =
            static_cast<std::uint64_t>(std::max<std::int64_t>(settings.power_on_spread.count(), 1));
        const auto delay = static_cast<std::int64_t>(keyed(settings.seed, power_on_time, i) % spread);
        push(now + Duration{i < meter_count ? delay : 0}, What::power_on, i, stations[i]->generation);
    }
    const auto second = epoch_us(now) / 1'000'000;
    push(now, What::second, static_cast<std::size_t>(second));
}

void RadioField::Kernel::push(Instant at, What what, std::size_t index, std::uint64_t token) {
    events.push({at, ++orders, what, index, token});
}

bool RadioField::Kernel::run_until(Instant until) {
    host_called = false;
    while (!events.empty() && events.top().at <= until) {
        const Event event = events.top();
        events.pop();
        now = std::max(now, event.at);
        ++counters.events;
        handle(event);
        if (host_called) return false;
    }
    now = std::max(now, until);
    return true;
}

void RadioField::Kernel::handle(const Event& event) {
    switch (event.what) {
        case What::power_on:
            if (event.token == stations[event.index]->generation) power_on(*stations[event.index]);
            return;
        case What::timer: {
            Station& station = *stations[event.index];
            if (!station.alive || event.token != station.timer_token) return;
            station.timer_at = never;
            station.tick(now);
            pump(station);
            return;
        }
        case What::begin:
            return begin(event.index);
        case What::end:
            return end(event.index);
        case What::second:
            return look_for_burst(event.index);
        case What::burst_begin:
            return burst(event.index, true);
        case What::burst_end:
            return burst(event.index, false);
    }
}

void RadioField::Kernel::power_on(Station& station) {
    if (station.alive) return;
    station.alive = true;
    station.transmitting = false;
    station.locked = -1;
    if (station.index < meter_count) {
        mesh::NodeState state;
        if (!station.state.empty()) {
            if (auto decoded = mesh::decode_node_state(station.state)) state = *decoded;
        }
        station.node = std::make_unique<mesh::Node>(
            mesh::NodeSettings{.number = station.number, .join_key = station.join_key, .rate = settings.rate},
            state, ciphers, *station.random, station);
        station.node->start(now);
    } else {
        station.module = std::make_unique<RadioModule>(settings.rate, ciphers, *station.random, station);
        station.module->start(now);
    }
    pump(station);
}

void RadioField::Kernel::power_off(Station& station) {
    ++station.generation;  // also cancels a power-on that is still to come
    if (!station.alive) return;
    station.alive = false;
    station.node.reset();
    station.module.reset();
    station.timer_at = never;
    ++station.timer_token;
    station.locked = -1;
    station.transmitting = false;
}

/// After anything that touched a station: requests out, state kept, timer set.
void RadioField::Kernel::pump(Station& station) {
    if (station.node) {
        while (auto request = station.node->take_request()) {
            if (!station.application) continue;
            std::weak_ptr<Kernel> field = weak_from_this();
            station.application(std::move(request->payload), now,
                                [field, index = station.index, generation = station.generation,
                                 ticket = request->ticket](Buffer payload) {
                                    if (const auto kernel = field.lock())
                                        kernel->answer(index, generation, ticket, std::move(payload));
                                });
            if (!station.node) return;  // the application cut the power
        }
        if (station.node->state_dirty()) {
            station.state = mesh::encode(station.node->state());
            station.node->state_saved();
        }
    }
    if (station.module && station.module->output_new()) host_called = true;
    schedule(station);
}

void RadioField::Kernel::answer(std::size_t index, std::uint64_t generation, std::uint16_t ticket,
                                Buffer payload) {
    Station& station = *stations[index];
    if (!station.alive || station.generation != generation) return;
    station.node->answer(ticket, std::move(payload), now);
    schedule(station);
}

void RadioField::Kernel::schedule(Station& station) {
    if (!station.alive) return;
    Instant due = station.next_deadline();
    if (due == never) {
        station.timer_at = never;
        ++station.timer_token;
        return;
    }
    due = std::max(due, now + Duration{1});
    if (due == station.timer_at) return;
    station.timer_at = due;
    push(due, What::timer, station.index, ++station.timer_token);
}

Station* RadioField::Kernel::find(DeviceNumber number) {
    const auto found = by_number.find(number);
    return found == by_number.end() ? nullptr : stations[found->second].get();
}

std::size_t RadioField::Kernel::reserve(Station& station, Buffer psdu) {
    std::size_t slot = air.size();
    if (air_free.empty()) {
        air.emplace_back();
    } else {
        slot = air_free.back();
        air_free.pop_back();
    }
    Transmission& transmission = air[slot];
    transmission.from = station.index;
    transmission.generation = station.generation;
    transmission.psdu = std::move(psdu);
    transmission.heard.clear();
    transmission.busy = true;
    return slot;
}

void RadioField::Kernel::begin(std::size_t slot) {
    Transmission& transmission = air[slot];
    Station& from = *stations[transmission.from];
    if (!from.alive || from.generation != transmission.generation) {
        transmission.busy = false;
        air_free.push_back(slot);
        return;
    }
    transmission.begin = now;
    const auto length = mesh::airtime(transmission.psdu.size(), settings.rate);
    ++counters.frames_sent;
    ++counters.sent_by_type[transmission.psdu[0] & 0x0FU];
    counters.airtime_us += length.count();
    trace(static_cast<std::uint64_t>(epoch_us(now)), transmission.from << 16 | transmission.psdu.size());
    for (const auto to : reach[transmission.from]) {
        const Mdb mdbm = channel.now_mdbm(transmission.from, to, now);
        if (mdbm < channel.noise_mdbm(to, now) - ignored_below_noise_mdb) continue;
        transmission.heard.push_back({to, power_of(mdbm), mdbm});
        arrive(*stations[to], slot, transmission.heard.back());
    }
    push(now + length, What::end, slot);
}

void RadioField::Kernel::arrive(Station& station, std::size_t slot, const Heard& heard) {
    close_segment(station);
    station.signals += heard.power;
    if (!station.alive || station.transmitting) return;
    const auto preamble = mesh::airtime(0, settings.rate);
    if (station.locked >= 0) {
        const Transmission& held = air[static_cast<std::size_t>(station.locked)];
        if (now >= held.begin + preamble || heard.mdbm < station.locked_mdbm + capture_mdb) return;
    } else if (heard.mdbm < channel.noise_mdbm(station.index, now) + lock_snr_mdb) {
        return;
    }
    station.locked = static_cast<std::int64_t>(slot);
    station.locked_power = heard.power;
    station.locked_mdbm = heard.mdbm;
    station.segment_from = now + preamble;  // the preamble may suffer, the frame begins after it
    station.loss_q32 = 0;
}

void RadioField::Kernel::close_segment(Station& station) {
    if (station.locked < 0 || now <= station.segment_from) return;
    const Power disturbing =
        power_of(channel.noise_mdbm(station.index, now)) + station.signals - station.locked_power;
    const Mdb eb_n0 = station.locked_mdbm - mdbm_of(disturbing) + channel.processing_gain();
    const auto us = static_cast<std::uint64_t>((now - station.segment_from).count());
    const auto bits_q10 =
        us * static_cast<std::uint64_t>(mesh::bits_per_second(settings.rate)) * 1'024 / 1'000'000;
    station.loss_q32 += (bit_loss_q32(eb_n0) * bits_q10) >> 10;
    station.segment_from = now;
}

void RadioField::Kernel::end(std::size_t slot) {
    const std::size_t from_index = air[slot].from;
    std::vector<Heard> heard = std::move(air[slot].heard);
    const Buffer psdu = std::move(air[slot].psdu);
    const bool cut = !stations[from_index]->alive || stations[from_index]->generation != air[slot].generation;
    const auto began = static_cast<std::uint64_t>(epoch_us(air[slot].begin));
    std::vector<std::pair<std::size_t, std::int8_t>> intact;
    for (const auto& one : heard) {
        Station& station = *stations[one.to];
        close_segment(station);
        station.signals -= one.power;
        if (station.locked != static_cast<std::int64_t>(slot)) continue;
        station.locked = -1;
        const auto link = from_index << 32 | one.to;
        const auto draw = keyed(settings.seed, reception, link, began) & 0xFFFF;
        const bool success = !cut && draw < success_q16(station.loss_q32);
        trace(one.to, success);
        ++(success ? counters.frames_delivered : counters.frames_lost);
        if (success)
            intact.emplace_back(one.to, static_cast<std::int8_t>(std::clamp(one.mdbm / 1'000, -127, -1)));
    }
    heard.clear();
    air[slot].heard = std::move(heard);
    air[slot].busy = false;
    air_free.push_back(slot);
    Station& from = *stations[from_index];
    if (!cut) {
        from.transmitting = false;
        from.node ? from.node->transmitted(now) : from.module->transmitted(now);
        pump(from);
    }
    for (const auto& [to, rssi] : intact) {
        Station& station = *stations[to];
        if (!station.alive) continue;
        station.node ? station.node->received_psdu(psdu, rssi, now)
                     : station.module->received_psdu(psdu, rssi, now);
        pump(station);
    }
}

void RadioField::Kernel::look_for_burst(std::size_t second) {
    const auto found = channel.burst(static_cast<std::int64_t>(second));
    if (found.present && found.begin >= now) push(found.begin, What::burst_begin, second);
    push(from_epoch_us((static_cast<std::int64_t>(second) + 1) * 1'000'000), What::second, second + 1);
}

void RadioField::Kernel::burst(std::size_t second, bool on) {
    const auto found = channel.burst(static_cast<std::int64_t>(second));
    if (on) push(found.begin + Channel::burst_length, What::burst_end, second);
    for (std::size_t i = 0; i < stations.size(); ++i) {
        const auto& place = channel.place(i);
        const std::int64_t dx = place.x_cm - found.x_cm, dy = place.y_cm - found.y_cm;
        if (dx * dx + dy * dy > std::int64_t{Channel::burst_radius_cm} * Channel::burst_radius_cm) continue;
        close_segment(*stations[i]);
        const Power power = power_of(Channel::burst_mdbm);
        stations[i]->signals += on ? power : Power{0} - power;
    }
}

}  // namespace wattmesh::sim
