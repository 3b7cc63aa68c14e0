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
