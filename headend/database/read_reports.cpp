#include "headend/database/read_reports.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

void ReportReader::energy_days(const ObisCode& profile, UtcDay first, UtcDay last,
                               const std::function<void(const EnergyDay&)>& row) {
    connection_.run("reading daily energies", [&](soci::session& sql) {
        const long long from = first.time_since_epoch().count(), to = last.time_since_epoch().count();
        const auto bank = to_string(profile);
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select m.number, a.name, c.number, l.day::int, coalesce(d.v1, 0), d.v2, d.readings, "
                    "round(86400 / b.period_s)::int, d.doubtful "
                    "from aggregate_day d join bank b on b.id = d.bank and b.profile = :profile "
                    "join meter m on m.id = d.meter join area a on a.id = m.area join tenant t on t.id = "
                    "m.tenant "
                    "left join concentrator c on c.id = m.concentrator "
                    "cross join lateral (select (at_time(d.from_us) at time zone t.time_zone)::date - date "
                    "'1970-01-01' "
                    "as day) l "
                    "where d.from_us >= (cast(:from as bigint) - 1) * 86400000000 and d.from_us <= (cast(:to "
                    "as bigint) + 1) "
                    "* 86400000000 and l.day between cast(:from as bigint) and cast(:to as bigint) order by "
                    "m.number, l.day",
             soci::use(bank, "profile"), soci::use(from, "from"), soci::use(to, "to"));
        for (const auto& found : rows) {
            EnergyDay day{.meter = found.get<DeviceNumber>(0),
                          .area = found.get<std::string>(1),
                          .concentrator = found.get<std::optional<DeviceNumber>>(2),
                          .day = UtcDay{std::chrono::days{found.get<int>(3)}},
                          .import_wh = found.get<long long>(4),
                          .export_wh = {},
                          .readings = found.get<int>(6),
                          .expected = found.get<int>(7),
                          .doubtful = found.get<int>(8)};
            if (found.get_indicator(5) == soci::i_ok) day.export_wh = found.get<long long>(5);
            row(day);
        }
    });
}

}  // namespace wattmesh::headend::database
