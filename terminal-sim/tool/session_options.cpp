#include "terminal-sim/tool/session_options.h"

#include <fmt/format.h>

#include <charconv>

#include "terminal-sim/tool/keys.h"

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
    line.echo = settings.optional<bool>("echo", false);
    line.device_address = settings.optional<std::string>("device", "");
    if (line.device_address.size() > 32) throw SettingsError("--device: has more than 32 characters");
    line.wake_up = settings.optional<bool>("wake-up", false);
    if (settings.has("gateway")) {
        const auto word = settings.required<std::string>("gateway");
        line.gateway = gateway_address(word);
        if (!line.gateway)
            throw SettingsError("--gateway " + word +
                                ": is not NETWORK:ADDRESS, as 3:540000000341 or 0:0x123456");
    }
    return line;
}

const cosem::MeterModel& model_of(const platform::Settings& settings) {
    const auto word = settings.optional<std::string>("model", "generic");
    const auto* model = cosem::meter_model(word);
    if (model == nullptr)
        throw SettingsError("--model " + word + ": is none of generic, idis, dsmr, is15959");
    return *model;
}

MeterSession::Who who_of(const platform::Settings& settings, const cosem::MeterModel& model,
                         const std::string& fallback) {
    const auto word = settings.optional<std::string>("client", fallback);
    MeterSession::Who who;
    who.model = &model;
    const char* const end = word.data() + word.size();
    if (word == "public")
        who.client = model.public_client.client;
    else if (word == "reading")
        who.client = model.reading_client.client;
    else if (word == "management")
        who.client = model.management_client.client;
    else if (std::from_chars(word.data(), end, who.client.value).ptr != end)
        throw SettingsError("--client " + word + ": is none of public, reading, management and no SAP");
    who.keys = management_keys(settings);
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
