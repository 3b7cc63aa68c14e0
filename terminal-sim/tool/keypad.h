#pragma once
#include <string>
#include <string_view>

#include "platform/settings.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

/// A prepayment meter, if --pan is there, from its key (--dk, or --vk and --sgc) and --credit, --low-credit,
/// --emergency, --arming. Throws SettingsError, and std::runtime_error (a wrong digit in a number).
std::optional<PrepaidSettings> prepaid_of(const platform::Settings& settings);

/// What the display says to one line from the keypad, as JSON: `enter TOKEN`, `emergency`, `button`,
/// `status`.
std::string keypad_answer(Meter& meter, std::string_view line, Instant now);

}  // namespace wattmesh::sim
