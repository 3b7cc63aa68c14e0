#pragma once
#include <cassert>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "protocol/base/time.h"

namespace wattmesh::fleet {

/// The one virtual clock of a run. Events of the same instant happen in the order they were planned.
class Timeline {
public:
    explicit Timeline(Instant start) : now_(start) {}

    Instant now() const { return now_; }
    void at(Instant when, std::function<void()> happen) {
        events_.emplace(std::pair{std::max(when, now_), ++planned_}, std::move(happen));
    }
    void after(Duration delay, std::function<void()> happen) { at(now_ + delay, std::move(happen)); }

    Instant next() const { return events_.empty() ? never : events_.begin()->first.first; }
    /// Takes and performs the next event, which must not be later than `limit`. False when there is none.
    bool step(Instant limit) {
        if (next() > limit) return false;
        auto event = events_.extract(events_.begin());
        assert(event.key().first >= now_);
        now_ = event.key().first;
        event.mapped()();
        return true;
    }
    void advance_to(Instant when) {
        assert(when >= now_ && when <= next());
        now_ = when;
    }

private:
    Instant now_;
    std::uint64_t planned_ = 0;
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
};

}  // namespace wattmesh::fleet
