#include "platform/figures.h"

#include <unistd.h>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace wattmesh::platform {
namespace {

std::string text_of(const char* file) {
    std::ifstream in{file};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// "MemTotal:       32768 kB" as octets.
std::optional<std::int64_t> memory_line(std::string_view text, std::string_view name) {
    const auto at = text.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    std::istringstream line{std::string{text.substr(at + name.size(), 64)}};
    std::int64_t kib = 0;
    if (!(line >> kib)) return std::nullopt;
    return kib * 1'024;
}

}  // namespace

std::optional<ProcessFigures> parse_process_stat(std::string_view text, long ticks_per_s, long page_bytes) {
    // The second field is the program's name in brackets and may hold anything.
    const auto bracket = text.rfind(')');
    if (bracket == std::string_view::npos || ticks_per_s <= 0) return std::nullopt;
    std::istringstream rest{std::string{text.substr(bracket + 1)}};
    std::vector<std::string> fields;
    for (std::string field; rest >> field;) fields.push_back(field);
    constexpr std::size_t utime = 11, stime = 12, threads = 17, rss = 21;  // counted from the third field
    if (fields.size() <= rss) return std::nullopt;
    try {
        const auto ticks = std::stoll(fields[utime]) + std::stoll(fields[stime]);
        return ProcessFigures{static_cast<double>(ticks) / static_cast<double>(ticks_per_s),
                              std::stoll(fields[rss]) * page_bytes, std::stoi(fields[threads])};
    } catch (const std::logic_error&) {  // not a number, or too large for one
        return std::nullopt;
    }
}

std::optional<HostFigures> parse_host(std::string_view meminfo, std::string_view loadavg) {
    const auto total = memory_line(meminfo, "MemTotal:"), available = memory_line(meminfo, "MemAvailable:");
    std::istringstream load{std::string{loadavg}};
    double minute = 0;
    if (!total || !available || !(load >> minute)) return std::nullopt;
    return HostFigures{minute, *total, *available};
}

std::optional<ProcessFigures> process_figures() {
    return parse_process_stat(text_of("/proc/self/stat"), sysconf(_SC_CLK_TCK), sysconf(_SC_PAGESIZE));
}

std::optional<HostFigures> host_figures() {
    return parse_host(text_of("/proc/meminfo"), text_of("/proc/loadavg"));
}

std::optional<DiskFigures> disk_figures(const std::filesystem::path& folder) {
    std::error_code trouble;
    const auto space = std::filesystem::space(folder, trouble);
    if (trouble) return std::nullopt;
    return DiskFigures{static_cast<std::int64_t>(space.capacity), static_cast<std::int64_t>(space.available)};
}

}  // namespace wattmesh::platform
