#include "protocol/iec104/event_buffer.h"

#include <cassert>

namespace wattmesh::iec104 {

void EventBuffer::put(const Event& event) {
    waiting_.push_back(event);
    if (waiting_.size() <= size_max_) return;
    waiting_.pop_front();
    ++dropped_;
}

std::vector<Event> EventBuffer::next() {
    assert(!waiting_.empty());
    const Event& first = waiting_.front();
    const auto room = AsduBuilder::room(*with_time(first.type), false);
    std::size_t count = 1;
    while (count < room && count < waiting_.size() && waiting_[count].type == first.type &&
           waiting_[count].cause == first.cause &&
           waiting_[count].key.common_address == first.key.common_address)
        ++count;
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Event> events(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    return events;
}

void EventBuffer::give_back(std::vector<Event> events) {
    while (!events.empty()) {
        if (waiting_.size() >= size_max_) {  // these are the oldest
            dropped_ += events.size();
            return;
        }
        waiting_.push_front(std::move(events.back()));
        events.pop_back();
    }
}

Buffer encode(const std::vector<Event>& events) {
    const auto& first = events.at(0);
    Header header;
    header.type = *with_time(first.type);
    header.cause = first.cause;
    header.common_address = first.key.common_address;
    AsduBuilder builder{header, false};
    for (const auto& event : events)
        builder.add({event.key.address, event.state.value, event.state.quality, event.state.time});
    return builder.take();
}

}  // namespace wattmesh::iec104
