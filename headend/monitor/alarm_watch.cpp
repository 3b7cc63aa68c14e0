#include "headend/monitor/alarm_watch.h"

#include "headend/monitor/outage_watch.h"

namespace wattmesh::headend::monitor {
namespace {

constexpr Duration every_real = std::chrono::seconds{5}, patience_real = std::chrono::minutes{1};
constexpr Duration away_least = std::chrono::minutes{1}, trouble_told_for = std::chrono::minutes{10};

}  // namespace

int look_after_alarms(database::Connection& connection, const std::vector<AlarmSign>& more, Instant now) {
    database::Transaction transaction{connection};
    database::Alarms alarms{connection};
    if (!alarms.take_turn()) return 0;
    look_after_outages(connection, {}, now);
    auto signs = database::AlarmFacts{connection}.all(now);
    signs.insert(signs.end(), more.begin(), more.end());
    const auto changes = look_at_alarms(alarms.working_set(now - alarm_memory), std::move(signs), now);
    alarms.put(changes);
    transaction.commit();
    return static_cast<int>(changes.size());
}

AlarmWatch::AlarmWatch(platform::Loop& loop, database::QueryQueue& queue)
    : loop_(loop), queue_(queue), log_("alarms"), timer_(loop) {}

void AlarmWatch::stop() {
    alive_.reset();
    timer_.cancel();
}

void AlarmWatch::look() {
    timer_.after_real(patience_real, [this] { look(); });  // even when the completion never comes
    if (loop_.now() >= trouble_until_) trouble_.clear();
    queue_.run([more = trouble_, now = loop_.now()](
                   database::Connection& connection) { return look_after_alarms(connection, more, now); },
               [this, alive = std::weak_ptr{alive_}](std::optional<int> changed) {
                   if (!alive.lock()) return;
                   looked(changed);
                   timer_.after_real(every_real, [this] { look(); });
               });
}

void AlarmWatch::looked(std::optional<int> changed) {
    const Instant now = loop_.now();
    if (!changed) {
        if (!away_since_) away_since_ = now;
        return;
    }
    if (*changed > 0) log_.debug("changed alarms={}", *changed);
    if (!away_since_) return;
    const auto away = now - *away_since_;
    if (away >= away_least) {
        trouble_until_ = now + trouble_told_for;
        AlarmSign sign;
        sign.rule = "database_trouble";
        sign.object = {"head-end", "database"};
        sign.since = *away_since_;
        sign.text = "Did not answer for " +
                    std::to_string(std::chrono::duration_cast<std::chrono::seconds>(away).count()) + " s";
        trouble_ = {sign};
    }
    away_since_.reset();
}

}  // namespace wattmesh::headend::monitor
