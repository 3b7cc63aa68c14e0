#include <unistd.h>

#include <cstdio>

#include "platform/arguments.h"
#include "protocol/decode/describe.h"
#include "protocol/decode/hex_text.h"
#include "security/ciphers.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/keys.h"

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
    decode::HexText hex = decode::read_hex(text);
    if (!hex.wrong.empty()) throw UsageError("decode: that is not hexadecimal: " + hex.wrong);
    if (hex.octets.empty()) throw UsageError("decode: nothing to decode; give octets in hexadecimal");
    return std::move(hex.octets);
}

}  // namespace

int run_decode(const Call& call) {
    const auto& settings = call.settings;
    decode::DescribeOptions options;
    options.all = settings.optional<bool>("all", false);
    if (settings.has("as")) {
        const auto name = settings.required<std::string>("as");
        options.form = decode::form_named(name);
        if (!options.form)
            throw UsageError("--as " + name +
                             ": is none of wrapper, hdlc, mbus, llc, hello, apdu, data and iec104");
    }
    security::OpensslCiphers ciphers;
    const decode::Keyring keyring = keyring_of(settings, ciphers);
    const decode::Report report = decode::describe(octets_of(call.words), options, keyring);
    const std::string text = settings.optional<bool>("json", false) ? report.json() : report.text();
    std::fputs(text.c_str(), stdout);
    return report.whole() ? 0 : exit_bad_frame;
}

}  // namespace wattmesh::sim
