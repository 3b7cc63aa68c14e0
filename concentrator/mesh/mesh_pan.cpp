#include "concentrator/mesh/mesh_core.h"

/// Two networks in one PAN.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
// Nobody can check a beacon of another network. So one move a day is the most that a forger gets.
constexpr int times_least = 2;
constexpr Duration forgotten_after = 600s, patience = 600s, move_gap = 24h, answer_again = 30s;
}  // namespace

/// Whoever has the higher number goes; the other one only when nobody has gone for long: it may be that only
/// one side hears the other.
void MeshRoot::Core::rival_heard(DeviceNumber other, Instant now) {
    if (other == settings.concentrator || !DeviceNumber::parse(to_string(other)) || !module_ready) return;
    if (!rival || rival->concentrator != other || now - rival->heard > forgotten_after)
        rival = Rival{.concentrator = other, .since = now};
    rival->heard = now;
    if (++rival->times < times_least) return;
    if (rival_answered_at == Instant{} || now - rival_answered_at >= answer_again) {
        rival_answered_at = now;
        trickle.reset(now, chance());  // it shall hear of us as well
    }
    const bool may_move = !moved_at || now - *moved_at >= move_gap;
    const bool ours_to_go = other < settings.concentrator || now - rival->since >= patience;
    if (ours_to_go && may_move) return move_pan(other, now);
    if (!told_lately(rivals, other, now)) tell_clash(other, pan);
}

void MeshRoot::Core::tell_clash(DeviceNumber other, std::uint16_t before) {
    events.push_back(
        MeshPanClash{{.other = other, .pan = before, .moved_to = pan == before ? std::uint16_t{0} : pan}});
}

/// Keys, addresses and routes stay. Members verify our beacons in the other PAN under the net key, and follow
/// the newer version, each taking its neighbours along.
void MeshRoot::Core::move_pan(DeviceNumber other, Instant now) {
    const auto before = pan;
    do pan = static_cast<std::uint16_t>(chance());
    while (pan == 0 || pan == no_pan || pan == before || pan == settings.pan);
    ++version;
    dirty = true;
    moved_at = now;
    rival.reset();
    connected(now);
    tell_clash(other, before);
}

}  // namespace wattmesh::concentrator
