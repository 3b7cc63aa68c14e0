#include "headend/admin/head_settings.h"

namespace wattmesh::headend::admin {
namespace {

class Reader {
public:
    explicit Reader(const std::filesystem::path& file) : settings_(file), folder_(file.parent_path()) {}

    std::filesystem::path path(const std::string& key) const {
        return beside(settings_.required<std::filesystem::path>(key));
    }
    std::filesystem::path path_if_any(const std::string& key) const {
        const auto value = settings_.optional<std::filesystem::path>(key, {});
        return value.empty() ? value : beside(value);
    }
    database::DatabaseSettings database(const std::string& role, const std::string& password) const {
        database::DatabaseSettings database;
        database.connection = settings_.required<std::string>("database.connection") + " user=" + role +
                              " password=" + password;
        return database;
    }
    const platform::Settings& settings() const { return settings_; }

private:
    std::filesystem::path beside(const std::filesystem::path& path) const {
        return path.is_absolute() ? path : folder_ / path;
    }
    platform::Settings settings_;
    std::filesystem::path folder_;
};

}  // namespace

HeadSettings HeadSettings::read(const std::filesystem::path& file) {
    const Reader in{file};
    HeadSettings out;
    out.file = file;
    out.uplink = in.settings().required<platform::HostPort>("uplink.listen");
    out.console = in.settings().required<platform::HostPort>("console.listen");
    for (const char* role : {"owner", "frontend", "monitor", "console"})
        out.role_passwords["wm_" + std::string{role}] =
            in.settings().required<std::string>("database." + std::string{role} + ".password");
    out.owner = in.database("wm_owner", out.role_passwords["wm_owner"]);
    out.frontend = in.database("wm_frontend", out.role_passwords["wm_frontend"]);
    out.monitor = in.database("wm_monitor", out.role_passwords["wm_monitor"]);
    out.console_database = in.database("wm_console", out.role_passwords["wm_console"]);
    out.master_key = in.path("keys.master");
    out.ca_certificate = in.path("tls.ca_certificate");
    out.ca_key = in.path("tls.ca_key");
    out.certificate = in.path("tls.certificate");
    out.key = in.path("tls.key");
    out.schema = in.path("schema.folder");
    out.pages = in.path_if_any("console.pages");
    out.openapi = in.path_if_any("console.openapi");
    out.console_certificate = in.path_if_any("console.certificate");
    out.console_key = in.path_if_any("console.key");
    out.log_level = in.settings().optional<std::string>("log.level", "information");
    in.settings().refuse_unknown();
    return out;
}

}  // namespace wattmesh::headend::admin
