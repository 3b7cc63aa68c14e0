#include "protocol/mesh/node.h"

#include <algorithm>

namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
constexpr std::uint32_t tag_plain = 0;  // beacons and solicits: nobody waits for the outcome
constexpr Duration solicit_first = 2s, solicit_max = 60s;
// Who is heard worse than this does better with another neighbour.
constexpr std::int8_t solicit_rssi_min_dbm = -97;
constexpr Duration report_spread_min = 8s;
constexpr int unanswered_max = 16;  // exchanges of four tries each
constexpr Duration unanswered_span = 1h;
constexpr Duration root_silence_max = 25min, join_window_life = 120s;

Trickle::Settings trickle_settings(PhyRate rate) {
    return {.interval_min = rate == PhyRate::kbit10 ? Duration{2'000'000} : Duration{500'000}};
}
}  // namespace

NodeCounters& NodeCounters::operator+=(const NodeCounters& other) {
    join_requests += other.join_requests;
    joins += other.joins;
    beacons += other.beacons;
    reports += other.reports;
    forwarded_up += other.forwarded_up;
    forwarded_down += other.forwarded_down;
    detours += other.detours;
    route_errors += other.route_errors;
    loops_refused += other.loops_refused;
    parent_changes += other.parent_changes;
    orphaned += other.orphaned;
    dropped_up += other.dropped_up;
    repeated_requests += other.repeated_requests;
    join_tokens_refused += other.join_tokens_refused;
    roamed += other.roamed;
    moved += other.moved;
    requests_refused += other.requests_refused;
    return *this;
}

Node::Node(const NodeSettings& settings, NodeState state, Ciphers& ciphers, Random& random,
           Transceiver& transceiver)
    : settings_(settings),
      state_(std::move(state)),
      ciphers_(ciphers),
      mac_({.rate = settings.rate}, ciphers, random, transceiver, *this),
      trickle_(trickle_settings(settings.rate)) {}

void Node::start(Instant now) {
    sequence_ = static_cast<std::uint16_t>(mac_.chance());
    solicit_at_ = now + solicit_first + Duration{mac_.chance() % 1'000'000};
    verified_at_ = answered_at_ = detached_at_ = now;
    root_was_heard(now);
    join_tokens_at_ = now;
    if (!joined()) {
        mac_.set_address(std::nullopt, broadcast_address);
        return;
    }
    start_keys(now);
    sequence_top_ = state_.sequence_limit;
    floor_untold_ = sequence_top_.has_value();
    mac_.set_address(state_.pan, state_.short_address);
    keep_counter_ahead();
    schedule_report(never, true);
    back_with_others_ = true;
}

void Node::keep_counter_ahead() {
    if (!joined() || mac_.security().counter_next() + counter_block / 2 < state_.counter_limit) return;
    const auto next = mac_.security().counter_next();
    state_.counter_limit = next > 0xFFFFFFFF - counter_block ? 0xFFFFFFFF : next + counter_block;
    state_dirty_ = true;
}

int Node::stretch() const { return std::max(1, static_cast<int>(neighbours_.all().size()) / 16); }

void Node::tick(Instant now) {
    if (gasping()) {
        gasp_tick(now);
        return mac_.tick(now);
    }
    key_tick(now);
    if (now >= former_until_) {
        former_until_ = never;
        mac_.set_former_pan(std::nullopt);
    }
    if (now >= dark_report_at_) report_dark(now);
    if (now >= held_until()) release_held(now);
    if (now >= pass_on_at()) pass_blocks_on(now);
    if (now >= solicit_at_) send_solicit(now);
    if (!joined()) {
        join_tick(now);
    } else {
        if (trickle_.next_deadline() <= now && trickle_.tick(now, mac_.chance())) send_beacon(now);
        if (now >= report_at_) send_report(now);
    }
    after(now);
}

void Node::after(Instant now) {
    mac_.tick(now);
    keep_counter_ahead();
    if (gasping()) return;
    const auto not_authentic = mac_.counters().not_authentic;
    // Our PAN talks and we cannot verify any of it: the net key has changed while we were away.
    if (joined() && not_authentic >= not_authentic_seen_ + 4 && now - verified_at_ > 30s) leave(now);
    // Or only the others who were left behind with us can be verified: nothing has come from the root for
    // more than a round and a half of reading, and somebody speaks our PAN with another key or counts from an
    // older state. The root lost its memory.
    if (joined() && now >= root_lost_at()) leave(now);
    // We hear them and nobody ever takes what we send: somebody had our address while we were away and has
    // counted further, so that we look like a replay. Only another join helps.
    if (joined() && unanswered_ >= unanswered_max && now - answered_at_ > unanswered_span &&
        now - verified_at_ < unanswered_span / 4)
        leave(now);
}

Instant Node::root_lost_at() const {
    return foreign() >= foreign_at_root_ + 3 ? root_heard_ + root_silence_max : never;
}

Instant Node::next_deadline() const {
    if (gasping()) return std::min(mac_.next_deadline(), gasp_.next_deadline());
    Instant next = std::min(
        {mac_.next_deadline(), solicit_at_, dark_report_at_, held_until(), key_forget_at_, pass_on_at()});
    if (joined()) return std::min({next, trickle_.next_deadline(), report_at_, root_lost_at()});
    return std::min({next, collect_until_, ask_at_, answer_until_});
}

void Node::root_was_heard(Instant now) {
    root_heard_ = now;
    foreign_at_root_ = foreign();
}

Acceptance Node::received(const Arrival& arrival, Instant now) {
    const MacFrame& frame = arrival.frame;
    if (arrival.verified) {
        verified_at_ = now;
        not_authentic_seen_ = mac_.counters().not_authentic;
        if (Neighbour* neighbour = neighbours_.heard(frame.source, arrival.rssi_dbm, now))
            neighbour->key = frame.key;
        if (frame.source == root_address || frame.type == FrameType::data_down ||
            frame.type == FrameType::key_update || frame.type == FrameType::image_request)
            root_was_heard(now);
        if (state_.other == NodeState::Other::next && frame.key != mac_.security().current()) switch_key(now);
    }
    if (frame.type == FrameType::last_gasp || frame.type == FrameType::dark_known) {
        if (!arrival.verified) return Acceptance::taken;
        frame.type == FrameType::last_gasp ? gasp_heard(arrival, now) : dark_known_heard(frame);
        return Acceptance::taken;
    }
    if (gasping()) return Acceptance::busy;
    switch (frame.type) {
        case FrameType::beacon:
            if (const auto beacon = decode_beacon(frame.body)) beacon_heard(arrival, *beacon, now);
            return Acceptance::taken;
        case FrameType::solicit:
            if (attached() && arrival.rssi_dbm >= solicit_rssi_min_dbm) {
                const auto solicit = decode_solicit(frame.body);
                if (!solicit) return Acceptance::taken;
                trickle_.reset(now, mac_.chance(), stretch());
                if (solicit->attempt >= 2) trickle_.insist();
            }
            return Acceptance::taken;
        case FrameType::join_accept:
            if (!frame.secured && !joined()) {
                accept_heard(arrival, now);
                if (joined()) root_was_heard(now);
            }
            if (arrival.verified) return down_heard(arrival, now);
            return Acceptance::taken;
        case FrameType::join_request:
            if (!frame.secured) return join_request_heard(arrival, now);
            return arrival.verified ? up_heard(arrival, now) : Acceptance::taken;
        case FrameType::data_up:
        case FrameType::link_report:
        case FrameType::route_error:
        case FrameType::outage_report:
        case FrameType::notice:
            return arrival.verified ? up_heard(arrival, now) : Acceptance::taken;
        case FrameType::data_down:
        case FrameType::key_update:
        case FrameType::image_request:
        case FrameType::leave:
            return arrival.verified ? down_heard(arrival, now) : Acceptance::taken;
        case FrameType::image_block:
            if (arrival.verified) image_block_heard(arrival, now);
            return Acceptance::taken;
        case FrameType::last_gasp:
        case FrameType::dark_known:
        case FrameType::acknowledge:
            break;
    }
    return Acceptance::taken;
}

void Node::sent(const Departure& departure, Instant now) {
    if (departure.type == FrameType::join_request && departure.tag == tag_plain)
        return request_sent(departure, now);
    if (departure.tag == tag_plain) return;
    if (departure.destination < temporary_address_min && departure.outcome != TxOutcome::channel_busy) {
        const bool answered = departure.outcome != TxOutcome::no_acknowledge;
        unanswered_ = answered ? 0 : unanswered_ + 1;
        if (answered) answered_at_ = now;
        neighbours_.record(departure.destination, departure.tries, answered, now);
        Neighbour* neighbour = neighbours_.find(departure.destination);
        // It is not nearer than we are; how far it is, its next beacon tells.
        if (departure.outcome == TxOutcome::refused && neighbour != nullptr)
            neighbour->rank = std::max(neighbour->rank, rank_);
        if (answered && neighbour != nullptr && departure.rssi_dbm < 0 && !neighbour->link.measured())
            neighbour->link.reseed(departure.rssi_dbm);
    }
    if (const auto pending = up_.extract(departure.tag))
        return up_sent(std::move(pending.mapped()), departure, now);
    if (const auto pending = down_.extract(departure.tag))
        down_sent(std::move(pending.mapped()), departure, now);
}

void Node::beacon_heard(const Arrival& arrival, const Beacon& beacon, Instant now) {
    const MacFrame& frame = arrival.frame;
    // Nobody but the root is nearer to it than one transmission.
    if (frame.source != root_address && beacon.rank < rank_per_transmission) return;
    if (!joined()) {
        if (frame.destination != broadcast_address || beacon.rank == rank_infinite) return;
        candidates_.heard({.pan = frame.pan,
                           .address = frame.source,
                           .rssi_dbm = arrival.rssi_dbm,
                           .beacon = beacon,
                           .heard = now,
                           .failures = 0});
        if (candidate_since_ == never) candidate_since_ = now;
        // The crowd has become smaller since we drew our turn.
        if (const auto window = std::max<Duration>(beacon.join_window_half_s * 500ms, join_window_min);
            ask_at_ != never && ask_at_ - now > window)
            ask_at_ = now + spread(window);
        if (join_request_ || ask_at_ != never) return;
        if (collect_until_ == never) collect_until_ = now + 1'500ms;
        if (candidates_.all().size() >= 3) collect_until_ = std::min(collect_until_, now + 100ms);
        solicit_at_ = never;
        return;
    }
    Neighbour* neighbour = arrival.verified ? neighbours_.find(frame.source) : nullptr;
    if (neighbour == nullptr) return;
    neighbour->rank = beacon.rank;
    neighbour->hops = beacon.hops;
    neighbour->beacon_heard = now;
    concentrator_ = beacon.concentrator;
    if (beacon.rank < rank_) {
        join_window_ = beacon.join_window_half_s * 500ms;
        join_window_at_ = now;
    }
    const bool newer = static_cast<std::int16_t>(beacon.version - version_) > 0;
    if (!version_known_ || newer) {
        if (version_known_) {
            trickle_.reset(now, mac_.chance(), stretch());
            neighbours_.untell();
            schedule_report(now + 500ms + spread(std::max<Duration>(join_window(now), report_spread_min)),
                            false);
        }
        know_version(beacon.version);
    } else if (beacon.version == version_ && beacon.rank != rank_infinite) {
        trickle_.heard_consistent();
    }
    choose_parent(now);
}

Duration Node::join_window(Instant now) const {
    return now - join_window_at_ <= join_window_life ? join_window_ : Duration{};
}

void Node::send_beacon(Instant now) {
    const Beacon beacon{.concentrator = concentrator_,
                        .version = version_,
                        .rank = rank_,
                        .hops = hops_,
                        .load = static_cast<std::uint8_t>(mac_.queued()),
                        .join_window_half_s = static_cast<std::uint8_t>(join_window(now) / 500ms)};
    rank_beaconed_ = rank_;
    ++counters_.beacons;
    mac_.send({.destination = broadcast_address,
               .type = FrameType::beacon,
               .priority = 3,
               .lifetime = 2s,
               .tag = tag_plain,
               .body = encode(beacon)},
              now);
}

void Node::send_solicit(Instant now) {
    const auto gap = std::min<Duration>(solicit_first * (1 << std::min<int>(solicits_, 6)), solicit_max);
    solicit_at_ = now + gap * 3 / 4 + Duration{mac_.chance() % static_cast<std::uint32_t>(gap.count() / 2)};
    mac_.send({.destination = broadcast_address,
               .type = FrameType::solicit,
               .secured = false,
               .priority = 3,
               .lifetime = 1s,
               .tag = tag_plain,
               .body = encode(Solicit{solicits_}),
               .every_pan = cut_off(now) && solicits_ % 2 == 1},
              now);
    if (solicits_ < 255) ++solicits_;
    roam(now);
}

}  // namespace wattmesh::mesh
