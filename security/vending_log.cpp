#include "security/vending_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "security/private_file.h"
#include "security/sts_ciphers.h"

namespace wattmesh::security {
namespace {

constexpr std::size_t line_size_max = 512, mac_digits = 32, read_size = 1 << 16;

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
    throw FileError(what + " " + path.string() + ": " + std::generic_category().message(errno));
}

/// "SEQUENCE MICROSECONDS TEXT".
std::optional<VendingLog::Line> parse(std::string_view body) {
    VendingLog::Line line;
    std::int64_t at = 0;
    const char* const end = body.data() + body.size();
    const auto sequence = std::from_chars(body.data(), end, line.sequence);
    if (sequence.ec != std::errc{} || sequence.ptr == end || *sequence.ptr != ' ') return std::nullopt;
    const auto time = std::from_chars(sequence.ptr + 1, end, at);
    if (time.ec != std::errc{} || time.ptr == end || *time.ptr != ' ') return std::nullopt;
    line.at = from_epoch_us(at);
    line.text.assign(time.ptr + 1, end);
    return line;
}

int open_file(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) create_private_file(path, {});
    return ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_APPEND);
}

}  // namespace

VendingLog::VendingLog(const std::filesystem::path& file, Bytes mac_key,
                       const std::function<void(const Line&, std::uint64_t)>& replay)
    : path_(file),
      file_(open_file(file)),
      hash_(OpensslDerivationCiphers{}.hmac_sha256(mac_key)),
      last_mac_(mac_digits, '0') {
    if (!file_.valid()) fail("cannot open the module's log", path_);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            throw FileError("the module's log " + path_.string() + " is in use by another program");
        fail("cannot lock the module's log", path_);
    }
    load(replay);
}

std::string VendingLog::mac_of(const std::string& previous, const std::string& body) {
    const auto hash = hash_->compute(as_bytes(previous + body));
    return to_hex(Bytes{hash}.first(mac_digits / 2));
}

void VendingLog::take(std::string_view text, const std::function<void(const Line&, std::uint64_t)>& replay) {
    std::optional<Line> line;
    std::string mac;
    if (text.size() > mac_digits + 1) {
        const std::string body{text.substr(0, text.size() - mac_digits - 1)};
        line = parse(body);
        mac = mac_of(last_mac_, body);
    }
    if (!line || line->sequence != appended_ + 1 || mac != text.substr(text.size() - mac_digits)) {
        throw FileError("the module's log " + path_.string() + " was changed behind call " +
                        std::to_string(appended_) + ", or belongs to another master key");
    }
    replay(*line, end_);
    appended_ = line->sequence;
    last_mac_ = mac;
    end_ += text.size() + 1;
}

void VendingLog::load(const std::function<void(const Line&, std::uint64_t)>& replay) {
    std::string rest;
    std::array<char, read_size> part;
    off_t at = 0;
    while (true) {
        const ssize_t count = ::pread(file_.get(), part.data(), part.size(), at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("cannot read the module's log", path_);
        if (count == 0) break;
        at += count;
        rest.append(part.data(), static_cast<std::size_t>(count));
        std::size_t begin = 0;
        for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
            take(std::string_view{rest}.substr(begin, end - begin), replay);
            begin = end + 1;
        }
        rest.erase(0, begin);
        if (rest.size() > line_size_max)
            throw FileError("the module's log " + path_.string() + " is damaged");
    }
    durable_ = appended_;
    const bool torn = !rest.empty();
    if (torn && (::ftruncate(file_.get(), static_cast<off_t>(end_)) != 0 || ::fdatasync(file_.get()) != 0))
        fail("cannot repair the module's log", path_);
}

VendingLog::Appended VendingLog::append(Instant at, const std::string& text) {
    assert(text.size() + mac_digits + 48 < line_size_max && text.find('\n') == std::string::npos);
    const std::lock_guard lock{mutex_};
    const Appended appended{appended_ + 1, end_};
    const std::string body =
        std::to_string(appended.sequence) + " " + std::to_string(epoch_us(at)) + " " + text;
    last_mac_ = mac_of(last_mac_, body);
    pending_ += body + " " + last_mac_ + "\n";
    end_ += body.size() + mac_digits + 2;
    appended_ = appended.sequence;
    return appended;
}

void VendingLog::wait_durable(std::uint64_t sequence) {
    std::unique_lock lock{mutex_};
    while (durable_ < sequence) {
        if (broken_)
            throw FileError("the module's log " + path_.string() +
                            " could not be written: start the module anew");
        if (flushing_) {
            flushed_.wait(lock);
            continue;
        }
        flushing_ = true;
        const std::string batch = std::exchange(pending_, {});
        const std::uint64_t last = appended_;
        lock.unlock();
        std::size_t done = 0;
        while (done < batch.size()) {
            const ssize_t count = ::write(file_.get(), batch.data() + done, batch.size() - done);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) break;
            done += static_cast<std::size_t>(count);
        }
        const bool good = done == batch.size() && ::fdatasync(file_.get()) == 0;
        lock.lock();
        flushing_ = false;
        if (good)
            durable_ = last;
        else
            broken_ = true;
        flushed_.notify_all();
    }
}

VendingLog::Line VendingLog::read(std::uint64_t place) const {
    char text[line_size_max];
    const ssize_t count = ::pread(file_.get(), text, sizeof text, static_cast<off_t>(place));
    if (count < 0) fail("cannot read the module's log", path_);
    const std::string_view all{text, static_cast<std::size_t>(count)};
    const auto end = all.find('\n');
    assert(end != std::string_view::npos && end > mac_digits);
    const auto line = parse(all.substr(0, end - mac_digits - 1));
    if (!line) throw FileError("the module's log " + path_.string() + " was changed under us");
    return *line;
}

std::uint64_t VendingLog::last_sequence() const {
    const std::lock_guard lock{mutex_};
    return appended_;
}

}  // namespace wattmesh::security
