#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "headend/console/settings.h"
#include "headend/database/connection.h"
#include "headend/database/disconnect_grants.h"
#include "headend/exchange/rest_desk.h"
#include "headend/exchange/scada_station.h"
#include "headend/exchange/webhook_courier.h"
#include "headend/frontend/caller_listener.h"
#include "headend/frontend/listener.h"
#include "headend/monitor/direct_reading.h"
#include "headend/monitor/modbus_reading.h"
#include "headend/monitor/monitor.h"
#include "headend/monitor/terminal_reading.h"
#include "headend/trace/ring.h"
#include "headend/vending/shopfront.h"
#include "platform/arguments.h"
#include "platform/settings.h"

namespace wattmesh::headend {

/// The head-end's configuration, read once and checked: the file headend.properties (written by `headend
/// init`) with the command line's options above it.
struct HeadendSettings {
    struct Database {
        std::string place;                             ///< libpq keywords without user and password
        std::map<std::string, std::string> passwords;  ///< by database role
        /// Throws SettingsError when the role's password is not configured.
        database::DatabaseSettings as(const std::string& role) const;
    };
    Database database;
    std::filesystem::path schema;
    std::string master_key;  ///< path of a file, or a PKCS#11 URI
    std::filesystem::path counters;
    std::filesystem::path ca_certificate, ca_key;
    std::filesystem::path meter_pki;  ///< folder of MeterCa
    std::filesystem::path uplink_certificate, uplink_key;
    frontend::ListenerSettings uplink;
    /// Where tunnels of machines at concentrators lead; nothing: they are refused.
    std::optional<platform::HostPort> uplink_vending{};
    frontend::CoreSettings core;
    frontend::CallerCoreSettings callers;
    std::map<std::string, std::shared_ptr<const link::HelloProfile>>
        hello_profiles;  ///< by name; ports point to them
    std::vector<frontend::CallerPortSettings> caller_ports;
    std::optional<trace::RingSettings> trace;  ///< nothing: frames are not kept
    bool dials = true;                         ///< calls the buses that are registered with an address
    monitor::DirectReadingSettings direct;
    monitor::ModbusReadingSettings modbus;
    monitor::TerminalReadingSettings terminals;
    monitor::MonitorSettings monitor;
    database::DisconnectCaps disconnects{};
    struct Vending {
        bool wanted = false;           ///< the role runs unless others are named: vending.port is set
        std::filesystem::path module;  ///< folder of the software module; empty: not configured
        bool production = false, software_in_production = false;
        console::ConsoleSettings http;
        std::optional<console::ConsoleSettings> machines{};  ///< the door for those at concentrators
        vending::Shopfront front{};
    };
    Vending vending;
    console::ConsoleSettings console;
    std::vector<exchange::ScadaStationSettings> scada;  ///< one for each link that is served
    /// Partners with contracts are told; nothing: the database has no role for it yet.
    std::optional<exchange::WebhookCourierSettings> webhooks;
    std::optional<exchange::RestSettings> rest;  ///< nothing: partners have nobody to ask
    std::string log_level;

    /// Throws platform::SettingsError naming a key that is missing, wrong or unknown.
    static HeadendSettings from(const platform::Settings& settings);
};

/// --speed and --origin as every program has them.
std::shared_ptr<const platform::Clock> clock_from(const platform::Settings& settings);

/// The options every subcommand knows, as settings over the file that --config names.
inline const std::vector<std::string> common_options{"config", "speed", "origin", "log.level"};

}  // namespace wattmesh::headend
