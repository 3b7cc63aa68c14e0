#pragma once
#include <array>
#include <cstdint>

#include "protocol/base/time.h"

namespace wattmesh::sim {

/// What a band allows its users; README.md.
enum class DutyProfile : std::uint8_t {
    none,
    ten_and_one,  ///< 10 % of any hour for a concentrator, 1 % for a meter
    polite,  ///< as ETSI EN 300 220-1 asks of those who listen first: 100 s of any hour, 1 s at once, then
             ///< 100 ms of silence
    short_burst,  ///< 1 s at once
};

/// Airtime of one radio in the rolling hour (in minutes: the one that begins counts whole). Acknowledgements
/// are booked but never held back.
class DutyLedger {
public:
    DutyLedger(DutyProfile profile, bool concentrator) : profile_(profile), concentrator_(concentrator) {}

    /// Whether a frame of this length may begin now.
    bool allows(Duration airtime, Instant now);
    void sent(Duration airtime, Instant begin);
    Duration used(Instant now);
    /// The fullest hour so far.
    Duration most_used() const { return most_used_; }

private:
    Duration limit() const;
    void forget(Instant now);

    DutyProfile profile_;
    bool concentrator_;
    std::array<Duration, 61> minutes_{};
    std::int64_t minute_ = 0;
    Duration used_{}, most_used_{};
    Instant silent_until_{};
};

}  // namespace wattmesh::sim
