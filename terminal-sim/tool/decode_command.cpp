#include <unistd.h>

#include <cstdio>

#include "platform/arguments.h"
#include "security/ciphers.h"
#include "terminal-sim/decode/describe.h"
#include "terminal-sim/decode/hex_text.h"
#include "terminal-sim/field/shipment.h"
#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;
using platform::UsageError;

constexpr int exit_bad_frame = 3;

std::string standard_input() {
    std::string text;
    char part[4096];
    while (const std::size_t size = std::fread(part, 1, sizeof part, stdin)) text.append(part, size);
    return text;
}

Buffer octets_of(const std::vector<std::string>& words) {
    std::string text;
    if (words.empty() && isatty(STDIN_FILENO) != 0)
        throw UsageError("decode: nothing to decode; give octets in hexadecimal, or - and them on stdin");
    if (words.empty() || words == std::vector<std::string>{"-"}) {
        text = standard_input();
    } else {
        for (const auto& word : words) text += word + " ";
    }
    HexText hex = read_hex(text);
    if (!hex.wrong.empty()) throw UsageError("decode: that is not hexadecimal: " + hex.wrong);
    if (hex.octets.empty()) throw UsageError("decode: nothing to decode; give octets in hexadecimal");
    return std::move(hex.octets);
}

/// The message names the option, never the key.
std::optional<SymmetricKey> key_of(const platform::Settings& settings, const std::string& name) {
    if (!settings.has(name)) return std::nullopt;
    const auto octets = from_hex(settings.required<std::string>(name));
    const auto key = octets ? SymmetricKey::from(*octets) : std::nullopt;
    if (!key) throw SettingsError("--" + name + ": is not a key of 32 hexadecimal digits (64 for suite 2)");
    return key;
}

Keyring keyring_of(const platform::Settings& settings, Ciphers& ciphers) {
    Keyring keyring;
    keyring.ciphers = &ciphers;
    keyring.encryption = key_of(settings, "key");
    keyring.authentication = key_of(settings, "ak");
    keyring.dedicated = key_of(settings, "dedicated");
    keyring.broadcast = key_of(settings, "broadcast");
    keyring.master = key_of(settings, "master");
    if (settings.has("title")) {
        const auto octets = from_hex(settings.required<std::string>("title"));
        if (!octets || octets->size() != 8)
            throw SettingsError("--title: is not a system title of 16 hexadecimal digits");
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

}  // namespace

int run_decode(const Call& call) {
    const auto& settings = call.settings;
    DescribeOptions options;
    options.all = settings.optional<bool>("all", false);
    if (settings.has("as")) {
        const auto name = settings.required<std::string>("as");
        options.form = form_named(name);
        if (!options.form)
            throw UsageError("--as " + name + ": is none of wrapper, hdlc, mbus, llc, hello, apdu and data");
    }
    security::OpensslCiphers ciphers;
    const Keyring keyring = keyring_of(settings, ciphers);
    const Report report = describe(octets_of(call.words), options, keyring);
    const std::string text = settings.optional<bool>("json", false) ? report.json() : report.text();
    std::fputs(text.c_str(), stdout);
    return report.whole() ? 0 : exit_bad_frame;
}

}  // namespace wattmesh::sim
