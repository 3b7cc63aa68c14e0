#include <algorithm>

#include "concentrator/mesh/mesh_core.h"

/// Who takes packets of others with an acknowledgement and drops them. Suspicion comes from reads that got
/// through another way; nobody is put out on suspicion, but on trial.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
// A cumulative sum: one packet that vanished weighs as much as four that came through. Who was acquitted has
// more to answer for before it is tried again.
constexpr std::int32_t lost_q4 = 16, passed_q4 = 4, suspect_q4 = 2 * 16, acquitted_q4 = -4 * 16;
constexpr Duration again = 600s, probation = 24h, trial_after_join = 60s;
constexpr Duration ban_first = 3'600s, ban_max = 24h;
// An honest relay whose links answer two of three tries says where a packet ended, and loses one of ten.
constexpr int reached_least = 4, decided = 10, lost_least = 6, sent_max = 30, unreached_max = 3;
constexpr std::size_t targets_max = 5;
constexpr std::uint32_t good_etx_q7 = 192;
constexpr Duration probe_deadline = 10s, probe_gap = 20ms;
}  // namespace

/// The answer to one of the attempts: whoever carried it is cleared a little; who is only on the way of those
/// that vanished is suspected.
void MeshRoot::Core::judge_relays(const Transaction& transaction, std::size_t answered, Instant now) {
    if (transaction.trial || answered >= transaction.tried.size() || now < crowded_until) return;
    const auto& good = transaction.tried[answered].relays;
    for (const auto relay : good)
        if (Member* member = members.find(relay))
            member->conduct.score_q4 =
                std::max(member->conduct.score_q4 - passed_q4, std::min(member->conduct.score_q4, 0));
    for (std::size_t i = 0; i < transaction.tried.size(); ++i) {
        if (i == answered || !transaction.tried[i].lost) continue;
        auto others = transaction.tried[i].relays;
        std::erase_if(others, [&](std::uint16_t relay) {
            return std::find(good.begin(), good.end(), relay) != good.end();
        });
        for (const auto relay : others) {
            Member* member = members.find(relay);
            if (member == nullptr) continue;
            auto& score = member->conduct.score_q4;
            score += lost_q4 / static_cast<std::int32_t>(others.size());
            if (score < suspect_q4) continue;
            score = 0;
            try_at(*member, now);
        }
    }
}

void MeshRoot::Core::try_at(Member& member, Instant at) {
    member.conduct.trial_at = at;
    trial_due = std::min(trial_due, at);
}

/// One more packet that vanishes, and it is tried again; on probation, in any case.
void MeshRoot::Core::undecided(Member& member, Instant now) {
    member.conduct.score_q4 = lost_q4;
    try_at(member, member.conduct.evictions > 0 ? now + again : never);
}

/// The neighbours that it hears best, and they it. Without any there is nothing to be found out now.
void MeshRoot::Core::begin_trial(Member& member, Instant now) {
    undecided(member, now);
    refresh_routes(now, true);
    if (!on_air(member) || member.power != Power::on || !tree.reaches(member.address)) return;
    const auto above = tree.route(member.address).relays;
    std::vector<std::pair<std::uint32_t, std::uint16_t>> order;
    for (const auto& link : links.from(member.address)) {
        const Member* other = members.find(link.to);
        const auto down = links.etx_q7(member.address, link.to, now),
                   up = links.etx_q7(link.to, member.address, now);
        if (other == nullptr || !on_air(*other) || other->power != Power::on || down == 0 || up == 0 ||
            std::max(down, up) > good_etx_q7 || std::find(above.begin(), above.end(), link.to) != above.end())
            continue;
        order.emplace_back(down + up, link.to);
    }
    if (order.empty()) return;
    std::sort(order.begin(), order.end());
    member.conduct.trial_at = never;
    trial = Trial{.suspect = member.number, .next = now};
    for (const auto& [cost, address] : order)
        if (trial->targets.size() < targets_max) trial->targets.push_back(address);
}

void MeshRoot::Core::work_trial(Instant now) {
    if (!trial) {
        if (now < trial_due) return;
        trial_due = never;
        for (auto& member : members.all()) {
            if (!trial && now >= member.conduct.trial_at) begin_trial(member, now);
            trial_due = std::min(trial_due, member.conduct.trial_at);
        }
        return;
    }
    if (trial->handle != 0 || now < trial->next) return;
    Member* suspect = members.find(trial->suspect);
    const bool over = trial->sent >= sent_max || trial->unreached >= unreached_max ||
                      (trial->passed + trial->lost >= decided && trial->reached >= reached_least);
    if (suspect == nullptr || !on_air(*suspect) || over) return end_trial(now);
    probe_trial(*suspect, now);
}

/// In turn to the suspect itself and through it: the way there is tried as well.
void MeshRoot::Core::probe_trial(Member& suspect, Instant now) {
    refresh_routes(now, !tree.reaches(suspect.address));
    trial->next = now + probe_gap;
    ++trial->sent;
    trial->through = trial->reached >= reached_least || trial->sent % 2 == 0;
    if (!tree.reaches(suspect.address)) {
        ++trial->unreached;
        return;
    }
    Transaction transaction;
    transaction.handle = ++handle_last;
    transaction.meter = suspect.number;
    transaction.priority = 2;  // reading never ends
    transaction.deadline = now + probe_deadline;
    transaction.probe = transaction.trial = true;
    transaction.route = tree.route(suspect.address);
    if (trial->through) {
        const auto target = trial->targets[static_cast<std::size_t>(trial->sent) / 2 % trial->targets.size()];
        const Member* other = members.find(target);
        if (other == nullptr || transaction.route.relays.size() >= relays_max) return;
        transaction.meter = other->number;
        transaction.route.relays.push_back(suspect.address);
    }
    trial->handle = transaction.handle;
    transactions.emplace(transaction.handle, std::move(transaction));
}

/// What a relay told of, or never took, says nothing against the suspect.
void MeshRoot::Core::trial_finished(const Transaction& transaction, bool answered, Instant now) {
    if (!trial || trial->handle != transaction.handle) return;
    trial->handle = 0;
    trial->next = now + probe_gap;
    const bool lost = !transaction.tried.empty() && transaction.tried.back().lost;
    if (trial->through)
        answered ? ++trial->passed : trial->lost += lost ? 1 : 0;
    else
        answered ? ++trial->reached : ++trial->unreached;
}

void MeshRoot::Core::end_trial(Instant now) {
    const Trial ended = *std::exchange(trial, std::nullopt);
    Member* suspect = members.find(ended.suspect);
    if (suspect == nullptr) return;
    suspect->conduct.score_q4 = acquitted_q4;
    if (ended.reached < reached_least || ended.passed + ended.lost < decided) return undecided(*suspect, now);
    if (ended.lost >= lost_least) return evict(*suspect, now);
}

/// A request to leave is for whoever obeys. What counts is the next net key, which it does not get.
void MeshRoot::Core::evict(Member& member, Instant now) {
    const Duration ban =
        std::min<Duration>(ban_first * (1 << std::min(member.conduct.evictions, 5)), ban_max);
    ++member.conduct.evictions;
    member.conduct.banned_until = now + ban;
    member.conduct.trial_at = never;
    events.push_back(MeshEvicted{member.number});
    dismiss(member.address);
    expel(now);
}

/// Was put out before: it is read, and tried before it relays for anybody who has another way.
void MeshRoot::Core::put_on_probation(Member& member, Instant now) {
    member.conduct.avoided_until = now + probation;
    tree_revision = ~std::uint64_t{0};
    try_at(member, now + trial_after_join);
}

Instant MeshRoot::Core::trial_deadline() const {
    if (trial) return trial->handle == 0 ? trial->next : never;
    return trial_due;
}

}  // namespace wattmesh::concentrator
