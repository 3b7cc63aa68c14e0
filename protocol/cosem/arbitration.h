#pragma once
#include <optional>

#include "protocol/cosem/monitors.h"

/// How an Arbitrator (class 68) decides between actors that ask for different actions. Source: Blue Book
/// (DLMS UA 1000-1) ed. 14, 4.5.12; [M] what the text leaves open is said here.
namespace wattmesh::cosem::arbitrator {

/// Its attributes 2 to 6. Actors and actions are rows and columns of the tables and count from 1 [M].
struct State {
    std::vector<ActionItem> actions;
    std::vector<dlms::BitString> permissions;
    std::vector<std::vector<std::uint16_t>> weightings;
    std::vector<dlms::BitString> requests;  ///< what each actor asked for last, as far as it may
    std::uint8_t last_outcome = 0;          ///< 0: nothing won yet
};

/// Method request_action: what the actor asks for takes the place of what it asked for before, without what
/// its permissions do not cover. False, and nothing changes, for an actor that the tables do not have.
bool request(State& state, const Request& wanted);

/// The action whose requests weigh most together, counted from 1. Nothing when nobody asks for anything that
/// weighs, and when two weigh the same: then things stay as they are [M].
std::optional<std::uint8_t> outcome(const State& state);

/// Method reset: nobody asks for anything.
void clear(State& state);

}  // namespace wattmesh::cosem::arbitrator
