#pragma once
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "concentrator/journal/journal_database.h"

namespace wattmesh::concentrator {

/// A folder that goes away with the test.
class Scratch {
public:
    Scratch() {
        std::string pattern = (std::filesystem::temp_directory_path() / "wattmesh-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        path_ = pattern;
    }
    ~Scratch() { std::filesystem::remove_all(path_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::string file(const char* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline JournalId journal_id(std::uint8_t n) {
    JournalId id;
    id.octets[15] = n;
    return id;
}
inline DeviceNumber meter(int n) { return *DeviceNumber::parse(std::to_string(540000000000 + n)); }
inline Instant at(std::int64_t seconds) { return from_epoch_us(seconds * 1'000'000); }
inline Draft draft(int n, std::int64_t seconds = 1'700'000'000) {
    const auto octet = static_cast<std::uint8_t>(n);
    return {meter(n), dcu::EntryKind::interval_rows, at(seconds), false, {octet, 0, octet}};
}
inline Commit entry(int n, std::int64_t seconds = 1'700'000'000) {
    Commit commit;
    commit.entries.push_back(draft(n, seconds));
    return commit;
}

}  // namespace wattmesh::concentrator
