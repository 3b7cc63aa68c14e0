#include "headend/monitor/monitor.h"

#include "headend/database/aggregates.h"
#include "headend/monitor/validator.h"

namespace wattmesh::headend::monitor {
namespace {

constexpr Duration retry_real = std::chrono::seconds{2};
constexpr int marks_at_once = 20, days_beside_marks = 2;

}  // namespace

Monitor::Monitor(platform::Loop& loop, MonitorSettings settings, database::QueryQueue& queue,
                 database::QueryQueue& bulk, const security::MasterKey& master, Ciphers& ciphers,
                 std::function<void(DeviceNumber)> configure)
    : loop_(loop),
      settings_(std::move(settings)),
      queue_(queue),
      bulk_(bulk),
      master_(master),
      ciphers_(ciphers),
      configure_(std::move(configure)),
      log_("monitor"),
      refresh_timer_(loop),
      gap_timer_(loop),
      aggregate_timer_(loop),
      partition_timer_(loop),
      backfill_(std::make_shared<Backfill>(settings_.backfill, obis::load_profile)) {}

Monitor::~Monitor() = default;

void Monitor::start() {
    partition();
    refresh();
    aggregate();
    gap_timer_.after(settings_.backfill_every, [this] { look_for_gaps(); });
}

void Monitor::stop() {
    alive_.reset();
    for (auto* timer : {&refresh_timer_, &gap_timer_, &aggregate_timer_, &partition_timer_}) timer->cancel();
}

void Monitor::refresh_soon() {
    refresh_timer_.after_real(std::chrono::milliseconds{1}, [this] { refresh(); });
}

void Monitor::refresh() {
    refresh_timer_.after_real(std::chrono::minutes{5},
                              [this] { refresh(); });  // even when the completion never comes
    queue_.run(
        [plan = settings_.plan, &master = master_, &ciphers = ciphers_,
         now = loop_.now()](database::Connection& connection) {
            return refresh_desired(connection, plan, master, ciphers, now);
        },
        [this, alive = std::weak_ptr{alive_}](std::optional<Refreshed> refreshed) {
            if (!alive.lock()) return;
            if (!refreshed) {
                refresh_timer_.after_real(retry_real, [this] { refresh(); });
                return;
            }
            for (const auto& trouble : refreshed->troubles) {
                if (told_.insert(trouble).second) log_.error("found {}", trouble);
            }
            for (const auto& concentrator : refreshed->changed) configure_(concentrator);
            refresh_timer_.after(settings_.refresh_every, [this] { refresh(); });
        });
}

void Monitor::look_for_gaps() {
    bulk_.run([backfill = backfill_, now = loop_.now()](
                  database::Connection& connection) { return backfill->look(connection, now); },
              [this, alive = std::weak_ptr{alive_}](std::optional<std::vector<DeviceNumber>> ordered) {
                  if (!alive.lock()) return;
                  gap_timer_.after(settings_.backfill_every, [this] { look_for_gaps(); });
                  if (!ordered) return;
                  for (const auto& concentrator : *ordered) {
                      log_.information("ordered backfill concentrator={}", to_string(concentrator));
                      configure_(concentrator);
                  }
              });
}

void Monitor::aggregate() {
    aggregate_timer_.after_real(std::chrono::minutes{1}, [this] { aggregate(); });
    bulk_.run(
        [now = loop_.now()](database::Connection& connection) {
            database::Aggregates aggregates{connection};
            // What people wait for first; but where readings never pause, the rest must not wait for it.
            const int worked = aggregates.work(marks_at_once, now);
            const int days = worked > 0 ? days_beside_marks : marks_at_once;
            const int counted = aggregates.count_open_days(days, now);
            validate_days(connection, days, now);
            return worked > 0 ? worked : counted;
        },
        [this, alive = std::weak_ptr{alive_}](std::optional<int> worked) {
            if (!alive.lock()) return;
            const bool more = worked && *worked == marks_at_once;
            aggregate_timer_.after_real(more ? Duration{0} : settings_.aggregate_real,
                                        [this] { aggregate(); });
        });
}

void Monitor::partition() {
    partition_timer_.after_real(retry_real, [this] { partition(); });
    queue_.execute(
        [now = loop_.now()](database::Connection& connection) {
            database::Aggregates{connection}.make_partitions(now);
        },
        [this, alive = std::weak_ptr{alive_}](bool done) {
            if (!alive.lock() || !done) return;
            partition_timer_.after(std::chrono::hours{1}, [this] { partition(); });
        });
}

}  // namespace wattmesh::headend::monitor
