#include "headend/monitor/gaps.h"

#include <algorithm>
#include <set>

#include "headend/database/completeness.h"
#include "headend/database/concentrators.h"
#include "headend/database/desired_states.h"
#include "headend/database/keys.h"
#include "headend/database/meters.h"

namespace wattmesh::headend::monitor {
namespace {

/// What the store knows about the range.
MissingReason reason_of(database::MissingReason reason) {
    using Stored = database::MissingReason;
    switch (reason) {
        case Stored::no_route:
            return MissingReason::not_joined;
        case Stored::outage:
        case Stored::out_of_service:
            return MissingReason::outage;
        case Stored::no_answer:
            return MissingReason::no_answer;
        case Stored::wrong_key:
            return MissingReason::not_authentic;
        case Stored::association_refused:
            return MissingReason::refused;
        case Stored::clock:
        case Stored::meter_fault:
            return MissingReason::malformed;
        case Stored::not_read:
            break;
    }
    return MissingReason::not_read;
}

constexpr Duration reading_time = std::chrono::minutes{5};  ///< a round takes about this long

}  // namespace

std::string_view to_string(MissingReason reason) {
    switch (reason) {
        case MissingReason::not_yet_due:
            return "not_yet_due";
        case MissingReason::concentrator_offline:
            return "concentrator_offline";
        case MissingReason::not_enrolled:
            return "not_enrolled";
        case MissingReason::no_key:
            return "no_key";
        case MissingReason::outage:
            return "outage";
        case MissingReason::not_joined:
            return "not_joined";
        case MissingReason::no_answer:
            return "no_answer";
        case MissingReason::not_authentic:
            return "not_authentic";
        case MissingReason::refused:
            return "refused";
        case MissingReason::malformed:
            return "malformed";
        case MissingReason::lost_entries:
            return "lost_entries";
        case MissingReason::not_read:
            return "not_read";
    }
    return "?";
}

ConcentratorCompleteness completeness(database::Connection& connection, DeviceNumber number,
                                      const ObisCode& profile, Instant from, Instant to, Instant now,
                                      int missing_max) {
    ConcentratorCompleteness result;
    const auto concentrator = database::Concentrators{connection}.find(number);
    if (!concentrator) return result;
    // A meter that calls in has neither certificate nor keys of a reading client.
    const bool direct = concentrator->road == database::Road::direct;
    database::Completeness store{connection};
    for (const auto& meter : store.of(concentrator->id, profile, from, to)) {
        result.meters.push_back({meter.number, meter.expected, meter.stored});
    }
    std::set<DeviceNumber> keyed;
    for (const auto& keys : database::Keys{connection}.reading_keys_of(concentrator->id))
        keyed.insert(keys.number);
    for (const auto& range : store.missing(concentrator->id, profile, from, to, missing_max)) {
        MissingReason reason = reason_of(range.reason);
        if (range.from > now - reading_time) {
            reason = MissingReason::not_yet_due;
        } else if (!direct && concentrator->state == database::ConcentratorState::registered) {
            reason = MissingReason::not_enrolled;
        } else if (!direct && !keyed.contains(range.number)) {
            reason = MissingReason::no_key;
        } else if (concentrator->link == database::LinkState::offline) {
            reason = MissingReason::concentrator_offline;
        }
        result.missing.push_back({range.number, range.from, range.to, reason});
    }
    return result;
}

std::vector<dcu::BackfillRange> Backfill::overdue(const std::vector<Missing>& missing, Instant now) {
    std::vector<dcu::BackfillRange> ranges;
    for (const Missing& gap : missing) {
        const bool hopeless = gap.reason == MissingReason::no_key ||
                              gap.reason == MissingReason::not_enrolled ||
                              gap.reason == MissingReason::concentrator_offline ||
                              gap.reason == MissingReason::outage || gap.reason == MissingReason::not_joined;
        const auto [seen, first] = seen_.try_emplace({gap.meter, gap.from, gap.to}, now);
        if (first || hopeless || now - seen->second < settings_.stands_for) continue;
        if (ranges.size() == settings_.ranges_max) break;
        seen->second = now;
        ranges.push_back({gap.meter, profile_, gap.from, gap.to});
    }
    return ranges;
}

std::vector<DeviceNumber> Backfill::look(database::Connection& connection, Instant now) {
    std::map<DeviceNumber, dcu::Backfill> orders;  // whoever has the meter now can read it
    std::set<Gap> present;
    database::Meters meters{connection};
    for (const auto& concentrator : database::Concentrators{connection}.all()) {
        if (concentrator.state != database::ConcentratorState::enrolled) continue;
        const auto found = completeness(connection, concentrator.number, profile_, now - settings_.depth,
                                        now - settings_.due_after, now);
        for (const Missing& gap : found.missing) present.insert({gap.meter, gap.from, gap.to});
        for (auto& range : overdue(found.missing, now)) {
            const auto meter = meters.find(range.number);
            const auto holder = meter ? meter->concentrator_number : std::nullopt;
            orders[holder.value_or(concentrator.number)].ranges.push_back(std::move(range));
        }
    }
    std::vector<DeviceNumber> ordered;
    for (auto& [number, order] : orders) {
        const auto concentrator = database::Concentrators{connection}.find(number);
        if (!concentrator) continue;
        if (order.ranges.size() > settings_.ranges_max) order.ranges.resize(settings_.ranges_max);
        database::DesiredStates{connection}.desire(concentrator->id, dcu::objects::backfill,
                                                   dlms::encode_data(dcu::to_data(order)), now);
        ordered.push_back(number);
    }
    std::erase_if(seen_, [&](const auto& gap) { return !present.contains(gap.first); });
    return ordered;
}

}  // namespace wattmesh::headend::monitor
