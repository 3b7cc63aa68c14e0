#include <filesystem>
#include <iostream>
#include <sstream>

#include "headend/command_line.h"
#include "headend/database/migrator.h"
#include "security/pkcs11.h"
#include "security/pki.h"
#include "security/token_master_key.h"

namespace wattmesh::headend {
namespace {

using std::filesystem::path;

platform::HostPort host_port(const platform::Settings& settings, const std::string& key,
                             const std::string& fallback) {
    return settings.has(key) ? settings.required<platform::HostPort>(key)
                             : platform::Settings{{{key, fallback}}}.required<platform::HostPort>(key);
}

/// The administrator's libpq keywords without who he is.
std::string place_of(const std::string& connection) {
    std::istringstream words{connection};
    std::string place, word;
    while (words >> word) {
        if (word.starts_with("user=") || word.starts_with("password=")) continue;
        place += (place.empty() ? "" : " ") + word;
    }
    return place;
}

void write_text(const path& file, const std::string& text) {
    security::create_private_file(file, as_bytes(text));
}

/// Makes the master key, in a file of `folder` or in the PKCS#11 token that the command line names, and says
/// where.
std::string make_master_key(const platform::Settings& settings, const path& folder, Random& random) {
    if (!settings.has("master-key")) {
        const auto file = folder / "master.key";
        (void)security::FileMasterKey::create(file, random);
        return file.string();
    }
    auto place = settings.required<std::string>("master-key");
    const auto uri = security::Pkcs11Uri::parse(place);
    if (!uri) {
        throw platform::UsageError(
            "--master-key takes pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE");
    }
    (void)security::Pkcs11Key::create(*uri);
    return place;
}

std::string configuration(const path& folder, const std::string& master, const std::string& place,
                          const platform::HostPort& console, const platform::HostPort& uplink,
                          Random& random) {
    std::ostringstream text;
    text << "# Configuration of this head-end, made by `headend init`. Holds passwords: for its owner's eyes "
            "only.\n"
         << "database.place = " << place << "\n";
    for (const char* role : database::role_names) {
        std::array<std::uint8_t, 18> octets{};
        random.fill(octets);
        text << "database.password." << role << " = " << to_hex(octets) << "\n";
    }
    text << "keys.master = " << master << "\n"
         << "keys.counters = " << (folder / "counters").string() << "\n"
         << "pki.ca_certificate = " << (folder / "ca.pem").string() << "\n"
         << "pki.ca_key = " << (folder / "ca.key").string() << "\n"
         << "uplink.certificate = " << (folder / "uplink.pem").string() << "\n"
         << "uplink.key = " << (folder / "uplink.key").string() << "\n"
         << "uplink.address = " << uplink.host << "\n"
         << "uplink.port = " << uplink.port << "\n"
         << "console.address = " << console.host << "\n"
         << "console.port = " << console.port << "\n"
         << "# Prepaid vending (headend vend --help): with a port the role vending runs.\n"
         << "vending.module = " << (folder / "vending").string() << "\n"
         << "#vending.port = 8081\n"
         << "# Machines that are attached to concentrators: vending's door for them, over TLS, and the "
            "front-end's "
            "way to it.\n"
         << "#vending.machines.port = 8091    (also machines.address, machines.certificate, machines.key)\n"
         << "#uplink.vending = 127.0.0.1:8091\n"
         << "#vending.utility = NAME    (also utility_address, tax_number, help_line, currency, decimals: "
            "what "
            "receipts and pages say)\n"
         << "# How far back a meter that was never read is read (a deployment with long outages wants "
            "2592000).\n"
         << "reading.depth_s = 86400\n";
    return text.str();
}

}  // namespace

int run_init(const Words& words) {
    const auto arguments = parse_words(words, {"dir", "database", "console", "uplink", "master-key"});
    const auto settings = arguments.settings();
    const path folder = std::filesystem::absolute(settings.required<path>("dir"));
    const auto place = place_of(settings.required<std::string>("database"));
    const auto console = host_port(settings, "console", "127.0.0.1:8080");
    const auto uplink = host_port(settings, "uplink", "127.0.0.1:4061");
    const path file = folder / "headend.properties";
    if (std::filesystem::exists(file))
        throw std::runtime_error(file.string() + " exists: this head-end is set up already");

    std::filesystem::create_directories(folder);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    security::SystemRandom random;
    const auto now = clock_from(settings)->now();
    const auto master = make_master_key(settings, folder, random);
    const auto authority = security::CertificateAuthority::create("Wattmesh", now);
    write_text(folder / "ca.pem", authority.pem());
    security::create_private_file(folder / "ca.key", authority.key_pem().reveal());
    const auto server = authority.issue_server({uplink.host}, now);
    write_text(folder / "uplink.pem", server.certificate_pem);
    security::create_private_file(folder / "uplink.key", server.key_pem.reveal());
    write_text(file, configuration(folder, master, place, console, uplink,
                                   random));  // last: its presence means "set up"
    std::cout << file.string() << "\n";
    std::cerr << "Set up a head-end in " << folder.string() << ". Keep the master key (" << master
              << ") and ca.key: without them nothing here can be read "
              << "or renewed.\nNext: headend migrate --config " << file.string()
              << " --admin \"<connection>\"\n";
    return 0;
}

int run_migrate(const Words& words) {
    const auto arguments = parse_words(words, {"admin"});
    const auto raw = arguments.settings();
    const auto settings = HeadendSettings::from(raw);
    database::DatabaseSettings administrator;
    administrator.connection =
        raw.has("admin") ? raw.required<std::string>("admin") : settings.database.as("wm_owner").connection;
    administrator.statement_timeout_ms = 600'000;
    database::Connection connection{administrator};
    database::Migrator migrator{connection, settings.schema};
    if (raw.has("admin")) migrator.prepare(settings.database.passwords);
    const auto applied = migrator.migrate(clock_from(raw)->now());
    for (const auto& name : applied) std::cout << name << "\n";
    std::cerr << "Applied " << applied.size() << " migrations.\n";
    return 0;
}

}  // namespace wattmesh::headend
