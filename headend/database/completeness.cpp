#include "headend/database/completeness.h"

#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::string_view to_string(MissingReason reason) {
    constexpr std::array<std::string_view, missing_reason_count> words{
        "not_read", "no_route",    "no_answer", "association_refused", "wrong_key",
        "clock",    "meter_fault", "outage",    "out_of_service"};
    return words.at(static_cast<std::size_t>(reason));
}

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
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select g.number, g.from_us, g.to_us, g.reason::int from bank b, lateral "
                            "missing_ranges(b.id, :concentrator, :from, :to) g where b.profile = :profile "
                            "order by g.number, g.from_us limit :most",
             use(concentrator), use(from), use(to), use(profile), use(count_max));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), row.get<Instant>(1), row.get<Instant>(2),
                             static_cast<MissingReason>(row.get<int>(3))});
        return found;
    });
}

}  // namespace wattmesh::headend::database
