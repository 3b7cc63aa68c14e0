#include "headend/settings.h"

#include "headend/caller_settings.h"
#include "headend/database/migrator.h"
#include "headend/exchange_settings.h"

namespace wattmesh::headend {
namespace {

using std::filesystem::path;

constexpr std::uint32_t day_s = 86'400;

std::vector<dcu::PlannedProfile> plan_from(const platform::Settings& settings) {
    dcu::PlannedProfile load;
    load.profile = obis::load_profile;
    load.period_s = settings.optional_in<std::uint32_t>("reading.period_s", 900, 60, day_s);
    load.delay_s = settings.optional_in<std::uint32_t>("reading.delay_s", 20, 0, 3'600);
    load.depth_s = settings.optional_in<std::uint32_t>("reading.depth_s", 30 * day_s, 900, 400 * day_s);
    load.rows_max = static_cast<std::uint8_t>(settings.optional_in<int>("reading.rows_max", 6, 1, 32));
    std::vector<dcu::PlannedProfile> plan{load};
    if (settings.optional<bool>("reading.daily", false)) {
        dcu::PlannedProfile daily = load;
        daily.profile = obis::daily_profile;
        daily.period_s = day_s;
        daily.rows_max = 3;
        plan.push_back(daily);
    }
    return plan;
}

void read_console(const platform::Settings& settings, console::ConsoleSettings& console) {
    console.address = settings.optional<std::string>("console.address", "127.0.0.1");
    console.port = settings.optional<std::uint16_t>("console.port", 8080);
    console.pages =
        settings.optional<std::string>("console.pages", WATTMESH_TREE "/headend/console/web/dist");
    console.openapi =
        settings.optional<std::string>("console.openapi", WATTMESH_TREE "/headend/console/openapi.yaml");
    console.certificate = settings.optional<std::string>("console.certificate", "");
    console.key = settings.optional<std::string>("console.key", "");
    if (console.certificate.empty() != console.key.empty()) {
        throw platform::SettingsError("console.certificate and console.key: give both for HTTPS, or none");
    }
    console.second_person_above = settings.optional_in<int>("relay.second_person_above", 10, 0, 10'000);
    console.metrics_loopback = settings.optional<bool>("console.metrics_loopback", true);
    console.speed = settings.optional<double>("speed", 1);
}

void read_vending(const platform::Settings& settings, HeadendSettings::Vending& vending) {
    vending.wanted = settings.has("vending.port");
    vending.http.address = settings.optional<std::string>("vending.address", "127.0.0.1");
    vending.http.port = settings.optional<std::uint16_t>("vending.port", 8081);
    vending.http.pages =
        settings.optional<std::string>("vending.pages", WATTMESH_TREE "/headend/console/web/dist");
    vending.http.openapi =
        settings.optional<std::string>("vending.openapi", WATTMESH_TREE "/headend/vending/openapi.yaml");
    vending.http.certificate = settings.optional<std::string>("vending.certificate", "");
    vending.http.key = settings.optional<std::string>("vending.key", "");
    if (vending.http.certificate.empty() != vending.http.key.empty())
        throw platform::SettingsError("vending.certificate and vending.key: give both for HTTPS, or none");
    vending.module = settings.optional<path>("vending.module", path{});
    vending.production = settings.optional<bool>("vending.production", false);
    vending.software_in_production = settings.optional<bool>("vending.software_in_production", false);
    auto& front = vending.front;
    front.utility = settings.optional<std::string>("vending.utility", front.utility);
    front.address = settings.optional<std::string>("vending.utility_address", "");
    front.tax_number = settings.optional<std::string>("vending.tax_number", "");
    front.help_line = settings.optional<std::string>("vending.help_line", "");
    front.currency = settings.optional<std::string>("vending.currency", "");
    front.decimals = settings.optional_in<int>("vending.decimals", front.decimals, 0, 4);
    front.second_person_above = {settings.optional_in<std::int64_t>("vending.second_person_above",
                                                                    front.second_person_above.minor, 0,
                                                                    vending::pricing::money_max.minor)};
    front.simulated_ports = settings.optional<bool>("vending.simulated_ports", false);
    if (front.simulated_ports && vending.production)
        throw platform::SettingsError("vending.simulated_ports is for demonstrations: not in production");
    if (settings.has("vending.machines.port")) {
        vending.machines = vending.http;
        vending.machines->address = settings.optional<std::string>("vending.machines.address", "127.0.0.1");
        vending.machines->port = settings.required<std::uint16_t>("vending.machines.port");
        vending.machines->certificate = settings.required<std::string>("vending.machines.certificate");
        vending.machines->key = settings.required<std::string>("vending.machines.key");
    }
    if (vending.wanted && vending.module.empty())
        throw platform::SettingsError("vending.module is missing: the folder of the vending module");
}

void read_trace(const platform::Settings& settings, HeadendSettings& result) {
    const auto size_mib = settings.optional_in<std::uint32_t>("trace.size_mib", 256, 0, 1'048'576);
    trace::RingSettings ring;
    ring.directory =
        settings.optional<path>("trace.directory", result.ca_certificate.parent_path() / "trace");
    ring.size_max = std::uint64_t{size_mib} << 20U;
    ring.frame_size_max = settings.optional_in<std::uint32_t>("trace.frame_octets_max", 2'048, 16, 65'535);
    if (size_mib == 0) return;
    result.console.traces = ring.directory;
    result.trace = std::move(ring);
}

}  // namespace

database::DatabaseSettings HeadendSettings::Database::as(const std::string& role) const {
    const auto password = passwords.find(role);
    if (password == passwords.end()) {
        throw platform::SettingsError("database.password." + role +
                                      " is missing: the configuration of `headend init` has it");
    }
    database::DatabaseSettings settings;
    settings.connection = place + " user=" + role + " password=" + password->second;
    return settings;
}

HeadendSettings HeadendSettings::from(const platform::Settings& settings) {
    HeadendSettings result;
    result.database.place = settings.required<std::string>("database.place");
    for (const char* role : database::role_names) {
        const std::string key = std::string{"database.password."} + role;
        if (settings.has(key)) result.database.passwords[role] = settings.required<std::string>(key);
    }
    result.schema = settings.optional<path>("schema", WATTMESH_TREE "/schema");
    result.master_key = settings.required<std::string>("keys.master");
    result.counters = settings.required<path>("keys.counters");
    result.ca_certificate = settings.required<path>("pki.ca_certificate");
    result.ca_key = settings.required<path>("pki.ca_key");
    result.meter_pki =
        settings.optional<path>("pki.meters", result.ca_certificate.parent_path() / "meter-pki");
    result.uplink_certificate = settings.required<path>("uplink.certificate");
    result.uplink_key = settings.required<path>("uplink.key");
    result.uplink.address = settings.optional<std::string>("uplink.address", "127.0.0.1");
    result.uplink.port = settings.optional<std::uint16_t>("uplink.port", 4061);
    result.uplink.share_port = settings.optional<bool>("uplink.share_port", false);
    if (settings.has("uplink.vending"))
        result.uplink_vending = settings.required<platform::HostPort>("uplink.vending");
    const auto heartbeat_s = settings.optional_in<std::uint16_t>("uplink.heartbeat_s", 60, 5, 900);
    result.core.session.heartbeat = std::chrono::seconds{heartbeat_s};
    result.monitor.plan.limits.heartbeat_s = heartbeat_s;
    result.monitor.plan.profiles = plan_from(settings);
    for (const auto& profile : result.monitor.plan.profiles) {
        result.core.replication.periods[profile.profile] = std::chrono::seconds{profile.period_s};
    }
    result.disconnects.total = settings.optional_in<int>("keys.disconnects_per_hour_max", 100, 0, 1'000'000);
    result.disconnects.per_feeder =
        settings.optional_in<int>("keys.disconnects_per_feeder_hour_max", 50, 0, 1'000'000);
    read_callers(settings, result);
    read_console(settings, result.console);
    read_trace(settings, result);
    read_vending(settings, result.vending);
    read_exchange(settings, result);
    result.log_level = settings.optional<std::string>("log.level", "information");
    return result;
}

std::shared_ptr<const platform::Clock> clock_from(const platform::Settings& settings) {
    const auto speed = settings.optional_in<double>("speed", 1, platform::ScaledClock::speed_min,
                                                    platform::ScaledClock::speed_max);
    std::optional<Instant> origin;
    if (settings.has("origin"))
        origin = Instant{std::chrono::seconds{settings.required<std::int64_t>("origin")}};
    return std::make_shared<platform::ScaledClock>(speed, origin);
}

}  // namespace wattmesh::headend
