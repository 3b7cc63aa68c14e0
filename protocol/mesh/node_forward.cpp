#include <algorithm>

#include "protocol/mesh/node.h"

/// Packets on their way: up along the gradient, down along the route they carry.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
constexpr Duration up_life = 8s, loop_tell_again = 30s;
// Where many have something to say at once, they say it farther and farther apart.
constexpr Duration hold_first = 2s, hold_life = 60s;
constexpr int hold_rounds_max = 5;
constexpr Duration refuse_again = 500ms;
constexpr std::size_t held_max = 64;

bool unasked(FrameType type) { return type == FrameType::notice || type == FrameType::outage_report; }

/// How many neighbours may be tried with one packet. A frame whose ACK was lost lives on: each further
/// neighbour may carry a copy of it, and where the air is full copies are what fills it.
std::size_t parents_tried_max(FrameType type) { return type == FrameType::data_up ? 3 : 2; }

std::uint8_t duplicate_kind(FrameType type, std::uint8_t attempt) {
    return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 3 | attempt);
}
}  // namespace

bool Node::send_up(FrameType type, std::uint16_t sequence, std::uint8_t attempt, std::uint8_t priority,
                   Buffer body, Instant now) {
    PendingUp pending;
    pending.type = type;
    pending.packet.header = {.attempt = attempt,
                             .priority = priority,
                             .destination = root_address,
                             .source = state_.short_address,
                             .sequence = sequence};
    pending.packet.body = std::move(body);
    pending.expires = now + (unasked(type) ? hold_life : up_life);
    return pass_up(std::move(pending), now);
}

/// An answer goes back the way its request came: the root has chosen it for both directions, and its links
/// are tried in both. Everything else, and an answer that cannot go on there, follows the gradient.
std::optional<std::uint16_t> Node::next_hop_up(PendingUp& pending, Instant now) {
    auto& header = pending.packet.header;
    pending.packet.rank = rank_;
    if (pending.type == FrameType::data_up && !header.detoured) {
        const auto back = ways_back_.find(header.source, header.sequence, now);
        if (back && std::find(pending.tried.begin(), pending.tried.end(), *back) == pending.tried.end()) {
            pending.packet.rank = rank_infinite;  // no gradient: nobody refuses it for that
            return back;
        }
        header.detoured = back.has_value();
    }
    if (pending.tried.size() >= parents_tried_max(pending.type)) return std::nullopt;
    auto order = neighbours_.parents(rank_, now);
    std::erase_if(order, [&](std::uint16_t address) { return neighbours_.find(address)->rank >= rank_; });
    if (const auto own = std::find(order.begin(), order.end(), parent_); own != order.end())
        std::rotate(order.begin(), own, own + 1);
    if (order.size() > NeighbourTable::parents_max) order.resize(NeighbourTable::parents_max);
    // The last resort: the parent we have, even if it was mute a moment ago.
    if (std::find(order.begin(), order.end(), parent_) == order.end() && neighbours_.find(parent_) != nullptr)
        order.push_back(parent_);
    const auto next = std::find_if(order.begin(), order.end(), [&](std::uint16_t address) {
        return std::find(pending.tried.begin(), pending.tried.end(), address) == pending.tried.end();
    });
    return next == order.end() ? std::nullopt : std::optional{*next};
}

bool Node::pass_up(PendingUp pending, Instant now) {
    const bool possible = attached() && now < pending.expires && !mac_.full();
    const auto next = possible ? next_hop_up(pending, now) : std::nullopt;
    if (!next) {
        if (hold(std::move(pending), now)) return true;
        ++counters_.dropped_up;
        return false;
    }
    pending.tried.push_back(*next);
    const auto tag = ++tags_;
    Buffer body = encode(pending.packet);
    const auto priority = pending.packet.header.priority;
    if (!mac_.send({.destination = *next,
                    .type = pending.type,
                    .priority = priority,
                    .lifetime = std::min<Duration>(pending.expires - now, up_life),
                    .tag = tag,
                    .body = std::move(body)},
                   now))
        return false;
    up_.emplace(tag, std::move(pending));
    return true;
}

Acceptance Node::up_heard(const Arrival& arrival, Instant now) {
    auto packet = decode_up(arrival.frame.body);
    if (!packet) return Acceptance::taken;  // authentic but malformed: nothing to be won by hearing it again
    auto& header = packet->header;
    if (!attached() || rank_ >= packet->rank || header.source == state_.short_address) {
        ++counters_.loops_refused;
        if (attached() && now - loop_told_at_ >= loop_tell_again) {
            loop_told_at_ = now;
            trickle_.reset(now, mac_.chance(), stretch());
        }
        return Acceptance::loop;
    }
    if (mac_.full()) return Acceptance::busy;
    if (Neighbour* child = neighbours_.find(arrival.frame.source)) child->child_until = now + 1'800s;
    if (header.time_to_live <= 1) return Acceptance::taken;
    if (!passed_.admit(header.source, header.sequence, duplicate_kind(arrival.frame.type, header.attempt),
                       now))
        return Acceptance::taken;
    --header.time_to_live;
    PendingUp pending;
    pending.type = arrival.frame.type;
    pending.packet = std::move(*packet);
    pending.expires = now + (unasked(pending.type) ? hold_life : up_life);
    if (!pass_up(std::move(pending), now)) return Acceptance::taken;
    ++counters_.forwarded_up;
    return Acceptance::taken;
}

void Node::up_sent(PendingUp pending, const Departure& departure, Instant now) {
    if (departure.outcome == TxOutcome::acknowledged) {
        if (departure.destination == parent_) choose_parent(now);  // the rank follows the link
        return;
    }
    choose_parent(now);
    pass_up(std::move(pending), now);
}

bool Node::hold(PendingUp pending, Instant now) {
    if (!unasked(pending.type) || pending.rounds >= hold_rounds_max || held_.size() >= held_max) return false;
    const Duration gap = hold_first * (1 << pending.rounds);
    const Instant at = now + gap / 2 + Duration{mac_.chance() % static_cast<std::uint32_t>(gap.count())};
    if (at >= pending.expires) return false;
    ++pending.rounds;
    pending.tried.clear();
    held_.push_back({std::move(pending), at});
    return true;
}

void Node::release_held(Instant now) {
    std::vector<Held> due;
    for (auto& held : held_)
        if (held.at <= now) due.push_back(std::move(held));
    std::erase_if(held_, [&](const Held& held) { return held.at <= now; });
    for (auto& held : due) pass_up(std::move(held.pending), now);
}

Instant Node::held_until() const {
    Instant next = never;
    for (const auto& held : held_) next = std::min(next, held.at);
    return next;
}

Acceptance Node::down_heard(const Arrival& arrival, Instant now) {
    auto packet = decode_down(arrival.frame.body);
    if (!packet) return Acceptance::taken;
    const bool for_us = packet->index == packet->relays.size();
    if (arrival.frame.type == FrameType::data_down || arrival.frame.type == FrameType::key_update ||
        arrival.frame.type == FrameType::image_request)
        ways_back_.passed(packet->header.destination, packet->header.sequence, arrival.frame.source, now);
    if (for_us) {
        if (packet->header.destination == state_.short_address) deliver(arrival.frame.type, *packet, now);
        return Acceptance::taken;
    }
    if (packet->relays[packet->index] != state_.short_address || packet->header.time_to_live <= 1)
        return Acceptance::taken;
    if (mac_.full()) return Acceptance::busy;
    --packet->header.time_to_live;
    ++packet->index;
    const std::uint16_t next =
        packet->index < packet->relays.size() ? packet->relays[packet->index] : packet->header.destination;
    ++counters_.forwarded_down;
    pass_down({.type = arrival.frame.type, .packet = std::move(*packet)}, next, now);
    return Acceptance::taken;
}

void Node::pass_down(PendingDown pending, std::uint16_t next_hop, Instant now) {
    const auto tag = ++tags_;
    const bool to_joiner = pending.type == FrameType::join_accept && next_hop >= temporary_address_min;
    if (!to_joiner) {
        // The root reports on links it can name: a child we did not know becomes a neighbour once it answers.
        if (Neighbour* child = neighbours_.find(next_hop)) child->child_until = now + 1'800s;
    }
    MediumAccess::Outgoing outgoing{.destination = next_hop,
                                    .type = pending.type,
                                    .secured = !to_joiner,
                                    .priority = pending.packet.header.priority,
                                    .tag = tag,
                                    .body = to_joiner ? pending.packet.body : encode(pending.packet)};
    if (mac_.send(std::move(outgoing), now)) down_.emplace(tag, std::move(pending));
}

void Node::down_sent(PendingDown pending, const Departure& departure, Instant now) {
    if (departure.outcome == TxOutcome::acknowledged) return;
    auto& packet = pending.packet;
    if (packet.header.destination >= temporary_address_min) return;  // the joiner asks again
    if (!packet.header.detoured && packet.index < packet.relays.size()) {
        const std::size_t skip = packet.index + 1U;
        const std::uint16_t over =
            skip < packet.relays.size() ? packet.relays[skip] : packet.header.destination;
        if (neighbours_.find(over) != nullptr) {
            packet.header.detoured = true;
            packet.index = static_cast<std::uint8_t>(skip);
            ++counters_.detours;
            return pass_down(std::move(pending), over, now);
        }
    }
    ++counters_.route_errors;
    const RouteError error{.target = packet.header.destination,
                           .sequence = packet.header.sequence,
                           .attempt = packet.header.attempt,
                           .failed_hop = departure.destination};
    send_up(FrameType::route_error, ++sequence_, 0, packet.header.priority, encode(error), now);
}

void Node::deliver(FrameType type, const DownPacket& packet, Instant now) {
    const auto& header = packet.header;
    if (type == FrameType::leave) return leave(now);
    const bool key = type == FrameType::key_update, image = type == FrameType::image_request;
    if (type != FrameType::data_down && !image && (!key || !learn_key(packet.body))) return;
    // The root knows that we are here.
    reports_unconfirmed_ = 2;
    report_reattached_ = false;
    report_at_ = now + 1'200s + spread(600s);
    if (AnswerCache::Row* known = answers_.find(header.sequence, packet.body, now)) {
        ++counters_.repeated_requests;
        known->attempt = header.attempt;
        known->at = now;
        if (known->answer) send_answer(*known, now);
        return;
    }
    if (!takes(header.sequence)) return refuse_old(header, now);
    const auto status = image ? image_asked(packet.body) : std::nullopt;
    if (image && !status) return;
    AnswerCache::Row& row = answers_.open(header.sequence, packet.body, now);
    row.attempt = header.attempt;
    row.priority = header.priority;
    if (packet.body.empty() || key || image) {  // probe: the mesh answers by itself
        row.answer = status.value_or(Buffer{});
        return send_answer(row, now);
    }
    requests_.push_back({.ticket = header.sequence, .payload = packet.body});
}

/// The root counts its requests, and so do we: over a restart, in blocks ahead. What was recorded is never
/// executed again, whoever passes it on.
bool Node::takes(std::uint16_t sequence) {
    if (sequence_top_ && static_cast<std::int16_t>(sequence - *sequence_top_) <= 0) return false;
    sequence_top_ = sequence;
    floor_untold_ = false;
    auto& limit = state_.sequence_limit;
    if (limit && static_cast<std::int16_t>(*limit - sequence) >= sequence_block / 4) return true;
    limit = static_cast<std::uint16_t>(sequence + sequence_block);
    state_dirty_ = true;
    return true;
}

/// It may be a root that lost its memory: it goes on above what we say.
void Node::refuse_old(const NetworkHeader& header, Instant now) {
    ++counters_.requests_refused;
    if (refused_old_at_ != Instant{} && now - refused_old_at_ < refuse_again) return;
    refused_old_at_ = now;
    const Answer answer{.floor = sequence_top_, .links = {}, .payload = {}};
    send_up(FrameType::data_up, header.sequence, header.attempt, header.priority, encode(answer), now);
}

std::optional<Node::Request> Node::take_request() {
    if (requests_.empty()) return std::nullopt;
    Request request = std::move(requests_.front());
    requests_.erase(requests_.begin());
    return request;
}

void Node::answer(std::uint16_t ticket, Buffer payload, Instant now) {
    AnswerCache::Row* row = answers_.find_open(ticket);
    if (row == nullptr || payload.size() > answer_size_max) return;
    row->answer = std::move(payload);
    send_answer(*row, now);
    mac_.tick(now);
}

bool Node::notify(Buffer payload, Instant now) {
    if (payload.size() > answer_size_max) return false;
    PendingUp pending;
    pending.type = FrameType::notice;
    pending.packet.header = {.attempt = 0,
                             .priority = 2,
                             .destination = root_address,
                             .source = state_.short_address,
                             .sequence = ++sequence_};
    pending.packet.body = std::move(payload);
    pending.expires = now + hold_life;
    return hold(std::move(pending), now);
}

void Node::send_answer(const AnswerCache::Row& row, Instant now) {
    Answer answer;
    answer.payload = *row.answer;
    const std::size_t room =
        (frame_body_size_max - up_overhead - 1 - answer.payload.size()) / link_entry_size;
    answer.links = neighbours_.news(parent_, std::min(room, answer_links_max));
    // No answer is certain to arrive: what was told is told again in turn.
    const auto& all = neighbours_.all();
    if (answer.links.size() <= 1 && all.size() > 1) {
        const auto& other = all[report_turn_++ % all.size()];
        if (other.address != parent_) answer.links.push_back(NeighbourTable::entry(other));
    }
    send_up(FrameType::data_up, row.sequence, row.attempt, row.priority, encode(answer), now);
}

}  // namespace wattmesh::mesh
