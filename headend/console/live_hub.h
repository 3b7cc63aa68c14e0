#pragma once
#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::console {

enum class Topic { readings, sessions, joins, outages, overview, alarms };
std::string_view to_string(Topic topic);
std::optional<Topic> parse_topic(std::string_view word);

/// Hands messages to every page that follows, and whose person may see the area they come from. A slow page
/// loses its oldest messages; the hole in its topic's sequence tells it. Thread safe.
class LiveHub {
public:
    class Follower {
    public:
        void follow(std::set<Topic> topics);
        /// What the person may see; nothing at first.
        void limit(std::set<AreaId> areas);
        std::optional<std::string> take();
        std::int64_t dropped() const { return dropped_; }

    private:
        friend class LiveHub;
        static constexpr std::size_t waiting_max = 256;
        void put(Topic topic, std::optional<AreaId> area, std::string_view data, Instant at);

        std::mutex mutex_;
        std::set<Topic> topics_;
        std::set<AreaId> areas_;
        std::array<std::int64_t, 6> sequences_{};
        std::deque<std::string> waiting_;
        std::atomic<std::int64_t> dropped_{0};
    };

    std::shared_ptr<Follower> join();
    /// `data` is a JSON object. Without an area it goes to everybody and must tell nothing of any.
    void publish(Topic topic, std::optional<AreaId> area, std::string_view data, Instant at);
    int followers();

private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<Follower>> followers_;
};

}  // namespace wattmesh::headend::console
