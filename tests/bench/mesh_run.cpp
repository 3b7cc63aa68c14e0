#include "tests/bench/mesh_run.h"

#include <algorithm>
#include <variant>

#include "tests/bench/mesh_phases.h"

namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t handed_over_max = 3;  // reads the scheduler has given to the mesh at once
constexpr Duration quarter = 900s, sample_every = 60s, settled = 1'800s;
constexpr double stretch_max = 100;  // a route over a dead link

/// Octets on the air of the real exchange, without relays and without link news: a bound must not be too
/// high.
sim::ReadSizes sizes_of(const Exchange& exchange) {
    using namespace mesh;
    const auto framed = [](Bytes body) { return phy_overhead + mac_overhead + body.size(); };
    DownPacket down;
    down.body = Buffer(exchange.down, 0);
    UpPacket up;
    up.body = encode(Answer{.links = {}, .payload = Buffer(exchange.up, 0)});
    sim::ReadSizes sizes;
    sizes.request = framed(encode(down));
    sizes.response = framed(encode(up));
    sizes.acknowledge = phy_overhead + ack_size;
    sizes.merged = phy_overhead + psdu_size_max;
    const auto shared = sizes.response - exchange.up;
    sizes.readings_merged = std::max<std::size_t>((sizes.merged - shared) / exchange.up, 1);
    sizes.payload = exchange.up;
    sizes.request_tested = sizes.request - phy_overhead;  // the preamble does not count as frame
    sizes.response_tested = sizes.response - phy_overhead;
    return sizes;
}

}  // namespace

std::optional<double> quantile(std::vector<double> values, double share) {
    if (values.empty()) return std::nullopt;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}
std::optional<double> mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    if (values.empty()) return std::nullopt;
    return sum / static_cast<double>(values.size());
}

Run::Run(const Options& options, int seed, const Exchange& exchange)
    : options_(options),
      seed_(seed),
      exchange_(exchange),
      deadline_(options.rate == mesh::PhyRate::kbit10 ? 30s : 10s),
      patience_(options.rate == mesh::PhyRate::kbit10 ? 5'400s : 1'800s),
      watch_(options.rate),
      town_(
          [&] {
              auto request = options.request;
              request.seed = static_cast<std::uint64_t>(seed);
              return request;
          }(),
          {.seed = static_cast<std::uint64_t>(seed), .start = test::town_start, .rate = options.rate}),
      oracle_(town_.field->channel(), town_.layout.meters.size(), options.rate, sizes_of(exchange)) {
    town_.answer_size = exchange.up;
    if (options.rival) {
        town_.roots[0].reset();
        baseline_ = std::make_unique<Baseline>(*options.rival, *town_.field, town_.layout.meters.size(),
                                               options.rate, exchange.up, town_.ciphers);
    }
    town_.field->set_observer(
        [this](std::size_t station, Bytes psdu, Instant now) { watch_.frame(station, psdu, now); });
}

void Run::run_to(Instant until, const std::function<bool()>& enough) {
    while (town_.now() < until && !(enough && enough())) {
        const Instant next = std::min(until, enough ? town_.now() + 100ms : until);
        const auto tell = [this](std::size_t, const concentrator::MeshEvent& event, Instant at) {
            on_event(event, at);
        };
        if (!baseline_) {
            town_.run_until(next, tell);
            continue;
        }
        for (Instant at = town_.now(); at < next;) {
            at = town_.field->run_until_output(next);
            while (const auto event = baseline_->take_event()) on_event(*event, at);
        }
    }
}

std::uint32_t Run::ask(std::size_t meter, Instant at) {
    if (baseline_) return baseline_->send(meter, exchange_.down, deadline_);
    return town_.roots[0]->send(test::meter_number(meter), Buffer(exchange_.down, 7), 3, at, deadline_);
}

std::optional<std::vector<std::size_t>> Run::route(std::size_t meter) const {
    if (baseline_) return baseline_->route(meter);
    const auto numbers = town_.roots[0]->route(test::meter_number(meter));
    if (!numbers) return std::nullopt;
    std::vector<std::size_t> relays;
    for (const auto number : *numbers) relays.push_back(meter_index(number));
    return relays;
}

std::vector<Run::Booked> Run::books() const {
    std::vector<Booked> found;
    for (std::size_t i = 0; baseline_ && i < town_.layout.meters.size(); ++i) {
        const auto relays = baseline_->route(i);
        const bool joined = baseline_->joined(i);
        found.push_back({i, joined, joined == baseline_->attached(i), relays ? relays->size() + 1 : 0});
    }
    if (baseline_) return found;
    for (const auto& entry : town_.roots[0]->topology()) {
        const auto meter = meter_index(entry.number);
        const auto* node = meter < town_.layout.meters.size() ? town_.field->node(meter) : nullptr;
        const bool listed = entry.state == dcu::NodeState::joined;
        const bool present = node != nullptr && node->attached();
        const bool right =
            listed == present && (!listed || node->state().short_address == entry.short_address);
        found.push_back({meter, listed, right, entry.hops});
    }
    return found;
}

std::uint64_t Run::parent_changes() const {
    return baseline_ ? baseline_->parent_changes() : town_.field->node_counters().parent_changes;
}

void Run::on_event(const concentrator::MeshEvent& event, Instant at) {
    if (std::holds_alternative<concentrator::MeshEvicted>(event) ||
        std::holds_alternative<concentrator::MeshCloned>(event))
        ++evicted_;
    const auto done = [&](std::uint32_t handle, bool answered) {
        const auto node = open_.extract(handle);
        if (!node) return;
        wanted_.erase(node.mapped().meter);
        if (finished_) finished_(node.mapped().meter, answered, node.mapped().asked, at);
    };
    if (const auto* answer = std::get_if<concentrator::MeshAnswer>(&event)) done(answer->handle, true);
    if (const auto* failure = std::get_if<concentrator::MeshFailure>(&event)) done(failure->handle, false);
    if (const auto* one = std::get_if<concentrator::MeshJoined>(&event); one != nullptr && joined_)
        joined_(meter_index(one->meter));
    refill(at);
}

void Run::refill(Instant at) {
    while (!queue_.empty() && open_.size() < handed_over_max) {
        const auto meter = queue_.front();
        queue_.pop_front();
        open_[ask(meter, at)] = {meter, at};
    }
}

std::vector<bool> Run::alive() const {
    std::vector<bool> alive;
    for (std::size_t i = 0; i < town_.layout.meters.size(); ++i)
        alive.push_back(town_.field->alive(test::meter_number(i)));
    alive.push_back(town_.field->alive(test::concentrator_number(0)));
    return alive;
}

std::vector<std::size_t> Run::reachable() {
    tree_ = asking_oracle([&] {
        oracle_.look(town_.now());
        return oracle_.tree(alive());
    });
    std::vector<std::size_t> meters;
    for (std::size_t i = 0; i < town_.layout.meters.size(); ++i)
        if (tree_.reaches(i)) meters.push_back(i);
    return meters;
}

/// From the common power-on until the meters have joined and answered one read.
void Run::form() {
    run_to(town_.now() + 3s);  // everybody is on now: ask the oracle
    const auto list = reachable();
    const std::set<std::size_t> wanted(list.begin(), list.end());
    outcome_.reachable = list.size();
    std::set<std::size_t> answered;
    joined_ = [&](std::size_t meter) {
        if (!answered.contains(meter)) want(meter);
    };
    finished_ = [&](std::size_t meter, bool good, Instant, Instant at) {
        if (!good) return want(meter);
        if (!wanted.contains(meter) || !answered.insert(meter).second) return;
        outcome_.curves.joined_s.push_back(seconds(at - test::town_start));
        const auto share = static_cast<double>(answered.size()) / static_cast<double>(list.size());
        for (const auto& [metric, least] :
             {std::pair{Metric::join_t99_s, 0.99}, std::pair{Metric::join_t100_s, 1.0}})
            if (share >= least && !outcome_[metric]) outcome_[metric] = seconds(at - test::town_start);
    };
    // Those that joined in the first three seconds are told again here.
    for (const auto& entry : books())
        if (entry.joined) joined_(entry.meter);
    refill(town_.now());
    run_to(test::town_start + patience_, [&] { return answered.size() == list.size(); });
    outcome_.joined = answered.size();
    stop_reading();
    measure_tree();
}

/// As the reference table does it: long-run means, its frame sizes, all routes together.
void Run::measure_tree() {
    sim::Oracle reference{town_.field->channel(), town_.layout.meters.size(), options_.rate,
                          sim::reference_sizes};
    const auto best = reference.tree();
    double ours = 0, theirs = 0;
    auto& curves = outcome_.curves;
    const auto& root = town_.layout.concentrators.front();
    const bool tower = options_.request.kind == sim::LayoutKind::high_rise;  // seen from the side
    const auto up_cm = [&](const sim::Place& place) { return tower ? place.z_cm : place.y_cm; };
    curves.root_x_m = root.x_cm / 100.0;
    curves.root_y_m = up_cm(root) / 100.0;
    for (std::size_t i = 0; i < town_.layout.meters.size(); ++i) {
        const auto relays = route(i);
        const auto& place = town_.layout.meters[i];
        Station station{
            .x_m = place.x_cm / 100.0, .y_m = up_cm(place) / 100.0, .parent = std::nullopt, .hops = 0};
        if (relays) {
            station.parent = relays->empty() ? town_.layout.meters.size() : relays->back();
            station.hops = relays->size() + 1;
        }
        curves.map.push_back(station);
        if (!relays || !best.reaches(i)) continue;
        ours += std::min(cost_us(reference, *relays, i), stretch_max * best.cost_us[i]);
        theirs += best.cost_us[i];
    }
    if (theirs > 0) outcome_.tree_cost_ratio = ours / theirs;
}

double Run::ours_us(std::size_t meter) {
    const auto relays = route(meter);
    return relays ? cost_us(oracle_, *relays, meter) : -1;
}

double Run::cost_us(const sim::Oracle& oracle, const std::vector<std::size_t>& relays, std::size_t meter) {
    double sum = 0;
    auto from = oracle.root();
    for (const auto relay : relays) {
        sum += oracle.hop_cost_us(oracle.hop(from, relay));
        from = relay;
    }
    return sum + oracle.hop_cost_us(oracle.hop(from, meter));
}

/// Airtime of our route, there and back as the concentrator would send now, against the oracle's.
void Run::sample_stretch() {
    const auto meters = reachable();
    const double began = cpu_s();
    for (const auto meter : meters) {
        const double cost_us = ours_us(meter);
        if (cost_us >= 0) stretches_.push_back(std::min(cost_us / tree_.cost_us[meter], stretch_max));
    }
    oracle_s_ += cpu_s() - began;
}

/// Every reachable meter once; who did not answer is asked again until the quarter is over.
void Run::read_round(Instant begin) {
    const auto list = reachable();
    const auto bounds = oracle_.bounds(tree_);
    bounds_b1_.push_back(bounds.sequential_s);
    bounds_b3_.push_back(bounds.merged_s);
    std::set<std::size_t> first_pass(list.begin(), list.end());
    std::size_t answered = 0;
    asked_ += list.size();
    outcome_.curves.reads = asked_;
    asked_installed_ += town_.layout.meters.size();
    due_ += list.size();
    finished_ = [&](std::size_t meter, bool good, Instant asked, Instant at) {
        if (first_pass.erase(meter) > 0) {
            good_ += good ? 1 : 0;
            if (good) outcome_.curves.reads_s.push_back(seconds(at - asked));
            if (first_pass.empty()) rounds_s_.push_back(seconds(at - begin));
        }
        if (good)
            ++answered;
        else
            want(meter);
    };
    for (const auto meter : list) want(meter);
    refill(town_.now());
    for (Instant next = begin; next < begin + quarter;) {
        next = std::min(next + sample_every, begin + quarter);
        run_to(next);
        if (town_.now() - test::town_start >= settled) sample_stretch();
    }
    complete_ += answered;
    stop_reading();
}

void Run::steady() {
    const int rounds = std::max(1, static_cast<int>(options_.hours * 4 + 0.5));
    const auto meters = static_cast<double>(town_.layout.meters.size());
    const double cpu_began = cpu_s() - oracle_s_;
    const auto control_began = watch_.control();
    const auto changes_began = parent_changes();
    const Instant began = town_.now();
    for (int round = 0; round < rounds; ++round) read_round(town_.now());
    const double hours = seconds(town_.now() - began) / 3'600;
    outcome_[Metric::sim_speed] = meters * hours / std::max(cpu_s() - oracle_s_ - cpu_began, 1e-3);
    const auto share = [](std::size_t part, std::size_t whole) {
        return whole == 0 ? std::optional<double>{} : static_cast<double>(part) / static_cast<double>(whole);
    };
    outcome_[Metric::first_read_success] = share(good_, asked_);
    outcome_[Metric::first_read_success_installed] = share(good_, asked_installed_);
    outcome_[Metric::complete_15min] = share(complete_, due_);
    if (rounds_s_.size() == static_cast<std::size_t>(rounds)) outcome_[Metric::round_s] = mean(rounds_s_);
    outcome_[Metric::bound_b1_s] = mean(bounds_b1_);
    outcome_[Metric::bound_b3_s] = mean(bounds_b3_);
    outcome_[Metric::stretch_mean] = mean(stretches_);
    outcome_[Metric::stretch_p95] = quantile(stretches_, 0.95);
    outcome_[Metric::control_s_per_node_h] = seconds(watch_.control() - control_began) / meters / hours;
    if (options_.rival != Rival::reactive)  // which has no parents
        outcome_[Metric::parent_changes_per_node_day] =
            static_cast<double>(parent_changes() - changes_began) / meters / hours * 24;

    // Who stands in the concentrator's books as joined, and is not that node; who believes to have joined,
    // and is not in the books.
    std::size_t ghosts = 0, counted = 0;
    double hops = 0, hops_max = 0;
    for (const auto& entry : books()) {
        ghosts += entry.right ? 0 : 1;
        if (entry.hops == 0) continue;
        ++counted;
        hops += static_cast<double>(entry.hops);
        hops_max = std::max(hops_max, static_cast<double>(entry.hops));
    }
    outcome_[Metric::ghost_joins] = static_cast<double>(ghosts);
    outcome_[Metric::false_evictions] = static_cast<double>(evicted_);
    if (counted > 0) {
        outcome_[Metric::hops_mean] = hops / static_cast<double>(counted);
        outcome_[Metric::hops_max] = hops_max;
    }
}

Outcome Run::finish() {
    outcome_[Metric::loops] = static_cast<double>(watch_.loops());
    outcome_[Metric::apdu_bytes_down] = static_cast<double>(exchange_.down);
    outcome_[Metric::apdu_bytes_up] = static_cast<double>(exchange_.up);
    outcome_[Metric::oracle_s] = oracle_s_;
    outcome_.trace = town_.field->trace_hash();
    return outcome_;
}

const MetricName& metric_name(std::size_t metric) {
    static constexpr std::array<MetricName, metrics> names{{{"join_t99_s", true},
                                                            {"join_t100_s", true},
                                                            {"warm_t95_s", true},
                                                            {"warm_t100_s", true},
                                                            {"first_read_success", false},
                                                            {"first_read_success_installed", false},
                                                            {"round_s", true},
                                                            {"round_merged_s", true},
                                                            {"bound_b1_s", true},
                                                            {"bound_b3_s", true},
                                                            {"complete_15min", false},
                                                            {"stretch_mean", true},
                                                            {"stretch_p95", true},
                                                            {"control_s_per_node_h", true},
                                                            {"repair_in_transaction", false},
                                                            {"repair_s_p99", true},
                                                            {"parent_changes_per_node_day", true},
                                                            {"loops", true},
                                                            {"ghost_joins", true},
                                                            {"false_deletions", true},
                                                            {"false_evictions", true},
                                                            {"apdu_bytes_down", true},
                                                            {"apdu_bytes_up", true},
                                                            {"hops_mean", true},
                                                            {"hops_max", true},
                                                            {"sim_speed", false},
                                                            {"oracle_s", true}}};
    return names[metric];
}

Outcome run(const Options& options, int seed, const Exchange& exchange, bool steady_only) {
    Run one{options, seed, exchange};
    one.form();
    one.tell_airtime("form");
    one.steady();
    one.tell_airtime("steady");
    if (steady_only) return one.finish();
    one.repair();
    one.tell_airtime("repair");
    one.warm();
    one.tell_airtime("warm");
    return one.finish();
}

}  // namespace wattmesh::bench
