#include "concentrator/mesh/membership.h"

#include <algorithm>
#include <utility>

#include "protocol/mesh/join.h"

namespace wattmesh::concentrator {
namespace {
constexpr std::size_t members_max = 8'192, circle_min = 1'023;
auto position(auto& members, DeviceNumber number) {
    return std::lower_bound(members.begin(), members.end(), number,
                            [](const Member& a, DeviceNumber b) { return a.number < b; });
}
}  // namespace

Member* Membership::find(DeviceNumber number) {
    const auto at = position(members_, number);
    return at != members_.end() && at->number == number ? &*at : nullptr;
}

Member* Membership::find(std::uint16_t address) {
    if (address >= by_address_.size() || by_address_[address] == 0) return nullptr;
    return &members_[by_address_[address] - 1];
}

Member& Membership::insert(DeviceNumber number) {
    auto at = position(members_, number);
    if (at != members_.end() && at->number == number) return *at;
    Member member;
    member.number = number;
    at = members_.insert(at, std::move(member));
    index();
    return *position(members_, number);
}

void Membership::index() {
    std::fill(by_address_.begin(), by_address_.end(), 0);
    for (std::size_t i = 0; i < members_.size(); ++i) {
        const auto address = members_[i].address;
        if (address == 0) continue;
        if (by_address_.size() <= address) by_address_.resize(address + 1U, 0);
        by_address_[address] = i + 1;
    }
}

std::vector<std::uint16_t> Membership::set_listed(
    const std::vector<std::pair<DeviceNumber, Key128>>& meters) {
    for (auto& member : members_) member.listed = false;
    std::vector<Member> fresh;
    for (const auto& [number, key] : meters) {
        if (Member* known = find(number)) {
            known->listed = true;
            if (!equal_constant_time(known->join_key.reveal(), key.reveal())) known->cloned = false;
            known->join_key = key;
        } else {
            Member member;
            member.number = number;
            member.listed = true;
            member.join_key = key;
            fresh.push_back(std::move(member));
        }
    }
    members_.insert(members_.end(), fresh.begin(), fresh.end());
    std::sort(members_.begin(), members_.end(),
              [](const Member& a, const Member& b) { return a.number < b.number; });
    // the same number twice in the list: one of them counts
    members_.erase(std::unique(members_.begin(), members_.end(),
                               [](const Member& a, const Member& b) { return a.number == b.number; }),
                   members_.end());
    index();
    std::vector<std::uint16_t> leaving;
    for (auto& member : members_) {
        if (member.listed) continue;
        member.cloned = false;
        if (member.address != 0) leaving.push_back(member.address);
    }
    return leaving;
}

void Membership::release(Member& member) {
    if (member.address != 0) by_address_[member.address] = 0;
    member.address = 0;
    member.state = dcu::NodeState::unseen;
    member.told.reset();
    member.probe_at = never;
}

bool Membership::renew(Member& member) {
    const auto before = std::exchange(member.address, std::uint16_t{0});
    if (!assign(member)) {
        member.address = before;
        return false;
    }
    by_address_[before] = 0;
    return true;
}

bool Membership::assign(Member& member) {
    if (member.address != 0) return true;
    // A circle of twice as many as can be in use: tables by address stay small.
    const auto circle = std::clamp<std::size_t>(members_.size() * 2, circle_min, mesh::short_address_max);
    std::size_t tries = 0, address = 0;
    const auto taken = [&] { return address < by_address_.size() && by_address_[address] != 0; };
    do address = 1 + next_address_++ % circle;
    while (taken() && ++tries < circle);
    if (taken()) return false;
    if (by_address_.size() <= address) by_address_.resize(address + 1, 0);
    member.address = static_cast<std::uint16_t>(address);
    by_address_[address] = static_cast<std::size_t>(&member - members_.data()) + 1;
    return true;
}

Membership::Decision Membership::decide(const mesh::JoinRequest& request, std::uint16_t pan,
                                        Ciphers& ciphers) {
    Member* member = find(request.meter);
    if (member == nullptr || !member->listed) return {Verdict::unknown, nullptr};
    if (!mesh::authentic(request, pan, member->join_key, ciphers)) return {Verdict::not_authentic, member};
    if (request.counter <= member->join_counter) return {Verdict::replayed, member};
    if (!assign(*member)) return {Verdict::full, member};
    member->join_counter = request.counter;
    return {Verdict::accepted, member};
}

void Membership::restore(DeviceNumber number, std::uint32_t join_counter, std::uint16_t address,
                         Power power) {
    if (members_.size() >= members_max || address > mesh::short_address_max || find(address) != nullptr)
        return;
    Member& member = insert(number);
    member.join_counter = std::max(member.join_counter, join_counter);
    member.address = address;
    member.power = power;
    index();
}

}  // namespace wattmesh::concentrator
