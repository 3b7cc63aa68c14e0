#include "terminal-sim/field/wire.h"

#include <algorithm>
#include <stdexcept>

namespace wattmesh::sim {
namespace {
constexpr std::int64_t bits_per_octet = 10;

link::HdlcLink::Config secondary(std::uint16_t address) {
    link::HdlcLink::Config config;
    config.role = link::HdlcLink::Role::server;
    config.own = {.upper = management_logical_device.value, .lower = address};
    config.apdu_size_max = 1'024;
    return config;
}
}  // namespace

Wire::Wire(const Settings& settings, std::function<void(Bytes, Instant)> heard)
    : settings_(settings), heard_(std::move(heard)) {}

void Wire::plug(std::size_t meter, std::shared_ptr<dlms::Server> server) {
    // What an installer does: the meter's own address, or the next one that is free on this bus.
    const auto count = static_cast<std::size_t>(address_last - address_first + 1);
    for (std::size_t i = 0; i < count; ++i) {
        const auto address = static_cast<std::uint16_t>(address_first + (meter + i) % count);
        if (!meters_.contains(address)) return plug_at(address, meter, std::move(server));
    }
    throw std::runtime_error("every address of this wire is taken");
}

void Wire::plug_at(std::uint16_t address, std::size_t meter, std::shared_ptr<dlms::Server> server) {
    unplug(meter);
    meters_.erase(address);
    meters_.emplace(address, Meter{.index = meter,
                                   .server = std::move(server),
                                   .link = link::HdlcLink{secondary(address)},
                                   .established = 0,
                                   .client = {},
                                   .mute = false});
}

bool Wire::unplug(std::size_t meter) {
    return std::erase_if(meters_, [&](const auto& row) { return row.second.index == meter; }) > 0;
}

bool Wire::holds(std::size_t meter) const {
    return std::any_of(meters_.begin(), meters_.end(),
                       [&](const auto& row) { return row.second.index == meter; });
}

void Wire::mute(std::size_t meter, bool on) {
    for (auto& [address, there] : meters_)
        if (there.index == meter) there.mute = on;
}

std::vector<std::size_t> Wire::meters() const {
    std::vector<std::size_t> found;
    for (const auto& [address, meter] : meters_) found.push_back(meter.index);
    return found;
}

void Wire::send(Buffer octets, Instant now) { say(0, std::move(octets), now); }

void Wire::say(std::uint16_t from, Buffer octets, Instant begin_at) {
    const auto us = static_cast<std::int64_t>(octets.size()) * bits_per_octet * 1'000'000 / settings_.baud;
    turns_.push_back({from, std::move(octets), begin_at, begin_at + Duration{us}});
}

Instant Wire::next_event() const {
    Instant next = never;
    for (const auto& turn : turns_) next = std::min(next, turn.begun ? turn.end : turn.begin);
    return next;
}

/// Nobody listens before speaking: on RS-485 the order of question and answer keeps the line free.
void Wire::begin(Turn& turn) {
    turn.begun = true;
    ++counters_.turns;
    counters_.octets += turn.octets.size();
    for (auto& other : turns_) {
        if (&other == &turn || !other.begun || other.end <= turn.begin) continue;
        other.damaged = turn.damaged = true;
        ++counters_.collisions;
    }
}

void Wire::step(Instant now) {
    for (auto& turn : turns_)
        if (!turn.begun && turn.begin <= now) begin(turn);
    while (true) {
        const auto over = std::find_if(turns_.begin(), turns_.end(),
                                       [&](const Turn& turn) { return turn.begun && turn.end <= now; });
        if (over == turns_.end()) return;
        const Turn turn = std::move(*over);
        turns_.erase(over);
        deliver(turn);
    }
}

void Wire::deliver(const Turn& turn) {
    Buffer octets = turn.octets;
    if (turn.damaged)
        for (auto& octet : octets) octet = static_cast<std::uint8_t>(octet ^ 0x55);
    if (turn.from != 0) return heard_(octets, turn.end);
    for (auto& [address, meter] : meters_)
        if (!meter.mute) ask(address, meter, octets, turn.end);
}

void Wire::ask(std::uint16_t address, Meter& meter, Bytes octets, Instant now) {
    using State = link::HdlcLink::State;
    const bool was_open = meter.link.state() == State::open;
    meter.link.feed(octets);
    const bool open = meter.link.state() == State::open;
    if (was_open && (!open || meter.link.established() != meter.established))
        meter.server->disconnect(meter.client);
    meter.established = meter.link.established();
    meter.client = Sap{meter.link.peer().upper};
    while (const auto apdu = meter.link.take_apdu()) {
        bool answered = false;
        meter.server->handle(meter.client, *apdu, now, [&](Buffer answer) {
            answered = true;
            meter.link.send_apdu(answer);
        });
        if (!answered) meter.link.poll();  // simulated meters answer at once or never
    }
    Buffer out;
    while (const auto frame = meter.link.take_output()) out.insert(out.end(), frame->begin(), frame->end());
    if (!out.empty()) say(address, std::move(out), now + settings_.turnaround);
}

}  // namespace wattmesh::sim
