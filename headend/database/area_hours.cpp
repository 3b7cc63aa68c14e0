#include "headend/database/area_hours.h"

#include <algorithm>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::vector<AreaHours> area_hours(Connection& connection) {
    return connection.run("reading the hours of areas", [&](soci::session& sql) {
        std::vector<AreaHours> found;
        const soci::rowset<std::string> names = (sql.prepare << "select name from area order by name, id");
        for (const auto& name : names) found.push_back({name, {}, {}});
        const auto of = [&](const std::string& name) -> AreaHours& {
            return *std::find_if(found.begin(), found.end(),
                                 [&](const auto& one) { return one.area == name; });
        };
        const soci::rowset<soci::row> hours =
            (sql.prepare
             << "select a.name, h.weekday::int, h.from_minute, h.to_minute from prepayment_hours h "
                "join area a on a.id = h.area order by 1, 2, 3");
        for (const auto& row : hours)
            of(row.get<std::string>(0)).hours.push_back({row.get<int>(1), row.get<int>(2), row.get<int>(3)});
        const soci::rowset<soci::row> holidays =
            (sql.prepare << "select a.name, h.day - date '1970-01-01', h.name from prepayment_holiday h join "
                            "area a on a.id = h.area order by 1, 2");
        for (const auto& row : holidays)
            of(row.get<std::string>(0))
                .holidays.push_back(
                    {std::chrono::sys_days{std::chrono::days{row.get<int>(1)}}, row.get<std::string>(2)});
        return found;
    });
}

std::optional<AreaHours> area_hours(Connection& connection, const std::string& area) {
    std::optional<AreaHours> found;
    for (auto& one : area_hours(connection)) {
        if (one.area != area) continue;
        if (found) return std::nullopt;
        found = std::move(one);
    }
    return found;
}

void set_area_hours(Connection& connection, const AreaHours& wanted) {
    connection.run("storing the hours of an area", [&](soci::session& sql) {
        for (const char* table : {"prepayment_hours", "prepayment_holiday"}) {
            const auto query = std::string{"delete from "} + table +
                               " where area = (select id from area where name = :area)";
            sql << query, use(wanted.area);
        }
        for (const auto& hours : wanted.hours)
            sql << "insert into prepayment_hours (tenant, area, weekday, from_minute, to_minute) select "
                   "tenant, "
                   "id, :weekday, :from, :to from area where name = :area",
                use(hours.weekday), use(hours.from_minute), use(hours.to_minute), use(wanted.area);
        for (const auto& holiday : wanted.holidays) {
            const int day = static_cast<int>(holiday.day.time_since_epoch().count());
            sql << "insert into prepayment_holiday (tenant, area, day, name) select tenant, id, date "
                   "'1970-01-01' + cast(:day as integer), :name from area where name = :area",
                use(day), use(holiday.name), use(wanted.area);
        }
    });
}

}  // namespace wattmesh::headend::database
