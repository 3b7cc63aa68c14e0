#include "headend/caller_settings.h"

#include <fstream>
#include <sstream>

namespace wattmesh::headend {
namespace {

using platform::SettingsError;

/// As Q/GDW 376.1 terminals come from the factory.
constexpr std::chrono::minutes terminal_beat{5};

std::vector<std::string> words_in(const std::string& text) {
    std::istringstream in{text};
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

link::HelloProfile read_profile(const std::filesystem::path& folder, const std::string& name,
                                const std::string& key) {
    const auto file = folder / (name + ".hello");
    std::ifstream in{file};
    std::ostringstream text;
    if (name.find('/') != std::string::npos || !(text << in.rdbuf()))
        throw SettingsError(key + ": there is no profile " + file.string());
    auto profile = link::parse_hello_profile(text.str());
    if (const auto* fault = std::get_if<link::ProfileFault>(&profile))
        throw SettingsError(file.string() + ":" + std::to_string(fault->line) + ": " + fault->why);
    return std::get<link::HelloProfile>(std::move(profile));
}

frontend::CallerTls tls_in(const std::string& word, const std::string& key) {
    if (word == "off") return frontend::CallerTls::off;
    if (word == "offered") return frontend::CallerTls::offered;
    if (word == "required") return frontend::CallerTls::required;
    throw SettingsError(key + " = " + word + ": is none of off, offered and required");
}

frontend::CallerPortSettings read_port(const platform::Settings& settings,
                                       const std::filesystem::path& folder, const std::string& name,
                                       HeadendSettings& out) {
    const std::string prefix = "callers." + name + ".";
    frontend::CallerPortSettings port;
    port.port.name = name;
    port.address = settings.optional<std::string>(prefix + "address", "127.0.0.1");
    port.tcp_port = settings.required<std::uint16_t>(prefix + "port");
    port.share_port = out.uplink.share_port;
    port.port.sniff = settings.optional<bool>(prefix + "sniff", false);
    if (const auto carries = settings.optional<std::string>(prefix + "carries", ""); carries == "gdw376")
        port.port.carries = link::Carried::gdw376;
    else if (!carries.empty())
        throw SettingsError(prefix + "carries = " + carries +
                            ": only gdw376 is said here, all else is said by profiles");
    if (const int beat_s = settings.optional_in<int>(prefix + "beat_s", 0, 0, 3'600); beat_s != 0)
        port.port.beat_every = std::chrono::seconds{beat_s};
    else if (port.port.carries == link::Carried::gdw376)
        port.port.beat_every = terminal_beat;
    port.tls = tls_in(settings.optional<std::string>(prefix + "tls", "off"), prefix + "tls");
    port.accepts_per_second_max = settings.optional_in<unsigned>(prefix + "accepts_per_s", 200, 1, 100'000);
    for (const auto& word : words_in(settings.optional<std::string>(prefix + "allow", ""))) {
        const auto range = frontend::AddressRange::parse(word);
        if (!range)
            throw SettingsError(prefix + "allow: " + word + " is no address and no range like 10.0.0.0/8");
        port.allowed.push_back(*range);
    }
    for (const auto& word : words_in(settings.optional<std::string>(prefix + "profiles", ""))) {
        if (!out.hello_profiles.contains(word))
            out.hello_profiles[word] =
                std::make_shared<const link::HelloProfile>(read_profile(folder, word, prefix + "profiles"));
        const auto& profile = *out.hello_profiles.at(word);
        const bool other = !port.port.profiles.empty() && profile.carries != port.port.carries;
        if (other || port.port.carries == link::Carried::gdw376)
            throw SettingsError(prefix + "profiles: " + word + " carries " +
                                std::string{to_string(profile.carries)} +
                                ", the ones before something else: give each a port");
        port.port.carries = profile.carries;
        port.port.profiles.push_back(&profile);
    }
    if (port.port.sniff && port.port.carries != link::Carried::wrapper)
        throw SettingsError(prefix + "sniff: only for DLMS in a wrapper");
    if (port.port.profiles.empty() && !port.port.sniff && port.port.carries != link::Carried::gdw376)
        throw SettingsError(prefix + "profiles: name one, or say " + prefix + "sniff = true");
    return port;
}

}  // namespace

void read_callers(const platform::Settings& settings, HeadendSettings& out) {
    const std::filesystem::path folder =
        settings.optional<std::string>("callers.profiles", WATTMESH_TREE "/protocol/link/profiles");
    for (const auto& name : words_in(settings.optional<std::string>("callers.ports", "")))
        out.caller_ports.push_back(read_port(settings, folder, name, out));
    for (const auto& planned : out.monitor.plan.profiles) {
        out.direct.profiles.push_back({.profile = planned.profile,
                                       .period = std::chrono::seconds{planned.period_s},
                                       .delay = std::chrono::seconds{planned.delay_s},
                                       .depth = std::chrono::seconds{planned.depth_s}});
    }
    out.dials = settings.optional<bool>("callers.dial", true);
    out.modbus.fast_period =
        std::chrono::seconds{settings.optional_in<int>("callers.modbus_fast_s", 30, 1, 900)};
    out.callers.session.bus_exchange.timeout =
        std::chrono::seconds{settings.optional_in<int>("callers.modbus_answer_s", 5, 1, 60)};
    out.modbus.answer_max = out.callers.session.bus_exchange.timeout;
    out.terminals.utc_offset =
        std::chrono::minutes{settings.optional_in<int>("callers.gdw376_utc_offset_min", 480, -720, 840)};
    out.terminals.history =
        std::chrono::days{settings.optional_in<int>("callers.gdw376_history_days", 7, 1, 30)};
    out.callers.session.terminal_exchange.timeout =
        std::chrono::seconds{settings.optional_in<int>("callers.gdw376_answer_s", 90, 5, 300)};
    out.direct.registers_every =
        std::chrono::seconds{settings.optional_in<int>("callers.registers_s", 3'600, 60, 86'400)};
}

}  // namespace wattmesh::headend
