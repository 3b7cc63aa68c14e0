#include <algorithm>

#include "protocol/mesh/node.h"

/// The power goes: ours, or a neighbour's.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
// A parent answers for its children at once. Of the others about four do, later.
constexpr Duration pass_on = 200ms, pass_on_within = 400ms, others_after = 1'500ms, others_within = 2'500ms;
constexpr Duration passed_life = 60s;
constexpr std::uint32_t others = 4;
constexpr std::size_t passed_max = 1'024;
}  // namespace

void Node::power_lost(Instant now) {
    if (!joined() || gasping()) return;
    // What is left in the capacitor is for this alone: nothing is passed on, reported or acknowledged.
    mac_.reset();
    mac_.set_acknowledging(false);
    up_.clear();
    held_.clear();
    down_.clear();
    floods_.clear();
    gasp_.begin(state_.short_address, hops_, parent_, now, mac_.chance());
    after(now);
}

void Node::power_restored(Instant now) {
    if (!gasping()) return;
    gasp_.end();
    mac_.set_acknowledging(true);
    if (attached())
        schedule_report(now + 200ms + spread(join_window_min), true);
    else
        solicit_at_ = now + spread(join_window_min);
}

void Node::gasp_tick(Instant now) {
    const auto list = gasp_.take(now, mac_.chance());
    if (!list) return;
    mac_.send({.destination = broadcast_address,
               .type = FrameType::last_gasp,
               .priority = 0,
               .lifetime = 2s,
               .tag = 0,
               .body = encode(*list)},
              now);
}

void Node::gasp_heard(const Arrival& arrival, Instant now) {
    const auto list = decode_dark_list(arrival.frame.body);
    if (!list) return;
    if (gasping()) return gasp_.heard(*list, now, mac_.chance());
    if (Neighbour* neighbour = neighbours_.find(arrival.frame.source)) {
        neighbour->rank = rank_infinite;  // it carries nothing any more
        if (neighbour->address == parent_) choose_parent(now);
    }
    if (!attached()) return;
    std::erase_if(dark_passed_, [&](const auto& passed) { return now - passed.at > passed_life; });
    const bool ours = list->parent == state_.short_address;
    const auto neighbours = static_cast<std::uint32_t>(std::max<std::size_t>(neighbours_.all().size(), 1));
    if (!ours && mac_.chance() % neighbours >= others) return;
    for (const auto address : list->dark) {
        const bool known = std::any_of(dark_passed_.begin(), dark_passed_.end(),
                                       [&](const auto& passed) { return passed.address == address; });
        if (known || dark_passed_.size() >= passed_max) continue;
        dark_passed_.push_back({address, now});
        dark_heard_.push_back(address);
    }
    if (dark_heard_.empty()) return;
    const Instant at =
        ours ? now + pass_on + spread(pass_on_within) : now + others_after + spread(others_within);
    dark_report_at_ = std::min(dark_report_at_, at);
}

/// The root knows them: who is in the list need not be named again.
void Node::dark_known_heard(const MacFrame& frame) {
    const auto known = decode_dark_known(frame.body);
    if (!known || frame.source != root_address) return;
    if (gasping()) return gasp_.known(*known);
    std::erase_if(dark_heard_, [&](std::uint16_t address) {
        return std::binary_search(known->dark.begin(), known->dark.end(), address);
    });
}

void Node::report_dark(Instant now) {
    dark_report_at_ = never;
    if (dark_heard_.empty() || !attached()) return;
    DarkList list{.hops = hops_, .parent = parent_, .dark = {}};
    const auto count = std::min(dark_heard_.size(), dark_list_max);
    list.dark.assign(dark_heard_.begin(), dark_heard_.begin() + static_cast<std::ptrdiff_t>(count));
    dark_heard_.erase(dark_heard_.begin(), dark_heard_.begin() + static_cast<std::ptrdiff_t>(count));
    send_up(FrameType::outage_report, ++sequence_, 0, 1, encode(list), now);
    if (!dark_heard_.empty()) dark_report_at_ = now + pass_on;
}

}  // namespace wattmesh::mesh
