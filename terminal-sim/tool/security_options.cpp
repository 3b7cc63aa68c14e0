#include "terminal-sim/tool/security_options.h"

namespace wattmesh::sim {

using platform::SettingsError;

SecurityOptions security_options(const platform::Settings& settings) {
    SecurityOptions options;
    options.suite = static_cast<dlms::Suite>(settings.optional_in<int>("suite", 0, 0, 2));
    const auto authentication = settings.optional<std::string>("authentication", "gmac");
    const auto mechanism = dlms::mechanism_named(authentication);
    if (!mechanism)
        throw SettingsError("--authentication " + authentication + ": is none of " + dlms::mechanism_words());
    const auto word = settings.optional<std::string>("framing", "glo");
    const auto framing = dlms::framing_named(word);
    if (!framing) throw SettingsError("--framing " + word + ": is none of " + dlms::framing_words());
    options.form = {*mechanism, *framing, settings.optional<bool>("signing", false)};
    if (const auto fault = options.form.fault(options.suite); !fault.empty())
        throw SettingsError("--suite: " + std::string{fault});
    options.hls_secret = to_buffer(as_bytes(settings.optional<std::string>("hls-secret", "")));
    if (options.form.needs_secret() && options.hls_secret.empty())
        throw SettingsError("--authentication " + authentication + ": needs --hls-secret");
    if (settings.has("pki")) options.pki = settings.required<std::filesystem::path>("pki");
    return options;
}

}  // namespace wattmesh::sim
