#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "terminal-sim/radio/oracle.h"
#include "tests/bench/mesh_watch.h"
#include "tests/concentrator/mesh/town.h"

namespace wattmesh::bench {

inline double in_seconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

/// How the reads of some meters went.
struct Reads {
    struct One {
        bool first = false;                ///< the first request was answered
        std::optional<double> answered_s;  ///< since the reading began
    };
    std::map<std::size_t, One> of;
    double share_first() const;
    double share_within(double seconds) const;  ///< answered, later requests too
    std::optional<double> last_s() const;       ///< until all had answered
    std::size_t unanswered() const;
};

/// A town with the concentrator's and the meters' real code, a scripted trouble, and what came of it.
class Scene {
public:
    explicit Scene(sim::Layout layout, std::uint64_t seed, std::vector<sim::FieldMeter> meters = {});

    test::Town town;
    Watch watch{mesh::PhyRate::kbit50};
    /// Sees every frame that leaves, after `watch`.
    sim::RadioField::Observer on_frame;
    std::function<void(const concentrator::MeshEvent&, Instant)> on_event;
    std::function<void(std::size_t root, const concentrator::MeshEvent&)> on_root_event;
    /// Called at the end of every slice of the run.
    std::function<void(Duration)> on_slice;
    Duration slice{100'000};
    std::set<std::size_t> outside;  ///< places that are not meters of this mesh: never asked

    std::size_t size() const { return town.layout.meters.size(); }
    void run_for(Duration span, const std::function<bool()>& enough = {});
    /// Meters that the oracle reaches now.
    std::vector<std::size_t> reachable();
    const sim::Oracle::Tree& tree() const { return tree_; }
    const sim::Oracle& oracle() const { return oracle_; }
    std::vector<std::size_t> relays_of(std::size_t meter) const;
    bool routed(std::size_t meter) const {
        return town.roots[0]->route(test::meter_number(meter)).has_value();
    }
    void kill(std::size_t meter) { town.field->kill(test::meter_number(meter)); }
    void revive(std::size_t meter) { town.field->revive(test::meter_number(meter)); }

    /// Until every reachable meter has joined and answered: seconds since the call. Nothing: not in time.
    std::optional<double> form(Duration patience);
    /// Asks each once; then, within `patience`, those again that did not answer.
    Reads read(const std::vector<std::size_t>& meters, Duration patience);
    Reads read_once(const std::vector<std::size_t>& meters) { return read(meters, Duration{}); }
    std::optional<double> round_s();  ///< one round over everybody reachable

    std::set<std::size_t> lost;      ///< meters told as lost since clear_events()
    std::size_t lost_events = 0;     ///< and how often
    std::set<std::size_t> unknown;   ///< told as unknown
    std::size_t executed_twice = 0;  ///< one request, executed by a meter more than once
    std::size_t wrong_answers = 0;   ///< an answer that came from another meter than the one asked
    std::map<std::size_t, int> deleted() const;  ///< listed meters that lost their address
    /// Joined in the concentrator's books and not in truth, or the other way round; addresses that differ.
    std::size_t ghosts() const;

private:
    void event(const concentrator::MeshEvent& event, Instant at);
    void refill(Instant at);
    void again(std::size_t meter, Instant at);
    void stop();

    sim::Oracle oracle_;
    sim::Oracle::Tree tree_;
    struct Open {
        std::size_t meter;
        std::uint32_t mark;
    };
    std::map<std::uint32_t, Open> open_;
    std::deque<std::size_t> queue_;
    std::multimap<Instant, std::size_t> later_;
    std::function<void(std::size_t meter, bool answered, Instant at)> finished_;
    std::function<void(std::size_t meter)> joined_;
    std::uint32_t marks_ = 0;
    std::set<std::pair<std::size_t, std::uint32_t>> executed_;
};

/// Meter of a number; none for a concentrator's.
std::optional<std::size_t> meter_of(DeviceNumber number, std::size_t meters);

}  // namespace wattmesh::bench
