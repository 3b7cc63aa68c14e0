#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "terminal-sim/tool/push_listener.h"

namespace wattmesh::sim {

using namespace std::chrono_literals;

/// A listener in a thread of its own; keeps the last push.
class ListenerThread {
public:
    explicit ListenerThread(PushLink link) {
        thread_ = std::thread{[this, link] {
            const PushListener listener{loop_, "127.0.0.1", 0, link,
                                        [this](const std::string&, const PushAssembly::Push& push) {
                                            const std::lock_guard lock{mutex_};
                                            pushes_.push_back(push);
                                            came_.notify_all();
                                        }};
            port_ = listener.port();
            loop_.run();
        }};
        while (port_ == 0) std::this_thread::yield();
    }
    ~ListenerThread() {
        loop_.stop();
        thread_.join();
    }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    std::optional<PushAssembly::Push> take() {
        std::unique_lock lock{mutex_};
        if (!came_.wait_for(lock, 60s, [this] { return !pushes_.empty(); })) return std::nullopt;
        auto push = std::move(pushes_.front());
        pushes_.erase(pushes_.begin());
        return push;
    }

private:
    platform::Loop loop_{std::make_shared<platform::ScaledClock>()};
    std::atomic<std::uint16_t> port_{0};
    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<PushAssembly::Push> pushes_;
    std::thread thread_;
};

}  // namespace wattmesh::sim
