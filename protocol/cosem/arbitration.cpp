#include "protocol/cosem/arbitration.h"

namespace wattmesh::cosem::arbitrator {

namespace {

bool bit(const dlms::BitString& bits, std::size_t index) {
    return index < bits.bits && index / 8 < bits.octets.size() &&
           (bits.octets[index / 8] & (0x80U >> index % 8)) != 0;
}

dlms::BitString no_bits(std::size_t count) { return {count, Buffer((count + 7) / 8)}; }

}  // namespace

bool request(State& state, const Request& wanted) {
    if (wanted.request_actor == 0 || wanted.request_actor > state.permissions.size()) return false;
    const std::size_t actor = wanted.request_actor - 1U;
    state.requests.resize(state.permissions.size(), no_bits(state.actions.size()));
    dlms::BitString granted = no_bits(state.actions.size());
    for (std::size_t action = 0; action < state.actions.size(); ++action)
        if (bit(wanted.request_action_list, action) && bit(state.permissions[actor], action))
            granted.octets[action / 8] =
                static_cast<std::uint8_t>(granted.octets[action / 8] | 0x80U >> action % 8);
    state.requests[actor] = std::move(granted);
    return true;
}

std::optional<std::uint8_t> outcome(const State& state) {
    std::uint32_t most = 0;
    std::optional<std::uint8_t> winner;
    for (std::size_t action = 0; action < state.actions.size() && action < 255; ++action) {
        std::uint32_t weight = 0;
        for (std::size_t actor = 0; actor < state.requests.size(); ++actor)
            if (bit(state.requests[actor], action) && actor < state.weightings.size() &&
                action < state.weightings[actor].size())
                weight += state.weightings[actor][action];
        if (weight == 0 || weight < most) continue;
        if (weight == most) {
            winner.reset();
            continue;
        }
        most = weight;
        winner = static_cast<std::uint8_t>(action + 1);
    }
    return winner;
}

void clear(State& state) {
    state.requests.assign(state.permissions.size(), no_bits(state.actions.size()));
    state.last_outcome = 0;
}

}  // namespace wattmesh::cosem::arbitrator
