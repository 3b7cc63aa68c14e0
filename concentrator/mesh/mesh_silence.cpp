#include <algorithm>

#include "concentrator/mesh/mesh_core.h"

/// Silence without a last gasp: who is asked about it, and who is taken along.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
// So many meters one after the other, and whoever they all hang on is not heard either.
constexpr std::size_t silent_least = 4, witnesses_max = 8, suspects_max = 5, silent_tenths = 3;
constexpr Duration silent_within = 180s, witness_deadline = 12s;
constexpr std::uint32_t usable_etx_q7 = 6 * 128;  // worse is no way around anybody
}  // namespace

/// A read or a probe has failed over every route. One meter means nothing; several of one branch in a row are
/// looked into by asking others of it, first of all those that they hang on.
void MeshRoot::Core::fell_silent(const Member& member, Instant now) {
    std::erase_if(silent_since, [&](const auto& row) {
        const Member* other = members.find(row.first);
        return now - row.second > silent_within || other == nullptr || other->heard > row.second ||
               other->power != Power::on;
    });
    if (outage.collecting() || outage.witness_until != never || member.power != Power::on) return;
    const auto known = std::find_if(silent_since.begin(), silent_since.end(),
                                    [&](const auto& row) { return row.first == member.address; });
    if (known == silent_since.end()) silent_since.emplace_back(member.address, now);
    std::map<std::uint16_t, std::size_t> branches;
    for (const auto& [address, at] : silent_since) ++branches[branch_of(address)];
    const auto worst = std::max_element(branches.begin(), branches.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
    const bool everywhere = silent_since.size() >= 2 * silent_least;
    if (!everywhere && worst->second < silent_least) return;
    outage.branch = worst->second >= silent_least ? worst->first : root_address;
    // Where others of it were heard meanwhile there is power, and questions would only fill a weak mesh;
    // unless the silent hang on somebody who is silent too.
    const Instant since = silent_since.front().second;
    const bool lively = std::any_of(members.all().begin(), members.all().end(), [&](const Member& other) {
        return other.heard > since && in_branch(other);
    });
    auto suspects = common_relays(since);
    if (!lively || !suspects.empty()) ask_witnesses(std::move(suspects), now);
}

/// Relays of several of the silent that were not heard since: those of most of them first.
std::vector<std::uint16_t> MeshRoot::Core::common_relays(Instant since) const {
    std::map<std::uint16_t, std::size_t> behind;
    for (const auto& [address, at] : silent_since) {
        if (!tree.reaches(address)) continue;
        for (const auto relay : tree.route(address).relays) ++behind[relay];
    }
    std::vector<std::pair<std::size_t, std::uint16_t>> order;
    for (const auto& [address, count] : behind) {
        const Member* relay = members.find(address);
        if (count >= silent_least && relay != nullptr && on_air(*relay) && relay->power == Power::on &&
            relay->heard <= since)
            order.emplace_back(count, address);
    }
    std::sort(order.begin(), order.end(), std::greater<>{});
    std::vector<std::uint16_t> relays;
    for (const auto& [count, address] : order)
        if (relays.size() < suspects_max) relays.push_back(address);
    return relays;
}

/// Who can still be reached and borders on most of the dark: there the darkness ends, or goes on.
std::vector<std::uint16_t> MeshRoot::Core::border(Instant now) const {
    const auto reached = reached_without({}, now);
    std::vector<std::pair<std::size_t, std::uint16_t>> order;
    for (const auto& member : members.all()) {
        if (!on_air(member) || member.power != Power::on || member.heard >= outage.began ||
            !reached[member.address])
            continue;
        const auto& row = links.from(member.address);
        const auto dark = std::count_if(row.begin(), row.end(), [&](const Link& link) {
            const Member* other = members.find(link.to);
            return other != nullptr && other->power != Power::on && usable(member.address, link.to, now);
        });
        if (dark > 0) order.emplace_back(static_cast<std::size_t>(dark), member.address);
    }
    std::sort(order.begin(), order.end(), std::greater<>{});
    std::vector<std::uint16_t> chosen;
    for (const auto& [count, address] : order)
        if (chosen.size() < suspects_max) chosen.push_back(address);
    return chosen;
}

/// The suspects, and others of the branch drawn by chance.
void MeshRoot::Core::ask_witnesses(std::vector<std::uint16_t> suspects, Instant now) {
    outage.witness_from = now;
    outage.witness_until = now + witness_deadline;
    std::vector<std::uint16_t> others;
    for (const auto& other : members.all())
        if (in_branch(other) && other.heard < (outage.began == never ? now : outage.began) &&
            std::find(suspects.begin(), suspects.end(), other.address) == suspects.end() &&
            std::none_of(
                silent_since.begin(), silent_since.end(),
                [&](const auto& row) { return row.first == other.address; }))
            others.push_back(other.address);
    std::vector<std::uint16_t> chosen = std::move(suspects);
    while (!others.empty() && chosen.size() < witnesses_max) {
        const auto at = others.begin() + static_cast<std::ptrdiff_t>(chance() % others.size());
        chosen.push_back(*at);
        others.erase(at);
    }
    outage.witnesses = chosen;
    for (const auto address : chosen)
        send(members.find(address)->number, {}, 1, now, witness_deadline - 1s, true);
}

std::uint16_t MeshRoot::Core::branch_of(std::uint16_t address) const {
    if (!tree.reaches(address)) return broadcast_address;
    const Route route = tree.route(address);
    return route.relays.empty() ? address : route.relays.front();
}

bool MeshRoot::Core::in_branch(const Member& member) const {
    return on_air(member) && member.power == Power::on &&
           (outage.branch == root_address || branch_of(member.address) == outage.branch);
}

bool MeshRoot::Core::usable(std::uint16_t from, std::uint16_t to, Instant now) const {
    const auto there = links.etx_q7(from, to, now), back = links.etx_q7(to, from, now);
    return there != 0 && back != 0 && there <= usable_etx_q7 && back <= usable_etx_q7;
}

/// By address: whom links that are any good connect to the root, over nobody dark and none of `mute`.
std::vector<bool> MeshRoot::Core::reached_without(const std::vector<std::uint16_t>& mute, Instant now) const {
    std::vector<bool> seen(std::max<std::size_t>(links.size(), members.address_top() + 1U), false);
    for (const auto address : mute) seen[address] = true;  // not entered
    std::vector<std::uint16_t> open{root_address};
    seen[root_address] = true;
    while (!open.empty()) {
        const auto at = open.back();
        open.pop_back();
        for (const auto& link : links.from(at)) {
            const Member* next = members.find(link.to);
            if (next == nullptr || link.to >= seen.size() || seen[link.to] || next->power != Power::on ||
                !usable(at, link.to, now))
                continue;
            seen[link.to] = true;
            open.push_back(link.to);
        }
    }
    for (const auto address : mute) seen[address] = false;
    return seen;
}

/// Adds to the dark whoever hangs on them: silent as well, linked to them, and connected to the root over
/// nobody else.
void MeshRoot::Core::take_along(std::vector<std::uint16_t>& dark, Instant now) const {
    auto seen = reached_without(dark, now);
    for (const auto address : dark) seen[address] = true;
    for (std::size_t i = 0; i < dark.size(); ++i)
        for (const auto& link : links.from(dark[i])) {
            const Member* next = members.find(link.to);
            if (next == nullptr || link.to >= seen.size() || seen[link.to] || !on_air(*next) ||
                next->power != Power::on || next->heard >= outage.witness_from ||
                !usable(dark[i], link.to, now))
                continue;
            seen[link.to] = true;
            dark.push_back(link.to);
        }
}

/// The witnesses have had their time. It is a power cut when three of ten are silent too, or dead relays when
/// the silent can be reached over nobody else. Then those go along whom the mute cut off; others are asked
/// until they answer or nobody is left: one cut is told once.
void MeshRoot::Core::judge_silence(Instant now) {
    outage.witness_until = never;
    const auto mute = [&](std::uint16_t address) {
        const Member* member = members.find(address);
        return member != nullptr && member->power == Power::on && member->heard < outage.witness_from;
    };
    const auto loud = [&](std::uint16_t address) { return !mute(address); };
    std::vector<std::uint16_t> silent = outage.witnesses, dark;
    std::erase_if(silent, loud);
    for (const auto& [address, at] : silent_since)
        if (mute(address)) dark.push_back(address);
    const auto around = reached_without(silent, now);
    const auto cut_off = static_cast<std::size_t>(
        std::count_if(dark.begin(), dark.end(), [&](std::uint16_t address) { return !around[address]; }));
    const bool power = !silent.empty() && 10 * silent.size() >= silent_tenths * outage.witnesses.size();
    if (silent.empty() || (!power && cut_off < silent_least)) return tell_outage();
    if (!power) std::erase_if(dark, [&](std::uint16_t address) { return around[address]; });
    const bool one_branch = outage.branch != root_address;
    dark.insert(dark.end(), silent.begin(), silent.end());
    take_along(dark, now);
    if (outage.began == never) begin_outage(outage.witness_from);
    for (const auto address : dark) infer_dark(address, now);
    // Beyond the branch, silence of a few seconds means nothing but among the dark.
    if (!one_branch) infer_around(now);
    outage.branch = root_address;
    ask_witnesses(border(now), now);
    if (!outage.witnesses.empty()) return;
    outage.witness_until = never;
    tell_outage();
}

void MeshRoot::Core::infer_dark(std::uint16_t address, Instant now) {
    Member* member = members.find(address);
    if (member == nullptr || member->power != Power::on) return;
    ++outage.inferred;
    went_dark(*member, Power::inferred, now);
}

/// Until nobody is added any more: darkness spreads from neighbour to neighbour.
void MeshRoot::Core::infer_around(Instant now) {
    for (bool more = true; more;) {
        std::vector<std::uint16_t> silent;
        for (const auto& member : members.all())
            if (on_air(member) && member.power == Power::on && surely_dark(member))
                silent.push_back(member.address);
        for (const auto address : silent) infer_dark(address, now);
        more = !silent.empty();
    }
}

}  // namespace wattmesh::concentrator
