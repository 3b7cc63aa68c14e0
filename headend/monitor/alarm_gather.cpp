#include "headend/monitor/alarm_gather.h"

#include <algorithm>
#include <iterator>

namespace wattmesh::headend::monitor {
namespace {

using database::AlarmObject;

std::string rolled_text(const AlarmRule& rule, int members, const AlarmObject& place) {
    std::string text{rule.rolled};
    if (const auto at = text.find("%d"); at != std::string::npos)
        text.replace(at, 2, std::to_string(members));
    if (const auto at = text.find("%s"); at != std::string::npos)
        text.replace(at, 2, place.kind + " " + place.name);
    return text;
}

/// One sign of the place `at` of all of `group`.
GatheredSign merge(const AlarmRule& rule, std::vector<GatheredSign> group, const AlarmObject& at) {
    GatheredSign result;
    result.sign.rule = rule.word;
    result.sign.object = at;
    result.sign.members = 0;
    result.sign.tenant = group.front().sign.tenant;
    result.sign.area = group.front().sign.area;
    result.sign.since = group.front().sign.since;
    for (auto& one : group) {
        auto& sign = one.sign;
        result.sign.members += sign.members;
        result.sign.since = std::min(result.sign.since, sign.since);
        if (sign.area != result.sign.area) result.sign.area.reset();
        if (result.sign.places.empty()) {
            const auto place = std::ranges::find(sign.places, at);
            if (place != sign.places.end()) result.sign.places.assign(place + 1, sign.places.end());
        }
        if (sign.object != at) result.absorbed.push_back(std::move(sign.object));
        std::ranges::move(one.absorbed, std::back_inserter(result.absorbed));
    }
    result.sign.text = rolled_text(rule, result.sign.members, at);
    return result;
}

using Groups = std::map<AlarmObject, std::vector<GatheredSign>>;

/// Merges the groups that `wanted` accepts; true when any was.
template <class Place, class Wanted>
bool merge_groups(const AlarmRule& rule, std::vector<GatheredSign>& signs, Place place_of, Wanted wanted) {
    Groups groups;
    std::vector<GatheredSign> rest;
    for (auto& one : signs) {
        const AlarmObject* const place = place_of(one.sign);
        if (place == nullptr) {
            rest.push_back(std::move(one));
        } else {
            const AlarmObject key = *place;
            groups[key].push_back(std::move(one));
        }
    }
    bool merged = false;
    for (auto& [place, group] : groups) {
        if (wanted(place, group)) {
            rest.push_back(merge(rule, std::move(group), place));
            merged = true;
        } else {
            std::ranges::move(group, std::back_inserter(rest));
        }
    }
    signs = std::move(rest);
    return merged;
}

const AlarmObject* nearest(const AlarmSign& sign) {
    return sign.places.empty() ? nullptr : &sign.places.front();
}

}  // namespace

std::vector<GatheredSign> gather(const AlarmRule& rule, std::vector<AlarmSign> signs,
                                 const std::vector<AlarmObject>& standing) {
    std::vector<GatheredSign> all;
    all.reserve(signs.size());
    for (auto& sign : signs) all.push_back({std::move(sign), {}});
    if (rule.roll_up_from == 0) return all;
    // What belongs to a larger alarm that stands stays there until the last of it is over.
    merge_groups(
        rule, all,
        [&](const AlarmSign& sign) -> const AlarmObject* {
            const auto place = std::find_if(sign.places.rbegin(), sign.places.rend(), [&](const auto& at) {
                return std::ranges::find(standing, at) != standing.end();
            });
            return place == sign.places.rend() ? nullptr : &*place;
        },
        [](const auto&, const auto&) { return true; });
    const auto enough = static_cast<std::size_t>(rule.roll_up_from);
    merge_groups(rule, all, nearest, [&](const auto&, const auto& group) { return group.size() >= enough; });
    while (all.size() > alarm_flood_max) {
        if (merge_groups(rule, all, nearest, [](const auto&, const auto& group) { return group.size() > 1; }))
            continue;
        bool higher = false;  // each at a place of its own: look at the next larger place
        for (auto& one : all) {
            if (one.sign.places.empty()) continue;
            one.sign.places.erase(one.sign.places.begin());
            higher = higher || !one.sign.places.empty();
        }
        if (!higher) break;
    }
    return all;
}

}  // namespace wattmesh::headend::monitor
