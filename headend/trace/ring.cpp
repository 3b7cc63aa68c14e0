#include "headend/trace/ring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace wattmesh::headend::trace {
namespace {

constexpr auto rhythm = std::chrono::milliseconds{200};
constexpr std::size_t wake_at = 1U << 20U;
constexpr mode_t owner_and_group = 0640;
constexpr std::string_view suffix = ".trace";
constexpr std::size_t number_digits = 6;

}  // namespace

std::string to_string(const FileName& name) {
    return fmt::format("{}.{:0{}}{}", name.process, name.number, number_digits, suffix);
}

std::optional<FileName> parse_file_name(const std::string& name) {
    if (!name.ends_with(suffix)) return std::nullopt;
    const std::string stem = name.substr(0, name.size() - suffix.size());
    const auto dot = stem.rfind('.');
    if (dot == std::string::npos || dot == 0 || stem.size() - dot - 1 != number_digits) return std::nullopt;
    unsigned number = 0;
    for (const char digit : stem.substr(dot + 1)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        number = number * 10 + static_cast<unsigned>(digit - '0');
    }
    return FileName{stem.substr(0, dot), number};
}

Ring::Ring(RingSettings settings, std::string process)
    : settings_(std::move(settings)), process_(std::move(process)), log_("trace.ring") {
    std::filesystem::create_directories(settings_.directory);
    thread_ = std::thread{[this] { serve(); }};
}

Ring::~Ring() {
    {
        const std::lock_guard lock{mutex_};
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Ring::push(Record record) {
    if (record.content.size() > settings_.frame_size_max) record.content.resize(settings_.frame_size_max);
    const Buffer octets = encode(record);
    const std::lock_guard lock{mutex_};
    if (waiting_.size() + octets.size() > waiting_max) {
        ++lost_;
        return;
    }
    waiting_.insert(waiting_.end(), octets.begin(), octets.end());
    ++waiting_records_;
    if (waiting_.size() >= wake_at) wake_.notify_one();
}

void Ring::flush() {
    std::unique_lock lock{mutex_};
    flush_ = true;
    wake_.notify_one();
    written_.wait(lock, [this] { return !flush_; });
}

void Ring::serve() {
    std::unique_lock lock{mutex_};
    while (true) {
        wake_.wait_for(lock, rhythm, [this] { return stop_ || flush_ || waiting_.size() >= wake_at; });
        const bool last = stop_;
        const bool flushing = std::exchange(flush_, false);
        const Buffer octets = std::exchange(waiting_, {});
        const std::uint64_t records = std::exchange(waiting_records_, 0);
        lock.unlock();
        if (!octets.empty()) {
            write(octets);
            if (!file_) lost_ += records;
        }
        lock.lock();
        if (flushing) written_.notify_all();
        if (last) return;
    }
}

/// Whole records at once: a file ends with a whole one unless the machine stops.
void Ring::write(const Buffer& octets) {
    if (file_ && (file_size_ >= settings_.size_max / files || removed())) file_.reset();
    if (!file_ && !open_next()) return;
    if (std::fwrite(octets.data(), 1, octets.size(), file_.get()) == octets.size() &&
        std::fflush(file_.get()) == 0) {
        file_size_ += octets.size();
        broken_ = false;
        return;
    }
    if (!std::exchange(broken_, true))
        log_.warning("stopped writing traces directory={} because={}",
                     platform::quoted(settings_.directory.string()), platform::quoted(std::strerror(errno)));
    file_.reset();
}

/// Another process that shares the directory makes room for itself, or somebody cleared up.
bool Ring::removed() const {
    struct stat is{};
    return fstat(fileno(file_.get()), &is) != 0 || is.st_nlink == 0;
}

bool Ring::open_next() {
    drop_oldest();
    const auto path = settings_.directory / to_string({process_, ++number_});
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_and_group);
    if (descriptor >= 0) file_.reset(::fdopen(descriptor, "wb"));
    if (!file_ || std::fwrite(magic.data(), 1, magic.size(), file_.get()) != magic.size()) {
        if (!std::exchange(broken_, true))
            log_.warning("wrote no trace file={} because={}", platform::quoted(path.string()),
                         platform::quoted(std::strerror(errno)));
        file_.reset();
        return false;
    }
    file_size_ = magic.size();
    return true;
}

/// Room for one file more. Other processes may do the same at the same time: a file that is gone is fine.
void Ring::drop_oldest() {
    std::map<std::pair<std::filesystem::file_time_type, std::string>, std::uint64_t> by_age;
    std::uint64_t sum = settings_.size_max / files;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator{settings_.directory, gone}) {
        if (!parse_file_name(entry.path().filename().string())) continue;
        const auto size = entry.file_size(gone);
        if (gone) continue;
        sum += size;
        by_age[{entry.last_write_time(gone), entry.path().string()}] = size;
    }
    for (const auto& [age, size] : by_age) {
        if (sum <= settings_.size_max) return;
        if (std::filesystem::remove(age.second, gone)) sum -= size;
    }
}

}  // namespace wattmesh::headend::trace
