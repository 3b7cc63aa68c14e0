#pragma once
#include <cstdint>

#include "protocol/base/time.h"

namespace wattmesh::mesh {

/// When to send a beacon (RFC 6206): doubles its interval while the neighbourhood agrees, starts small again
/// when it does not. Fires somewhere in the second half of the interval unless `redundancy` others said the
/// same first.
class Trickle {
public:
    struct Settings {
        Duration interval_min{500'000}, interval_max{1'024'000'000};
        int redundancy = 3;
    };
    Trickle() = default;
    explicit Trickle(Settings settings) : settings_(settings) {}

    /// `chance` is any 32 random bits. `stretch` >= 1 lengthens the smallest interval where many hear each
    /// other.
    void start(Instant now, std::uint32_t chance, int stretch = 1);
    void stop() { running_ = false; }
    bool running() const { return running_; }
    /// Starts over with the smallest interval, unless that runs already (RFC 6206 4.2 rule 6).
    void reset(Instant now, std::uint32_t chance, int stretch = 1);
    void heard_consistent() { ++heard_; }
    /// Fires at the next point whatever the others say.
    void insist() { insist_ = true; }

    /// To be called at next_deadline(); true: send now.
    bool tick(Instant now, std::uint32_t chance);
    Instant next_deadline() const;
    Duration interval() const { return interval_; }

private:
    void begin(Instant now, std::uint32_t chance);
    Settings settings_;
    bool running_ = false, fired_ = false, insist_ = false;
    int heard_ = 0;
    Duration interval_{}, interval_first_{};
    Instant fire_at_{}, end_{};
};

}  // namespace wattmesh::mesh
