#include "headend/database/read_reports.h"

#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

void ReportReader::energy_days(const ObisCode& profile, UtcDay first, UtcDay last,
                               const std::function<void(const EnergyDay&)>& row) {
    const auto bank = connection_.run("looking up a bank", [&](soci::session& sql) {
        long long id = -1;
        sql << "select coalesce((select id from bank where profile = :profile), -1)::bigint", use(profile),
            soci::into(id);
        return id;
    });
    // $1 and $2 are days of the utility's own calendar: where they begin depends on its zone.
    const BinaryRows rows{
        connection_,
        "with t as (select id, time_zone, at_us((date '1970-01-01' + $1::int)::timestamp at time zone "
        "time_zone) as low, at_us((date '1970-01-01' + $2::int + 1)::timestamp at time zone time_zone) as "
        "high "
        "from tenant) "
        "select m.number, a.name, c.number, ((at_time(d.from_us) at time zone t.time_zone)::date - date "
        "'1970-01-01')::int as day, coalesce(d.v1, 0), d.v2, d.readings, (select 86400 / b.period_s from "
        "bank b "
        "where b.id = $3)::int, d.doubtful "
        "from t join aggregate_day d on d.tenant = t.id and d.from_us >= t.low and d.from_us < t.high "
        "join meter m on m.id = d.meter join area a on a.id = m.area "
        "left join concentrator c on c.id = m.concentrator where d.bank = $3 order by m.number, day",
        {first.time_since_epoch().count(), last.time_since_epoch().count(), bank},
        "reading daily energies"};
    for (int i = 0; i < rows.size(); ++i) {
        EnergyDay day{.meter = device_number(rows.integer(i, 0)),
                      .area = std::string{rows.text(i, 1)},
                      .concentrator = {},
                      .day = UtcDay{std::chrono::days{static_cast<int>(rows.integer(i, 3))}},
                      .import_wh = rows.integer(i, 4),
                      .export_wh = rows.maybe(i, 5),
                      .readings = static_cast<int>(rows.integer(i, 6)),
                      .expected = static_cast<int>(rows.integer(i, 7)),
                      .doubtful = static_cast<int>(rows.integer(i, 8))};
        if (const auto concentrator = rows.maybe(i, 2)) day.concentrator = device_number(*concentrator);
        row(day);
    }
}

}  // namespace wattmesh::headend::database
