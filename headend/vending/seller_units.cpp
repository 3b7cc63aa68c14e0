// Units that nobody buys: the month's free ones claimed without a purchase, and what was left in a meter that
// was changed out.
#include "headend/vending/receipt.h"
#include "headend/vending/seller.h"

namespace wattmesh::headend::vending {

std::optional<Objection> Seller::claim(database::Connection& connection, Draft& draft) {
    const auto& ground = draft.ground;
    if (ground.standing.free_units == pricing::Tenths{})
        return Objection{Reason::not_possible, "Account " + ground.account_number +
                                                   " has no free units to claim now: they come once a month, "
                                                   "and this month's were given."};
    draft.sale.free_units = ground.standing.free_units;
    if (tariff(connection, ground.tariff).free_units_count) draft.sale.counted = draft.sale.free_units;
    return std::nullopt;
}

std::optional<Objection> Seller::transfer(database::Connection& connection, const Order& order,
                                          Draft& draft) {
    const auto no = [](std::string words) { return Objection{Reason::not_possible, std::move(words)}; };
    const std::string number{order.from->meter_number()};
    const auto from = database::Customers{connection}.meter(*order.from);
    if (!from || from->tenant != draft.ground.meter.tenant)
        return Objection{Reason::unknown_meter, "There is no meter " + number + " here."};
    if (from->id == draft.ground.meter.id) return no("Meter " + number + " is the one that gets the units.");
    if (!from->blocked_why)
        return no("Meter " + number +
                  " may still buy. Block it in the books first (headend vend set, \"blocked\": \"changed "
                  "out\"), so that what was left in it is counted once.");
    const auto got = database::Sales{connection}.got(from->id);
    if (got.moved)
        return no("What was left in meter " + number + " was moved already, by sale " +
                  std::to_string(got.moved->value) + ".");
    if (order.units > got.units)
        return no("Meter " + number + " never got so much: " + units_text(got.units) + " units altogether.");
    draft.sale.from_meter = from->id;
    return std::nullopt;
}

}  // namespace wattmesh::headend::vending
