#include <algorithm>

#include "concentrator/mesh/mesh_core.h"

/// One request, one answer: routes, tries, timers and the window.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration routes_fresh = 1s;
constexpr std::uint32_t avoided_cost = 20'000'000;  // microseconds of airtime: dearer than any way around
constexpr int window_one = 16, suspect_after = 2, offline_after = 3;
constexpr std::size_t request_size = 66 + 28,
                      answer_size = 92 + 28;  // PSDU of a ciphered read, for the expected airtime
constexpr Duration probe_again = 20s;
constexpr std::uint16_t sequence_ahead = 256;
constexpr Duration rest = 32s;  // relays have forgotten the old attempts' numbers by then
}  // namespace

std::uint32_t MeshRoot::Core::send(DeviceNumber meter, Buffer payload, int priority, Instant now,
                                   Duration deadline, bool probe) {
    clock = now;
    const WiredPlace* place = probe ? nullptr : wired.place(meter);
    const Member* asked = members.find(place != nullptr ? place->collector : meter);
    if (!probe && asked != nullptr && asked->power == Power::off) {
        // Nobody waits for whoever has said that its power is gone; probes find out whether it is back. What
        // is only inferred may be wrong, and is tried.
        ++statistics.reads;
        ++statistics.reads_failed;
        events.push_back(MeshFailure{++handle_last, dcu::ReadFault::outage});
        return handle_last;
    }
    if (place != nullptr) return send_wired(meter, std::move(payload), priority, now, deadline);
    Transaction transaction;
    transaction.handle = ++handle_last;
    transaction.meter = meter;
    transaction.payload = std::move(payload);
    transaction.priority = std::clamp(priority, 0, 4);
    transaction.deadline = now + deadline;
    transaction.probe = probe;
    const auto handle = transaction.handle;
    if (!probe) ++statistics.reads;
    const Member* member = asked;
    const bool known = member != nullptr && member->listed && member->address != 0 &&
                       (probe || member->state != dcu::NodeState::unseen) &&
                       transaction.payload.size() <= (probe ? collector::message_size_max : payload_size_max);
    if (!known) {
        if (!probe) {
            ++statistics.reads_failed;
            events.push_back(MeshFailure{handle, dcu::ReadFault::not_joined});
        }
        return handle;
    }
    transactions.emplace(handle, std::move(transaction));
    launch_waiting(now);
    return handle;
}

int MeshRoot::Core::flying() const {
    return static_cast<int>(std::count_if(transactions.begin(), transactions.end(),
                                          [](const auto& t) { return t.second.flying; }));
}

void MeshRoot::Core::refresh_routes(Instant now, bool must) {
    if (tree_revision == links.revision() || (!must && now - tree_at < routes_fresh)) return;
    const auto bit_us = 1'000'000 / bits_per_second(settings.rate);
    const auto ack_us =
        static_cast<std::uint32_t>((phy_overhead + ack_size) * 8 * static_cast<std::size_t>(bit_us));
    const auto down_us =
        static_cast<std::uint32_t>((phy_overhead + request_size) * 8 * static_cast<std::size_t>(bit_us)) +
        ack_us;
    const auto up_us =
        static_cast<std::uint32_t>((phy_overhead + answer_size) * 8 * static_cast<std::size_t>(bit_us)) +
        ack_us;
    const std::size_t count = std::max<std::size_t>(links.size(), 1);
    graph.edges.assign(count, {});
    graph.relay_cost.assign(count, 0);
    for (std::size_t index = 0; index < count; ++index) {
        const auto from = static_cast<std::uint16_t>(index);
        const Member* relay = members.find(from);
        const bool relays = relay != nullptr && relay->listed && relay->power != Power::off &&
                            relay->state == dcu::NodeState::joined;
        if (from != root_address && !relays)
            graph.relay_cost[from] = relay_forbidden;
        else if (relay != nullptr && now < relay->conduct.avoided_until)
            graph.relay_cost[from] = avoided_cost;
        for (const auto& link : links.from(from)) {
            const auto down = links.etx_q7(from, link.to, now), up = links.etx_q7(link.to, from, now);
            if (down == 0 || up == 0 || link.to == root_address || link.to >= count) continue;
            // links that lose more than half cost extra: their estimate is shakier than it looks
            const auto grey = [](std::uint32_t etx) { return etx > 256 ? etx + (etx - 256) : etx; };
            const std::uint64_t cost =
                (std::uint64_t{grey(down)} * down_us + std::uint64_t{grey(up)} * up_us) / 128;
            graph.edges[from].push_back(
                {link.to, static_cast<std::uint32_t>(std::min<std::uint64_t>(cost, 0x7FFFFFFF))});
        }
    }
    tree = RouteTree{graph};
    tree_revision = links.revision();
    tree_at = now;
}

std::optional<Route> MeshRoot::Core::choose_route(const Transaction& transaction, const Member& member,
                                                  Instant now) {
    refresh_routes(now, transaction.attempts > 0 || !tree.reaches(member.address));
    if (!tree.reaches(member.address)) return std::nullopt;
    Route primary = tree.route(member.address);
    if (transaction.attempts == 0) return primary;
    if (transaction.attempts % 2 == 0 && primary.relays != transaction.route.relays) return primary;
    Route other = tree.alternative(member.address, transaction.route);
    return other.cost == 0 ? primary : other;
}

/// Near the root all reads share its radio and disturb each other: the next one begins when the frames of
/// those before should be off the air. The window is for those that are then still waiting for a try far
/// apart, or for an answer that will not come.
bool MeshRoot::Core::may_launch(const Transaction& transaction, Instant now) const {
    int outstanding = 0;
    for (const auto& [handle, other] : transactions) {
        if (!other.flying) continue;
        if (other.meter == transaction.meter) return false;
        if (transaction.priority > 1 && now < other.quiet_at) return false;
        ++outstanding;
    }
    return transaction.priority <= 1 || outstanding < std::min(window_q4 / window_one, settings.window_max);
}

void MeshRoot::Core::launch_waiting(Instant now) {
    std::vector<std::uint32_t> order, late;
    for (auto& [handle, transaction] : transactions) {
        if (now >= transaction.deadline)
            late.push_back(handle);
        else if (transaction.flying && now >= transaction.answer_by)
            attempt_failed(transaction, Loss::silent, now);
    }
    for (const auto handle : late) finish(handle, std::nullopt, now);
    if (!module_ready) return;
    for (const auto& [handle, transaction] : transactions)
        if (!transaction.flying) order.push_back(handle);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::pair{transactions.at(a).priority, a} < std::pair{transactions.at(b).priority, b};
    });
    const int window = std::min(window_q4 / window_one, settings.window_max);
    int outstanding = flying();
    for (const auto handle : order) {
        Transaction& transaction = transactions.at(handle);
        if (outstanding >= window && transaction.priority > 1) break;
        Member* member = members.find(transaction.meter);
        if (member == nullptr || member->address == 0) {
            finish(handle, std::nullopt, now);
            continue;
        }
        const auto route =
            transaction.trial ? std::optional{transaction.route} : choose_route(transaction, *member, now);
        transaction.routeless = !route;
        if (!route || may_have_twin(transaction.meter) || !may_launch(transaction, now)) continue;
        transaction.flying = true;
        transaction.sequence = next_sequence(*member);
        transaction.route = *route;
        attempt(transaction, now);
        ++outstanding;
    }
}

void MeshRoot::Core::attempt(Transaction& transaction, Instant now) {
    const Member* member = members.find(transaction.meter);
    DownPacket packet;
    packet.header = {.attempt = static_cast<std::uint8_t>(transaction.attempts),
                     .priority = static_cast<std::uint8_t>(transaction.priority),
                     .destination = member->address,
                     .source = root_address,
                     .sequence = transaction.sequence};
    packet.relays = transaction.route.relays;
    packet.body = transaction.payload;
    Buffer body = encode(packet);
    const auto index = transaction.attempts++;
    transaction.taken = false;
    transaction.tried.push_back({.relays = packet.relays});
    transaction.sent[static_cast<std::size_t>(index)] = now;
    if (body.size() > frame_body_size_max) {  // too many relays for so long a request
        transaction.answer_by = transaction.deadline;
        return;
    }
    transaction.answer_by = now + answer_time(*member, transaction.route.hops());
    transaction.quiet_at = now + expected_time(*member, transaction.route.hops());
    const auto first = packet.relays.empty() ? member->address : packet.relays.front();
    const auto type = transaction.key     ? FrameType::key_update
                      : transaction.image ? FrameType::image_request
                                          : FrameType::data_down;
    transmit(first, type, true, std::move(body),
             {.purpose = Purpose::read, .handle = transaction.handle, .attempt = index});
}

void MeshRoot::Core::attempt_failed(Transaction& transaction, Loss loss, Instant now) {
    const bool lost = loss == Loss::silent && transaction.taken;
    if (!transaction.tried.empty() && !transaction.resting) transaction.tried.back().lost = lost;
    if (transaction.trial) {
        transaction.deadline = now;
        transaction.answer_by = never;
        return;
    }
    if (!transaction.image) window_q4 = std::max(window_q4 * 3 / 4, window_one);
    const Member* member = members.find(transaction.meter);
    if (member == nullptr || member->address == 0) {
        transaction.answer_by = transaction.deadline;
        return;
    }
    if (transaction.attempts >= attempts_max && !transaction.resting) {
        transaction.resting = true;
        transaction.answer_by = std::min(transaction.deadline, now + rest);
        return;
    }
    if (transaction.resting) {
        transaction.resting = false;
        transaction.attempts = 0;
        transaction.tried.clear();
        ++transaction.rests;
    }
    auto from = root_address;
    for (const auto relay : transaction.route.relays) {
        links.doubt(from, relay, now);
        from = relay;
    }
    links.doubt(from, member->address, now);
    const auto route = choose_route(transaction, *member, now);
    if (route) {
        transaction.alternative_used =
            transaction.alternative_used || route->relays != transaction.route.relays;
        transaction.route = *route;
    }
    attempt(transaction, now);
}

void MeshRoot::Core::finish(std::uint32_t handle, std::optional<Buffer> answer, Instant now) {
    auto node = transactions.extract(handle);
    if (!node) return;
    const Transaction& transaction = node.mapped();
    if (transaction.trial) return trial_finished(transaction, answer.has_value(), now);
    // Long frames, when nobody is in a hurry: how they fare says little about who can be read.
    if (transaction.image) return image_answered(transaction.meter, answer, now);
    Member* member = members.find(transaction.meter);
    if (!answer) {
        if (member != nullptr && (transaction.attempts > 0 || transaction.routeless))
            read_failed(*member, now);
        if (transaction.probe) return errand_finished(handle, std::nullopt, now);
        ++statistics.reads_failed;
        const bool dark = member != nullptr && member->power != Power::on;
        events.push_back(MeshFailure{handle, dark ? dcu::ReadFault::outage : dcu::ReadFault::no_answer});
        return;
    }
    window_q4 = std::min(window_q4 + window_one * window_one / std::max(window_q4, 1),
                         settings.window_max * window_one);
    if (transaction.key) return key_was_taken(transaction.meter);
    if (transaction.probe) return errand_finished(handle, answer, now);
    const bool first = transaction.attempts == 1 && transaction.rests == 0;
    if (first) ++statistics.reads_first_try;
    if (transaction.alternative_used) ++statistics.reads_alternative;
    events.push_back(MeshAnswer{handle, std::move(*answer), first, transaction.alternative_used});
}

void MeshRoot::Core::read_failed(Member& member, Instant now) {
    if (member.power != Power::on) return;
    ++member.failed_reads;
    judge_due = wired.forgive(member.number) || judge_due;
    member.probes = std::max(member.probes, 1);
    member.probe_at = std::min(member.probe_at, now + probe_again);
    if (member.state == dcu::NodeState::joined && member.failed_reads >= suspect_after) {
        member.state = dcu::NodeState::suspect;  // no relay any more
        tree_revision = ~std::uint64_t{0};
    }
    if (member.state == dcu::NodeState::suspect && member.failed_reads >= offline_after) {
        went_offline(member, now);
    }
    fell_silent(member, now);
}

Duration MeshRoot::Core::answer_time(const Member& member, std::size_t hops) const {
    const std::int64_t slow = settings.rate == PhyRate::kbit10 ? 4 : 1;
    const auto count = static_cast<std::int64_t>(hops);
    // A hop that needs its third try waits 0.3 s, the fourth a second more: not sooner than that.
    const std::int64_t least = (900'000 + 250'000 * count) * slow;
    std::int64_t expected = (1'000'000 + 400'000 * count) * slow;
    if (member.round_trip_us != 0)
        expected = member.round_trip_us + 4 * member.round_trip_deviation_us;
    else if (hop_round_trip_us != 0)
        expected = 3 * hop_round_trip_us * count;
    return Duration{std::clamp(expected, least, 4'000'000 * slow)};
}

Duration MeshRoot::Core::expected_time(const Member& member, std::size_t hops) const {
    const std::int64_t slow = settings.rate == PhyRate::kbit10 ? 4 : 1;
    const auto count = static_cast<std::int64_t>(hops);
    // A collector's answer takes long on its wire; the air is free meanwhile.
    if (member.round_trip_us != 0 && !wired.is_collector(member.number))
        return Duration{
            std::max(member.round_trip_us + 3 * member.round_trip_deviation_us, 60'000 * slow * count)};
    return Duration{(hop_round_trip_us != 0 ? hop_round_trip_us * 2 : 150'000 * slow) * count};
}

void MeshRoot::Core::learn_round_trip(Member& member, Duration took, std::size_t hops) {
    const std::int64_t sample = std::max<std::int64_t>(took.count(), 1);
    const auto per_hop = sample / static_cast<std::int64_t>(hops);
    hop_round_trip_us = hop_round_trip_us == 0 ? per_hop : (hop_round_trip_us * 15 + per_hop) / 16;
    if (member.round_trip_us == 0) {
        member.round_trip_us = sample;
        member.round_trip_deviation_us = sample / 2;
        return;
    }
    const auto off = std::abs(sample - member.round_trip_us);
    member.round_trip_deviation_us += (off - member.round_trip_deviation_us) / 4;
    member.round_trip_us += (sample - member.round_trip_us) / 8;
}

void MeshRoot::Core::answer_received(const UpPacket& packet, Instant now) {
    const auto source = packet.header.source;
    auto answer = decode_answer(packet.body);
    if (!answer) {
        ++statistics.frames_refused;
        return;
    }
    if (twin_heard(packet, now)) return;
    Member* member = members.find(source);
    if (member == nullptr)
        return stranger_heard(packet, answer->links.empty() ? source : answer->links.front().neighbour, now);
    for (const auto& link : answer->links) links.report(source, link, now);
    const auto found = std::find_if(transactions.begin(), transactions.end(), [&](const auto& row) {
        const Transaction& t = row.second;
        return t.flying && t.meter == member->number && t.sequence == packet.header.sequence &&
               packet.header.attempt < t.attempts;
    });
    if (found == transactions.end()) return;  // an answer that comes twice, or after its deadline
    Transaction& transaction = found->second;
    judge_relays(transaction, packet.header.attempt, now);
    if (!transaction.image)
        learn_round_trip(*member, now - transaction.sent[packet.header.attempt], transaction.route.hops());
    if (packet.header.attempt + 1 == transaction.attempts) {
        auto from = root_address;
        for (const auto relay : transaction.route.relays) {
            links.worked(from, relay, now);
            from = relay;
        }
        links.worked(from, source, now);
    }
    member->proved = now;
    if (answer->floor) return ask_above(transaction, *member, *answer->floor, now);
    member->failed_reads = 0;
    member->probes = 0;
    member->probe_at = never;
    member_heard(*member, now);
    tell_joined(*member, now, false);
    finish(transaction.handle, std::move(answer->payload), now);
    launch_waiting(now);
}

/// Meters execute no sequence twice: a restart goes on above all that may have been used.
std::uint16_t MeshRoot::Core::next_sequence(Member& member) {
    ++member.sequence;
    if (static_cast<std::int16_t>(member.sequence_limit - member.sequence) <= 0) {
        member.sequence_limit = static_cast<std::uint16_t>(member.sequence + sequence_ahead);
        dirty = true;
    }
    return member.sequence;
}

/// The meter has executed requests of a higher number, for a root that we have no memory of.
void MeshRoot::Core::ask_above(Transaction& transaction, Member& member, std::uint16_t floor, Instant now) {
    member.sequence = floor;
    transaction.sequence = next_sequence(member);
    if (transaction.attempts >= attempts_max) return attempt_failed(transaction, Loss::told, now);
    attempt(transaction, now);
}

void MeshRoot::Core::error_received(const UpPacket& packet, Instant now) {
    const auto error = decode_route_error(packet.body);
    if (!error) {
        ++statistics.frames_refused;
        return;
    }
    links.failed(packet.header.source, error->failed_hop, now);
    const Member* target = members.find(error->target);
    if (target == nullptr) return;
    for (auto& [handle, transaction] : transactions) {
        if (transaction.flying && transaction.meter == target->number &&
            transaction.sequence == error->sequence && transaction.attempts == error->attempt + 1)
            return attempt_failed(transaction, Loss::told, now);
    }
}

}  // namespace wattmesh::concentrator
