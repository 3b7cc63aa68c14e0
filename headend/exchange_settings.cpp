#include "headend/exchange_settings.h"

#include <sstream>

namespace wattmesh::headend {
namespace {

using platform::SettingsError;

std::vector<std::string> words_in(const std::string& text) {
    std::istringstream in{text};
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

exchange::ScadaGroupSettings read_group(const platform::Settings& settings, const std::string& prefix,
                                        const std::string& name) {
    exchange::ScadaGroupSettings group;
    group.name = name;
    for (const auto& word : words_in(settings.required<std::string>(prefix + "allow"))) {
        const auto range = frontend::AddressRange::parse(word);
        if (!range)
            throw SettingsError(prefix + "allow: " + word + " is no address and no range like 10.0.0.0/8");
        group.allowed.push_back(*range);
    }
    if (group.allowed.empty()) throw SettingsError(prefix + "allow: name at least one address or range");
    group.outstation.commands = settings.optional<bool>(prefix + "commands", false);
    group.outstation.events_max =
        static_cast<std::size_t>(settings.optional_in<int>(prefix + "events", 100'000, 100, 10'000'000));
    return group;
}

exchange::ScadaStationSettings read_link(const platform::Settings& settings, const std::string& name) {
    const auto prefix = "exchange." + name + ".";
    exchange::ScadaStationSettings link;
    link.link = name;
    link.listener.address = settings.optional<std::string>(prefix + "address", "127.0.0.1");
    link.listener.port = settings.optional<std::uint16_t>(prefix + "port", 2404);
    link.certificate = settings.optional<std::string>(prefix + "certificate", "");
    link.key = settings.optional<std::string>(prefix + "key", "");
    link.ca = settings.optional<std::string>(prefix + "ca", "");
    if (link.certificate.empty() != link.key.empty() || link.certificate.empty() != link.ca.empty())
        throw SettingsError(prefix + "certificate, " + prefix + "key and " + prefix +
                            "ca: give all three for TLS, or none");
    link.poll_real =
        std::chrono::milliseconds{settings.optional_in<int>(prefix + "poll_ms", 5'000, 100, 900'000)};
    for (const auto& group : words_in(settings.required<std::string>(prefix + "groups")))
        link.listener.groups.push_back(read_group(settings, prefix + group + ".", group));
    if (link.listener.groups.empty())
        throw SettingsError(prefix + "groups: name at least one group of masters");
    return link;
}

exchange::WebhookCourierSettings read_webhooks(const platform::Settings& settings,
                                               const HeadendSettings& out) {
    exchange::WebhookCourierSettings webhooks;
    webhooks.database = out.database.as("wm_exchange");
    webhooks.owner = settings.optional<std::string>("exchange.name", "exchange");
    webhooks.plain = settings.optional<bool>("exchange.webhooks.plain", false);
    webhooks.http.ca_file = settings.optional<std::string>("exchange.webhooks.ca", "");
    webhooks.keep =
        std::chrono::hours{24 * settings.optional_in<int>("exchange.webhooks.keep_days", 30, 1, 3'650)};
    webhooks.speed = out.console.speed;
    return webhooks;
}

/// Tokens and customers' readings do not travel in clear, unless somebody says that it is no matter.
exchange::RestSettings read_rest(const platform::Settings& settings, const HeadendSettings& out) {
    exchange::RestSettings rest;
    rest.database = out.database.as("wm_exchange");
    rest.port = settings.required<std::uint16_t>("exchange.rest.port");
    rest.address = settings.optional<std::string>("exchange.rest.address", "127.0.0.1");
    rest.certificate = settings.optional<std::string>("exchange.rest.certificate", "");
    rest.key = settings.optional<std::string>("exchange.rest.key", "");
    if (rest.certificate.empty() != rest.key.empty())
        throw SettingsError("exchange.rest.certificate and exchange.rest.key: give both for TLS, or none");
    const bool plain = settings.optional<bool>("exchange.rest.plain", false);
    if (rest.certificate.empty() && !plain && !rest.address.starts_with("127."))
        throw SettingsError(
            "exchange.rest.certificate: an address that others reach needs TLS (or exchange.rest.plain = "
            "true "
            "behind a proxy that has it)");
    rest.openapi = settings.optional<std::string>("exchange.rest.openapi",
                                                  WATTMESH_TREE "/headend/exchange/openapi.yaml");
    rest.threads_max = settings.optional_in<int>("exchange.rest.threads", rest.threads_max, 2, 1'000);
    rest.replies.ca_file = settings.optional<std::string>("exchange.webhooks.ca", "");
    rest.plain_replies = settings.optional<bool>("exchange.webhooks.plain", false);
    rest.second_person_above = out.console.second_person_above;
    rest.speed = out.console.speed;
    return rest;
}

}  // namespace

void read_exchange(const platform::Settings& settings, HeadendSettings& out) {
    if (out.database.passwords.contains("wm_exchange")) out.webhooks = read_webhooks(settings, out);
    if (settings.has("exchange.rest.port")) out.rest = read_rest(settings, out);
    for (const auto& name : words_in(settings.optional<std::string>("exchange.links", ""))) {
        out.scada.push_back(read_link(settings, name));
        out.scada.back().commands_alone = out.console.second_person_above >= 1;
    }
}

}  // namespace wattmesh::headend
