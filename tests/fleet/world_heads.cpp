#include <algorithm>

#include "tests/fleet/world_parts.h"

namespace wattmesh::fleet {

bool World::hangs(std::size_t head) const { return now() < heads_[head]->hangs_until; }

void World::to_head(std::size_t head, LinkId link, const Buffer& bytes) {
    auto& at = *heads_[head];
    if (!at.core) return;
    if (hangs(head)) {
        return timeline_.at(at.hangs_until, [this, head, link, bytes, life = at.life] {
            if (heads_[head]->life == life) to_head(head, link, bytes);
        });
    }
    at.core->on_bytes(link, bytes, now());
    perform(at);
}

void World::head_closed(std::size_t head, LinkId link) {
    auto& at = *heads_[head];
    if (!at.core) return;
    if (hangs(head)) {
        return timeline_.at(at.hangs_until, [this, head, link, life = at.life] {
            if (heads_[head]->life == life) head_closed(head, link);
        });
    }
    at.core->on_closed(link, now());
    perform(at);
}

void World::hang_head(std::size_t head, Duration span) {
    if (!heads_[head]->core || hangs(head)) return;
    ++faults_.head_hangs;
    heads_[head]->hangs_until = now() + span;
}

bool World::has_session(std::size_t head, std::size_t site) const {
    if (!heads_[head]->core) return false;
    const auto sessions = heads_[head]->core->sessions();
    return std::any_of(sessions.begin(), sessions.end(), [&](const auto& session) {
        return session.number == to_string(scene_.town.concentrators[site]) &&
               session.phase == headend::frontend::Phase::ready;
    });
}

dcu::UplinkState World::uplink_state(std::size_t site) const {
    const auto& at = *sites_[site];
    auto state = at.core ? at.core->uplink_state() : dcu::UplinkState{};
    state.moves += at.earlier_moves;
    state.returns += at.earlier_returns;
    return state;
}

void World::probe_uplink(std::size_t index, std::size_t way) {
    auto& site = *sites_[index];
    const bool answers = heads_[way]->core && !hangs(way) && now() >= site.isolated_until;
    site.core->uplink_probed(way, answers, now() - site.started);
    perform(site);
}

}  // namespace wattmesh::fleet
