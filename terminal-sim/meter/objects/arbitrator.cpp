#include "protocol/cosem/arbitration.h"

#include "terminal-sim/meter/meter.h"

/// Arbitrator of the breaker: head-end, prepayment and whoever stands at the meter ask for it to open or to
/// close, and the weights decide.
namespace wattmesh::sim {

using namespace dlms;

namespace {

using namespace cosem::arbitrator;

constexpr ObisCode supply_script = object_name(0, 0, 10, 0, 106);

BitString two_bits(std::uint8_t bits) { return {2, {bits}}; }

/// From the factory: actors 1 head-end, 2 prepayment, 3 customer; actions 1 disconnect, 2 reconnect.
ReadOutcome read_arbitrator(const Meter&, const SimObject::Read& what) {
    constexpr std::uint8_t both = 0xC0, second = 0x40, none = 0x00;
    switch (what.attribute) {
        case 2:
            return actions.write({{supply_script, 1}, {supply_script, 2}});
        case 3:
            return permissions_table.write({two_bits(both), two_bits(both), two_bits(second)});
        case 4:
            return weightings_table.write({{8, 8}, {4, 4}, {1, 1}});
        case 5:
            return most_recent_requests_table.write({two_bits(none), two_bits(none), two_bits(none)});
        default:
            return last_outcome.write(0);
    }
}

}  // namespace

void ObjectMaker::arbitrator(SimObjects& objects) {
    objects.push_back({.spec = &cosem::arbitrator::spec,
                       .name = object_name(0, 0, 96, 3, 20),
                       .audience = for_management,
                       .read = read_arbitrator,
                       .writable = {2, 3, 4},
                       .methods = {1, 2},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           return {meter.arbitrate(what), {}};
                       },
                       .remembered = {1, 2}});
}

AccessResult Meter::arbitrate(const SimObject::Call& what) {
    const auto get = [&]<class T>(const cosem::Attribute<T>& which) {
        const auto shown = value_of({owner.id, what.object.name, which.id}, {},
                                    settings_.model->management_client.client, what.now);
        const auto value = which.read(std::get<Data>(shown));
        return value ? *value : T{};
    };
    State state{get(actions), get(permissions_table), get(weightings_table), get(most_recent_requests_table),
                get(last_outcome)};
    std::optional<std::uint8_t> winner;
    if (what.method == 2) {
        clear(state);
    } else {
        if (!request(state, *request_action.read(what.argument))) return AccessResult::other_reason;
        winner = outcome(state);
        if (winner) state.last_outcome = *winner;
    }
    store(what.object.name, 5, most_recent_requests_table.write(state.requests));
    store(what.object.name, 6, last_outcome.write(state.last_outcome));
    return winner ? execute(state.actions[*winner - 1U], what.now) : AccessResult::success;
}

}  // namespace wattmesh::sim
