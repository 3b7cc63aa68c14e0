#pragma once
#include "platform/settings.h"
#include "terminal-sim/tool/meter_session.h"

/// Options that commands share which talk to a meter. All throw SettingsError naming the option.
namespace wattmesh::sim {

/// --link
LinkKind link_of(const platform::Settings& settings);
/// --window, --information, --attempts, --echo, --device, --wake-up, --gateway
BenchLine line_of(const platform::Settings& settings, LinkKind kind);
/// --model; generic when it is not given
const cosem::MeterModel& model_of(const platform::Settings& settings);
/// --client (public, reading, management or a SAP; `fallback` without it), --ek and --ak, --secret
MeterSession::Who who_of(const platform::Settings& settings, const cosem::MeterModel& model,
                         const std::string& fallback = "public");

}  // namespace wattmesh::sim
