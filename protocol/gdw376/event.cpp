#include "protocol/gdw376/event.h"

#include <cassert>

#include "protocol/gdw376/unit.h"

namespace wattmesh::gdw376 {

namespace {

constexpr std::size_t time_size = 5, body_max = 250;

EventRank rank_of(Reader& in) {
    const UnitHead head = decode_unit_head(in);
    if (in.ok() && (head.items.size() != 1 || head.items[0] > 2)) in.fail_at(Fault::unexpected, 2);
    return in.ok() ? static_cast<EventRank>(head.items[0]) : EventRank{};
}

}  // namespace

Frame request_events(const Address& terminal, EventRank rank, std::uint8_t first, std::uint8_t last,
                     std::uint8_t sequence) {
    Frame frame;
    frame.function = function::request_class_2;
    frame.address = terminal;
    frame.afn = Afn::class_3;
    frame.sequence = sequence;
    Writer units;
    encode(units, UnitHead{.items = {static_cast<std::uint16_t>(rank)}});
    frame.units = units.u8(first).u8(last).take();
    return frame;
}

Result<EventQuery> decode_event_query(const Frame& frame) {
    if (frame.afn != Afn::class_3) return Error{Fault::unexpected, 0};
    Reader in{frame.units};
    EventQuery out;
    out.rank = rank_of(in);
    out.first = in.u8();
    out.last = in.u8();
    if (in.error()) return *in.error();
    return out;
}

Result<EventList> decode_events(const Frame& frame) {
    if (frame.afn != Afn::class_3) return Error{Fault::unexpected, 0};
    Reader in{frame.units};
    EventList out;
    out.rank = rank_of(in);
    out.counters.important = in.u8();
    out.counters.normal = in.u8();
    out.first = in.u8();
    out.last = in.u8();
    while (in.ok() && in.remaining() > 0) {
        Event event;
        event.code = in.u8();
        const Bytes record = in.bytes(in.u8());
        if (!in.ok()) break;
        Reader body{record};
        if (record.size() >= time_size) event.at = read_a15(body);
        event.body = to_buffer(body.ok() && event.at ? record.subspan(time_size) : record);
        out.events.push_back(std::move(event));
    }
    if (in.error()) return *in.error();
    return out;
}

void encode(Writer& out, const EventList& list) {
    encode(out, UnitHead{.items = {static_cast<std::uint16_t>(list.rank)}});
    out.u8(list.counters.important).u8(list.counters.normal).u8(list.first).u8(list.last);
    for (const Event& event : list.events) {
        assert(event.body.size() <= body_max);
        out.u8(event.code).u8(static_cast<std::uint8_t>(event.body.size() + (event.at ? time_size : 0)));
        if (event.at) write_a15(out, *event.at);
        out.bytes(event.body);
    }
}

}  // namespace wattmesh::gdw376
