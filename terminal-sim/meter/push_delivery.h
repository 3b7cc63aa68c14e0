#pragma once
#include <optional>

#include "protocol/base/time.h"
#include "terminal-sim/meter/push_order.h"

namespace wattmesh::sim {

/// When the attempts of one push are made, sans-IO. All instants are the meter's own time, in which its
/// windows are told. Source: Blue Book (DLMS UA 1000-1) ed. 14, 4.4.8.2: communication_window,
/// randomisation_start_interval, number_of_retries, repetition_delay.
///
///   waiting --begin--> under way --delivered--> over          waiting, no window comes any more --> over
///                      under way --failed, retries left--> waiting           ... none left --> over
class PushDelivery {
public:
    /// `chance` decides the delay within the randomisation interval.
    PushDelivery(const PushOrder& order, Instant ordered_at, std::uint64_t chance);

    /// When the next attempt is due; nothing while one is under way and when it is over.
    std::optional<Instant> due() const { return due_; }
    void begin();
    void delivered();
    void failed(Instant now);
    bool over() const { return !due_ && !under_way_; }
    bool succeeded() const { return succeeded_; }
    unsigned attempts() const { return attempts_; }

private:
    std::vector<cosem::Window> windows_;
    std::chrono::seconds delay_;
    unsigned retries_left_;
    std::optional<Instant> due_;
    bool under_way_ = false, succeeded_ = false;
    unsigned attempts_ = 0;
};

/// The first instant at or after `from` at which one of the windows is open; nothing when none will be.
/// Wildcards in start and end repeat a window.
std::optional<Instant> window_opens(const std::vector<cosem::Window>& windows, Instant from);

}  // namespace wattmesh::sim
