#include <algorithm>

#include "concentrator/mesh/mesh_core.h"

/// The power goes and comes back: who says so, whom it takes along, when it is over.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
// The dark have ten seconds; what their living neighbours pass on takes another. Then the head-end is told.
constexpr Duration collect = 11s, ask_after = 8s;
constexpr Duration known_first = 800ms, known_every = 1s;
// Answers given before the power went are still on their way.
constexpr Duration echo = 15s;
constexpr Duration probe_dark = 20s, quiet_after_return = 300s;
constexpr std::size_t outage_least = 2, judges_max = 8, doubtful_max = 12;

std::uint16_t count_of(std::size_t count) {
    return static_cast<std::uint16_t>(std::min<std::size_t>(count, 0xFFFF));
}
}  // namespace

bool MeshRoot::Core::on_air(const Member& member) const {
    return member.listed && member.address != 0 && wired.place(member.number) == nullptr &&
           (member.state == dcu::NodeState::joined || member.state == dcu::NodeState::suspect);
}

void MeshRoot::Core::begin_outage(Instant at) {
    outage = PowerCut{};
    outage.began = at;
    outage.members = static_cast<std::size_t>(
        std::count_if(members.all().begin(), members.all().end(), [&](const Member& member) {
            return on_air(member) || (member.listed && wired.place(member.number) != nullptr);
        }));
}

void MeshRoot::Core::dark_heard(const DarkList& list, Instant now) {
    for (const auto address : list.dark) {
        Member* member = members.find(address);
        if (member == nullptr || !member->listed) continue;
        if (!outage.collecting()) {
            begin_outage(now);
            outage.known_at = now + known_first;
            outage.ask_at = now + ask_after;
            outage.close_at = now + collect;
        }
        if (member->power == Power::off && now - member->dark_since < quiet_after_return) continue;
        outage.news = true;
        ++outage.reported;
        went_dark(*member, Power::off, now);
    }
}

void MeshRoot::Core::went_dark(Member& member, Power power, Instant now) {
    if (member.power == Power::on || power == Power::off) member.dark_since = now;
    member.power = power;
    member.failed_reads = 0;
    member.probes = 1;
    member.probe_at = now + probe_dark;
    tree_revision = ~std::uint64_t{0};  // it relays nothing
    dirty = true;
    events.push_back(MeshPower{member.number, false, power == Power::inferred});
    std::vector<std::uint32_t> hopeless;
    for (const auto& [handle, transaction] : transactions)
        if (transaction.meter == member.number) hopeless.push_back(handle);
    for (const auto handle : hopeless) finish(handle, std::nullopt, now);
    if (!wired.is_collector(member.number)) return;
    // One fuse for the collector and what hangs on its wire.
    for (const auto& [number, place] : wired.places()) {
        Member* meter = place.collector == member.number ? members.find(number) : nullptr;
        if (meter == nullptr || meter->power != Power::on) continue;
        ++outage.inferred;
        meter->power = Power::inferred;
        meter->dark_since = now;
        events.push_back(MeshPower{number, false, true});
    }
}

/// Called for every sign of life. `sure`: it cannot be an echo of the time before.
void MeshRoot::Core::alive(Member& member, bool sure, Instant now) {
    if (member.power == Power::on || (!sure && now - member.dark_since < echo)) return;
    member.power = Power::on;
    tree_revision = ~std::uint64_t{0};
    dirty = true;
    ++outage.back;
    outage.back_at = now;
    events.push_back(MeshPower{member.number, true, false});
    for (auto& other : members.all())  // where one is back, others may be: look
        if (other.power == Power::inferred && other.probe_at > now + probe_dark) other.probe_at = now;
    if (!wired.is_collector(member.number)) return;
    for (const auto& [number, place] : wired.places())
        if (Member* meter = place.collector == member.number ? members.find(number) : nullptr)
            alive(*meter, true, now);
}

void MeshRoot::Core::work_outage(Instant now) {
    if (outage.collecting() && now >= outage.known_at && module_ready) tell_dark_known(now);
    if (outage.collecting() && now >= outage.ask_at) ask_doubtful(now);
    if (outage.collecting() && now >= outage.close_at) close_outage(now);
    if (outage.witness_until != never && now >= outage.witness_until) judge_silence(now);
    if (outage.back_at == never || outage.collecting()) return;
    const auto missing = static_cast<std::size_t>(
        std::count_if(members.all().begin(), members.all().end(),
                      [](const Member& member) { return member.listed && member.power != Power::on; }));
    if (missing > 0 && now - outage.back_at < quiet_after_return) return;
    if (outage.back >= outage_least)
        events.push_back(MeshRestored{{.back = count_of(outage.back), .missing = count_of(missing)}});
    outage.back = 0;
    outage.back_at = never;
}

Instant MeshRoot::Core::outage_deadline() const {
    Instant next = outage.witness_until;
    if (outage.collecting())
        next = std::min({next, outage.close_at, outage.ask_at, module_ready ? outage.known_at : never});
    else if (outage.back_at != never)
        next = std::min(next, std::max(outage.back_at + quiet_after_return, clock));
    return next;
}

/// Whoever hears this need not say it again: it keeps the air free for those that are not known yet.
void MeshRoot::Core::tell_dark_known(Instant now) {
    outage.known_at = now + known_every;
    if (!outage.news) return;
    outage.news = false;
    DarkKnown known;
    for (std::uint32_t address = 1; address <= members.address_top() && address <= short_address_max;
         ++address) {
        const Member* member = members.find(static_cast<std::uint16_t>(address));
        if (member == nullptr || member->power != Power::off) continue;
        if (!known.dark.empty() && address - known.dark.front() >= dark_known_span) {
            transmit(broadcast_address, FrameType::dark_known, true, encode(known), {});
            known.dark.clear();
        }
        known.dark.push_back(static_cast<std::uint16_t>(address));
    }
    if (!known.dark.empty()) transmit(broadcast_address, FrameType::dark_known, true, encode(known), {});
}

/// Most of those who hear it well are dark, and it has said nothing since.
bool MeshRoot::Core::surely_dark(const Member& member) const {
    if (member.heard > outage.began) return false;
    std::vector<Link> heard;
    for (const auto& link : links.from(member.address))
        if (link.to != root_address && link.rssi_dbm != 0 && members.find(link.to) != nullptr)
            heard.push_back(link);
    if (heard.empty()) return 2 * (outage.reported + outage.inferred) >= outage.members;
    const auto count = std::min(heard.size(), judges_max);
    std::partial_sort(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(count), heard.end(),
                      [](const Link& a, const Link& b) { return a.rssi_dbm > b.rssi_dbm; });
    const auto dark =
        std::count_if(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(count),
                      [&](const Link& link) { return members.find(link.to)->power != Power::on; });
    return 2 * static_cast<std::size_t>(dark) >= count;
}

/// Who would be taken for dark and can be asked, is asked: the border of a power cut runs between neighbours.
void MeshRoot::Core::ask_doubtful(Instant now) {
    outage.ask_at = never;
    refresh_routes(now, true);
    std::vector<DeviceNumber> doubtful;
    for (const auto& member : members.all())
        if (on_air(member) && member.power == Power::on && tree.reaches(member.address) &&
            surely_dark(member))
            doubtful.push_back(member.number);
    if (doubtful.size() > doubtful_max) return;  // the border is long, or there is none
    for (const auto number : doubtful) send(number, {}, 1, now, collect - ask_after, true);
}

void MeshRoot::Core::close_outage(Instant now) {
    if (outage.news && module_ready) tell_dark_known(now);
    infer_around(now);
    tell_outage();
}

void MeshRoot::Core::tell_outage() {
    const Instant began = outage.began;
    if (outage.reported + outage.inferred >= outage_least)
        events.push_back(MeshOutage{{.members = count_of(outage.members),
                                     .reported = count_of(outage.reported),
                                     .inferred = count_of(outage.inferred)},
                                    began});
    outage.reported = outage.inferred = 0;
    outage.began = never;
    outage.close_at = outage.known_at = never;
    silent_since.clear();
}

}  // namespace wattmesh::concentrator
