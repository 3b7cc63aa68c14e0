#include <algorithm>

#include "concentrator/mesh/mesh_core.h"
#include "protocol/mesh/join.h"

/// Who comes in, who goes, who is still there.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
// Source of the spans of a member's life: mesh design 2.7.
constexpr Duration stranger_quiet = 3'600s, silent_offline = 24h, deleted_after = 7 * 24h, probe_first = 8s,
                   probe_max = 900s, told_quiet = 600s, route_quiet = 1'800s;
constexpr std::size_t strangers_max = 256, events_max = 8'192;
constexpr int probes_at_once_max = 4;
constexpr std::size_t sendings_for_joins_max = 16;
constexpr Duration probe_deadline = 10s, moved_lately = 60s, crowded_after_join = 60s;
}  // namespace

void MeshRoot::Core::set_meters(const std::vector<std::pair<DeviceNumber, Key128>>& meters) {
    for (const auto address : members.set_listed(meters)) dismiss(address);
    std::erase_if(strangers, [&](const Stranger& stranger) {
        const Member* member = members.find(stranger.meter);
        return member != nullptr && member->listed;
    });
    judge_wired(clock);
}

/// Its address is free; if it hears us, it knows.
void MeshRoot::Core::dismiss(std::uint16_t address) {
    refresh_routes(clock, true);
    if (tree.reaches(address)) send_leave(address, tree.route(address).relays);
    if (Member* member = members.find(address)) members.release(*member);
    links.forget(address);
    first_hops.erase(address);
    dirty = true;
}

void MeshRoot::Core::set_leases(const std::vector<MemberLease>& leases) {
    for (auto& member : members.all()) member.elsewhere = false;
    for (const auto& lease : leases) {
        Member* member = lease.here ? nullptr : members.find(lease.meter);
        if (member == nullptr || !member->listed) continue;
        member->elsewhere = true;
        if (member->join_counter > lease.join_counter) continue;
        // Nobody can join two of us with one request, so that theirs is later or the same meter's wire.
        dirty = dirty || member->join_counter != lease.join_counter;
        member->join_counter = lease.join_counter;
        if (member->address != 0) dismiss(member->address);
    }
}

/// Also true when there is no room to remember it: whoever floods us is not told one by one.
bool MeshRoot::Core::told_lately(std::vector<Stranger>& list, DeviceNumber meter, Instant now) {
    std::erase_if(list, [&](const Stranger& s) { return now - s.told > stranger_quiet; });
    if (std::any_of(list.begin(), list.end(), [&](const Stranger& s) { return s.meter == meter; }))
        return true;
    if (list.size() >= strangers_max) return true;
    list.push_back({meter, now});
    return false;
}

void MeshRoot::Core::unknown_meter(DeviceNumber meter, Instant now) {
    if (events.size() < events_max && !told_lately(strangers, meter, now))
        events.push_back(MeshUnknown{meter});
}

void MeshRoot::Core::impostor(DeviceNumber meter, Instant now) {
    if (events.size() < events_max && !told_lately(impostors, meter, now))
        events.push_back(MeshImpostor{meter});
}

void MeshRoot::Core::join_received(Bytes body, std::uint16_t proxy, std::uint16_t temporary, std::int8_t rssi,
                                   Instant now) {
    const auto request = decode_join_request(body);
    if (!request || temporary < temporary_address_min || temporary == broadcast_address) {
        ++statistics.frames_refused;
        return;
    }
    if (sendings.size() >= sendings_for_joins_max) return;  // the air is full: it asks again, later each time
    if (const Member* known = members.find(request->meter);
        known != nullptr && (known->cloned || now < known->conduct.banned_until)) {
        ++statistics.frames_refused;
        return;
    }
    const auto decision = members.decide(*request, pan, ciphers);
    if (decision.verdict == Membership::Verdict::unknown) return unknown_meter(request->meter, now);
    if (decision.verdict != Membership::Verdict::accepted) {
        ++statistics.frames_refused;
        // Signed for the PAN that we have just left, perhaps.
        const bool late = moved_at && now - *moved_at < moved_lately;
        if (decision.verdict == Membership::Verdict::not_authentic && !late) impostor(request->meter, now);
        return;
    }
    dirty = true;
    Member& member = *decision.member;
    if (proxy != root_address && members.find(proxy) == nullptr) return;
    look_for_twin(member, now);
    member.asked = member.proved = now;
    alive(member, true, now);
    const bool came_back = wired.seen_on_radio(member.number, now);
    member.rssi_dbm = rssi;
    member.failed_reads = 0;
    member.probes = 0;
    member.probe_at = now + probe_first;
    member.has_next_key = false;
    member.key_at = {};
    if (member.conduct.evictions > 0) put_on_probation(member, now);
    if (member.state == dcu::NodeState::unseen) crowded_until = now + crowded_after_join;
    if (member.state != dcu::NodeState::joined || came_back) member.state = dcu::NodeState::joining;
    links.strength(member.address, proxy, rssi, now);
    links.worked(proxy, member.address, now);
    for (const auto& neighbour : request->neighbours)
        links.report(member.address,
                     {.neighbour = neighbour.address, .rssi_dbm = neighbour.rssi_dbm, .etx_q4 = 0}, now);
    send_accept(*request, member, proxy, temporary, now);
}

void MeshRoot::Core::send_accept(const JoinRequest& request, const Member& member, std::uint16_t proxy,
                                 std::uint16_t temporary, Instant now) {
    JoinAccept accept{.meter = member.number,
                      .short_address = member.address,
                      .version = version,
                      .root_nonce = {},
                      .parents = {proxy},
                      .key_number = key_number,
                      .wrapped_net_key = {},
                      .mac = {}};
    for (const auto& neighbour : request.neighbours)
        if (neighbour.address != proxy && accept.parents.size() < 4)
            accept.parents.push_back(neighbour.address);
    random.fill(accept.root_nonce);
    seal(accept, request, pan, *net_key, member.join_key, ciphers);
    if (proxy == root_address) return transmit(temporary, FrameType::join_accept, false, encode(accept), {});
    refresh_routes(now, !tree.reaches(proxy));
    if (!tree.reaches(proxy)) return;  // the meter asks again
    DownPacket packet;
    packet.header = {.attempt = 0,
                     .priority = 2,
                     .destination = temporary,
                     .source = root_address,
                     .sequence = static_cast<std::uint16_t>(chance())};
    packet.relays = tree.route(proxy).relays;
    packet.relays.push_back(proxy);
    if (packet.relays.size() > relays_max) return;
    packet.body = encode(accept);
    const auto first = packet.relays.front();
    transmit(first, FrameType::join_accept, true, encode(packet), {});
}

void MeshRoot::Core::send_leave(std::uint16_t address, const std::vector<std::uint16_t>& relays) {
    if (!module_ready || relays.size() > relays_max) return;
    DownPacket packet;
    packet.header = {.attempt = 0,
                     .priority = 3,
                     .destination = address,
                     .source = root_address,
                     .sequence = static_cast<std::uint16_t>(chance())};
    packet.relays = relays;
    transmit(relays.empty() ? address : relays.front(), FrameType::leave, true, encode(packet), {});
}

void MeshRoot::Core::stranger_heard(const UpPacket& packet, std::uint16_t parent, Instant now) {
    // Has our net key but no place here any more (taken off the list, or our memory was lost): it shall join
    // anew.
    if (parent == root_address) return send_leave(packet.header.source, {});
    refresh_routes(now, !tree.reaches(parent));
    if (!tree.reaches(parent)) return;
    auto relays = tree.route(parent).relays;
    relays.push_back(parent);
    send_leave(packet.header.source, relays);
}

void MeshRoot::Core::report_received(const UpPacket& packet, Instant now) {
    const auto report = decode_link_report(packet.body);
    if (!report) {
        ++statistics.frames_refused;
        return;
    }
    const auto source = packet.header.source;
    Member* member = members.find(source);
    if (member == nullptr)
        return stranger_heard(packet, report->links.empty() ? source : report->links.front().neighbour, now);
    for (const auto& link : report->links) links.report(source, link, now);
    if (report->needs_key) update_key(now);
    if (report->rival) rival_heard(*report->rival, now);
    if (report->floor && static_cast<std::int16_t>(*report->floor - member->sequence) > 0)
        member->sequence = *report->floor;
    if (report->reattached) {
        if (wired.seen_on_radio(member->number, now)) member->state = dcu::NodeState::joining;
        member->failed_reads = 0;
        alive(*member, true, now);
        if (!report->links.empty()) links.worked(report->links.front().neighbour, source, now);
    }
    member_heard(*member, now);
}

void MeshRoot::Core::member_heard(Member& member, Instant now) {
    member.heard = now;
    alive(member, false, now);
    wired.collector_heard(member.number, now);
    if (!member.listed) return;
    // It may have been with another concentrator between two joins, without our noticing.
    const bool stale = member.told && member.told->join_counter != member.join_counter;
    if (member.state == dcu::NodeState::joined && (!stale || wired.place(member.number) != nullptr)) return;
    member.state = dcu::NodeState::joined;
    tell_joined(member, now, true);
}

void MeshRoot::Core::tell_joined(Member& member, Instant now, bool always) {
    if (wired.place(member.number) != nullptr) return;  // may relay; is read over a wire
    refresh_routes(now, !tree.reaches(member.address));
    if (!tree.reaches(member.address)) return;
    const auto route = tree.route(member.address);
    const std::uint16_t above = route.relays.empty() ? root_address : route.relays.back();
    const Link* link = links.find(member.address, above);
    dcu::MeterLink told{.short_address = member.address,
                        .parent = number_of(above),
                        .hops = static_cast<std::uint8_t>(route.hops()),
                        .rssi_dbm = link != nullptr && link->rssi_dbm != 0 ? link->rssi_dbm : member.rssi_dbm,
                        .sub_address = 0,
                        .route = {},
                        .join_counter = member.join_counter};
    for (const auto relay : route.relays) told.route.push_back(number_of(relay));
    // Routes of much the same cost change places often: not every time is news.
    const bool same = !always && member.told && member.told->route == told.route;
    const bool longer = !member.told || member.told->hops != told.hops;
    if (!always && (same || now - member.told_at < (longer ? told_quiet : route_quiet))) return;
    member.told = told;
    member.told_at = now;
    if (events.size() < events_max) events.push_back(MeshJoined{member.number, told});
}

void MeshRoot::Core::went_offline(Member& member, Instant now) {
    member.state = dcu::NodeState::offline;
    member.lost_at = now;
    events.push_back(MeshLost{member.number});
}

/// Its record stays, its address goes to somebody else in time. Whoever hung on it stays where he is.
void MeshRoot::Core::delete_member(Member& member) {
    events.push_back(MeshDeleted{member.number});
    links.forget(member.address);
    first_hops.erase(member.address);
    members.release(member);
    member.state = dcu::NodeState::deleted;
    member.power = Power::on;
    dirty = true;
}

void MeshRoot::Core::watch_members(Instant now) {
    auto probing = std::count_if(transactions.begin(), transactions.end(),
                                 [](const auto& row) { return row.second.probe; });
    for (auto& member : members.all()) {
        if (!member.listed || member.address == 0 || wired.place(member.number) != nullptr) continue;
        const bool present =
            member.state == dcu::NodeState::joined || member.state == dcu::NodeState::suspect;
        if (member.power == Power::on && present && now - member.heard > silent_offline) {
            went_offline(member, now);
            member.probe_at = now;
        }
        if (member.state == dcu::NodeState::offline && now - member.lost_at > deleted_after) {
            delete_member(member);
            continue;
        }
        if (now < member.probe_at) continue;
        member.probe_at = never;
        const bool settled = member.power == Power::on && member.state == dcu::NodeState::joined &&
                             member.failed_reads == 0 && member.heard > member.asked &&
                             member.round_trip_us != 0;
        const bool crowded = probing >= probes_at_once_max;
        const bool busy = std::any_of(transactions.begin(), transactions.end(),
                                      [&](const auto& row) { return row.second.meter == member.number; });
        if (settled || busy || crowded || !tree.reaches(member.address)) {
            if (!settled) member.probe_at = now + probe_first;
            continue;
        }
        member.probes = std::min(member.probes + 1, 8);
        member.probe_at = now + std::min<Duration>(probe_first * (1 << member.probes), probe_max);
        send(member.number, {}, 4, now, probe_deadline, true);
        ++probing;
    }
}

}  // namespace wattmesh::concentrator
