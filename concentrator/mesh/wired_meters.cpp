#include "concentrator/mesh/wired_meters.h"

#include <algorithm>
#include <utility>

namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
constexpr Duration fetch_every = 10min, fetch_again = 20s, fetch_gap = 2s, distrust = 1h, dispute_span = 1h;
constexpr int moves_max = 4, failures_max = 2, restarts_max = 3;
/// Age is told in whole seconds and travels for some.
constexpr Duration newer_by = 5s;
}  // namespace

void WiredMeters::set_collectors(std::vector<DeviceNumber> collectors) {
    std::erase_if(collectors_, [&](const auto& row) {
        return std::find(collectors.begin(), collectors.end(), row.first) == collectors.end();
    });
    for (const auto& number : collectors) collectors_.try_emplace(number);
}

WiredPlace* WiredMeters::place(DeviceNumber meter) {
    const auto found = places_.find(meter);
    return found == places_.end() ? nullptr : &found->second;
}

bool WiredMeters::store(DeviceNumber collector, std::uint8_t first, const collector::TablePage& page,
                        Instant now) {
    const auto found = collectors_.find(collector);
    if (found == collectors_.end()) return false;
    Table& table = found->second;
    table.fetching = false;
    if (first == 1) {
        table.incoming.clear();
        table.incoming_generation = page.generation;
    } else if (page.generation != table.incoming_generation || first != table.next) {
        table.next = 1;  // changed while we were reading it
        table.fetch_at = ++table.restarts > restarts_max ? now + fetch_again : now;
        if (table.restarts > restarts_max) table.restarts = 0;
        return false;
    }
    for (const auto& row : page.rows) {
        const bool heard = row.silent_s != collector::TablePage::unheard;
        table.incoming[row.meter] = {row.sub, heard ? now - std::chrono::seconds{row.silent_s} : Instant{}};
    }
    if (page.next > first) {
        table.next = page.next;
        table.fetch_at = now;
        return false;
    }
    table.known = true;
    table.generation = page.generation;
    table.refused = page.refused;
    table.rows = std::exchange(table.incoming, {});
    table.next = 1;
    table.restarts = 0;
    table.fetch_at = now + fetch_every;
    table.fetched = now;
    return true;
}

void WiredMeters::drop_missing(std::vector<Change>& changes) {
    std::erase_if(places_, [&](const auto& entry) {
        const auto& [meter, place] = entry;
        const auto table = collectors_.find(place.collector);
        const bool there = table != collectors_.end() && table->second.rows.contains(meter) &&
                           table->second.rows.at(meter).sub == place.sub;
        if (!there) changes.push_back({Change::Kind::left, meter});
        return !there;
    });
}

std::vector<WiredMeters::Claim> WiredMeters::claims() const {
    std::vector<Claim> all;
    for (const auto& [number, table] : collectors_)
        for (const auto& [meter, row] : table.rows) all.push_back({meter, number, row});
    return all;
}

void WiredMeters::judge(const Claim& claim, const Radio& radio, Instant now, std::vector<Change>& changes) {
    if (is_collector(claim.meter)) return;  // collectors do not hang on wires
    if (!radio.listed) {
        places_.erase(claim.meter);
        changes.push_back({Change::Kind::unknown, claim.meter});
        return;
    }
    WiredPlace* place = this->place(claim.meter);
    if (place != nullptr && place->collector == claim.collector) {
        place->heard = std::max(place->heard, claim.row.heard);
        return;
    }
    if (claim.row.heard == Instant{}) return;
    const Instant proved = place != nullptr ? place->heard : radio.joined ? radio.proved : Instant{};
    if (claim.row.heard < proved + (proved == Instant{} ? Duration{0} : Duration{newer_by})) return;
    Dispute& dispute = disputes_[claim.meter];
    if (const auto until = dispute.distrusted.find(claim.collector); until != dispute.distrusted.end()) {
        if (now < until->second) return;
        dispute.distrusted.erase(until);
    }
    if (now < dispute.frozen_until && place != nullptr) return;
    if (now - dispute.since > dispute_span) dispute.moves = 0;
    if (dispute.moves == 0) dispute.since = now;
    if (place != nullptr && ++dispute.moves > moves_max) {
        dispute.moves = 0;
        dispute.frozen_until = now + dispute_span;
        changes.push_back({Change::Kind::contested, claim.meter});
        return;
    }
    places_[claim.meter] = {.collector = claim.collector, .sub = claim.row.sub, .heard = claim.row.heard};
    changes.push_back({Change::Kind::arrived, claim.meter});
}

bool WiredMeters::seen_on_radio(DeviceNumber meter, Instant now) {
    const WiredPlace* place = this->place(meter);
    if (place == nullptr || place->heard > now) return false;
    places_.erase(meter);
    return true;
}

bool WiredMeters::forgive(DeviceNumber meter) {
    const auto found = disputes_.find(meter);
    if (found == disputes_.end() || found->second.distrusted.empty()) return false;
    found->second.distrusted.clear();
    return true;
}

void WiredMeters::answered(DeviceNumber meter, Instant now) {
    WiredPlace* place = this->place(meter);
    if (place == nullptr) return;
    place->heard = std::max(place->heard, now);
    place->failures = 0;
}

bool WiredMeters::failed(DeviceNumber meter, const Radio& radio, Instant now) {
    WiredPlace* place = this->place(meter);
    if (place == nullptr) return false;
    ++place->failures;
    fetch_now(place->collector, now);
    const auto& here = place->collector;
    const bool elsewhere = std::any_of(collectors_.begin(), collectors_.end(), [&](const auto& row) {
        const auto claim = row.second.rows.find(meter);
        return row.first != here && claim != row.second.rows.end() && claim->second.heard != Instant{};
    });
    if (place->failures < failures_max || (!radio.joined && !elsewhere)) return false;
    disputes_[meter].distrusted[place->collector] = now + distrust;
    places_.erase(meter);
    return true;
}

void WiredMeters::generation_told(DeviceNumber collector, std::uint16_t generation, Instant now) {
    const auto found = collectors_.find(collector);
    if (found == collectors_.end()) return;
    if (!found->second.known || found->second.generation != generation) fetch_now(collector, now);
}

void WiredMeters::collector_heard(DeviceNumber collector, Instant now) {
    const auto found = collectors_.find(collector);
    if (found == collectors_.end() || found->second.known || found->second.fetching) return;
    if (found->second.fetch_at == never) found->second.fetch_at = now;
}

void WiredMeters::fetch_now(DeviceNumber collector, Instant now) {
    const auto found = collectors_.find(collector);
    if (found == collectors_.end()) return;
    Table& table = found->second;
    // However often it says that something is new.
    table.fetch_at = std::min(table.fetch_at, std::max(now, table.fetched + fetch_gap));
}

void WiredMeters::fetch_failed(DeviceNumber collector, Instant now) {
    const auto found = collectors_.find(collector);
    if (found == collectors_.end()) return;
    found->second.fetching = false;
    found->second.next = 1;
    found->second.fetch_at = now + fetch_again;
}

std::optional<WiredMeters::Fetch> WiredMeters::take_fetch(Instant now) {
    for (auto& [number, table] : collectors_) {
        if (table.fetching || now < table.fetch_at) continue;
        table.fetching = true;
        table.fetch_at = never;
        return Fetch{number, table.next};
    }
    return std::nullopt;
}

Instant WiredMeters::next_fetch() const {
    Instant next = never;
    for (const auto& [number, table] : collectors_)
        if (!table.fetching) next = std::min(next, table.fetch_at);
    return next;
}

std::uint8_t WiredMeters::refused(DeviceNumber collector) const {
    const auto found = collectors_.find(collector);
    return found == collectors_.end() ? std::uint8_t{0} : found->second.refused;
}

}  // namespace wattmesh::concentrator
