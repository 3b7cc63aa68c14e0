#include <algorithm>

#include "protocol/base/reader.h"
#include "protocol/mesh/join.h"
#include "protocol/mesh/node.h"

/// Getting in, helping others in, and being sent away.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
constexpr std::int64_t tokens_per_second = 6, tokens_max = 12, token_q10 = 1'024;
constexpr int backoff_exponent_max = 5;
constexpr Duration better_proxy_wait = 8s, better_proxy_again = 1s;
constexpr Duration yield_max = 10s, yield_to_frame = 20ms;
constexpr int yield_turns_max = 5;
constexpr std::uint32_t good_link_q7 = 192;  // two of three tries
constexpr std::size_t queue_for_strangers_max = 4;
}  // namespace

void Node::join_tick(Instant now) {
    if (now >= answer_until_) {
        candidates_.failed(joining_pan_, joining_over_);
        candidates_.unanswered(joining_pan_, now);
        join_request_.reset();
        answer_until_ = never;
        collect_until_ = now;
    }
    if (now >= collect_until_ && !join_request_) choose_proxy(now);
    if (now >= ask_at_ && !air_is_busy(now)) {
        ask_at_ = never;
        ask_to_join(now);
    }
}

/// The turn comes later by what was heard while waiting: as long as the air is full, nobody new begins.
bool Node::air_is_busy(Instant now) {
    const auto frames = mac_.counters().heard - heard_before_;
    heard_before_ += frames;
    if (frames == 0 || now >= ask_before_) return false;
    ask_at_ =
        std::min(now + yield_to_frame * frames * (settings_.rate == PhyRate::kbit10 ? 4 : 1), ask_before_);
    return true;
}

/// U(0, window).
Duration Node::spread(Duration window) {
    return Duration{static_cast<std::int64_t>(
        mac_.chance() % static_cast<std::uint32_t>(std::max<std::int64_t>(window.count(), 1)))};
}

void Node::choose_proxy(Instant now) {
    collect_until_ = never;
    const auto best = candidates_.best(now);
    if (!best) {
        candidates_.clear();
        candidate_since_ = never;
        solicit_at_ = std::min(solicit_at_, now + spread(1s));
        return;
    }
    // Over a poor link a request costs everybody's airtime: the wave may bring somebody nearer.
    const Duration all_others = best->beacon.join_window_half_s * 500ms;
    if (LinkEstimator{best->rssi_dbm}.etx_q7() > good_link_q7 &&
        now - candidate_since_ < std::max<Duration>(better_proxy_wait, all_others)) {
        collect_until_ = now + better_proxy_again;
        return;
    }
    // Many have heard the same beacon. The root says how long it needs for all; whoever failed waits longer
    // each time.
    const Duration backed_off = join_window_min * (1 << std::min(join_attempts_, backoff_exponent_max));
    const Duration turn = spread(std::max(all_others, backed_off));
    ask_at_ = now + turn;
    ask_before_ = now + yield_turns_max * turn + yield_max;
    heard_before_ = mac_.counters().heard;
}

void Node::ask_to_join(Instant now) {
    const auto best = candidates_.best(now);
    if (!best || state_.join_counter == 0xFFFFFFFF) {
        collect_until_ = now + 1s;
        return;
    }
    ++state_.join_counter;
    state_dirty_ = true;
    ++join_attempts_;
    ++counters_.join_requests;
    joining_pan_ = best->pan;
    joining_over_ = best->address;
    if (temporary_address_ == broadcast_address ||
        join_attempts_ % 4 == 0)  // now and then: somebody may have the same
        temporary_address_ = static_cast<std::uint16_t>(temporary_address_min + mac_.chance() % 0x7FF0);
    mac_.reset();
    mac_.set_address(std::nullopt, temporary_address_);
    JoinRequest request{.meter = settings_.number,
                        .counter = state_.join_counter,
                        .nonce = {},
                        .capabilities = 0,
                        .neighbours = candidates_.strongest(best->pan, 4),
                        .mac = {}};
    const auto nonce = mac_.chance();
    for (std::size_t i = 0; i < request.nonce.size(); ++i)
        request.nonce[i] = static_cast<std::uint8_t>(nonce >> (8 * i));
    sign(request, best->pan, settings_.join_key, ciphers_);
    join_request_ = request;
    // The PAN must stand in the frame: until the answer comes we listen to this one only.
    mac_.set_address(best->pan, temporary_address_);
    answer_until_ = now + 5s;
    mac_.send({.destination = best->address,
               .type = FrameType::join_request,
               .secured = false,
               .priority = 2,
               .lifetime = 4s,
               .tries_max = 3,
               .tag = 0,
               .body = encode(request)},
              now);
}

void Node::request_sent(const Departure& departure, Instant now) {
    if (!join_request_) return;
    if (departure.outcome == TxOutcome::acknowledged) {
        std::uint8_t hops = 0;
        for (const auto& row : candidates_.all())
            if (row.pan == joining_pan_ && row.address == joining_over_) hops = row.beacon.hops;
        answer_until_ = now + 4s + 1s * std::min<int>(hops, 14);
        return;
    }
    candidates_.failed(joining_pan_, joining_over_);
    join_request_.reset();
    answer_until_ = never;
    mac_.set_address(std::nullopt, broadcast_address);
    collect_until_ = now;
}

void Node::accept_heard(const Arrival& arrival, Instant now) {
    if (!join_request_ || arrival.frame.pan != joining_pan_ ||
        arrival.frame.destination != temporary_address_)
        return;
    const auto accept = decode_join_accept(arrival.frame.body);
    if (!accept) return;
    const auto net_key = open(*accept, *join_request_, joining_pan_, settings_.join_key, ciphers_);
    if (net_key) adopt(*accept, *net_key, now);
}

void Node::adopt(const JoinAccept& accept, const Key128& net_key, Instant now) {
    const bool same_network = state_.net_key &&
                              equal_constant_time(state_.net_key->reveal(), net_key.reveal()) &&
                              state_.short_address == accept.short_address;
    if (!same_network && state_.counter_limit > 0xF0000000)
        state_.counter_limit = 1;  // a new key starts counting anew
    state_.net_key = net_key;
    state_.pan = joining_pan_;
    state_.short_address = accept.short_address;
    state_dirty_ = true;
    ++counters_.joins;
    state_.key_number = accept.key_number;
    forget_other_key();
    mac_.security().set_key(net_key, state_.counter_limit, key_id(state_.key_number));
    mac_.set_address(state_.pan, state_.short_address);
    keep_counter_ahead();
    verified_at_ = answered_at_ = detached_at_ = now;
    elsewhere_.reset();
    unanswered_ = 0;
    know_version(accept.version);
    join_window_ = {};
    neighbours_.clear();
    for (const auto& row : candidates_.all()) {
        if (row.pan != state_.pan) continue;
        concentrator_ = row.beacon.concentrator;
        if (Neighbour* neighbour = neighbours_.heard(row.address, row.rssi_dbm, row.heard)) {
            neighbour->rank = row.beacon.rank;
            neighbour->hops = row.beacon.hops;
            neighbour->beacon_heard = now;
        }
        if (row.heard >= join_window_at_ || join_window_ == Duration{}) {
            join_window_ = row.beacon.join_window_half_s * 500ms;
            join_window_at_ = row.heard;
        }
    }
    candidates_.clear();
    candidate_since_ = never;
    join_request_.reset();
    collect_until_ = ask_at_ = answer_until_ = solicit_at_ = never;
    join_attempts_ = 0;
    solicits_ = 0;
    rank_ = rank_beaconed_ = rank_infinite;
    poisoned_at_ = {};
    report_at_ = never;
    choose_parent(now);
    if (!attached()) solicit_at_ = now + Duration{mac_.chance() % 500'000};
}

void Node::leave(Instant now) {
    state_.net_key.reset();
    state_.short_address = 0;
    forget_other_key();
    state_dirty_ = true;
    mac_.reset();
    mac_.security().clear_key();
    mac_.set_address(std::nullopt, broadcast_address);
    mac_.set_former_pan(std::nullopt);
    former_until_ = never;
    rival_.reset();
    up_.clear();
    held_.clear();
    down_.clear();
    floods_.clear();
    requests_.clear();
    answers_.clear();
    passed_.clear();
    ways_back_.clear();
    neighbours_.clear();
    candidates_.clear();
    candidate_since_ = never;
    join_attempts_ = 0;
    trickle_.stop();
    rank_ = rank_beaconed_ = rank_infinite;
    hops_ = 63;
    parent_ = broadcast_address;
    version_known_ = false;
    report_at_ = never;
    solicits_ = 0;
    solicit_at_ = now + 1s + Duration{mac_.chance() % 2'000'000};
}

Acceptance Node::join_request_heard(const Arrival& arrival, Instant now) {
    const auto source = arrival.frame.source;
    if (!attached() || source < temporary_address_min || source == broadcast_address) return Acceptance::loop;
    if (!decode_join_request(arrival.frame.body)) return Acceptance::loop;
    // Nobody has checked this request yet: a bucket keeps strangers from filling the way up.
    const auto elapsed_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - join_tokens_at_).count();
    join_tokens_q10_ = std::min(join_tokens_q10_ + elapsed_ms * tokens_per_second * token_q10 / 1'000,
                                tokens_max * token_q10);
    join_tokens_at_ = now;
    if (join_tokens_q10_ < token_q10 || mac_.queued() >= queue_for_strangers_max) {
        ++counters_.join_tokens_refused;
        return Acceptance::loop;  // not "busy": it shall come back much later, or over somebody else
    }
    join_tokens_q10_ -= token_q10;
    const ForwardedJoin join{
        .temporary_address = source, .rssi_dbm = arrival.rssi_dbm, .request = to_buffer(arrival.frame.body)};
    send_up(FrameType::join_request, ++sequence_, 0, 2, encode(join), now);
    return Acceptance::taken;
}

}  // namespace wattmesh::mesh
