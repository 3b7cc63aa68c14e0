#include "terminal-sim/meter/push_delivery.h"

#include <algorithm>
#include <cassert>

#include "protocol/dlms/date_time_pattern.h"

namespace wattmesh::sim {

namespace {

std::optional<Instant> next(const dlms::RawDateTime& raw, Instant from) {
    const auto pattern = dlms::decode_date_time_pattern(raw.octets);
    if (!pattern) return std::nullopt;
    const auto local = dlms::next_match(*pattern, dlms::LocalTime{from.time_since_epoch()});
    return local ? std::optional{Instant{local->time_since_epoch()}} : std::nullopt;
}

}  // namespace

std::optional<Instant> window_opens(const std::vector<cosem::Window>& windows, Instant from) {
    if (windows.empty()) return from;
    std::optional<Instant> first;
    for (const auto& window : windows) {
        const auto start = next(window.start_time, from), end = next(window.end_time, from);
        // It ends before it begins again: so it is open now.
        const bool open = end && *end > from && (!start || *end < *start);
        const auto opens = open ? std::optional{from} : start;
        if (opens && (!first || *opens < *first)) first = opens;
    }
    return first;
}

PushDelivery::PushDelivery(const PushOrder& order, Instant ordered_at, std::uint64_t chance)
    : windows_(order.windows), delay_(order.repetition_delay_s), retries_left_(order.retries) {
    const auto spread = std::uint64_t{order.randomisation_s} * 1'000'000;
    const Duration put_off{static_cast<Duration::rep>(chance % (spread + 1))};
    due_ = window_opens(windows_, ordered_at + put_off);
}

void PushDelivery::begin() {
    assert(due_);
    due_.reset();
    under_way_ = true;
    ++attempts_;
}

void PushDelivery::delivered() {
    assert(under_way_);
    under_way_ = false;
    succeeded_ = true;
}

void PushDelivery::failed(Instant now) {
    assert(under_way_);
    under_way_ = false;
    if (retries_left_ == 0) return;
    --retries_left_;
    due_ = window_opens(windows_, now + delay_);
}

}  // namespace wattmesh::sim
