#include "headend/database/completeness.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

std::string reason_of(const std::optional<int>& fault, const std::optional<int>& link) {
    if (fault) return std::string{dcu::to_string(static_cast<dcu::ReadFault>(*fault))};
    return link == static_cast<int>(dcu::EntryKind::meter_lost) ? "lost" : "not_read";
}

}  // namespace

std::vector<MeterCompleteness> Completeness::of(ConcentratorId concentrator, const ObisCode& profile,
                                                Instant from, Instant to) {
    return connection_.run("counting readings", [&](soci::session& sql) {
        std::vector<MeterCompleteness> found;
        // Expected are the multiples of the period in (greatest(from, installed), to].
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.id, m.number, greatest(0, cast(:to as bigint) / p.us - "
                            "greatest(cast(:from as bigint), "
                            "m.installed_us) / p.us), (select count(*) from interval_row r where r.meter = "
                            "m.id and r.bank = p.id "
                            "and r.at_us > :from2 and r.at_us <= :to2 and r.at_us % p.us = 0 and r.at_us > "
                            "m.installed_us) "
                            "from meter m, (select id, period_s * 1000000::bigint as us from bank where "
                            "profile = :profile) p "
                            "where m.concentrator = :concentrator order by m.number",
             use(to), use(from), use(from), use(to), use(profile), use(concentrator));
        for (const auto& row : rows)
            found.push_back({row.get<MeterId>(0), row.get<DeviceNumber>(1), row.get<long long>(2),
                             row.get<long long>(3)});
        return found;
    });
}

std::vector<MissingRange> Completeness::missing(ConcentratorId concentrator, const ObisCode& profile,
                                                Instant from, Instant to, int count_max) {
    return connection_.run("finding missing readings", [&](soci::session& sql) {
        std::vector<MissingRange> found;
        // Islands: consecutive missing instants share the number (instant - place * period).
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "with absent as (select m.number, p.us, g.slot * p.us as at_us from meter m, "
                    "(select id, period_s * 1000000::bigint as us from bank where profile = :profile) p, "
                    "lateral generate_series(greatest(cast(:from as bigint), m.installed_us) / p.us + 1, "
                    "cast(:to as bigint) / p.us) g(slot) where m.concentrator = :concentrator and not exists "
                    "(select 1 from interval_row r where r.meter = m.id and r.bank = p.id and r.at_us = "
                    "g.slot * p.us "
                    "and r.at_us > :from2 and r.at_us <= :to2)), "
                    "ranges as (select number, min(at_us) as low, max(at_us) as high from (select number, "
                    "at_us, at_us - us * "
                    "row_number() over (partition by number order by at_us) as island from absent) i "
                    "group by number, island order by number, low limit :most) "
                    "select number, low, high, (select e.fault::int from event e where e.meter_number = "
                    "ranges.number "
                    "and e.kind = 5 and e.from_us <= ranges.high and e.to_us >= ranges.low order by e.at_us "
                    "desc limit 1), "
                    "(select e.kind::int from event e where e.meter_number = ranges.number and e.kind in (3, "
                    "4) "
                    "order by e.at_us desc limit 1) from ranges order by number, low",
             use(profile), use(from), use(to), use(concentrator), use(from), use(to), use(count_max));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), row.get<Instant>(1), row.get<Instant>(2),
                             reason_of(row.get<std::optional<int>>(3), row.get<std::optional<int>>(4))});
        return found;
    });
}

}  // namespace wattmesh::headend::database
