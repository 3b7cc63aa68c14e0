#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "protocol/base/time.h"

namespace wattmesh::headend::frontend {

/// Lets a completion through only while the asker lives and still waits for it: at most one at a time, once.
class Guard {
public:
    /// The answer to the newest question; older ones fall silent.
    template <class Done>
    auto expect(Done done) {
        const std::uint64_t ticket = ++*newest_;
        return [newest = std::weak_ptr{newest_}, ticket, done = std::move(done)](auto&&... result) {
            const auto alive = newest.lock();
            if (!alive || *alive != ticket) return;
            ++*alive;
            done(std::forward<decltype(result)>(result)...);
        };
    }
    void cancel() { ++*newest_; }

private:
    std::shared_ptr<std::uint64_t> newest_ = std::make_shared<std::uint64_t>(0);
};

/// Waiting times that double from `first` to `longest` until a success.
class Backoff {
public:
    Backoff(Duration first, Duration longest) : first_(first), longest_(longest), next_(first) {}
    Duration next() { return std::exchange(next_, std::min(next_ * 2, longest_)); }
    void succeeded() { next_ = first_; }

private:
    Duration first_, longest_, next_;
};

}  // namespace wattmesh::headend::frontend
