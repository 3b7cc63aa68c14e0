#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "headend/trace/record.h"
#include "platform/log.h"

namespace wattmesh::headend::trace {

struct RingSettings {
    std::filesystem::path directory;
    std::uint64_t size_max = 256U << 20U;  ///< octets on disk, of all processes that share the directory
    std::size_t frame_size_max = 2'048;    ///< of a longer frame the beginning is kept
};

/// What went over a front-end's links, in files of bounded size; the oldest go first. Readable by the owner
/// and his group: frames hold readings. Losing records is better than slowing a session down: they wait in a
/// bounded buffer for a thread of the ring, and what finds no room is counted.
class Ring {
public:
    static constexpr std::uint64_t files = 16;  ///< that `size_max` is cut into
    static constexpr std::size_t waiting_max = 8U << 20U;

    /// Makes the directory. `process` tells this process's files from all others': "1790000000000000-4711"
    /// (its start, its number). Throws std::filesystem::filesystem_error.
    Ring(RingSettings settings, std::string process);
    ~Ring();
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    /// Any thread; does not wait for the disk. Content beyond frame_size_max is cut here.
    void push(Record record);
    /// Everything pushed before is in its file when this returns, or was lost.
    void flush();
    std::uint64_t lost() const { return lost_; }

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    void serve();
    void write(const Buffer& octets);
    bool open_next();
    bool removed() const;
    void drop_oldest();

    const RingSettings settings_;
    const std::string process_;
    platform::Log log_;
    std::atomic<std::uint64_t> lost_ = 0;
    std::mutex mutex_;
    std::condition_variable wake_, written_;
    Buffer waiting_;
    std::uint64_t waiting_records_ = 0;
    bool flush_ = false, stop_ = false, broken_ = false;
    std::unique_ptr<std::FILE, Close> file_;
    std::uint64_t file_size_ = 0;
    unsigned number_ = 0;
    std::thread thread_;
};

/// "<process>.<number, six digits>.trace"
struct FileName {
    std::string process;
    unsigned number = 0;
    friend auto operator<=>(const FileName&, const FileName&) = default;
};
std::string to_string(const FileName& name);
std::optional<FileName> parse_file_name(const std::string& name);

}  // namespace wattmesh::headend::trace
