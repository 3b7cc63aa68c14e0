#pragma once
#include <optional>
#include <vector>

#include "protocol/gdw376/format.h"
#include "protocol/gdw376/frame.h"

/// AFN 0E: what the terminal noted. Source: Q/GDW 376.1-2009, 5.16 and annex (event records, ERC). The
/// terminal numbers its events modulo 256; an answer's EC (Frame::events) says how far it is.
namespace wattmesh::gdw376 {

enum class EventRank : std::uint8_t { important = 1, normal = 2 };  ///< F1, F2

struct Event {
    std::uint8_t code = 0;       ///< ERC
    std::optional<WallTime> at;  ///< of most kinds: when it happened
    Buffer body;                 ///< behind the time; <= 250 octets
    friend bool operator==(const Event&, const Event&) = default;
};
/// Events [first, last): the pointers Pm and Pn as sent, modulo 256.
struct EventList {
    EventRank rank{};
    EventCounters counters;
    std::uint8_t first = 0, last = 0;
    std::vector<Event> events;  ///< <= 256
    friend bool operator==(const EventList&, const EventList&) = default;
};

Frame request_events(const Address& terminal, EventRank rank, std::uint8_t first, std::uint8_t last,
                     std::uint8_t sequence);
/// The terminal's side. Faults: unexpected, truncated, bad_value.
struct EventQuery {
    EventRank rank{};
    std::uint8_t first = 0, last = 0;
    friend bool operator==(const EventQuery&, const EventQuery&) = default;
};
Result<EventQuery> decode_event_query(const Frame& frame);

/// An answer, or a report that the terminal sent by itself. A record whose time is no time has none. Faults:
/// unexpected (another AFN or item), truncated.
Result<EventList> decode_events(const Frame& frame);
/// The terminal's side: the data unit.
void encode(Writer& out, const EventList& list);

}  // namespace wattmesh::gdw376
