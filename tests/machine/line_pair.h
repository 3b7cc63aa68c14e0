#pragma once
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "protocol/base/bytes.h"

namespace wattmesh::test {

/// A serial cable: two pseudo terminals and a thread in between that keeps what goes over it.
class LinePair {
public:
    LinePair() {
        for (auto& end : ends_) end = open_end();
        thread_ = std::thread{[this] { run(); }};
    }
    ~LinePair() {
        over_ = true;
        thread_.join();
        for (const auto& end : ends_) ::close(end.master), ::close(end.slave);
    }
    LinePair(const LinePair&) = delete;
    LinePair& operator=(const LinePair&) = delete;

    const std::string& concentrator() const { return ends_[0].name; }
    const std::string& machine() const { return ends_[1].name; }
    /// Everything that went over the cable, one direction behind the other.
    Buffer seen() const {
        const std::lock_guard lock{mutex_};
        Buffer all = seen_[0];
        all.insert(all.end(), seen_[1].begin(), seen_[1].end());
        return all;
    }

private:
    struct End {
        int master = -1, slave = -1;  ///< the slave stays open, so that nobody's going hangs the line up
        std::string name{};
    };
    static End open_end() {
        End end;
        end.master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (end.master < 0 || ::grantpt(end.master) != 0 || ::unlockpt(end.master) != 0)
            throw std::runtime_error("no pseudo terminal");
        end.name = ::ptsname(end.master);
        end.slave = ::open(end.name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        termios raw{};
        ::tcgetattr(end.slave, &raw);
        ::cfmakeraw(&raw);
        ::tcsetattr(end.slave, TCSANOW, &raw);
        return end;
    }
    void run() {
        std::array<std::uint8_t, 4'096> octets{};
        while (!over_) {
            std::array<pollfd, 2> both{{{ends_[0].master, POLLIN, 0}, {ends_[1].master, POLLIN, 0}}};
            if (::poll(both.data(), both.size(), 20) <= 0) continue;
            for (std::size_t from = 0; from < 2; ++from) {
                if ((both[from].revents & POLLIN) == 0) continue;
                const auto count = ::read(ends_[from].master, octets.data(), octets.size());
                if (count <= 0) continue;
                const Bytes some{octets.data(), static_cast<std::size_t>(count)};
                {
                    const std::lock_guard lock{mutex_};
                    seen_[from].insert(seen_[from].end(), some.begin(), some.end());
                }
                for (std::size_t at = 0; at < some.size();) {
                    const auto put = ::write(ends_[1 - from].master, some.data() + at, some.size() - at);
                    if (put > 0) at += static_cast<std::size_t>(put);
                }
            }
        }
    }

    std::array<End, 2> ends_;
    mutable std::mutex mutex_;
    std::array<Buffer, 2> seen_;
    std::atomic<bool> over_{false};
    std::thread thread_;
};

}  // namespace wattmesh::test
