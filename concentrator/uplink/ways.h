#pragma once
#include <optional>
#include <string>
#include <vector>

#include "concentrator/reading/trusted_clock.h"
#include "protocol/base/cipher.h"
#include "protocol/base/time.h"

namespace wattmesh::concentrator {

/// One way to the head-end: over which bearer, to which address. Their order is their priority.
struct Way {
    std::string bearer;   ///< "ethernet" or "cellular"
    std::string address;  ///< host:port, for people
};

struct WaysSettings {
    std::vector<Way> ways = {{"ethernet", ""}};  ///< best first; at least one
    Duration backoff_min = std::chrono::seconds{2}, backoff_max = std::chrono::seconds{60};
    /// Half of it by chance; then the next way is tried.
    Duration move_pause_max = std::chrono::seconds{5};
    /// Half of it by chance; the better ways in turn.
    Duration probe_every = std::chrono::seconds{60};
    /// So long a better way must have answered every probe before we go back to it. Doubles, up to the
    /// maximum, each time it broke within that time after we had gone back.
    Duration stable_min = std::chrono::minutes{5}, stable_max = std::chrono::hours{1};
};

/// What became of one way since the program started.
struct WayCounts {
    std::uint64_t calls = 0, sessions = 0, failures = 0, probes = 0, probes_answered = 0;
    std::string last_failure;
};

/// Which way to the head-end is called next, sans-IO: a way that broke is tried once more if it was closed,
/// then the others in their order, then all again ever more slowly. Who is logged in over a lesser way
/// probes the better ones and goes back when one has been stable.
class Ways {
public:
    Ways(WaysSettings settings, Random& random);

    /// The way to be called, or in use.
    std::size_t current() const { return current_; }
    void called() { ++counts_[current_].calls; }
    void logged_in(const Now& now);
    /// The call or session on the current way ended. `silent`: nothing came any more, so that calling the
    /// same again would only take time. Returns how long to wait before the next call.
    Duration failed(const std::string& reason, bool silent, const Now& now);
    /// A bearer came up or went down. True when the way in use goes with it: the caller drops the session.
    bool set_available(const std::string& bearer, bool available, const Now& now);
    bool available(std::size_t way) const { return states_[way].available; }

    /// A better way that should be probed now; the outcome comes by probed(), or counts as none in time.
    std::optional<std::size_t> take_probe(const Now& now);
    void probed(std::size_t way, bool answered, const Now& now);
    /// A better way has been stable: it is the current one from here on, and the session should be ended.
    bool take_return();
    /// Steady; of probes. never: nothing is due.
    Instant next_deadline() const { return session_since_ ? probe_at_ : never; }

    bool several() const { return settings_.ways.size() > 1; }
    const std::vector<Way>& ways() const { return settings_.ways; }
    const WayCounts& counts(std::size_t way) const { return counts_[way]; }
    /// Times that a lesser way, or a better one again, was gone to.
    std::uint64_t moves() const { return moves_; }
    std::uint64_t returns() const { return returns_; }

private:
    struct State {
        bool available = true, tried = false;
        std::optional<Instant> good_since;  ///< steady: answers every probe since then
        Duration stable{};                  ///< to go back
    };
    Duration draw(Duration low, Duration high);
    std::optional<std::size_t> best_untried() const;
    void go_to(std::size_t way);
    void forget_probes();

    WaysSettings settings_;
    Random& random_;
    std::vector<State> states_;
    std::vector<WayCounts> counts_;
    std::size_t current_ = 0;
    std::optional<Instant> session_since_;  ///< steady
    bool returned_ = false;                 ///< to the current way, and not stable on it yet
    Duration backoff_;
    Instant probe_at_ = never;
    std::optional<std::size_t> probing_, proved_;
    std::size_t probe_next_ = 0;
    std::uint64_t moves_ = 0, returns_ = 0;
};

}  // namespace wattmesh::concentrator
