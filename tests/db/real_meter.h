#pragma once
#include <thread>

#include "headend/jobs/job_runner.h"
#include "tests/db/work_bench.h"
#include "tests/headend/monitor/drifting_meter.h"

/// A monitor role's half of the head-end over a database, and one simulated meter of its town: customer(1).
namespace wattmesh::test {

struct RealMeter {
    explicit RealMeter(Duration offset = {}, std::int32_t drift_ppm = 0)
        : meter(midnight, offset, drift_ppm),
          queue(
              town.database.settings("wm_monitor"), 1, executor, [](auto work) { work(); },
              [this](const std::string& line) { troubles.push_back(line); }),
          on_demand({}, keys, road.carry(), [this] { return clock->at; }, ciphers, random) {
        town.admin.execute("update concentrator set link = 1; update meter set installed_us = 0",
                           "connecting");
    }
    ~RealMeter() { CHECK(troubles.empty()); }
    JobId order(const std::string& kind, const std::string& parameters = "{}",
                std::vector<std::string> subjects = {to_string(customer(1))}) {
        const auto job = job_of(kind, clock->at, parameters);
        return Jobs{town.monitor}.add(job, subjects);
    }
    /// A few looks of whatever runs on the loop, and everything that it asks the meter.
    void turn(int times = 4) {
        for (int i = 0; i < times; ++i) {
            std::this_thread::sleep_for(look + std::chrono::milliseconds{1});
            loop.poll();
            road.turn(meter, keys, clock->at);
        }
    }
    JobItem item(JobId job) { return Jobs{town.monitor}.items(job, std::nullopt, 1, 1).at(0); }

    /// Between looks of a runner: longer than one takes, also on a busy machine.
    static constexpr std::chrono::milliseconds look{25};
    Town town{2};
    std::vector<std::string> troubles;
    std::shared_ptr<MovedClock> clock =
        std::make_shared<MovedClock>(midnight + std::chrono::hours{10} + std::chrono::minutes{5});
    platform::Loop loop{clock};
    Direct executor;
    headend::monitor::fixed::SlowRoad road;
    headend::monitor::fixed::FixedKeys keys;
    headend::monitor::fixed::DriftingMeter meter;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    QueryQueue queue;
    headend::monitor::OnDemand on_demand;
};

}  // namespace wattmesh::test
