#pragma once
#include <optional>

#include "protocol/base/time.h"

namespace wattmesh::concentrator {

/// A moment as the concentrator knows it. Timers use `steady`, which never jumps; what is written uses `utc`.
struct Now {
    Instant steady{};
    Instant utc{};
    bool doubtful = true;  ///< nobody trusted has said the time since the program started
};

/// The concentrator does not believe its own system clock. Until the head-end (authenticated by TLS) has set
/// the time, it counts on from the journal's last entry: too early by the time it was off, never too late.
/// `elapsed` is the time since the program started.
class TrustedClock {
public:
    explicit TrustedClock(std::optional<Instant> journal_last)
        : floor_(journal_last.value_or(Instant{})), base_(floor_) {}

    void set(Instant truth, Duration elapsed) {
        base_ = truth - elapsed;
        trusted_ = true;
    }
    Now at(Duration elapsed) const { return {floor_ + elapsed, base_ + elapsed, !trusted_}; }
    bool trusted() const { return trusted_; }
    /// A moment on the steady scale in UTC.
    Instant utc(Instant steady) const { return base_ + (steady - floor_); }

private:
    Instant floor_;
    Instant base_;  ///< UTC at elapsed 0
    bool trusted_ = false;
};

}  // namespace wattmesh::concentrator
