#include "headend/monitor/clock_watch.h"

#include <map>

namespace wattmesh::headend::monitor {
namespace {

constexpr Duration ask_real = std::chrono::seconds{2}, ask_patience_real = std::chrono::minutes{1};
constexpr Duration order_every = std::chrono::minutes{10}, deadline_after = std::chrono::hours{24};
constexpr int asked_at_once = 4, taken_up_at_once = 1'000, corrected_at_once = 1'000;
constexpr const char* actor = "monitor";

}  // namespace

int order_corrections(database::Connection& connection, Instant now) {
    database::Transaction transaction{connection};
    std::map<TenantId, std::vector<std::string>> meters;
    for (const auto& [tenant, meter] : database::Clocks{connection}.to_correct(now, corrected_at_once))
        meters[tenant].push_back(to_string(meter));
    int ordered = 0;
    for (const auto& [tenant, subjects] : meters) {
        database::Job job;
        job.kind = "clock";
        job.title = "Set clocks of " + std::to_string(subjects.size()) +
                    (subjects.size() == 1 ? " meter" : " meters");
        job.parameters = "{}";
        job.requested_by = actor;
        job.reason = "off by more than the rule of the class allows";
        job.scope = database::Scope::of(tenant);
        job.created = now;
        job.deadline = now + deadline_after;
        database::Jobs{connection}.add(job, subjects);
        ordered += static_cast<int>(subjects.size());
    }
    transaction.commit();
    return ordered;
}

void ClockWatch::start() {
    look();
    order();
}

void ClockWatch::stop() {
    alive_.reset();
    timer_.cancel();
    order_timer_.cancel();
}

void ClockWatch::look() {
    timer_.after_real(ask_patience_real, [this] { look(); });  // even when the completion never comes
    queue_.run(
        [now = loop_.now(), room = asked_at_once - open_](database::Connection& connection) {
            database::Transaction transaction{connection};
            database::Clocks clocks{connection};
            auto due = room > 0 ? clocks.claim(now, room) : std::vector<DeviceNumber>{};
            transaction.commit();
            return due;
        },
        [this, alive = std::weak_ptr{alive_}](const std::optional<std::vector<DeviceNumber>>& due) {
            if (!alive.lock()) return;
            timer_.after_real(ask_real, [this] { look(); });
            if (!due) return;
            for (const auto& meter : *due) measure(meter);
            if (!due->empty()) pump_();
        });
}

void ClockWatch::measure(DeviceNumber meter) {
    ++open_;
    desk_.measure(meter, [this, meter, alive = std::weak_ptr{alive_}](
                             const std::string& fault, const std::optional<database::ClockReading>& reading) {
        if (!alive.lock()) return;
        --open_;
        queue_.execute(
            [meter, fault, reading](database::Connection& connection) {
                database::Clocks clocks{connection};
                reading ? clocks.measured(meter, *reading) : clocks.missed(meter, fault);
            },
            [](bool) {});  // not stored: it is asked again
    });
}

void ClockWatch::order() {
    order_timer_.after(order_every, [this] { order(); });
    queue_.run(
        [now = loop_.now()](database::Connection& connection) {
            database::Clocks{connection}.take_up(now, taken_up_at_once);
            return order_corrections(connection, now);
        },
        [this, alive = std::weak_ptr{alive_}](std::optional<int> ordered) {
            if (alive.lock() && ordered && *ordered > 0)
                log_.information("ordered corrections meters={}", *ordered);
        });
}

}  // namespace wattmesh::headend::monitor
