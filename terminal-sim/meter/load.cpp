#include "terminal-sim/meter/load.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::sim {

Energies& Energies::operator+=(const Energies& other) {
    for (std::size_t i = 0; i < channels.size(); ++i) channels[i] += other.channels[i];
    return *this;
}

Energies operator-(const Energies& a, const Energies& b) {
    Energies difference;
    for (std::size_t i = 0; i < a.channels.size(); ++i)
        difference.channels[i] = a.channels[i] - b.channels[i];
    return difference;
}

std::string_view to_string(LoadKind kind) {
    switch (kind) {
        case LoadKind::household:
            return "household";
        case LoadKind::shop:
            return "shop";
        case LoadKind::factory:
            return "factory";
        case LoadKind::summary:
            return "summary";
    }
    return "?";
}

std::optional<LoadKind> load_kind(std::string_view word) {
    for (const auto kind : {LoadKind::household, LoadKind::shop, LoadKind::factory, LoadKind::summary})
        if (to_string(kind) == word) return kind;
    return std::nullopt;
}

void Supply::set(bool closed, Instant at) {
    if (closed_at(at) == closed) return;
    assert(switches_.empty() || switches_.back() <= at);
    switches_.push_back(at);
}

bool Supply::closed_at(Instant at) const {
    const auto passed = std::upper_bound(switches_.begin(), switches_.end(), at) - switches_.begin();
    return passed % 2 == 0;
}

Duration Supply::closed_during(Instant from, Instant to) const {
    Duration closed{};
    Instant since = from;
    bool is_closed = closed_at(from);
    for (auto next = std::upper_bound(switches_.begin(), switches_.end(), from);
         next != switches_.end() && *next < to; ++next) {
        if (is_closed) closed += *next - since;
        since = *next;
        is_closed = !is_closed;
    }
    return is_closed ? closed + (to - since) : closed;
}

}  // namespace wattmesh::sim
