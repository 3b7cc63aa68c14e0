#include "headend/database/read_balance.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::vector<BalanceInterval> BalanceReader::of(NodeId transformer, const ObisCode& profile, UtcDay day) {
    return connection_.run("balancing a transformer", [&](soci::session& sql) {
        std::vector<BalanceInterval> found;
        const auto from = start_of(day), to = end_of(day);
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "with b as (select id, period_s * 1000000::bigint as us from bank where profile = "
                    ":profile), "
                    "hung as materialized (select t.meter, t.role, greatest(t.from_us, m.installed_us) as "
                    "from_us, t.to_us "
                    "from transformer_meter t join meter m on m.id = t.meter where t.transformer = "
                    ":transformer and "
                    "t.from_us < cast(:to as bigint) and t.to_us > cast(:from as bigint)) "
                    "select r.at_us, sum(r.v1 - coalesce(r.v2, 0)) filter (where h.role = 1)::bigint, "
                    "coalesce(sum(r.v1 - coalesce(r.v2, 0)) filter (where h.role = 0), 0)::bigint, "
                    "(select count(*) from hung x where x.role = 0 and x.from_us < r.at_us and x.to_us > "
                    "r.at_us - b.us)::int, "
                    "count(*) filter (where h.role = 0 and r.v1 is not null)::int "
                    "from hung h cross join b join interval_row r on r.meter = h.meter and r.bank = b.id and "
                    "r.at_us > "
                    "greatest(h.from_us, cast(:from as bigint)) and r.at_us <= least(h.to_us, cast(:to as "
                    "bigint)) "
                    "group by r.at_us, b.us order by r.at_us",
             soci::use(profile, "profile"), soci::use(transformer, "transformer"), soci::use(to, "to"),
             soci::use(from, "from"));
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
