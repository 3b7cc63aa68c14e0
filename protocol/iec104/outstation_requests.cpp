#include <algorithm>
#include <cassert>

#include "protocol/iec104/outstation.h"

namespace wattmesh::iec104 {
namespace {

constexpr std::size_t commands_max = 64;

bool may_be_broadcast(Type type) {
    return type == Type::interrogation || type == Type::counter_interrogation || type == Type::clock_sync ||
           type == Type::reset_process;
}

bool selects(const Value& value) {
    if (const auto* command = std::get_if<SingleCommand>(&value)) return command->select;
    if (const auto* command = std::get_if<DoubleCommand>(&value)) return command->select;
    return std::get<FloatSetpoint>(value).select;
}

Value without_select(Value value) {
    if (auto* single = std::get_if<SingleCommand>(&value)) single->select = false;
    if (auto* twofold = std::get_if<DoubleCommand>(&value)) twofold->select = false;
    if (auto* point = std::get_if<FloatSetpoint>(&value)) point->select = false;
    return value;
}

bool meaningful(const Value& value) {
    const auto* command = std::get_if<DoubleCommand>(&value);
    return command == nullptr || command->state == DoubleState::off || command->state == DoubleState::on;
}

}  // namespace

/// The peer's own octets with another cause.
void Outstation::reply(Connection& connection, Bytes raw, Cause cause, bool negative) {
    auto asdu = to_buffer(raw);
    asdu[2] =
        static_cast<std::uint8_t>((asdu[2] & 0x80U) | (negative ? 0x40U : 0U) | static_cast<unsigned>(cause));
    connection.replies.push_back(std::move(asdu));
}

void Outstation::refuse(Connection& connection, Bytes raw, Cause cause) {
    ++counters_.refused;
    reply(connection, raw, cause, true);
}

void Outstation::on_asdu(ConnectionId id, Connection& connection, Bytes raw, Instant now) {
    const auto header = decode_header(raw);
    if (!header) {
        ++counters_.malformed;
        return;
    }
    const auto unknown = [&](Cause cause) {
        ++counters_.unknown;
        reply(connection, raw, cause, true);
    };
    const auto* form = form_of(raw[0]);
    if (form == nullptr || !form->is_command) return unknown(Cause::unknown_type);
    const auto asdu = decode_asdu(raw);
    if (!asdu) {
        ++counters_.malformed;
        return;
    }
    const auto type = header->type;
    const bool activates = header->cause == Cause::activation;
    const bool deactivates =
        header->cause == Cause::deactivation &&
        (is_process_command(type) || type == Type::interrogation || type == Type::counter_interrogation);
    if (type == Type::read ? header->cause != Cause::request : !activates && !deactivates)
        return unknown(Cause::unknown_cause);
    const auto& stations = image_.stations();
    const bool all = header->common_address == broadcast && may_be_broadcast(type);
    if (!all && !std::binary_search(stations.begin(), stations.end(), header->common_address))
        return unknown(Cause::unknown_common_address);
    const auto address = asdu->objects[0].address;
    const bool of_point = type == Type::read || is_process_command(type);
    if (of_point ? !image_.find({header->common_address, address}) : address != 0)
        return unknown(Cause::unknown_object_address);
    if (is_process_command(type)) return on_process_command(id, connection, *asdu, raw, now);
    if (!all) return on_station_command(connection, *asdu, raw, now);
    for (const auto station : stations) {  // each answers for itself
        auto one = *asdu;
        one.header.common_address = station;
        auto octets = to_buffer(raw);
        octets[4] = static_cast<std::uint8_t>(station);
        octets[5] = static_cast<std::uint8_t>(station >> 8);
        on_station_command(connection, one, octets, now);
    }
}

void Outstation::on_station_command(Connection& connection, const Asdu& asdu, Bytes raw, Instant now) {
    const auto station = asdu.header.common_address;
    if (asdu.header.cause == Cause::deactivation) return stop_interrogation(connection, raw, station);
    switch (asdu.header.type) {
        case Type::interrogation:
            return interrogate(connection, asdu, raw, station);
        case Type::counter_interrogation:
            return interrogate_counters(connection, asdu, raw, station);
        case Type::read:
            return read(connection, asdu, raw);
        case Type::clock_sync:
            return answer_clock(connection, asdu, now);
        case Type::test_time:
            return reply(connection, raw, Cause::activation_confirmation, false);
        default:  // nobody restarts a head-end from a control room
            return refuse(connection, raw);
    }
}

void Outstation::read(Connection& connection, const Asdu& asdu, Bytes raw) {
    const auto key = PointKey{asdu.header.common_address, asdu.objects[0].address};
    const auto& point = image_.points()[*image_.find(key)];
    if (is_process_command(point.definition.type)) {
        ++counters_.unknown;
        return reply(connection, raw, Cause::unknown_object_address, true);
    }
    Header header = asdu.header;
    header.type = point.definition.type;
    header.cause = Cause::request;
    AsduBuilder builder{header, false};
    builder.add({key.address, point.state.value, point.state.quality, {}});
    connection.replies.push_back(builder.take());
}

/// Our clock follows its own source; the confirmation holds our time, so that the master sees the difference.
/// Source: IEC 60870-5-5, 6.7: the confirmation holds the time before the synchronisation.
void Outstation::answer_clock(Connection& connection, const Asdu& asdu, Instant now) {
    const auto difference = civil(now) - asdu.objects[0].time.at;
    const bool near = std::chrono::abs(difference) <= settings_.clock_tolerance;
    if (!near) {
        ++counters_.clock_refused;
        ++counters_.refused;
    }
    auto answer = asdu;
    answer.header.cause = Cause::activation_confirmation;
    answer.header.negative = !near;
    answer.objects[0].time = Time56{civil(now), false, false, false};
    connection.replies.push_back(encode(answer));
}

void Outstation::on_process_command(ConnectionId id, Connection& connection, const Asdu& asdu, Bytes raw,
                                    Instant now) {
    const auto key = PointKey{asdu.header.common_address, asdu.objects[0].address};
    const auto selection = selections_.find(key);
    const bool selected = selection != selections_.end() && selection->second.until > now;
    if (asdu.header.cause == Cause::deactivation) {
        if (!selected || selection->second.connection != id)
            return refuse(connection, raw, Cause::deactivation_confirmation);
        selections_.erase(selection);
        return reply(connection, raw, Cause::deactivation_confirmation, false);
    }
    const auto& definition = image_.points()[*image_.find(key)].definition;
    if (!acceptable(connection, definition, asdu, now)) return refuse(connection, raw);
    const auto& value = asdu.objects[0].value;
    if (selects(value)) {
        if (selected && selection->second.connection != id) return refuse(connection, raw);
        selections_[key] = {id, without_select(value), now + settings_.select_timeout};
        return reply(connection, raw, Cause::activation_confirmation, false);
    }
    const bool same = selected && selection->second.connection == id && selection->second.value == value;
    if (definition.select_required && !same) return refuse(connection, raw);
    if (selected && selection->second.connection != id) return refuse(connection, raw);
    if (selection != selections_.end()) selections_.erase(selection);
    execute(id, connection, asdu, raw);
}

bool Outstation::acceptable(const Connection& connection, const PointDefinition& point, const Asdu& asdu,
                            Instant now) const {
    const auto& object = asdu.objects[0];
    if (!groups_[connection.group].settings.commands || !point.writable || asdu.header.test) return false;
    if (without_time(asdu.header.type) != point.type || !meaningful(object.value)) return false;
    if (asdu.header.type == point.type) return true;
    return !object.time.invalid && std::chrono::abs(civil(now) - object.time.at) <= settings_.command_age_max;
}

/// One command at a time for each point.
void Outstation::execute(ConnectionId id, Connection& connection, const Asdu& asdu, Bytes raw) {
    const PointKey key{asdu.header.common_address, asdu.objects[0].address};
    const bool busy = std::any_of(pending_.begin(), pending_.end(),
                                  [key](const auto& pending) { return pending.second.key == key; });
    if (busy || pending_.size() >= commands_max) return refuse(connection, raw);
    const CommandId command{++last_command_};
    pending_.emplace(command, Pending{id, key, to_buffer(raw), false});
    commands_.push_back({command, id, key, asdu.objects[0].value, asdu.header.originator});
}

void Outstation::confirm(CommandId id, bool accepted, Instant now) {
    const auto found = pending_.find(id);
    if (found == pending_.end() || found->second.confirmed) return;
    auto& connection = connections_.at(found->second.connection);
    if (accepted)
        reply(connection, found->second.request, Cause::activation_confirmation, false);
    else
        refuse(connection, found->second.request);
    found->second.confirmed = true;
    const auto owner = found->second.connection;
    if (!accepted) pending_.erase(found);
    pump(owner, connection, now);
}

void Outstation::finish(CommandId id, bool done, Instant now) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    assert(found->second.confirmed);
    auto& connection = connections_.at(found->second.connection);
    reply(connection, found->second.request, Cause::activation_termination, !done);
    const auto owner = found->second.connection;
    pending_.erase(found);
    pump(owner, connection, now);
}

}  // namespace wattmesh::iec104
