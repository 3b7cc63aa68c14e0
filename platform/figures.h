#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace wattmesh::platform {

/// What this process uses.
struct ProcessFigures {
    double cpu_s = 0;                 ///< user and system, since it started
    std::int64_t resident_bytes = 0;  ///< memory that it occupies
    int threads = 0;
};
/// What the machine has left.
struct HostFigures {
    double load_1min = 0;  ///< runnable tasks, mean of a minute
    std::int64_t memory_bytes = 0, memory_available_bytes = 0;
};
struct DiskFigures {
    std::int64_t bytes = 0, available_bytes = 0;  ///< available to other users than root
};

/// From Linux's /proc; nothing where it cannot be read.
std::optional<ProcessFigures> process_figures();
std::optional<HostFigures> host_figures();
/// Of the file system that holds the folder.
std::optional<DiskFigures> disk_figures(const std::filesystem::path& folder);

/// The figures in the text of /proc/self/stat (proc(5), 5.10), with `ticks_per_s` and `page_bytes` of the
/// machine.
std::optional<ProcessFigures> parse_process_stat(std::string_view text, long ticks_per_s, long page_bytes);
/// Of /proc/meminfo and /proc/loadavg.
std::optional<HostFigures> parse_host(std::string_view meminfo, std::string_view loadavg);

}  // namespace wattmesh::platform
