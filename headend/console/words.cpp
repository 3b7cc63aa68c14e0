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

void write(Json& json, const database::ConcentratorLine& line, const database::CompletenessCounts& today) {
    json.field("number", line.concentrator.number).field("name", line.concentrator.name);
    json.field("state", state_word(line.concentrator)).field("last_seen", line.concentrator.last_seen);
    json.field("meters", line.meters).field("joined", line.joined).field("hops_max", line.hops_max);
    json.field("expected", today.expected).field("received", today.received);
}

void write(Json& json, const database::MissingCounts& counts) {
    std::vector<std::size_t> order;
    order.reserve(counts.size());
    for (std::size_t reason = 0; reason < counts.size(); ++reason)
        if (counts[reason] > 0) order.push_back(reason);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
    json.open_array();
    for (const auto reason : order)
        json.open_object()
            .field("reason", to_string(static_cast<database::MissingReason>(reason)))
            .field("intervals", counts[reason])
            .close_object();
    json.close_array();
}

database::MissingCounts counts_of(const std::vector<database::MissingRange>& ranges) {
    database::MissingCounts counts{};
    for (const auto& range : ranges)
        counts[static_cast<std::size_t>(range.reason)] += (range.to - range.from) / interval_period + 1;
    return counts;
}

database::MissingReason main_reason(const database::MissingCounts& counts) {
    const auto most = std::max_element(counts.begin(), counts.end());
    return *most == 0 ? database::MissingReason::not_read
                      : static_cast<database::MissingReason>(most - counts.begin());
}

}  // namespace wattmesh::headend::console
