#include <algorithm>
#include <cassert>

#include "protocol/iec104/outstation.h"

namespace wattmesh::iec104 {
namespace {

constexpr std::size_t interrogations_max = 64;
constexpr int groups_max = 16;

}  // namespace

void Outstation::interrogate(Connection& connection, const Asdu& asdu, Bytes raw, std::uint16_t station) {
    const int qualifier = std::get<Interrogation>(asdu.objects[0].value).qualifier;
    const bool known = qualifier >= whole_station && qualifier <= whole_station + groups_max;
    if (!known || connection.interrogations.size() >= interrogations_max) return refuse(connection, raw);
    reply(connection, raw, Cause::activation_confirmation, false);
    const auto [first, last] = image_.range(station);
    connection.interrogations.push_back(
        {to_buffer(raw), station, false, qualifier - whole_station, first, last});
}

/// Registers that somebody pays by are frozen in a copy and never reset.
void Outstation::interrogate_counters(Connection& connection, const Asdu& asdu, Bytes raw,
                                      std::uint16_t station) {
    const auto request = std::get<CounterInterrogation>(asdu.objects[0].value);
    const bool known = request.request >= 1 && request.request <= all_counters;
    const bool resets = request.freeze == Freeze::reset || request.freeze == Freeze::freeze_and_reset;
    if (!known || resets || connection.interrogations.size() >= interrogations_max)
        return refuse(connection, raw);
    reply(connection, raw, Cause::activation_confirmation, false);
    const auto [first, last] = image_.range(station);
    Interrogating work{to_buffer(raw), station, true, request.request == all_counters ? 0 : request.request,
                       first,          last};
    if (request.freeze == Freeze::freeze) {
        auto& frozen = groups_[connection.group].frozen[station];
        frozen.sequence = (frozen.sequence + 1) & 0x1F;
        for (auto index = first; index < last; ++index) {
            const auto& point = image_.points()[index];
            if (!shown(point, work)) continue;
            auto& state = frozen.states[point.definition.key] = point.state;
            std::get<Counter>(state.value).sequence = frozen.sequence;
        }
        work.next = work.end;  // only the termination is left
    }
    connection.interrogations.push_back(std::move(work));
}

void Outstation::stop_interrogation(Connection& connection, Bytes raw, std::uint16_t station) {
    const auto type = raw[0];
    const auto found = std::find_if(
        connection.interrogations.begin(), connection.interrogations.end(),
        [&](const Interrogating& work) { return work.station == station && work.request[0] == type; });
    if (found == connection.interrogations.end())
        return refuse(connection, raw, Cause::deactivation_confirmation);
    connection.interrogations.erase(found);
    reply(connection, raw, Cause::deactivation_confirmation, false);
}

bool Outstation::shown(const PointImage::Point& point, const Interrogating& work) const {
    const auto type = point.definition.type;
    if (work.counters != (type == Type::integrated_total)) return false;
    if (!work.counters && !is_monitored(type)) return false;
    return work.group == 0 || work.group == point.definition.group;
}

PointState Outstation::interrogated(const Connection& connection, const Interrogating& work,
                                    std::size_t index) const {
    const auto& point = image_.points()[index];
    if (!work.counters) return point.state;
    const auto& all = groups_[connection.group].frozen;
    const auto station = all.find(work.station);
    if (station == all.end()) return point.state;
    const auto frozen = station->second.states.find(point.definition.key);
    return frozen == station->second.states.end() ? point.state : frozen->second;
}

/// Neighbouring addresses of one type go as a sequence; scattered ones with their addresses.
Buffer Outstation::continue_interrogation(Connection& connection) {
    auto& work = connection.interrogations.front();
    const auto& points = image_.points();
    const auto next_shown = [&](std::size_t index) {
        while (index < work.end && !shown(points[index], work)) ++index;
        return index;
    };
    work.next = next_shown(work.next);
    if (work.next >= work.end) {
        auto request = std::move(work.request);
        connection.interrogations.pop_front();
        request[2] = static_cast<std::uint8_t>(Cause::activation_termination);
        return request;
    }
    const auto first = points[work.next].definition;
    Header header;
    header.type = first.type;
    const auto base = work.counters ? Cause::counter_interrogation : Cause::station_interrogation;
    header.cause = static_cast<Cause>(static_cast<int>(base) + work.group);
    header.originator = work.request[3];
    header.common_address = work.station;

    const auto fits_run = [&](std::size_t index) {
        const auto& definition = points[index].definition;
        return definition.type == first.type &&
               definition.key.address == first.key.address + (index - work.next);
    };
    std::size_t run = 0;
    while (run < AsduBuilder::room(first.type, true) && work.next + run < work.end &&
           fits_run(work.next + run) && shown(points[work.next + run], work))
        ++run;
    const auto behind = next_shown(work.next + run);
    const bool mixes = behind < work.end && points[behind].definition.type == first.type;
    const bool sequence = run > 1 && (!mixes || run >= AsduBuilder::room(first.type, false));
    AsduBuilder builder{header, sequence};
    for (auto index = work.next; index < work.end && !builder.full();) {
        if (points[index].definition.type != first.type || (sequence && builder.count() == run)) break;
        const auto state = interrogated(connection, work, index);
        builder.add({points[index].definition.key.address, state.value, state.quality, {}});
        work.next = index = next_shown(index + 1);
    }
    return builder.take();
}

}  // namespace wattmesh::iec104
