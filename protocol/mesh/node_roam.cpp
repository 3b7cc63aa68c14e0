#include "protocol/mesh/link_estimator.h"
#include "protocol/mesh/node.h"

/// From one concentrator's network to another's.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
// Source: mesh design 2.7. Home is lost when nobody of it has taken us in for a while; somebody else's
// network must be much better for long, and once a day is enough: anybody can send such a beacon, nobody can
// check it.
constexpr Duration home_lost = 180s, offer_fresh = 120s, offer_life = 2'200s, better_lasts = 1'800s,
                   roam_gap = 24h;
// A rival is answered, so that its root hears of us too; four of those that hear it tell ours.
constexpr Duration former_life = 600s, rival_answer_again = 30s, rival_tell_again = 300s, rival_tell = 1s,
                   rival_tell_within = 5s;
constexpr std::uint32_t rival_tellers = 4;
constexpr int better_times = 3, better_percent = 75, better_min = rank_per_transmission;

int cost_of(const JoinCandidate& offer) {
    return offer.beacon.rank + static_cast<int>(LinkEstimator{cautious(offer.rssi_dbm)}.etx_q7());
}
}  // namespace

bool Node::cut_off(Instant now) const { return joined() && !attached() && now - detached_at_ >= home_lost; }

void Node::foreign_beacon(const MacFrame& frame, std::int8_t rssi_dbm, Instant now) {
    if (!joined() || gasping()) return;
    const auto beacon = decode_beacon(frame.body);
    if (!beacon || beacon->rank == rank_infinite) return;
    const JoinCandidate heard{.pan = frame.pan,
                              .address = frame.source,
                              .rssi_dbm = rssi_dbm,
                              .beacon = *beacon,
                              .heard = now,
                              .failures = 0};
    const bool old = !elsewhere_ || now - elsewhere_->offer.heard > offer_life;
    const bool same = !old && elsewhere_->offer.pan == heard.pan;
    const bool cheaper = !old && cost_of(heard) <= cost_of(elsewhere_->offer);
    if (old || (!same && cheaper))
        elsewhere_ = Elsewhere{.offer = heard};
    else if (same && (cheaper || elsewhere_->offer.address == heard.address))
        elsewhere_->offer = heard;
    else
        return;
    const int ours = rank_, theirs = cost_of(heard);
    if (attached() && (theirs * 100 >= ours * better_percent || ours - theirs < better_min)) {
        elsewhere_->since = never;
        elsewhere_->times = 0;
    } else {
        elsewhere_->since = std::min(elsewhere_->since, now);
        ++elsewhere_->times;
    }
    roam(now);
}

void Node::know_version(std::uint16_t version) {
    version_ = version;
    version_known_ = true;
    if (state_.version == version) return;
    state_.version = version;
    state_dirty_ = true;
}

/// The root counts its version up when it moves: what was recorded before it did is older.
bool Node::own_beacon_elsewhere(const Arrival& arrival, Instant now) {
    const auto beacon = decode_beacon(arrival.frame.body);
    if (!joined() || gasping() || !beacon || beacon->rank == rank_infinite ||
        static_cast<std::int16_t>(beacon->version - state_.version) <= 0)
        return false;
    ++counters_.moved;
    mac_.set_former_pan(state_.pan);
    former_until_ = now + former_life;
    state_.pan = arrival.frame.pan;
    state_dirty_ = true;
    mac_.set_address(state_.pan, state_.short_address);
    rival_.reset();
    if (elsewhere_ && elsewhere_->offer.pan == state_.pan) elsewhere_.reset();
    version_known_ = true;  // the one before: this beacon counts as news
    verified_at_ = now;
    not_authentic_seen_ = mac_.counters().not_authentic;
    if (arrival.frame.source == root_address) root_was_heard(now);
    neighbours_.heard(arrival.frame.source, arrival.rssi_dbm, now);
    beacon_heard(arrival, *beacon, now);
    return true;
}

/// Two networks in one PAN: their addresses and joiners are mixed up. The roots settle who goes.
void Node::rival_beacon(const MacFrame& frame, std::int8_t, Instant now) {
    const auto beacon = decode_beacon(frame.body);
    if (!attached() || gasping() || !beacon || concentrator_ == DeviceNumber{} ||
        beacon->concentrator == concentrator_)
        return;
    // It is no sign that ours has another key, as long as ours is heard as well.
    if (now - verified_at_ < home_lost) {
        ++not_authentic_seen_;
        ++foreign_at_root_;
    }
    if (rival_answered_at_ == Instant{} || now - rival_answered_at_ >= rival_answer_again) {
        rival_answered_at_ = now;
        trickle_.reset(now, mac_.chance(), stretch());
    }
    if (rival_told_at_ != Instant{} && now - rival_told_at_ < rival_tell_again) return;
    const auto neighbours = static_cast<std::uint32_t>(std::max<std::size_t>(neighbours_.all().size(), 1));
    rival_told_at_ = now;
    if (mac_.chance() % neighbours >= rival_tellers) return;
    rival_ = beacon->concentrator;
    report_at_ = std::min(report_at_, now + rival_tell + spread(rival_tell_within));
}

/// Gives the net key up: a meter obeys one concentrator at a time.
void Node::roam(Instant now) {
    if (!elsewhere_ || !joined()) return;
    const bool fresh = now - elsewhere_->offer.heard <= offer_fresh;
    const bool better = attached() && elsewhere_->times >= better_times &&
                        now - elsewhere_->since >= better_lasts &&
                        (!roamed_at_ || now - *roamed_at_ >= roam_gap);
    if (!fresh || !(cut_off(now) || better)) return;
    if (better) roamed_at_ = now;
    ++counters_.roamed;
    const auto offer = elsewhere_->offer;
    leave(now);
    elsewhere_.reset();
    candidates_.heard(offer);
    candidate_since_ = collect_until_ = now;
}

}  // namespace wattmesh::mesh
