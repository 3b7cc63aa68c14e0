#include <algorithm>
#include <utility>

#include "protocol/mesh/node.h"

/// Which neighbour leads up, and what the root is told about it.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
// RFC 6719's idea, tightened (mesh design 2.4): a gain counts when it lasts. A large one does sooner.
constexpr int gain_min = rank_per_transmission, gain_percent = 25;
constexpr int gain_large = 2 * rank_per_transmission, gain_large_percent = 40;
constexpr Duration gain_lasts = 120s, gain_large_lasts = 15s, switch_gap = 300s, switch_gap_large = 30s;
constexpr int rank_news_min = 192, rank_news_percent = 25;
constexpr int rank_rise_min = 8 * rank_per_transmission, rank_rise_percent = 100;
constexpr Duration rank_low_life = 600s;
constexpr int report_tries_max = 2;
constexpr std::uint8_t silent_failures =
    3;  // exchanges of four tries each before the only parent counts as dead
constexpr Duration report_gap_min = 60s, report_again = 40s;
constexpr std::size_t report_links_max = 12, report_links_first = 3;
constexpr Duration report_new_parent = 60s;
}  // namespace

void Node::choose_parent(Instant now) {
    // Only neighbours nearer than we were ourselves: one that hangs on us is always farther. After poisoning,
    // whoever has beaconed since then.
    auto order = neighbours_.parents(rank_beaconed_, now);
    if (rank_ == rank_infinite && rank_beaconed_ == rank_infinite) {
        order = neighbours_.parents(rank_infinite, now);
        std::erase_if(order, [&](std::uint16_t address) {
            return neighbours_.find(address)->beacon_heard < poisoned_at_;
        });
    }
    if (order.empty()) {
        const Neighbour* last = neighbours_.find(parent_);
        const bool worth_waiting = last != nullptr && last->rank < rank_ && last->failures < silent_failures;
        if (rank_ != rank_infinite && !worth_waiting) orphaned(now);
        return;
    }
    std::uint16_t best = order.front();
    const auto through = [&](std::uint16_t address) {
        return NeighbourTable::rank_through(*neighbours_.find(address));
    };
    const bool keeps = std::find(order.begin(), order.end(), parent_) != order.end();
    if (!keeps || best == parent_)
        better_since_ = never;
    else if (!worth_switching(through(parent_), through(best), now))
        best = parent_;
    set_parent(best, now);
}

bool Node::worth_switching(int rank_through_parent, int rank_through_other, Instant now) {
    const int gain = rank_through_parent - rank_through_other;
    if (gain < std::max(gain_min, rank_through_parent * gain_percent / 100)) {
        better_since_ = never;
        return false;
    }
    if (better_since_ == never) better_since_ = now;
    const bool large = gain >= std::max(gain_large, rank_through_parent * gain_large_percent / 100);
    return now - better_since_ >= (large ? gain_large_lasts : gain_lasts) &&
           now - switched_at_ >= (large ? switch_gap_large : switch_gap);
}

void Node::set_parent(std::uint16_t address, Instant now) {
    const bool was_orphan = rank_ == rank_infinite;
    const Neighbour& neighbour = *neighbours_.find(address);
    if (address != parent_) {
        ++counters_.parent_changes;
        parent_ = address;
        switched_at_ = now;
        better_since_ = never;
        rank_ = rank_infinite;
        // The way up is ours to choose; the root must hear of it only when it does not know the link.
        if (!was_orphan && reports_unconfirmed_ >= report_tries_max && neighbour.told_rssi_dbm == 0)
            schedule_report(now + report_new_parent + spread(report_new_parent), false);
    }
    follow_rank(neighbour);
    if (was_orphan || rank_ < rank_low_ || now - rank_low_at_ >= rank_low_life) {
        rank_low_ = rank_;
        rank_low_at_ = now;
    }
    // Whoever is cut off together hangs on one another, and each makes the others' ranks rise: let go first.
    if (rank_ > rank_low_ + std::max(rank_rise_min, rank_low_ * rank_rise_percent / 100))
        return orphaned(now);
    hops_ = static_cast<std::uint8_t>(std::min(neighbour.hops + 1, 63));
    solicit_at_ = never;
    solicits_ = 0;
    if (was_orphan) {
        trickle_.start(now, mac_.chance(), stretch());
        trickle_.insist();  // somebody may have waited for just this neighbour
        // After a power cut everybody comes back at once, and nothing paces us but what the root says.
        const Duration window = std::exchange(back_with_others_, false) ? join_window(now) : Duration{};
        schedule_report(now + 200ms + spread(std::max(window, join_window_min)), true);
        return;
    }
    const int change = std::abs(static_cast<int>(rank_) - static_cast<int>(rank_beaconed_));
    if (rank_beaconed_ != rank_infinite &&
        change > std::max(rank_news_min, rank_beaconed_ * rank_news_percent / 100))
        trickle_.reset(now, mac_.chance(), stretch());
}

/// The rank follows the link, but not every flicker of it: whoever hangs on us compares it with what it has
/// heard.
void Node::follow_rank(const Neighbour& parent) {
    const int through = NeighbourTable::rank_through(parent);
    const bool flicker =
        rank_ != rank_infinite && parent.rank < rank_ &&
        std::abs(through - rank_) <= std::max(rank_news_min, rank_ * rank_news_percent / 100);
    if (!flicker) rank_ = static_cast<std::uint16_t>(through);
}

void Node::orphaned(Instant now) {
    ++counters_.orphaned;
    rank_ = rank_infinite;
    hops_ = 63;
    parent_ = broadcast_address;
    poisoned_at_ = detached_at_ = now;
    send_beacon(now);  // poison: children look for somebody else at once
    trickle_.stop();
    solicits_ = 0;
    solicit_at_ = now + Duration{300'000 + mac_.chance() % 700'000};
}

void Node::schedule_report(Instant at, bool reattached) {
    const Instant soonest = report_sent_ == Instant{} ? at : std::max(at, report_sent_ + report_gap_min);
    report_at_ = std::min(report_at_, soonest);
    report_reattached_ = report_reattached_ || reattached;
    reports_unconfirmed_ = 0;
}

void Node::send_report(Instant now) {
    report_at_ = never;
    if (!attached()) return;
    report_sent_ = now;
    ++counters_.reports;
    // The first one is short: it says that we are here. The rest goes with our answers, or alone when nobody
    // asks us.
    const bool first = std::exchange(report_reattached_, false);
    const LinkReport report{
        .reattached = first,
        .needs_key = needs_key(),
        .rival = std::exchange(rival_, {}),
        .floor = first && floor_untold_ ? sequence_top_ : std::nullopt,
        .version = version_,
        .links = neighbours_.news(parent_, first ? report_links_first : report_links_max)};
    send_up(FrameType::link_report, ++sequence_, 0, 3, encode(report), now);
    // Later a sign of life twice an hour is enough, if the root does not talk to us anyway.
    if (reports_unconfirmed_ < report_tries_max) {
        const Duration gap =
            std::max<Duration>(report_again, join_window(now)) * (1 << (2 * reports_unconfirmed_));
        ++reports_unconfirmed_;
        report_at_ = now + gap + Duration{mac_.chance() % static_cast<std::uint32_t>(gap.count())};
    } else {
        report_at_ = now + 1'200s + Duration{mac_.chance() % 600'000'000};
    }
}

}  // namespace wattmesh::mesh
