#include <algorithm>

#include "concentrator/mesh/mesh_core.h"
#include "protocol/mesh/join.h"

/// Another net key for everybody, while reading goes on.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
// Where somebody is to be left behind, there is no time for those that sleep.
constexpr Duration overlap = 600s, overlap_expelling = 30s, wait_max = 86'400s, wait_max_expelling = 600s,
                   give_deadline = 10s, look_every = 1s, told_check = 3s;
constexpr Duration give_again = 60s, give_again_max = 3'600s;
constexpr std::size_t given_at_once_max = 2;
}  // namespace

void MeshRoot::Core::update_key(Instant now) {
    if (key_next || !net_key || !started) return;
    std::array<std::uint8_t, 16> octets{};
    random.fill(octets);
    key_next = Key128{octets};
    octets.fill(0);
    key_next_counter = 1;
    key_before.reset();
    key_forget_at = never;
    for (auto& member : members.all()) {
        member.has_next_key = false;
        member.key_at = {};
        member.key_tries = 0;
    }
    dirty = true;
    key_began = key_work_at = now;
    if (module_ready) tell_module_keys();
}

/// Another key for everybody but whoever has no address any more.
void MeshRoot::Core::expel(Instant now) {
    if (key_next) {  // which it may have been given already
        expel_again = true;
        return;
    }
    key_expels = true;
    update_key(now);
}

/// The module hears both; an INIT has made it forget the second one.
void MeshRoot::Core::tell_module_keys() {
    const auto& second = key_next ? key_next : key_before;
    if (!second) return;
    output.push_back(host::encode(host::Key{.action = host::Key::Action::add,
                                            .key = key_id(static_cast<std::uint16_t>(key_number + 1)),
                                            .net_key = *second,
                                            .counter_start = key_next ? key_next_counter : 1}));
}

bool MeshRoot::Core::waits_for_key(const Member& member) const {
    // After a restart nobody has been heard yet: they are waited for.
    return member.listed && member.address != 0 && wired.place(member.number) == nullptr &&
           member.power == Power::on && member.state != dcu::NodeState::offline && !member.has_next_key;
}

void MeshRoot::Core::work_key(Instant now) {
    if (now >= key_forget_at) {
        key_forget_at = never;
        key_before.reset();
        const auto before = key_id(static_cast<std::uint16_t>(key_number + 1));
        output.push_back(
            host::encode(host::Key{.action = host::Key::Action::forget, .key = before, .net_key = {}}));
        dirty = true;
    }
    if (!key_next && std::exchange(expel_again, false)) expel(now);
    if (!key_next || now < key_work_at) return;
    if (key_began == never) key_began = now;
    key_work_at = now + look_every;
    auto given = static_cast<std::size_t>(std::count_if(transactions.begin(), transactions.end(),
                                                        [](const auto& row) { return row.second.key; }));
    bool missing = given > 0;
    for (auto& member : members.all()) {
        if (!waits_for_key(member)) continue;
        missing = true;
        if (given >= given_at_once_max) break;
        if (!on_air(member) || now < member.key_at) continue;
        give_key(member, now);
        ++given;
    }
    if (!missing || now - key_began > (key_expels ? wait_max_expelling : wait_max)) use_next_key(now);
}

void MeshRoot::Core::give_key(Member& member, Instant now) {
    member.key_at =
        now + std::min<Duration>(give_again * (1 << std::min(member.key_tries, 6)), give_again_max);
    ++member.key_tries;
    KeyUpdate update{.meter = member.number,
                     .key_number = static_cast<std::uint16_t>(key_number + 1),
                     .overlap_s = static_cast<std::uint16_t>((key_expels ? overlap_expelling : overlap) / 1s),
                     .wrapped_net_key = {},
                     .mac = {}};
    seal(update, pan, *key_next, member.join_key, ciphers);
    Transaction transaction;
    transaction.handle = ++handle_last;
    transaction.meter = member.number;
    transaction.payload = encode(update);
    transaction.priority = 3;  // reading never ends: the last of all would never be sent
    transaction.deadline = now + give_deadline;
    transaction.probe = transaction.key = true;
    transactions.emplace(transaction.handle, std::move(transaction));
}

void MeshRoot::Core::key_was_taken(DeviceNumber meter) {
    Member* member = members.find(meter);
    if (member == nullptr || !key_next) return;
    member->has_next_key = true;
    dirty = true;
    key_work_at = clock;
}

/// Whoever hears a frame under it follows; who has not got it finds that it understands nobody, and joins
/// again.
void MeshRoot::Core::use_next_key(Instant now) {
    ++key_number;
    key_before = std::exchange(net_key, key_next);
    key_next.reset();
    counter_limit = key_next_counter;
    if (started) jump_counter();
    key_began = key_work_at = never;
    key_forget_at = now + (std::exchange(key_expels, false) ? overlap_expelling : overlap);
    dirty = true;
    if (!module_ready) return;  // the next INIT says so
    output.push_back(
        host::encode(host::Key{.action = host::Key::Action::use, .key = key_id(key_number), .net_key = {}}));
    key_told_at = now;
    status_at = std::min<Instant>(status_at, now + told_check);
    trickle.reset(now, chance());
    send_beacon();
}

/// A key out of nothing: there is no second one.
void MeshRoot::Core::begin_key_anew() {
    key_next.reset();
    key_before.reset();
    key_expels = expel_again = false;
    key_began = key_forget_at = key_work_at = never;
}

}  // namespace wattmesh::concentrator
