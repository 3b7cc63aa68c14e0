#include "headend/console/live_hub.h"

#include <algorithm>

#include "headend/console/json.h"

namespace wattmesh::headend::console {
namespace {
constexpr std::array topics{Topic::readings, Topic::sessions, Topic::joins,
                            Topic::outages,  Topic::overview, Topic::alarms};
}  // namespace

std::string_view to_string(Topic topic) {
    switch (topic) {
        case Topic::readings:
            return "readings";
        case Topic::sessions:
            return "sessions";
        case Topic::joins:
            return "joins";
        case Topic::outages:
            return "outages";
        case Topic::overview:
            return "overview";
        case Topic::alarms:
            return "alarms";
    }
    return "?";
}

std::optional<Topic> parse_topic(std::string_view word) {
    for (const auto topic : topics)
        if (to_string(topic) == word) return topic;
    return std::nullopt;
}

void LiveHub::Follower::follow(std::set<Topic> wanted) {
    const std::lock_guard lock{mutex_};
    topics_ = std::move(wanted);
}

std::optional<std::string> LiveHub::Follower::take() {
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) return std::nullopt;
    auto message = std::move(waiting_.front());
    waiting_.pop_front();
    return message;
}

void LiveHub::Follower::limit(std::set<AreaId> areas) {
    const std::lock_guard lock{mutex_};
    areas_ = std::move(areas);
}

void LiveHub::Follower::put(Topic topic, std::optional<AreaId> area, std::string_view data, Instant at) {
    const std::lock_guard lock{mutex_};
    if (topics_.count(topic) == 0 || (area && areas_.count(*area) == 0)) return;
    Json json;
    json.open_object()
        .field("topic", to_string(topic))
        .field("sequence", ++sequences_[static_cast<std::size_t>(topic)])
        .field("at", at)
        .key("data")
        .raw(data);
    if (waiting_.size() >= waiting_max) {
        waiting_.pop_front();
        ++dropped_;
    }
    waiting_.push_back(json.close_object().take());
}

std::shared_ptr<LiveHub::Follower> LiveHub::join() {
    auto follower = std::make_shared<Follower>();
    const std::lock_guard lock{mutex_};
    followers_.push_back(follower);
    return follower;
}

void LiveHub::publish(Topic topic, std::optional<AreaId> area, std::string_view data, Instant at) {
    const std::lock_guard lock{mutex_};
    std::erase_if(followers_, [](const auto& follower) { return follower.expired(); });
    for (const auto& follower : followers_)
        if (const auto live = follower.lock()) live->put(topic, area, data, at);
}

int LiveHub::followers() {
    const std::lock_guard lock{mutex_};
    return static_cast<int>(
        std::count_if(followers_.begin(), followers_.end(), [](const auto& f) { return !f.expired(); }));
}

}  // namespace wattmesh::headend::console
