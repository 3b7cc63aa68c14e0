#pragma once
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "protocol/base/time.h"
#include "protocol/sts/derivation.h"
#include "security/file_descriptor.h"

namespace wattmesh::security {

/// The calls of a module, a line each, in a private file that only grows. Each line ends with a MAC over
/// itself and the MAC before: a line that is changed, moved or left out is found at the next start. Cutting
/// off the end is not: the caller compares the last sequence with its own journal. Thread safe; lines that
/// are waited for at the same time share one flush of the disk.
class VendingLog {
public:
    struct Line {
        std::uint64_t sequence = 0;  ///< 1, 2, 3 ... without gaps
        Instant at{};
        std::string text;  ///< without newline
    };
    /// Opens, or begins, and gives every line to `replay` with its place in the file. A last line that was
    /// cut off by a crash is removed: nobody had got an answer for it. Throws FileError: damaged, of another
    /// key, or in use by another program.
    VendingLog(const std::filesystem::path& file, Bytes mac_key,
               const std::function<void(const Line&, std::uint64_t place)>& replay);

    struct Appended {
        std::uint64_t sequence = 0, place = 0;
    };
    /// Not durable yet.
    Appended append(Instant at, const std::string& text);
    /// Returns when the line is durable. Throws FileError when the disk fails; then the log is closed for
    /// good, until it is opened anew.
    void wait_durable(std::uint64_t sequence);
    /// A durable line.
    Line read(std::uint64_t place) const;
    std::uint64_t last_sequence() const;

private:
    void take(std::string_view text, const std::function<void(const Line&, std::uint64_t)>& replay);
    void load(const std::function<void(const Line&, std::uint64_t)>& replay);
    std::string mac_of(const std::string& previous, const std::string& body);

    std::filesystem::path path_;
    FileDescriptor file_;
    std::unique_ptr<sts::KeyedHash> hash_;
    mutable std::mutex mutex_;
    std::condition_variable flushed_;
    std::string pending_, last_mac_;
    std::uint64_t appended_ = 0, durable_ = 0;
    std::uint64_t end_ = 0;  ///< place of the next line
    bool flushing_ = false, broken_ = false;
};

}  // namespace wattmesh::security
