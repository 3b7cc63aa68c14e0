#include "terminal-sim/tool/keys.h"

namespace wattmesh::sim {
namespace {

Key128 key_option(const platform::Settings& settings, const std::string& name) {
    const auto octets = from_hex(settings.required<std::string>(name));
    const auto key = octets ? Key128::from(*octets) : std::nullopt;
    if (!key) throw platform::SettingsError("--" + name + ": is not a key of 32 hexadecimal digits");
    return *key;
}

}  // namespace

std::optional<dlms::ClientKeys> management_keys(const platform::Settings& settings) {
    if (!settings.has("ek") && !settings.has("ak")) return std::nullopt;
    return dlms::ClientKeys{key_option(settings, "ek"), key_option(settings, "ak")};
}

}  // namespace wattmesh::sim
