#include "concentrator/mesh/image_sender.h"

#include <algorithm>

namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using mesh::ImageState;
// Between two questions to the same meter; after a silence 1, 2, 4 ... 32 minutes.
constexpr Duration ask_gap = 60s;
constexpr int silences_counted = 5;
// A packet to one meter goes up every hop as well, and is acknowledged: half as much again.
constexpr std::size_t alone_q1 = 3, many = 3;
// A pass that did not bring a fifth of what was missing is no way to bring the rest.
constexpr std::uint64_t gain_part = 5;
}  // namespace

ImageSender::ImageSender(std::size_t blocks, const std::vector<DeviceNumber>& meters) : blocks_(blocks) {
    auto sorted = meters;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (const auto meter : sorted) {
        Target target;
        target.meter = meter;
        targets_.push_back(std::move(target));
    }
    counts_.blocks = blocks;
    counts_.meters = targets_.size();
}

ImageSender::Target* ImageSender::find(DeviceNumber meter) {
    const auto at =
        std::lower_bound(targets_.begin(), targets_.end(), meter,
                         [](const Target& target, DeviceNumber number) { return target.meter < number; });
    return at != targets_.end() && at->meter == meter ? &*at : nullptr;
}

std::optional<ImageSender::Step> ImageSender::next(Instant now, const Ways& ways) {
    // Every phase ends in the next one; twice around there is nothing to do now.
    for (int turn = 0; turn < 6; ++turn) {
        auto step = phase_ == Phase::asking      ? ask(now, ways)
                    : phase_ == Phase::spreading ? spread()
                                                 : fill(ways);
        if (step) return step;
        const bool waits = std::any_of(targets_.begin(), targets_.end(), [&](const Target& target) {
            const bool soon = phase_ == Phase::asking && !target.done() && !target.asked &&
                              target.silences == 0 && ways.hops(target.meter);
            return target.open || soon;
        });
        if (waits) return std::nullopt;
        if (phase_ == Phase::asking)
            plan(ways);
        else
            begin_asking();
    }
    return std::nullopt;
}

void ImageSender::begin_asking() {
    phase_ = Phase::asking;
    for (auto& target : targets_) target.asked = false;
}

std::optional<ImageSender::Step> ImageSender::ask(Instant now, const Ways& ways) {
    for (auto& target : targets_) {
        if (target.done() || target.asked || target.open || now < target.ask_at || !ways.hops(target.meter))
            continue;
        target.asked = target.open = true;
        target.alone = false;
        ++counts_.asked;
        return Ask{target.meter};
    }
    return std::nullopt;
}

/// By broadcast what would cost more alone: every hop of every meter that misses it, or every relay once. And
/// what three meters miss: no radio gives more of its time for all of them than for one.
void ImageSender::plan(const Ways& ways) {
    const auto missing_now = missing();
    const bool gained = !missing_before_ || missing_now + *missing_before_ / gain_part <= *missing_before_;
    missing_before_.reset();
    spreading_.clear();
    at_ = 0;
    phase_ = Phase::filling;
    if (!gained) return;
    std::vector<std::size_t> hops(blocks_, 0), lacking(blocks_, 0);
    for (const auto& target : targets_) {
        if (target.done() || target.missing_known == 0 || !target.asked) continue;
        const auto way = ways.hops(target.meter);
        if (!way) continue;
        for (std::size_t i = 0; i < blocks_; ++i)
            if (target.missing[i]) hops[i] += *way, ++lacking[i];
    }
    for (std::size_t i = 0; i < blocks_; ++i)
        if (lacking[i] >= many || hops[i] * alone_q1 >= 2 * (1 + ways.relays))
            spreading_.push_back(static_cast<std::uint16_t>(i));
    if (spreading_.empty()) return;
    phase_ = Phase::spreading;
    missing_before_ = missing_now;
    ++counts_.passes;
}

std::optional<ImageSender::Step> ImageSender::spread() {
    if (at_ >= spreading_.size()) return std::nullopt;
    ++counts_.broadcasts;
    return Everybody{static_cast<std::uint8_t>(counts_.passes), spreading_[at_++]};
}

/// Whoever misses least comes first: a meter that is done is worth more than two that nearly are.
std::optional<ImageSender::Step> ImageSender::fill(const Ways& ways) {
    Target* best = nullptr;
    for (auto& target : targets_) {
        if (target.open) return std::nullopt;  // one at a time
        if (target.done() || target.missing_known == 0 || !target.asked || target.silences > 0) continue;
        if (best != nullptr && best->missing_known <= target.missing_known) continue;
        if (ways.hops(target.meter)) best = &target;
    }
    if (best == nullptr) return std::nullopt;
    best->open = best->alone = true;
    best->sent = static_cast<std::uint16_t>(std::find(best->missing.begin(), best->missing.end(), true) -
                                            best->missing.begin());
    ++counts_.alone;
    return One{best->meter, best->sent};
}

void ImageSender::answered(DeviceNumber meter, const mesh::ImageStatus& status, Instant now) {
    Target* target = find(meter);
    if (target == nullptr || !target->open) return;
    target->open = false;
    target->silences = 0;
    note(*target, status);
    target->state = status.state;
    target->missing_told = status.missing;
    if (target->done()) {
        target->missing = {};
        target->missing_known = 0;
        return;
    }
    if (target->alone) {
        // It has the block now, or had it; a whole that was spoiled and erased shows in the count.
        if (target->missing[target->sent]) --target->missing_known;
        target->missing[target->sent] = false;
        if (status.missing > target->missing_known) target->ask_at = now + ask_gap;
        return;
    }
    target->ask_at = now + ask_gap;
    target->missing.assign(blocks_, status.missing >= blocks_);
    for (const auto index : status.first_missing)
        if (index < blocks_) target->missing[index] = true;
    target->missing_known =
        static_cast<std::size_t>(std::count(target->missing.begin(), target->missing.end(), true));
}

void ImageSender::note(Target& target, const mesh::ImageStatus& status) {
    const auto held = blocks_ - std::min<std::size_t>(status.missing, blocks_);
    const auto quarters = held * 4 / blocks_;
    if (target.state == status.state && target.quarters == quarters) return;
    target.quarters = quarters;
    news_.push_back({target.meter, status.state, status.missing, status.trouble});
}

std::optional<ImageSender::News> ImageSender::take_news() {
    if (news_.empty()) return std::nullopt;
    const News news = news_.front();
    news_.pop_front();
    return news;
}

void ImageSender::silent(DeviceNumber meter, Instant now) {
    Target* target = find(meter);
    if (target == nullptr || !target->open) return;
    target->open = false;
    target->ask_at = now + ask_gap * (1 << std::min(target->silences, silences_counted));
    ++target->silences;
}

std::uint64_t ImageSender::missing() const {
    std::uint64_t sum = 0;
    for (const auto& target : targets_) sum += target.done() ? 0 : target.missing_told;
    return sum;
}

bool ImageSender::finished() const {
    return std::all_of(targets_.begin(), targets_.end(), [](const Target& target) { return target.done(); });
}

ImageSender::Progress ImageSender::progress() const {
    Progress now = counts_;
    now.missing = missing();
    for (const auto& target : targets_) {
        if (!target.done()) continue;
        now.verified += *target.state == ImageState::verified ? 1 : 0;
        now.failed += *target.state == ImageState::failed ? 1 : 0;
        now.refused += *target.state == ImageState::refused ? 1 : 0;
    }
    return now;
}

}  // namespace wattmesh::concentrator
