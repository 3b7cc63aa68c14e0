#pragma once
#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <set>

#include "terminal-sim/radio/oracle.h"
#include "tests/bench/mesh_run.h"
#include "tests/bench/mesh_watch.h"
#include "tests/concentrator/mesh/town.h"

namespace wattmesh::bench {

inline double seconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }
inline double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
std::optional<double> quantile(std::vector<double> values, double share);
std::optional<double> mean(const std::vector<double>& values);
inline std::size_t meter_index(DeviceNumber number) {
    return static_cast<std::size_t>(number.integer() - test::meter_number(0).integer());
}

/// One seed, phase after phase: mesh_run.cpp, mesh_trouble.cpp.
class Run {
public:
    Run(const Options& options, int seed, const Exchange& exchange);
    void form();
    void steady();
    void repair();
    void warm();
    Outcome finish();
    /// Where the airtime went since this was asked last: for people, on stderr.
    void tell_airtime(const char* phase);

private:
    using Finished = std::function<void(std::size_t meter, bool answered, Instant asked, Instant at)>;

    void run_to(Instant until, const std::function<bool()>& enough = {});
    void on_event(const concentrator::MeshEvent& event, Instant at);
    void refill(Instant at);
    std::uint32_t ask(std::size_t meter, Instant at);
    std::optional<std::vector<std::size_t>> route(std::size_t meter) const;
    struct Booked {
        std::size_t meter;
        bool joined, right;  ///< right: the meter thinks the same, under the same address
        std::size_t hops;    ///< 0: no route
    };
    std::vector<Booked> books() const;
    std::uint64_t parent_changes() const;
    void measure_tree();
    void want(std::size_t meter) {
        if (wanted_.insert(meter).second) queue_.push_back(meter);
    }
    void stop_reading() {
        queue_.clear();
        wanted_.clear();
        open_.clear();
        finished_ = {};
        joined_ = {};
    }
    std::vector<std::size_t> reachable();
    std::vector<bool> alive() const;
    void sample_stretch();
    double ours_us(std::size_t meter);
    static double cost_us(const sim::Oracle& oracle, const std::vector<std::size_t>& relays,
                          std::size_t meter);
    void read_round(Instant begin);
    void kill_relay(std::size_t victim, const std::vector<std::size_t>& affected);
    template <class Look>
    auto asking_oracle(Look&& look) {
        const double began = cpu_s();
        auto found = look();
        oracle_s_ += cpu_s() - began;
        return found;
    }

    const Options& options_;
    int seed_;
    Exchange exchange_;
    Duration deadline_, patience_;
    Outcome outcome_;
    Watch watch_;
    Instant told_at_ = test::town_start;
    test::Town town_;
    std::unique_ptr<Baseline> baseline_;  // in place of the town's roots and meters
    sim::Oracle oracle_;
    sim::Oracle::Tree tree_;
    double oracle_s_ = 0;

    struct Open {
        std::size_t meter;
        Instant asked;
    };
    std::map<std::uint32_t, Open> open_;
    std::deque<std::size_t> queue_;
    std::set<std::size_t> wanted_;  // queued or open
    Finished finished_;
    std::function<void(std::size_t)> joined_;

    std::size_t asked_ = 0, good_ = 0, asked_installed_ = 0, due_ = 0, complete_ = 0;
    std::vector<double> rounds_s_, stretches_, repairs_s_, bounds_b1_, bounds_b3_;
    std::size_t affected_ = 0, in_transaction_ = 0, evicted_ = 0;
};

}  // namespace wattmesh::bench
