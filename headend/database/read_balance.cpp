#include "headend/database/read_balance.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::vector<BalanceInterval> BalanceReader::of(ConcentratorId concentrator, const ObisCode& profile,
                                               UtcDay day) {
    return connection_.run("balancing a transformer", [&](soci::session& sql) {
        std::vector<BalanceInterval> found;
        const auto from = start_of(day), to = end_of(day);
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select r.at_us, sum(r.v1 - coalesce(r.v2, 0)) filter (where m.role = 1)::bigint, "
                    "coalesce(sum(r.v1 - coalesce(r.v2, 0)) filter (where m.role = 0), 0)::bigint, "
                    "(select count(*) from meter x where x.concentrator = cast(:concentrator as bigint) and "
                    "x.role = 0 "
                    "and x.installed_us < r.at_us)::int, "
                    "count(*) filter (where m.role = 0 and r.v1 is not null)::int "
                    "from interval_row r join meter m on m.id = r.meter join bank b on b.id = r.bank "
                    "where m.concentrator = cast(:concentrator as bigint) and b.profile = :profile and "
                    "r.at_us > cast(:from as bigint) and "
                    "r.at_us <= cast(:to as bigint) "
                    "and m.installed_us < r.at_us group by r.at_us order by r.at_us",
             soci::use(concentrator, "concentrator"), soci::use(profile, "profile"), soci::use(from, "from"),
             soci::use(to, "to"));
        for (const auto& row : rows) {
            BalanceInterval interval{.at = row.get<Instant>(0),
                                     .supplied_wh = {},
                                     .consumed_wh = row.get<long long>(2),
                                     .meters_expected = row.get<int>(3),
                                     .meters_read = row.get<int>(4)};
            if (row.get_indicator(1) != soci::i_null) interval.supplied_wh = row.get<long long>(1);
            found.push_back(interval);
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
