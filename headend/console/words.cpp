#include "headend/console/words.h"

#include <algorithm>

namespace wattmesh::headend::console {

std::string state_word(const database::Concentrator& concentrator) {
    if (concentrator.state == database::ConcentratorState::revoked) return "revoked";
    if (concentrator.link == database::LinkState::online) return "online";
    return concentrator.last_seen ? "offline" : "never";
}

std::string state_word(const database::MeterPlace& place) {
    if (!place.known) return "unseen";
    if (place.dark) return "dark";
    return place.joined ? "joined" : "lost";
}

std::string_view role_word(dcu::MeterRole role) {
    if (role == dcu::MeterRole::collector) return "collector";
    return role == dcu::MeterRole::summary ? "summary" : "customer";
}

void write(Json& json, const database::ConcentratorLine& line, const Completed& today) {
    json.field("number", line.concentrator.number).field("name", line.concentrator.name);
    json.field("state", state_word(line.concentrator)).field("last_seen", line.concentrator.last_seen);
    json.field("meters", line.meters).field("joined", line.joined).field("hops_max", line.hops_max);
    json.field("expected", today.expected).field("received", today.received);
}

std::string reason_of(const database::MissingRange& range, bool online) {
    return range.reason == "not_read" && !online ? "concentrator_offline" : range.reason;
}

std::int64_t intervals_in(const database::MissingRange& range) {
    return (range.to - range.from) / interval_period + 1;
}

ReasonCounts reasons(const std::vector<database::MissingRange>& ranges, bool online) {
    std::map<std::string, std::int64_t> counts;
    for (const auto& range : ranges) counts[reason_of(range, online)] += intervals_in(range);
    ReasonCounts ordered{counts.begin(), counts.end()};
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    return ordered;
}

void write(Json& json, const ReasonCounts& counts) {
    json.open_array();
    for (const auto& [reason, intervals] : counts)
        json.open_object().field("reason", reason).field("intervals", intervals).close_object();
    json.close_array();
}

}  // namespace wattmesh::headend::console
