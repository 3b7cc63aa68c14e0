#include <algorithm>
#include <utility>

#include "protocol/mesh/node.h"

/// Which neighbour leads up, and what the root is told about it.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
constexpr std::uint16_t hysteresis_min = rank_per_transmission;
constexpr int hysteresis_percent = 25, rank_news_min = 192, rank_news_percent = 25;
constexpr int report_tries_max = 2;
constexpr std::uint8_t silent_failures =
    3;  // exchanges of four tries each before the only parent counts as dead
constexpr Duration report_gap_min = 60s;
constexpr std::size_t report_links_max = 12, report_links_first = 4;
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
    if (keeps && best != parent_) {
        const int gain = through(parent_) - through(best);
        if (gain < std::max<int>(hysteresis_min, through(parent_) * hysteresis_percent / 100)) best = parent_;
    }
    set_parent(best, now);
}

void Node::set_parent(std::uint16_t address, Instant now) {
    const bool was_orphan = rank_ == rank_infinite;
    const Neighbour& neighbour = *neighbours_.find(address);
    if (address != parent_) {
        ++counters_.parent_changes;
        parent_ = address;
        // The way up is ours to choose; the root must hear of it only when it does not know the link.
        if (!was_orphan && reports_unconfirmed_ >= report_tries_max &&
            std::find(reported_.begin(), reported_.end(), address) == reported_.end())
            schedule_report(now + Duration{5'000'000 + mac_.chance() % 10'000'000}, false);
    }
    rank_ = NeighbourTable::rank_through(neighbour);
    hops_ = static_cast<std::uint8_t>(std::min(neighbour.hops + 1, 63));
    solicit_at_ = never;
    solicits_ = 0;
    if (was_orphan) {
        trickle_.start(now, mac_.chance(), stretch());
        schedule_report(now + Duration{300'000 + mac_.chance() % 3'000'000}, true);
        return;
    }
    const int change = std::abs(static_cast<int>(rank_) - static_cast<int>(rank_beaconed_));
    if (rank_beaconed_ != rank_infinite &&
        change > std::max(rank_news_min, rank_beaconed_ * rank_news_percent / 100))
        trickle_.reset(now, mac_.chance(), stretch());
}

void Node::orphaned(Instant now) {
    ++counters_.orphaned;
    rank_ = rank_infinite;
    hops_ = 63;
    parent_ = broadcast_address;
    poisoned_at_ = now;
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
    // The first one is short: after a power cut everybody sends one.
    const bool first = std::exchange(report_reattached_, false);
    const LinkReport report{
        .reattached = first,
        .version = version_,
        .links = neighbours_.report(parent_, first ? report_links_first : report_links_max)};
    reported_.clear();
    for (const auto& link : report.links) reported_.push_back(link.neighbour);
    send_up(FrameType::link_report, ++sequence_, 0, 3, encode(report), now);
    // The long one follows; later a sign of life twice an hour is enough, if the root does not talk to us
    // anyway.
    if (reports_unconfirmed_ < report_tries_max) {
        const Duration gap = 40s * (1 << (2 * reports_unconfirmed_));
        ++reports_unconfirmed_;
        report_at_ = now + gap + Duration{mac_.chance() % static_cast<std::uint32_t>(gap.count())};
    } else {
        report_at_ = now + 1'200s + Duration{mac_.chance() % 600'000'000};
    }
}

}  // namespace wattmesh::mesh
