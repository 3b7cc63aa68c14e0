#pragma once
#include "platform/settings.h"
#include "protocol/decode/report.h"
#include "terminal-sim/tool/meter_session.h"

/// Options that commands share which talk to a meter. All throw SettingsError naming the option.
namespace wattmesh::sim {

/// --link
LinkKind link_of(const platform::Settings& settings);
/// --window, --information, --attempts, --echo, --device, --wake-up, --gateway
BenchLine line_of(const platform::Settings& settings, LinkKind kind);
/// --gateway; nothing without it
std::optional<GatewayAddress> gateway_of(const platform::Settings& settings);
/// --model; generic when it is not given
const cosem::MeterModel& model_of(const platform::Settings& settings);
/// --quirk NAME[,NAME] on top of what the model has
dlms::Quirks quirks_of(const platform::Settings& settings, const cosem::MeterModel& model);
/// The quirk that a decoded push shows and that is not allowed; empty when there is none.
std::string quirk_met(const decode::Report& report, const dlms::Quirks& allowed);
/// --client (public, reading, management or a SAP; `fallback` without it), --ek and --ak, --secret, --quirk,
/// --general, --suite, --authentication, --framing, --signing, --hls-secret, --pki
MeterSession::Who who_of(const platform::Settings& settings, const cosem::MeterModel& model,
                         const std::string& fallback = "public");

}  // namespace wattmesh::sim
