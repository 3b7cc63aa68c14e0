#pragma once
#include <deque>
#include <vector>

#include "protocol/iec104/point_image.h"

namespace wattmesh::iec104 {

/// The reports that one redundancy group of masters has not acknowledged. Bounded: the oldest is dropped and
/// counted.
class EventBuffer {
public:
    explicit EventBuffer(std::size_t size_max) : size_max_(size_max) {}

    void put(const Event& event);
    bool empty() const { return waiting_.empty(); }
    std::size_t size() const { return waiting_.size(); }
    std::uint64_t dropped() const { return dropped_; }
    /// The oldest reports of one station, type and cause that fit into one ASDU with time, in order. Not when
    /// empty.
    std::vector<Event> next();
    /// What was sent and not acknowledged comes before what waits.
    void give_back(std::vector<Event> events);

private:
    std::size_t size_max_;
    std::deque<Event> waiting_;
    std::uint64_t dropped_ = 0;
};

/// One ASDU with time of reports that belong together.
Buffer encode(const std::vector<Event>& events);

}  // namespace wattmesh::iec104
