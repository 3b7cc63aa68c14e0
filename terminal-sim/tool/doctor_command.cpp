#include <Poco/Net/DNS.h>
#include <Poco/Net/StreamSocket.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "security/pki.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"

namespace wattmesh::sim {
namespace {

namespace fs = std::filesystem;
using platform::HostPort;
using platform::SettingsError;

constexpr std::uintmax_t disk_low_mib = 200, certificate_size_max = 64 * 1024;
constexpr auto certificate_soon = std::chrono::hours{24 * 30};

/// One line: what was looked at, whether it is well, and the way out if not.
class Sheet {
public:
    explicit Sheet(bool json) : json_(json) {}
    void line(const char* check, bool well, const std::string& says, const std::string& fix = {}) {
        if (json_)
            std::printf(R"({"check":"%s","well":%s,"says":"%s","fix":"%s"})"
                        "\n",
                        check, well ? "true" : "false", json_escaped(says).c_str(),
                        json_escaped(well ? "" : fix).c_str());
        else
            std::printf("%-4s %-12s %s%s\n", well ? "ok" : "BAD", check, says.c_str(),
                        well || fix.empty() ? "" : ("; " + fix).c_str());
        all_well_ = all_well_ && well;
    }
    bool all_well() const { return all_well_; }

private:
    bool json_, all_well_ = true;
};

/// Meters' clocks are compared with this computer's.
void check_clock(Sheet& sheet) {
    timex state{};
    const int answer = adjtimex(&state);
    const bool kept = answer >= 0 && answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    sheet.line(
        "clock", kept, kept ? "kept by a time service" : "not kept by a time service",
        "install and start chrony or systemd-timesyncd; offsets of meters are not to be trusted until then");
}

void check_disk(Sheet& sheet, const std::string& folder) {
    fs::path there = folder;
    while (!there.empty() && !fs::exists(there) && there.has_parent_path() && there != there.parent_path())
        there = there.parent_path();
    struct statvfs room{};
    if (statvfs(there.c_str(), &room) != 0)
        return sheet.line("disk", false, folder + ": " + std::strerror(errno), "give another --state");
    const auto mib = static_cast<std::uintmax_t>(room.f_bavail) * room.f_frsize >> 20;
    const bool may = access(there.c_str(), W_OK) == 0;
    sheet.line("disk", mib >= disk_low_mib && may,
               fmt::format("{}: {} MiB free{}", folder, mib, may ? "" : ", not writable"),
               may ? "make room: a session's log needs it" : "give a folder that you may write, --state DIR");
}

void check_serial(Sheet& sheet) {
    int ports = 0;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator{"/dev", gone}) {
        const auto name = entry.path().filename().string();
        if (!name.starts_with("ttyUSB") && !name.starts_with("ttyACM")) continue;
        ++ports;
        const int port = open(entry.path().c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        const int why = errno;
        if (port >= 0) close(port);
        sheet.line("serial", port >= 0,
                   entry.path().string() + (port >= 0 ? " opens" : std::string{": "} + std::strerror(why)),
                   why == EACCES ? "add yourself to the group dialout and log in again"
                                 : "close the program that holds it, or plug the adapter in again");
    }
    if (ports == 0) sheet.line("serial", true, "no USB adapter is plugged in");
}

void check_headend(Sheet& sheet, const HostPort& headend) {
    std::string address;
    try {
        address = Poco::Net::DNS::resolveOne(headend.host).toString();
        sheet.line("name", true, headend.host + " is " + address);
    } catch (const Poco::Exception& error) {
        return sheet.line("name", false, headend.host + " cannot be resolved: " + error.displayText(),
                          "check the network and /etc/resolv.conf, or give the address");
    }
    try {
        Poco::Net::StreamSocket line;
        line.connect(Poco::Net::SocketAddress{address, headend.port}, Poco::Timespan{5, 0});
        sheet.line("head-end", true, fmt::format("{} port {} takes connections", address, headend.port));
    } catch (const Poco::Exception& error) {
        sheet.line("head-end", false,
                   fmt::format("{} port {}: {}", address, headend.port, error.displayText()),
                   "check VPN, firewall and the port");
    }
}

void check_certificate(Sheet& sheet, const fs::path& file) {
    std::error_code gone;
    const auto size = fs::file_size(file, gone);
    if (gone || size > certificate_size_max)
        return sheet.line("certificate", false,
                          file.string() + (gone ? ": " + gone.message() : ": is too long"),
                          "give the PEM file");
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    const auto facts = security::read_certificate(std::string_view{text.str()});
    if (!facts)
        return sheet.line("certificate", false, file.string() + ": is no certificate", "give the PEM file");
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    const bool well = now >= facts->not_before && now + certificate_soon < facts->not_after;
    sheet.line("certificate", well,
               fmt::format("{} of '{}' holds from {} to {}", file.string(), facts->common_name,
                           iso_text(facts->not_before), iso_text(facts->not_after)),
               "have it renewed; for that the clock must be right");
}

}  // namespace

int run_doctor(const Call& call) {
    const auto& settings = call.settings;
    Sheet sheet{settings.optional<bool>("json", false)};
    check_clock(sheet);
    check_disk(sheet, settings.optional<std::string>("state", call.state_home));
    check_serial(sheet);
    if (settings.has("headend")) check_headend(sheet, settings.required<HostPort>("headend"));
    if (settings.has("certificate"))
        check_certificate(sheet, settings.required<std::filesystem::path>("certificate"));
    return sheet.all_well() ? 0 : 1;
}

}  // namespace wattmesh::sim
