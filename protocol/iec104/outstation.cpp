#include "protocol/iec104/outstation.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::iec104 {
namespace {

/// A peer that asks on and acknowledges nothing.
constexpr std::size_t replies_max = 4'096;

}  // namespace

Outstation::Outstation(const OutstationSettings& settings, std::vector<PointDefinition> points)
    : settings_(settings), image_(std::move(points)) {}

std::size_t Outstation::add_group(const GroupSettings& settings) {
    groups_.push_back({settings, EventBuffer{settings.events_max}, false, std::nullopt, {}});
    return groups_.size() - 1;
}

ConnectionId Outstation::connect(std::size_t group, Instant now) {
    assert(group < groups_.size());
    const ConnectionId id{++last_connection_};
    connections_.emplace(id, Connection{Link{Side::controlled, settings_.link, now}, group, {}, {}, {}, 0});
    return id;
}

void Outstation::disconnect(ConnectionId id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    give_back(found->second);
    auto& active = groups_[found->second.group].active;
    if (active == id) active.reset();
    std::erase_if(selections_, [id](const auto& selection) { return selection.second.connection == id; });
    std::erase_if(pending_, [id](const auto& pending) { return pending.second.connection == id; });
    connections_.erase(found);
}

void Outstation::feed(ConnectionId id, Bytes octets, Instant now) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    auto& connection = found->second;
    connection.link.feed(octets);
    while (true) {
        const auto asdu = connection.link.next(now);
        after_link(id, connection);
        if (!asdu) break;
        on_asdu(id, connection, *asdu, now);
        if (connection.replies.size() > replies_max) connection.link.abandon(LinkFault::not_acknowledged);
    }
    pump(id, connection, now);
}

/// What the last frame changed: acknowledged reports are done with; a start makes the connection active.
void Outstation::after_link(ConnectionId id, Connection& connection) {
    for (; connection.acknowledged < connection.link.acknowledged(); ++connection.acknowledged)
        connection.in_flight.pop_front();
    auto& active = groups_[connection.group].active;
    if (connection.link.started() && active != id) activate(id, connection);
    if (connection.link.stopped() && active == id) {
        give_back(connection);
        active.reset();
    }
}

void Outstation::activate(ConnectionId id, Connection& connection) {
    auto& group = groups_[connection.group];
    if (group.active) {
        auto& other = connections_.at(*group.active);
        other.link.suspend();
        give_back(other);
    }
    group.active = id;
    connection.replies.clear();
    if (std::exchange(group.armed, true)) return;
    for (const auto station : image_.stations()) {
        Header header;
        header.type = Type::end_of_initialisation;
        header.cause = Cause::initialised;
        header.common_address = station;
        AsduBuilder builder{header, false};
        builder.add({0, EndOfInitialisation{}, {}, {}});
        connection.replies.push_back(builder.take());
    }
}

void Outstation::give_back(Connection& connection) {
    auto& events = groups_[connection.group].events;
    for (auto frame = connection.in_flight.rbegin(); frame != connection.in_flight.rend(); ++frame)
        events.give_back(std::exchange(*frame, {}));
    connection.replies.clear();
    connection.interrogations.clear();
}

Buffer Outstation::take(ConnectionId id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? Buffer{} : found->second.link.take();
}

std::optional<LinkFault> Outstation::fault(ConnectionId id) const {
    const auto found = connections_.find(id);
    return found == connections_.end() ? std::nullopt : found->second.link.fault();
}

bool Outstation::active(ConnectionId id) const {
    const auto found = connections_.find(id);
    return found != connections_.end() && groups_[found->second.group].active == id;
}

void Outstation::set(std::size_t index, const PointState& state, Instant now, Cause cause) {
    if (const auto event = image_.set(index, state, now, cause)) report(*event);
}

/// Who has never started gets everything by interrogation, so that nothing is kept for him.
void Outstation::report(const Event& event) {
    for (auto& group : groups_)
        if (group.armed) group.events.put(event);
}

void Outstation::pump(Instant now) {
    for (auto& [id, connection] : connections_) pump(id, connection, now);
}

/// Answers first; then reports, so that what a running interrogation shows is never older than a report that
/// follows it.
void Outstation::pump(ConnectionId id, Connection& connection, Instant now) {
    auto& group = groups_[connection.group];
    if (group.active != id) return;
    while (connection.link.ready()) {
        if (!connection.replies.empty()) {
            auto asdu = std::move(connection.replies.front());
            connection.replies.pop_front();
            send(connection, std::move(asdu), {}, now);
        } else if (!group.events.empty()) {
            auto events = group.events.next();
            auto asdu = encode(events);
            send(connection, std::move(asdu), std::move(events), now);
        } else if (!connection.interrogations.empty()) {
            send(connection, continue_interrogation(connection), {}, now);
        } else {
            return;
        }
    }
}

void Outstation::send(Connection& connection, Buffer asdu, std::vector<Event> events, Instant now) {
    connection.link.send(asdu, now);
    connection.in_flight.push_back(std::move(events));
}

void Outstation::tick(Instant now) {
    for (const auto& event : image_.due(now)) report(event);
    std::erase_if(selections_, [now](const auto& selection) { return selection.second.until <= now; });
    for (auto& [id, connection] : connections_) {
        connection.link.tick(now);
        after_link(id, connection);
    }
    pump(now);
}

Instant Outstation::wake() const {
    auto soonest = image_.wake();
    for (const auto& [id, connection] : connections_) soonest = std::min(soonest, connection.link.wake());
    for (const auto& [key, selection] : selections_) soonest = std::min(soonest, selection.until);
    return soonest;
}

void Outstation::replace(std::vector<PointDefinition> points, Instant now) {
    PointImage image{std::move(points)};
    image.inherit(image_);
    image_ = std::move(image);
    selections_.clear();
    for (auto& [id, connection] : connections_) {
        for (const auto& work : std::exchange(connection.interrogations, {}))
            reply(connection, work.request, Cause::activation_termination, false);
    }
    pump(now);
}

}  // namespace wattmesh::iec104
