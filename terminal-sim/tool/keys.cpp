#include "terminal-sim/tool/keys.h"

#include <algorithm>

#include "terminal-sim/field/shipment.h"

namespace wattmesh::sim {
namespace {

SymmetricKey key_option(const platform::Settings& settings, const std::string& name, dlms::Suite suite) {
    const auto octets = from_hex(settings.required<std::string>(name));
    const auto key = octets ? SymmetricKey::from(*octets) : std::nullopt;
    const auto size = dlms::key_size(suite);
    if (!key || key->size() != size)
        throw platform::SettingsError("--" + name + ": is not a key of " + std::to_string(size * 2) +
                                      " hexadecimal digits");
    return *key;
}

/// The message names the option, never the key.
std::optional<SymmetricKey> key_of(const platform::Settings& settings, const std::string& name) {
    if (!settings.has(name)) return std::nullopt;
    const auto octets = from_hex(settings.required<std::string>(name));
    const auto key = octets ? SymmetricKey::from(*octets) : std::nullopt;
    if (!key)
        throw platform::SettingsError("--" + name +
                                      ": is not a key of 32 hexadecimal digits (64 for suite 2)");
    return key;
}

}  // namespace

std::optional<dlms::ClientKeys> management_keys(const platform::Settings& settings, dlms::Suite suite) {
    if (!settings.has("ek") && !settings.has("ak")) return std::nullopt;
    dlms::ClientKeys keys{key_option(settings, "ek", suite), key_option(settings, "ak", suite)};
    if (settings.has("master")) keys.master = key_option(settings, "master", suite);
    return keys;
}

decode::Keyring keyring_of(const platform::Settings& settings, Ciphers& ciphers) {
    decode::Keyring keyring;
    keyring.ciphers = &ciphers;
    keyring.encryption = key_of(settings, "key");
    keyring.authentication = key_of(settings, "ak");
    keyring.dedicated = key_of(settings, "dedicated");
    keyring.broadcast = key_of(settings, "broadcast");
    keyring.master = key_of(settings, "master");
    if (settings.has("title")) {
        const auto octets = from_hex(settings.required<std::string>("title"));
        if (!octets || octets->size() != 8)
            throw platform::SettingsError("--title: is not a system title of 16 hexadecimal digits");
        keyring.title.emplace();
        std::copy(octets->begin(), octets->end(), keyring.title->octets.begin());
    }
    if (settings.has("keys"))
        for (const auto& [number, meter] : read_shipment(settings.required<std::filesystem::path>("keys"))) {
            keyring.others.push_back(meter.management);
            keyring.others.push_back(meter.reading);
        }
    return keyring;
}

}  // namespace wattmesh::sim
