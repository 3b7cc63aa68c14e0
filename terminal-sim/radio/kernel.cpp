#include "terminal-sim/radio/kernel.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::sim {
namespace {
enum Stream : std::uint64_t { power_on_time = 201, clock_drift };
constexpr std::int64_t drift_max_ppb = 20'000;
}  // namespace

Station::Station(RadioField::Kernel& field, std::size_t number_in_field, DeviceNumber device)
    : kernel(field),
      index(number_in_field),
      number(device),
      random(field.settings.seed, number_in_field),
      ledger(field.settings.duty, number_in_field >= field.meter_count) {
    const auto draw = keyed(field.settings.seed, clock_drift, index) % (2 * drift_max_ppb + 1);
    clock = {field.settings.start, static_cast<std::int64_t>(draw) - drift_max_ppb};
}

bool Station::channel_busy() {
    if (kernel.air.busy(index)) return true;
    const bool may = ledger.allows(mesh::airtime(mesh::psdu_size_max, kernel.settings.rate), kernel.now);
    kernel.counters.duty_waits += may ? 0 : 1;
    return !may;
}

void Station::transmit(Buffer psdu, Duration lead) { kernel.send(*this, std::move(psdu), lead); }

Instant Station::next_deadline() const {
    if (program) return clock.when(program->next_deadline());
    return clock.when(node ? node->next_deadline() : module->next_deadline());
}
void Station::start(Instant now) {
    const Instant local = clock.at(now);
    if (program) return program->start(local);
    node ? node->start(local) : module->start(local);
}
void Station::tick(Instant now) {
    const Instant local = clock.at(now);
    if (program) return program->tick(local);
    node ? node->tick(local) : module->tick(local);
}
bool Station::received(Bytes psdu, std::int8_t rssi_dbm, Instant now) {
    const Instant local = clock.at(now);
    if (program) return program->received(psdu, rssi_dbm, local);
    return node ? node->received_psdu(psdu, rssi_dbm, local) : module->received_psdu(psdu, rssi_dbm, local);
}
void Station::transmitted(Instant now) {
    const Instant local = clock.at(now);
    if (program) return program->transmitted(local);
    node ? node->transmitted(local) : module->transmitted(local);
}

RadioField::Kernel::Kernel(FieldSettings field_settings, const Layout& layout, std::vector<FieldMeter> meters,
                           const std::vector<DeviceNumber>& concentrators, Ciphers& cipher_port)
    : settings(field_settings),
      channel(layout, field_settings.seed, field_settings.rate, field_settings.still),
      ciphers(cipher_port),
      meter_count(meters.size()),
      air(channel, field_settings.seed, field_settings.rate, field_settings.start),
      now(field_settings.start) {
    assert(meters.size() == layout.meters.size() && concentrators.size() == layout.concentrators.size());
    const auto add = [&](DeviceNumber number) -> Station& {
        by_number.emplace(number, stations.size());
        stations.push_back(std::make_unique<Station>(*this, stations.size(), number));
        return *stations.back();
    };
    for (auto& meter : meters) {
        Station& station = add(meter.number);
        station.join_key = meter.join_key;
        station.state = std::move(meter.state);
    }
    for (const auto& number : concentrators) add(number);
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
        case What::spent: {
            Station& station = *stations[event.index];
            if (event.token == station.generation && station.node && station.node->gasping())
                power_off(station);
            return;
        }
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
            return look_for_bursts(event.index);
        case What::burst_begin:
            return burst(event.index, event.token, true);
        case What::burst_end:
            return burst(event.index, event.token, false);
    }
}

void RadioField::Kernel::power_on(Station& station) {
    if (station.alive) {
        if (station.node) station.node->power_restored(station.clock.at(now));
        return schedule(station);
    }
    station.alive = true;
    air.power(station.index, true);
    if (station.make_program) {
        station.program = station.make_program(station, station.random);
    } else if (station.index < meter_count) {
        mesh::NodeState state;
        if (!station.state.empty()) {
            if (auto decoded = mesh::decode_node_state(station.state)) state = *decoded;
        }
        station.node = std::make_unique<mesh::Node>(
            mesh::NodeSettings{.number = station.number, .join_key = station.join_key, .rate = settings.rate},
            state, ciphers, station.random, station);
        station.node->set_image_flash(station.image_flash);
    } else {
        station.module = std::make_unique<RadioModule>(settings.rate, ciphers, station.random, station);
    }
    station.start(now);
    pump(station);
}

void RadioField::Kernel::power_off(Station& station) {
    ++station.generation;  // also cancels a power-on that is still to come
    if (!station.alive) return;
    station.alive = false;
    station.node.reset();
    station.module.reset();
    station.program.reset();
    station.timer_at = never;
    ++station.timer_token;
    air.power(station.index, false);
}

/// A meter lives on its capacitor for a while; a module has none.
void RadioField::Kernel::power_fails(Station& station) {
    if (!station.node || !station.node->joined()) return power_off(station);
    station.node->power_lost(station.clock.at(now));
    push(now + mesh::LastGasp::lasts, What::spent, station.index, station.generation);
    pump(station);
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
    if (station.program && station.program->output_new()) host_called = true;
    schedule(station);
}

void RadioField::Kernel::answer(std::size_t index, std::uint64_t generation, std::uint16_t ticket,
                                Buffer payload) {
    Station& station = *stations[index];
    if (!station.alive || station.generation != generation || !station.node) return;
    station.node->answer(ticket, std::move(payload), station.clock.at(now));
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

void RadioField::Kernel::send(Station& station, Buffer psdu, Duration lead, bool foreign) {
    air.start_sending(station.index);
    std::size_t slot = sendings.size();
    if (sendings_free.empty()) {
        sendings.emplace_back();
    } else {
        slot = sendings_free.back();
        sendings_free.pop_back();
    }
    sendings[slot] = {station.index, station.generation, std::move(psdu), 0, foreign};
    push(now + lead, What::begin, slot);
}

void RadioField::Kernel::begin(std::size_t slot) {
    Sending& sending = sendings[slot];
    Station& from = *stations[sending.from];
    if (!sending.foreign && (!from.alive || from.generation != sending.generation)) {
        sendings_free.push_back(slot);
        return;
    }
    const auto length = mesh::airtime(sending.psdu.size(), settings.rate);
    const auto type = mesh::type_index(sending.psdu);
    ++counters.frames_sent;
    ++counters.sent_by_type[type];
    counters.airtime_us += length.count();
    counters.airtime_us_by_type[type] += length.count();
    from.ledger.sent(length, now);
    trace(static_cast<std::uint64_t>(epoch_us(now)), sending.from << 16 | sending.psdu.size());
    if (observer) observer(sending.from, sending.psdu, now);
    sending.transmission = air.begin(sending.from, sending.psdu.size(), now);
    push(now + length, What::end, slot);
}

void RadioField::Kernel::end(std::size_t slot) {
    const Sending sending = std::move(sendings[slot]);
    sendings_free.push_back(slot);
    Station& from = *stations[sending.from];
    const bool cut = !sending.foreign && (!from.alive || from.generation != sending.generation);
    intact.clear();
    for (const auto& reception : air.end(sending.transmission, cut, now)) {
        trace(reception.node, reception.intact);
        ++(reception.intact ? counters.frames_delivered : counters.frames_lost);
        if (reception.intact) intact.push_back(reception);
    }
    if (sending.foreign) {
        air.stop_sending(sending.from);
    } else if (!cut) {
        air.stop_sending(sending.from);
        from.transmitted(now);
        pump(from);
    }
    for (const auto& reception : intact) {
        Station& station = *stations[reception.node];
        if (!station.alive) continue;
        if (station.received(sending.psdu, reception.rssi_dbm, now)) pump(station);
    }
}

void RadioField::Kernel::look_for_bursts(std::size_t second) {
    const auto found = channel.bursts(static_cast<std::int64_t>(second));
    for (std::size_t i = 0; i < found.size(); ++i)
        if (found[i].begin >= now) push(found[i].begin, What::burst_begin, second, i);
    push(from_epoch_us((static_cast<std::int64_t>(second) + 1) * 1'000'000), What::second, second + 1);
}

void RadioField::Kernel::burst(std::size_t second, std::size_t which, bool on) {
    const auto found = channel.bursts(static_cast<std::int64_t>(second)).at(which);
    if (on) push(now + Channel::burst_length, What::burst_end, second, which);
    air.burst(found, on, now);
}

}  // namespace wattmesh::sim
