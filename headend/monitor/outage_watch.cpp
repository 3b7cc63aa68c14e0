#include "headend/monitor/outage_watch.h"

#include <algorithm>

namespace wattmesh::headend::monitor {
namespace {

using database::StoredOutage;
constexpr Duration look_back = std::chrono::hours{48}, look_back_max = std::chrono::hours{24 * 30};

StoredOutage stored_form(const InferredOutage& outage) {
    return {.id = 0,
            .transformer = outage.transformer,
            .feeder = outage.feeder,
            .from = outage.from,
            .to = outage.to,
            .whole = outage.whole,
            .customers = outage.customers,
            .reported = outage.reported,
            .silent = outage.silent};
}

bool same_cut(const StoredOutage& a, const StoredOutage& b) {
    return a.transformer == b.transformer && (!a.to || *a.to >= b.from) && (!b.to || *b.to >= a.from);
}

bool equal(const StoredOutage& a, const StoredOutage& b) {
    return a.feeder == b.feeder && a.from == b.from && a.to == b.to && a.whole == b.whole &&
           a.customers == b.customers && a.reported == b.reported && a.silent == b.silent;
}

}  // namespace

bool look_after_outages(database::Connection& connection, const OutageSettings& settings, Instant now) {
    database::Outages outages{connection};
    auto stored = outages.since(now - look_back);
    Instant since = now - look_back;  // further back for what lasts longer
    for (const auto& outage : stored) since = std::min(since, outage.from - settings.together);
    since = std::max(since, now - look_back_max);
    const auto facts = outages.facts(since, now);
    if (facts.words.empty()) return false;
    bool changed = false;
    for (const auto& inferred : infer_outages(settings, facts).outages) {
        auto outage = stored_form(inferred);
        const auto known =
            std::ranges::find_if(stored, [&](const StoredOutage& other) { return same_cut(other, outage); });
        if (known == stored.end()) {
            outages.add(outage);
            changed = true;
            continue;
        }
        outage.id = known->id;
        if (!equal(outage, *known)) {
            outages.change(outage);
            changed = true;
        }
        stored.erase(known);
    }
    // One that began before what was looked at stays; a younger one that is not concluded any more was none.
    for (const auto& left : stored)
        if (left.from > since + settings.together) {
            outages.drop(left.id);
            changed = true;
        }
    return changed;
}

}  // namespace wattmesh::headend::monitor
