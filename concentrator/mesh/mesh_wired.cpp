#include <algorithm>
#include <utility>

#include "concentrator/mesh/mesh_core.h"

/// Meters on the wires of collectors: their requests travel in groups.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
using collector::GroupAnswer;
using collector::GroupRequest;
using collector::ItemStatus;
constexpr Duration errand_max = 20s, table_max = 20s, table_wait = 3s, hand_over_wait = 500ms;
constexpr int asked_max = 2, handed_max = 6, lost_after = 3, table_priority = 2;
constexpr Duration radio_alive = 1h;
}  // namespace

void MeshRoot::Core::set_collectors(const std::vector<DeviceNumber>& numbers) {
    wired.set_collectors(numbers);
    for (const auto& number : numbers)
        if (const Member* member = members.find(number);
            member != nullptr && member->state == dcu::NodeState::joined)
            wired.collector_heard(number, clock);
}

WiredMeters::Radio MeshRoot::Core::radio_of(DeviceNumber meter) const {
    const Member* member = members.find(meter);
    if (member == nullptr) return {};
    const bool joined = member->address != 0 && member->state != dcu::NodeState::unseen;
    return {.listed = member->listed, .joined = joined, .proved = member->proved};
}

std::uint32_t MeshRoot::Core::send_wired(DeviceNumber meter, Buffer payload, int priority, Instant now,
                                         Duration deadline) {
    const auto handle = ++handle_last;
    ++statistics.reads;
    if (payload.size() > payload_size_max || payload.size() < 2) {
        ++statistics.reads_failed;
        events.push_back(MeshFailure{handle, dcu::ReadFault::not_joined});
        return handle;
    }
    WiredRequest request;
    request.meter = meter;
    request.payload = std::move(payload);
    request.priority = std::clamp(priority, 0, 4);
    request.deadline = now + deadline;
    // Not at once: who asks now has more to ask in a moment, and that may go along.
    request.not_before = now;
    wired_requests.emplace(handle, std::move(request));
    return handle;
}

Instant MeshRoot::Core::wired_deadline() const {
    Instant next = wired.next_fetch();
    for (const auto& [handle, request] : wired_requests) {
        if (request.under_way) continue;  // its group comes back in time, or late and is then answered
        next = std::min(next, request.deadline);
        const WiredPlace* place = wired.place(request.meter);
        const bool busy =
            place != nullptr && std::any_of(errands.begin(), errands.end(), [&](const auto& row) {
                return row.second.table_from == 0 && row.second.collector == place->collector;
            });
        if (!busy) next = std::min(next, request.not_before);
    }
    return next;
}

/// Whatever can go out goes out: tables that are due, and a group to every collector that has none open.
void MeshRoot::Core::work_wired(Instant now) {
    if (!module_ready) return;
    if (std::exchange(judge_due, false)) judge_wired(now);
    std::vector<std::uint32_t> late, homeless;
    for (const auto& [handle, request] : wired_requests) {
        if (request.under_way) continue;
        if (now >= request.deadline)
            late.push_back(handle);
        else if (wired.place(request.meter) == nullptr)
            homeless.push_back(handle);
    }
    for (const auto handle : late) wired_failed(handle, false, now);
    for (const auto handle : homeless) {
        auto node = wired_requests.extract(handle);
        if (!node.empty()) move_to_radio(handle, std::move(node.mapped()), now);
    }
    while (const auto fetch = wired.take_fetch(now))
        start_errand({.collector = fetch->collector, .table_from = fetch->first, .items = {}},
                     collector::encode(collector::TableRequest{fetch->first}), table_priority, table_max,
                     now);
    std::vector<DeviceNumber> waiting;
    for (const auto& [handle, request] : wired_requests) {
        const WiredPlace* place = wired.place(request.meter);
        if (request.under_way || now < request.not_before || place == nullptr) continue;
        if (std::find(waiting.begin(), waiting.end(), place->collector) == waiting.end())
            waiting.push_back(place->collector);
    }
    for (const auto& collector : waiting) {
        const bool open = std::any_of(errands.begin(), errands.end(), [&](const auto& row) {
            return row.second.table_from == 0 && row.second.collector == collector;
        });
        if (!open) send_group(collector, now);
    }
}

/// The most urgent request, and whatever fits beside it.
void MeshRoot::Core::send_group(DeviceNumber collector, Instant now) {
    std::vector<std::uint32_t> order;
    for (const auto& [handle, request] : wired_requests)
        if (const WiredPlace* place = wired.place(request.meter);
            !request.under_way && now >= request.not_before && place != nullptr &&
            place->collector == collector)
            order.push_back(handle);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return wired_requests.at(a).priority < wired_requests.at(b).priority;
    });
    Errand errand{.collector = collector, .table_from = 0, .items = {}};
    GroupRequest group;
    std::size_t size = collector::request_overhead;
    for (const auto handle : order) {
        auto& request = wired_requests.at(handle);
        const auto sub = wired.place(request.meter)->sub;
        const std::size_t octets =
            collector::request_item_overhead + (request.hand_over ? 0 : request.payload.size());
        const bool alone = request.hand_over || request.asked > 0;  // missing ones are asked one by one
        const bool taken = std::any_of(errand.items.begin(), errand.items.end(),
                                       [&](const Errand::Item& item) { return item.sub == sub; });
        if (taken || (!group.items.empty() && (alone || size + octets > collector::request_size_max)))
            continue;
        group.items.push_back(
            {sub, collector::check_of(request.meter), request.hand_over ? Buffer{} : request.payload});
        errand.items.push_back({handle, sub});
        size += octets;
        ++request.asked;
        request.under_way = true;
        if (alone || group.items.size() == GroupRequest::items_max) break;
    }
    if (group.items.empty()) return;
    const auto& first = wired_requests.at(errand.items.front().handle);
    const auto deadline = std::clamp<Duration>(first.deadline - now, 1s, errand_max);
    const int priority = first.priority;
    start_errand(std::move(errand), collector::encode(group), priority, deadline, now);
}

void MeshRoot::Core::start_errand(Errand errand, Buffer payload, int priority, Duration deadline,
                                  Instant now) {
    const auto handle = send(errand.collector, std::move(payload), priority, now, deadline, true);
    errands.emplace(handle, std::move(errand));
    if (!transactions.contains(handle)) errand_finished(handle, std::nullopt, now);
}

/// The place on the wire is gone: the same request, over radio.
void MeshRoot::Core::move_to_radio(std::uint32_t handle, WiredRequest request, Instant now) {
    if (!radio_of(request.meter).joined) {
        ++statistics.reads_failed;
        events.push_back(MeshFailure{handle, dcu::ReadFault::not_joined});
        return;
    }
    Transaction transaction;
    transaction.handle = handle;
    transaction.meter = request.meter;
    transaction.payload = std::move(request.payload);
    transaction.priority = request.priority;
    transaction.deadline = request.deadline;
    transaction.rests = 1;  // not at the first try
    transactions.emplace(handle, std::move(transaction));
    launch_waiting(now);
}

void MeshRoot::Core::notice_received(const UpPacket& packet, Instant now) {
    Member* member = members.find(packet.header.source);
    const auto message = collector::decode(packet.body);
    const auto* notice = message ? std::get_if<collector::Notice>(&*message) : nullptr;
    if (member == nullptr || notice == nullptr || !wired.is_collector(member->number)) {
        ++statistics.frames_refused;
        return;
    }
    member_heard(*member, now);
    wired.generation_told(member->number, notice->generation, now);
    work_wired(now);
}

/// Nothing is sent from here: finish() is called from the middle of other work.
void MeshRoot::Core::errand_finished(std::uint32_t handle, const std::optional<Buffer>& answer, Instant now) {
    const auto errand = errands.extract(handle);
    if (errand.empty()) return;  // a mere probe
    if (errand.mapped().table_from != 0) return table_finished(errand.mapped(), answer, now);
    group_finished(errand.mapped(), answer, now);
}

void MeshRoot::Core::group_finished(const Errand& errand, const std::optional<Buffer>& answer, Instant now) {
    const auto message = answer ? collector::decode(*answer) : Result<collector::Message>{Error{}};
    const auto* group = message ? std::get_if<GroupAnswer>(&*message) : nullptr;
    if (answer && group == nullptr) ++statistics.frames_refused;
    if (group != nullptr) wired.generation_told(errand.collector, group->generation, now);
    for (const auto& sent : errand.items) {
        const auto request = wired_requests.find(sent.handle);
        if (request == wired_requests.end()) continue;
        request->second.under_way = false;
        const GroupAnswer::Item* item = nullptr;
        if (group != nullptr)
            for (const auto& candidate : group->items)
                if (candidate.sub == sent.sub) item = &candidate;
        if (item == nullptr)
            wired_failed(sent.handle, true, now);
        else
            item_finished(sent.handle, *item, now);
    }
}

void MeshRoot::Core::item_finished(std::uint32_t handle, const GroupAnswer::Item& item, Instant now) {
    auto& request = wired_requests.at(handle);
    const auto meter = request.meter;
    switch (item.status) {
        case ItemStatus::answered: {
            const bool first = request.asked == 1;
            if (first) ++statistics.reads_first_try;
            wired_requests.erase(handle);
            wired.answered(meter, now);
            Member* member = members.find(meter);
            WiredPlace* place = wired.place(meter);
            if (member != nullptr && place != nullptr && place->lost) tell_wired(*member, *place, now);
            events.push_back(MeshAnswer{handle, item.payload, first, false});
            return;
        }
        case ItemStatus::waiting:
            if (request.asked >= handed_max) return wired_failed(handle, false, now);
            request.not_before = request.hand_over ? now + hand_over_wait : now;
            request.hand_over = true;
            return;
        case ItemStatus::absent:
            request.not_before = now + table_wait;  // the table may say where it is now
            return wired_failed(handle, true, now);
        case ItemStatus::silent:
            return wired_failed(handle, true, now);
        case ItemStatus::nothing:
        case ItemStatus::too_long:
            return wired_failed(handle, false, now);
    }
}

/// `again`: it may be asked once more, alone.
void MeshRoot::Core::wired_failed(std::uint32_t handle, bool again, Instant now) {
    auto& request = wired_requests.at(handle);
    const auto meter = request.meter;
    if (wired.failed(meter, radio_of(meter), now)) judge_wired(now);
    WiredPlace* place = wired.place(meter);
    if (place != nullptr && place->failures >= lost_after && !place->lost) {
        place->lost = true;
        events.push_back(MeshLost{meter});
    }
    // Without a place the request goes on over radio (work_wired).
    if (now < request.deadline && (place == nullptr || (again && request.asked < asked_max))) return;
    wired_requests.erase(handle);
    ++statistics.reads_failed;
    events.push_back(MeshFailure{handle, dcu::ReadFault::no_answer});
}

void MeshRoot::Core::table_finished(const Errand& errand, const std::optional<Buffer>& answer, Instant now) {
    const auto message = answer ? collector::decode(*answer) : Result<collector::Message>{Error{}};
    const auto* page = message ? std::get_if<collector::TablePage>(&*message) : nullptr;
    if (answer && page == nullptr) ++statistics.frames_refused;
    if (page == nullptr) return wired.fetch_failed(errand.collector, now);
    const auto radio = [this](DeviceNumber meter) { return radio_of(meter); };
    apply(wired.page(errand.collector, errand.table_from, *page, radio, now), now);
    auto& told = refused_told[errand.collector];
    if (page->refused > told) events.push_back(MeshCollectorFull{errand.collector, page->refused});
    told = page->refused;
}

void MeshRoot::Core::judge_wired(Instant now) {
    apply(wired.judge([this](DeviceNumber meter) { return radio_of(meter); }, now), now);
}

void MeshRoot::Core::apply(const std::vector<WiredMeters::Change>& changes, Instant now) {
    using Kind = WiredMeters::Change::Kind;
    for (const auto& change : changes) {
        Member* member = members.find(change.meter);
        WiredPlace* place = wired.place(change.meter);
        if (change.kind == Kind::unknown) {
            unknown_meter(change.meter, now);
        } else if (change.kind == Kind::contested) {
            events.push_back(MeshContested{change.meter});
        } else if (member != nullptr && change.kind == Kind::arrived && place != nullptr) {
            // No relay until its radio is heard again.
            if (member->state == dcu::NodeState::joined) member->state = dcu::NodeState::suspect;
            tell_wired(*member, *place, now);
        } else if (member != nullptr && change.kind == Kind::left) {
            const bool radio = radio_of(change.meter).joined && now - member->heard < radio_alive;
            if (radio)
                tell_joined(*member, now, true);
            else
                events.push_back(MeshLost{change.meter});
        }
    }
}

void MeshRoot::Core::tell_wired(Member& member, WiredPlace& place, Instant now) {
    dcu::TopologyNode node;
    fill_wired(node, place);
    place.lost = false;
    alive(member, true, now);
    const dcu::MeterLink link{.short_address = 0,
                              .parent = place.collector,
                              .hops = node.hops,
                              .rssi_dbm = 0,
                              .sub_address = place.sub,
                              .route = node.route,
                              .join_counter = 0};
    member.told = link;
    member.told_at = now;
    events.push_back(MeshJoined{member.number, link});
}

void MeshRoot::Core::fill_wired(dcu::TopologyNode& node, const WiredPlace& place) const {
    node.state = place.lost ? dcu::NodeState::offline : dcu::NodeState::joined;
    node.short_address = 0;
    node.parent = place.collector;
    node.sub_address = place.sub;
    node.rssi_dbm = 0;
    node.last_heard = place.heard;
    const Member* collector = members.find(place.collector);
    if (collector == nullptr || collector->address == 0 || !tree.reaches(collector->address)) return;
    const Route route = tree.route(collector->address);
    node.hops = static_cast<std::uint8_t>(route.hops() + 1);
    for (const auto relay : route.relays) node.route.push_back(number_of(relay));
    node.route.push_back(place.collector);
    for (const auto relay : tree.alternative(collector->address, route).relays)
        node.alternative.push_back(number_of(relay));
    if (!node.alternative.empty()) node.alternative.push_back(place.collector);
}

}  // namespace wattmesh::concentrator
