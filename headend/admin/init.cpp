#include "headend/admin/init.h"

#include <sstream>
#include <stdexcept>

#include "security/master_key.h"
#include "security/pki.h"
#include "security/private_file.h"

namespace wattmesh::headend::admin {
namespace {

namespace fs = std::filesystem;

/// Where schema and pages lie: an installed prefix, or the tree the program was built in.
fs::path find_share(const fs::path& wanted) {
    if (!wanted.empty()) {
        if (fs::exists(wanted / "schema")) return fs::canonical(wanted);
        throw std::runtime_error(wanted.string() +
                                 " holds no folder schema: give --share the folder that does");
    }
    const auto program = fs::read_symlink("/proc/self/exe").parent_path();
    for (const auto& candidate : {program / "../share/wattmesh", program / "../../.."})
        if (fs::exists(candidate / "schema")) return fs::canonical(candidate);
    throw std::runtime_error("no folder schema beside " + program.string() +
                             ": give --share the folder that holds it");
}

std::string random_password(Random& random) {
    std::array<std::uint8_t, 24> octets{};
    random.fill(octets);
    return to_hex(octets);
}

/// The keywords without user and password: each role adds its own.
std::string without_user(const std::string& connection) {
    std::istringstream in{connection};
    std::string kept;
    for (std::string word; in >> word;) {
        if (word.find('=') == std::string::npos)
            throw std::runtime_error(
                "--database wants libpq keywords like 'host=/run/postgresql dbname=wattmesh', not '" + word +
                "'");
        if (word.rfind("user=", 0) == 0 || word.rfind("password=", 0) == 0) continue;
        kept += (kept.empty() ? "" : " ") + word;
    }
    return kept;
}

std::string text(const platform::HostPort& at) {
    return (at.host.find(':') == std::string::npos ? at.host : '[' + at.host + ']') + ':' +
           std::to_string(at.port);
}

void write_certificates(const fs::path& folder, const platform::HostPort& uplink, Instant now) {
    const auto authority = security::CertificateAuthority::create("Wattmesh", now);
    const auto server = authority.issue_server({uplink.host}, now);
    security::create_private_file(folder / "ca.pem", as_bytes(authority.pem()));
    security::create_private_file(folder / "ca.key", authority.key_pem().reveal());
    security::create_private_file(folder / "uplink.pem", as_bytes(server.certificate_pem));
    security::create_private_file(folder / "uplink.key", server.key_pem.reveal());
}

}  // namespace

fs::path init(const InitRequest& request, Random& random, Instant now) {
    const auto share = find_share(request.share);
    const auto connection = without_user(request.database);
    fs::create_directories(request.folder);
    if (!fs::is_empty(request.folder))
        throw std::runtime_error(request.folder.string() +
                                 " is not empty: a head-end's keys are made once; give --dir a new folder");
    fs::permissions(request.folder, fs::perms::owner_all);
    security::MasterKey::create(request.folder / "master.key", random);
    write_certificates(request.folder, request.uplink, now);

    std::string properties =
        "# Settings of this head-end. Holds passwords: keep it readable for its user only.\n"
        "uplink.listen = " +
        text(request.uplink) +
        "\n"
        "console.listen = " +
        text(request.console) +
        "\n"
        "database.connection = " +
        connection + "\n";
    for (const char* role : {"owner", "frontend", "monitor", "console"})
        properties += "database." + std::string{role} + ".password = " + random_password(random) + "\n";
    properties +=
        "keys.master = master.key\n"
        "tls.ca_certificate = ca.pem\n"
        "tls.ca_key = ca.key\n"
        "tls.certificate = uplink.pem\n"
        "tls.key = uplink.key\n"
        "schema.folder = " +
        (share / "schema").string() +
        "\n"
        "console.pages = " +
        (share / "headend/console/web/dist").string() +
        "\n"
        "console.openapi = " +
        (share / "headend/console/openapi.yaml").string() + "\n";
    const auto file = request.folder / "headend.properties";
    security::create_private_file(file, as_bytes(properties));
    return file;
}

}  // namespace wattmesh::headend::admin
