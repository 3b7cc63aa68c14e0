#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "headend/database/connection.h"
#include "platform/settings.h"

namespace wattmesh::headend::admin {

/// Everything `headend` reads from headend.properties, once, checked. Paths in the file may be relative to
/// its folder.
struct HeadSettings {
    std::filesystem::path file;
    platform::HostPort uplink;   ///< where concentrators call in
    platform::HostPort console;  ///< where people and programs ask
    /// Of each role, with its own database user; `owner` only migrates and administers.
    database::DatabaseSettings owner, frontend, monitor, console_database;
    std::map<std::string, std::string> role_passwords;  ///< by role name, for `headend migrate --admin`
    std::filesystem::path master_key, ca_certificate, ca_key, certificate, key;
    std::filesystem::path schema, pages, openapi;
    std::filesystem::path console_certificate,
        console_key;  ///< both or none; with them the console speaks HTTPS
    std::string log_level;

    /// Throws platform::SettingsError naming key and file.
    static HeadSettings read(const std::filesystem::path& file);
};

}  // namespace wattmesh::headend::admin
