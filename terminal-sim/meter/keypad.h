#pragma once
#include <string>
#include <string_view>

#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

/// What the display of a prepayment meter says to one line from its keypad, as JSON: `enter TOKEN`,
/// `emergency`, `button`, `status`; and `generator on` or `off`, which the customer does behind the meter.
std::string keypad_answer(Meter& meter, std::string_view line, Instant now);

}  // namespace wattmesh::sim
