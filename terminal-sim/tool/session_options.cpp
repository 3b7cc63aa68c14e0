#include "terminal-sim/tool/session_options.h"

#include <fmt/format.h>

#include <charconv>

#include "protocol/dlms/quirk_names.h"
#include "terminal-sim/tool/keys.h"
#include "terminal-sim/tool/running.h"
#include "terminal-sim/tool/security_options.h"

namespace wattmesh::sim {

using platform::SettingsError;

LinkKind link_of(const platform::Settings& settings) {
    const auto kind = link_kind(settings.optional<std::string>("link", "wrapper"));
    if (!kind) throw SettingsError(std::string{"--link: is none of "} + link_words);
    return *kind;
}

BenchLine line_of(const platform::Settings& settings, LinkKind kind) {
    const bool hdlc = kind == LinkKind::hdlc || kind == LinkKind::mode_e;
    const auto needs = [&](const char* name, bool fits, const char* link) {
        if (settings.has(name) && !fits)
            throw SettingsError(std::string{"--"} + name + ": goes with --link " + link + " only");
    };
    needs("window", hdlc, "hdlc or mode-e");
    needs("information", hdlc, "hdlc or mode-e");
    needs("echo", hdlc, "hdlc or mode-e");
    needs("device", kind == LinkKind::mode_e, "mode-e");
    needs("wake-up", kind == LinkKind::mode_e, "mode-e");
    needs("attempts", kind != LinkKind::wrapper, "hdlc, udp or mode-e");
    BenchLine line;
    line.hdlc_window = static_cast<std::uint8_t>(settings.optional_in<int>("window", 1, 1, 7));
    line.hdlc_information =
        static_cast<std::uint16_t>(settings.optional_in<int>("information", 128, 32, 2'030));
    line.attempts_max = static_cast<unsigned>(settings.optional_in<int>("attempts", 3, 1, 20));
    line.echo =
        settings.optional<bool>("echo", false) || quirks_of(settings, model_of(settings)).optical_echo;
    line.device_address = settings.optional<std::string>("device", "");
    if (line.device_address.size() > 32) throw SettingsError("--device: has more than 32 characters");
    line.wake_up = settings.optional<bool>("wake-up", false);
    line.gateway = gateway_of(settings);
    return line;
}

std::optional<GatewayAddress> gateway_of(const platform::Settings& settings) {
    if (!settings.has("gateway")) return std::nullopt;
    const auto word = settings.required<std::string>("gateway");
    const auto address = gateway_address(word);
    if (!address)
        throw SettingsError("--gateway " + word +
                            ": is not NETWORK:ADDRESS, as 3:540000000341 or 0:0x123456");
    return address;
}

const cosem::MeterModel& model_of(const platform::Settings& settings) {
    const auto word = settings.optional<std::string>("model", "generic");
    const auto* model = cosem::meter_model(word);
    if (model == nullptr)
        throw SettingsError("--model " + word + ": is none of generic, idis, dsmr, is15959");
    return *model;
}

dlms::Quirks quirks_of(const platform::Settings& settings, const cosem::MeterModel& model) {
    dlms::Quirks quirks = model.quirks;
    const auto words = settings.optional<std::string>("quirk", "");
    for (std::size_t at = 0; at < words.size();) {
        const auto end = std::min(words.find(',', at), words.size());
        const auto word = words.substr(at, end - at);
        const auto* quirk = dlms::quirk_named(word);
        if (quirk == nullptr) {
            std::string known;
            for (const auto& one : dlms::quirk_names()) known += " " + std::string{one.name};
            throw SettingsError("--quirk " + word + ": is none of" + known);
        }
        quirks.*quirk->flag = true;
        at = end + 1;
    }
    return quirks;
}

std::string quirk_met(const decode::Report& report, const dlms::Quirks& allowed) {
    for (const auto& quirk : dlms::quirk_names())
        if (!(allowed.*quirk.flag) &&
            report.text().find("quirk " + std::string{quirk.name}) != std::string::npos)
            return std::string{quirk.name};
    return {};
}

MeterSession::Who who_of(const platform::Settings& settings, const cosem::MeterModel& model,
                         const std::string& fallback) {
    const auto word = settings.optional<std::string>("client", fallback);
    MeterSession::Who who;
    who.model = &model;
    who.quirks = quirks_of(settings, model);
    auto security = security_options(settings);
    who.suite = security.suite;
    who.form = security.form;
    if (settings.optional<bool>("general", false)) who.form.framing = dlms::Framing::general;
    who.hls_secret = security.hls_secret;
    if (security.pki)
        who.certificates = std::make_shared<security::CertificateFolder>(
            *security.pki, tool_title, dlms::curve_of(security.suite),
            [clock = clock_of(settings)] { return clock->now(); });
    const char* const end = word.data() + word.size();
    if (word == "public")
        who.client = model.public_client.client;
    else if (word == "reading")
        who.client = model.reading_client.client;
    else if (word == "management")
        who.client = model.management_client.client;
    else if (std::from_chars(word.data(), end, who.client.value).ptr != end)
        throw SettingsError("--client " + word + ": is none of public, reading, management and no SAP");
    who.keys = management_keys(settings, security.suite);
    who.password = to_buffer(as_bytes(settings.optional<std::string>("secret", "")));
    const auto authentication = who.authentication();
    if (authentication == cosem::Authentication::high_gmac && !who.keys)
        throw SettingsError(fmt::format("--client {}: the management client of model {} needs --ek and --ak",
                                        who.client.value, model.name));
    if (authentication == cosem::Authentication::low && who.password.empty())
        throw SettingsError(fmt::format("--client {}: the reading client of model {} needs --secret",
                                        who.client.value, model.name));
    return who;
}

}  // namespace wattmesh::sim
