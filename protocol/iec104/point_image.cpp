#include "protocol/iec104/point_image.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace wattmesh::iec104 {
namespace {

std::optional<double> number_of(const Value& value) {
    if (const auto* number = std::get_if<Float>(&value)) return number->value;
    if (const auto* number = std::get_if<Scaled>(&value)) return number->value;
    if (const auto* number = std::get_if<Normalized>(&value)) return number->raw / 32768.0;
    if (const auto* number = std::get_if<Counter>(&value)) return number->value;
    return std::nullopt;
}

bool same_flags(const Value& a, const Value& b) {
    const auto* one = std::get_if<Counter>(&a);
    const auto* two = std::get_if<Counter>(&b);
    if (one == nullptr || two == nullptr) return true;
    return one->carry == two->carry && one->adjusted == two->adjusted && one->invalid == two->invalid;
}

bool worth_a_report(const PointImage::Point& point) {
    const auto& now = point.state;
    const auto& before = point.reported;
    if (point.definition.deadband < 0) return false;
    if (now.quality != before.quality || !same_flags(now.value, before.value)) return true;
    const auto value = number_of(now.value), last = number_of(before.value);
    if (!value || !last) return now.value != before.value;
    if (std::isnan(*value) || std::isnan(*last)) return std::isnan(*value) != std::isnan(*last);
    return std::abs(*value - *last) > point.definition.deadband;
}

PointState unknown_state(Type type) {
    PointState state{value_of(type), {}, {}};
    state.quality.invalid = true;
    state.time.invalid = true;
    if (auto* counter = std::get_if<Counter>(&state.value)) counter->invalid = true;
    return state;
}

}  // namespace

bool is_monitored(Type type) {
    return with_time(type).has_value() && type != Type::integrated_total && !is_process_command(type);
}

bool is_process_command(Type type) {
    const auto plain = without_time(type);
    return plain == Type::single_command || plain == Type::double_command || plain == Type::float_setpoint;
}

PointImage::PointImage(std::vector<PointDefinition> definitions) {
    const auto by_key = [](const PointDefinition& a, const PointDefinition& b) { return a.key < b.key; };
    std::stable_sort(definitions.begin(), definitions.end(), by_key);
    points_.reserve(definitions.size());
    for (const auto& definition : definitions) {
        assert(definition.key.address <= object_address_max && with_time(definition.type));
        if (!points_.empty() && points_.back().definition.key == definition.key) continue;
        const auto state = unknown_state(definition.type);
        points_.push_back({definition, state, state, never, never});
        if (stations_.empty() || stations_.back() != definition.key.common_address)
            stations_.push_back(definition.key.common_address);
    }
}

std::optional<std::size_t> PointImage::find(PointKey key) const {
    const auto found =
        std::lower_bound(points_.begin(), points_.end(), key,
                         [](const Point& point, PointKey wanted) { return point.definition.key < wanted; });
    if (found == points_.end() || found->definition.key != key) return std::nullopt;
    return static_cast<std::size_t>(found - points_.begin());
}

std::pair<std::size_t, std::size_t> PointImage::range(std::uint16_t common_address) const {
    const auto before = [](const Point& point, std::uint16_t station) {
        return point.definition.key.common_address < station;
    };
    const auto behind = [](std::uint16_t station, const Point& point) {
        return station < point.definition.key.common_address;
    };
    const auto first = std::lower_bound(points_.begin(), points_.end(), common_address, before);
    const auto last = std::upper_bound(first, points_.end(), common_address, behind);
    return {static_cast<std::size_t>(first - points_.begin()),
            static_cast<std::size_t>(last - points_.begin())};
}

std::optional<Event> PointImage::set(std::size_t index, const PointState& state, Instant now, Cause cause) {
    auto& point = points_.at(index);
    assert(state.value.index() == value_of(point.definition.type).index());
    point.state = state;
    if (cause != Cause::spontaneous) {
        release(index);
        return report(index, now, cause);
    }
    if (!worth_a_report(point)) {
        release(index);
        return std::nullopt;
    }
    if (point.reported_at != never && now < point.reported_at + point.definition.interval_min) {
        hold(index, point.reported_at + point.definition.interval_min);
        return std::nullopt;
    }
    release(index);
    return report(index, now, cause);
}

Event PointImage::report(std::size_t index, Instant now, Cause cause) {
    auto& point = points_[index];
    point.reported = point.state;
    point.reported_at = now;
    return {point.definition.key, point.definition.type, point.state, cause};
}

void PointImage::hold(std::size_t index, Instant until) {
    auto& point = points_[index];
    if (point.due == until) return;
    release(index);
    point.due = until;
    held_.emplace(until, index);
}

void PointImage::release(std::size_t index) {
    auto& point = points_[index];
    if (point.due == never) return;
    held_.erase({point.due, index});
    point.due = never;
}

std::vector<Event> PointImage::due(Instant now) {
    std::vector<Event> events;
    while (!held_.empty() && held_.begin()->first <= now) {
        const auto index = held_.begin()->second;
        release(index);
        events.push_back(report(index, now, Cause::spontaneous));
    }
    return events;
}

void PointImage::inherit(const PointImage& other) {
    for (const auto& point : other.points_) {
        const auto index = find(point.definition.key);
        if (!index || points_[*index].definition.type != point.definition.type) continue;
        points_[*index].state = point.state;
        points_[*index].reported = point.reported;
        points_[*index].reported_at = point.reported_at;
        if (point.due != never) hold(*index, point.due);
    }
}

}  // namespace wattmesh::iec104
