#include "terminal-sim/field/field.h"

/// Collectors, who hangs on their wires, and how time passes on both media.
namespace wattmesh::sim {

std::optional<std::size_t> Field::collector_index(const DeviceNumber& number) const {
    for (std::size_t i = 0; i < town_.collectors.size(); ++i)
        if (town_.collectors[i].number == number) return i;
    return std::nullopt;
}

void Field::connect_collector(std::size_t index) {
    radio_->set_application(town_.collectors[index].number,
                            [this, index](Bytes payload, Instant now, RadioField::Reply reply) {
                                collectors_[index]->request(payload, now, std::move(reply));
                            });
    collectors_[index]->power_on(radio_->now());
}

/// As the town was built, or as it was left.
void Field::wire_up(const std::optional<FieldState>& state) {
    for (std::size_t i = 0; i < town_.meters.size(); ++i) {
        std::optional<std::size_t> box;
        const auto number = town_.meters[i].number;
        const bool left = state && !state->collectors.empty();
        if (!left && town_.meters[i].collector) box = collector_index(*town_.meters[i].collector);
        if (left)
            for (const auto& [collector, kept] : state->collectors)
                if (std::find(kept.meters.begin(), kept.meters.end(), number) != kept.meters.end())
                    box = collector_index(collector);
        if (!box) continue;
        radio_->kill(number);
        collectors_[*box]->wire().plug(i, servers_[i]);
    }
}

Instant Field::next_event() const {
    Instant next = radio_->next_event();
    for (const auto& box : collectors_) next = std::min(next, box->next_event());
    return next;
}

void Field::run_until(Instant now) {
    for (;;) {
        Instant next = now;
        // A frame may set the wire to work: one event of the radio after the other.
        if (!collectors_.empty()) next = std::min(next, next_event());
        next = std::max(next, radio_->now());
        radio_->run_until(next);
        for (std::size_t i = 0; i < collectors_.size(); ++i) {
            auto& box = *collectors_[i];
            if (box.next_event() <= next) box.step(next);
            while (auto notice = box.take_notice())
                radio_->notify(town_.collectors[i].number, std::move(*notice));
        }
        if (next >= now) break;
    }
    population_->advance(now);
    if (deeds_done() != deeds_saved_) save();
}

std::optional<DeviceNumber> Field::collector_of(const DeviceNumber& meter) const {
    const auto index = population_->find(meter);
    for (std::size_t i = 0; index && i < collectors_.size(); ++i)
        if (collectors_[i]->wire().holds(*index)) return town_.collectors[i].number;
    return std::nullopt;
}

bool Field::unplug(const DeviceNumber& meter) {
    const auto index = population_->find(meter);
    if (!index) return false;
    for (auto& box : collectors_) box->wire().unplug(*index);
    radio_->kill(meter);
    return true;
}

bool Field::move(const DeviceNumber& meter, const std::optional<DeviceNumber>& collector) {
    const auto index = population_->find(meter);
    const auto box = collector ? collector_index(*collector) : std::nullopt;
    if (!index || (collector && !box)) return false;
    if (box && town_.collectors[*box].concentrator != town_.meters[*index].concentrator) return false;
    constexpr std::size_t addresses = Wire::address_last - Wire::address_first + 1;
    if (box && collectors_[*box]->wire().meters().size() >= addresses) return false;
    unplug(meter);
    dark_.erase(meter);
    if (box)
        collectors_[*box]->wire().plug(*index, servers_[*index]);
    else
        radio_->revive(meter);
    save();
    return true;
}

bool Field::kill(const DeviceNumber& device) {
    if (const auto box = collector_index(device)) collectors_[*box]->power_off();
    if (collector_of(device)) {
        for (auto& box : collectors_) box->wire().mute(*population_->find(device), true);
        dark_.insert(device);
        return true;
    }
    return radio_->kill(device);
}

/// Those whose mains fail together.
std::vector<DeviceNumber> Field::fed_with(const DeviceNumber& device) const {
    const auto& concentrators = town_.concentrators;
    if (std::find(concentrators.begin(), concentrators.end(), device) == concentrators.end()) return {device};
    std::vector<DeviceNumber> fed;
    for (const auto& meter : town_.meters)
        if (meter.concentrator == device && powered(meter.number)) fed.push_back(meter.number);
    for (const auto& collector : town_.collectors)
        if (collector.concentrator == device && radio_->alive(collector.number))
            fed.push_back(collector.number);
    return fed;
}

bool Field::darken(const DeviceNumber& device) {
    const auto fed = fed_with(device);
    for (const auto& number : fed) {
        if (const auto box = collector_index(number)) collectors_[*box]->power_off();
        if (collector_of(number))
            kill(number);
        else if (!radio_->darken(number))
            return false;
    }
    dark_with_[device].insert(fed.begin(), fed.end());
    return true;
}

bool Field::revive(const DeviceNumber& device) {
    if (const auto dark = dark_with_.extract(device))
        for (const auto& number : dark.mapped())
            if (number != device) revive(number);
    if (const auto box = collector_index(device)) collectors_[*box]->power_on(radio_->now());
    if (collector_of(device)) {
        for (auto& box : collectors_) box->wire().mute(*population_->find(device), false);
        dark_.erase(device);
        return true;
    }
    return radio_->revive(device);
}

bool Field::powered(const DeviceNumber& meter) const {
    return collector_of(meter) ? !dark_.contains(meter) : radio_->alive(meter);
}

Field::Status Field::status() const {
    Status status;
    status.meters = town_.meters.size();
    const auto hops = radio_->oracle_hops();
    for (std::size_t i = 0; i < town_.meters.size(); ++i) {
        const auto& meter = town_.meters[i];
        const bool wired = collector_of(meter.number).has_value();
        const bool alive = powered(meter.number);
        status.alive += alive ? 1 : 0;
        status.joined += alive && !wired && radio_->joined(meter.number) ? 1 : 0;
        status.wired += wired ? 1 : 0;
        if (!alive) status.dead.push_back(meter.number);
        if (wired) continue;
        status.unreachable += hops[i] == 0 ? 1 : 0;
        status.hops_max = std::max(status.hops_max, hops[i]);
    }
    for (const auto& collector : town_.collectors)
        if (!radio_->alive(collector.number)) status.dead.push_back(collector.number);
    for (const auto& concentrator : town_.concentrators)
        if (!radio_->alive(concentrator)) status.dead.push_back(concentrator);
    status.radio = radio_->counters();
    return status;
}

}  // namespace wattmesh::sim
