#include <algorithm>

#include "concentrator/mesh/mesh_core.h"

/// Two devices with one number and one key. Whoever joins anew gets another address, so that it is found out
/// whether somebody still answers under the one before.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration lately = 600s, ask_first = 1s, ask_again = 2'500ms;
constexpr int asked_max = 3;
constexpr std::size_t places_max = 64;
}  // namespace

/// Only a member that was there a moment ago: after a power cut, or a key that it missed, it comes from
/// nowhere.
void MeshRoot::Core::look_for_twin(Member& member, Instant now) {
    const bool present = member.state == dcu::NodeState::joined && member.heard > member.asked &&
                         now - member.heard < lately && member.power == Power::on &&
                         wired.place(member.number) == nullptr;
    if (!present || left_places.size() >= places_max || may_have_twin(member.number)) return;
    refresh_routes(now, !tree.reaches(member.address));
    if (!tree.reaches(member.address)) return;
    Place place{.meter = member.number,
                .address = member.address,
                .sequence = static_cast<std::uint16_t>(chance()),
                .relays = tree.route(member.address).relays,
                .next = now + ask_first};
    if (members.renew(member)) left_places.push_back(std::move(place));
}

bool MeshRoot::Core::may_have_twin(DeviceNumber meter) const {
    return std::any_of(left_places.begin(), left_places.end(),
                       [&](const Place& place) { return place.meter == meter; });
}

void MeshRoot::Core::work_twins(Instant now) {
    for (auto& place : left_places) {
        if (now < place.next || place.asked++ >= asked_max) continue;
        place.next = now + ask_again;
        DownPacket packet;
        packet.header = {.attempt = static_cast<std::uint8_t>(place.asked),
                         .priority = 2,
                         .destination = place.address,
                         .source = root_address,
                         .sequence = place.sequence};
        packet.relays = place.relays;
        transmit(packet.relays.empty() ? place.address : packet.relays.front(), FrameType::data_down, true,
                 encode(packet), {});
    }
    std::erase_if(left_places, [&](const Place& place) {
        if (place.asked <= asked_max) return false;
        links.forget(place.address);
        first_hops.erase(place.address);
        return true;
    });
}

/// It answers what was asked a moment ago, under an address that its number has left.
bool MeshRoot::Core::twin_heard(const UpPacket& packet, Instant now) {
    const auto place = std::find_if(left_places.begin(), left_places.end(), [&](const Place& one) {
        return one.address == packet.header.source && one.asked > 0 && one.sequence == packet.header.sequence;
    });
    if (place == left_places.end()) return false;
    const Place left = *place;
    left_places.erase(place);
    send_leave(left.address, left.relays);
    links.forget(left.address);
    first_hops.erase(left.address);
    Member* member = members.find(left.meter);
    if (member == nullptr) return true;
    member->cloned = true;
    if (member->address != 0) dismiss(member->address);
    events.push_back(MeshCloned{member->number});
    launch_waiting(now);
    return true;
}

Instant MeshRoot::Core::twin_deadline() const {
    Instant next = never;
    for (const auto& place : left_places) next = std::min(next, place.next);
    return next;
}

}  // namespace wattmesh::concentrator
