#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headend/trace/ring.h"

namespace wattmesh::headend::trace {

/// How far somebody has read: of each process the file and the place in it. Written as text for clients.
struct Cursor {
    struct Place {
        unsigned file = 0;
        std::uint64_t offset = 0;
        friend bool operator==(const Place&, const Place&) = default;
    };
    std::map<std::string, Place> processes;
};
/// "1790000000000000-4711:3:88213", several with commas between.
std::string to_string(const Cursor& cursor);
std::optional<Cursor> parse_cursor(std::string_view text);

struct Query {
    std::optional<DeviceNumber> device{};  ///< nothing: all links
    Instant from = Instant::min(), to = Instant::max();
    /// Of more records only the newest; so a first look at a full ring is bounded.
    std::size_t records_max = 500;
};

/// One process's records of a link have the same `process`.
struct Found {
    std::string process;
    Record record;
};
struct Reading {
    std::vector<Found> records;  ///< in order of time
    Cursor cursor;               ///< behind the last that was looked at
    std::uint64_t left_out = 0;  ///< older ones that fitted the query, too
};

/// Reads a ring's directory, also while front-ends write into it. What a link carried before its device said
/// who it is belongs to the device, if it is in the same reading. Files that go away meanwhile are skipped.
/// Any thread. Throws std::runtime_error when the directory cannot be listed.
Reading read(const std::filesystem::path& directory, const Query& query, const Cursor& after);

}  // namespace wattmesh::headend::trace
