#include "headend/database/read_completeness.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

/// Per meter and day: how many interval ends lie in (start, end] after installation and not after `due`, and
/// how many are stored.
constexpr const char* planned =
    "with b as (select id, period_s * 1000000::bigint as period from bank where profile = :profile), "
    "plan as (select m.id as meter, m.number, m.role, m.concentrator, d.day, "
    "greatest(0, least((d.day + 1) * 86400000000, cast(:due as bigint)) / b.period - greatest(d.day * "
    "86400000000, "
    "m.installed_us) / b.period) "
    "as expected from meter m cross join generate_series(cast(:first as bigint), cast(:last as bigint)) as "
    "d(day) cross join b "
    "where m.concentrator is not null and (cast(:concentrator as bigint) = 0 or m.concentrator = "
    "cast(:concentrator as bigint)) "
    "and (cast(:number as bigint) = -1 or m.number = cast(:number as bigint))), "
    "got as (select r.meter, (r.at_us - 1) / 86400000000 as day, count(*) as received from interval_row r "
    "join meter m on m.id = r.meter join b on b.id = r.bank "
    "where r.at_us > cast(:first as bigint) * 86400000000 and r.at_us <= (cast(:last as bigint) + 1) * "
    "86400000000 and r.at_us <= cast(:due as bigint) "
    "and r.at_us > m.installed_us and r.v1 is not null "
    "and (cast(:concentrator as bigint) = 0 or m.concentrator = cast(:concentrator as bigint)) and "
    "(cast(:number as bigint) = -1 or m.number = cast(:number as bigint)) "
    "group by 1, 2) ";

struct Question {
    std::string profile;
    long long first, last, due, concentrator = 0, number = -1;
};
Question question(const ObisCode& profile, UtcDay first, UtcDay last, Instant due) {
    return {to_string(profile), first.time_since_epoch().count(), last.time_since_epoch().count(),
            epoch_us(due)};
}
soci::rowset<soci::row> ask(soci::session& sql, const Question& q, const std::string& select) {
    // named parameters that occur several times are bound by name
    return (sql.prepare << planned + select, soci::use(q.profile, "profile"), soci::use(q.due, "due"),
            soci::use(q.first, "first"), soci::use(q.last, "last"), soci::use(q.concentrator, "concentrator"),
            soci::use(q.number, "number"));
}
MissingMeter meter_of(const soci::row& row) {
    return {.number = row.get<DeviceNumber>(0),
            .role = static_cast<dcu::MeterRole>(row.get<int>(1)),
            .expected = row.get<long long>(2),
            .received = row.get<long long>(3)};
}
constexpr const char* per_meter =
    "select p.number, p.role, p.expected, coalesce(g.received, 0) from plan p left join got g on g.meter = "
    "p.meter and g.day = p.day ";

}  // namespace

MissingMeter CompletenessReader::of_concentrator(ConcentratorId concentrator, const ObisCode& profile,
                                                 UtcDay day, Instant due) {
    return connection_.run("counting a concentrator's intervals", [&](soci::session& sql) {
        MissingMeter sum;
        auto q = question(profile, day, day, due);
        q.concentrator = concentrator.value;
        const auto rows =
            ask(sql, q,
                "select coalesce(sum(p.expected), 0)::bigint, coalesce(sum(g.received), 0)::bigint "
                "from plan p left join got g on g.meter = p.meter and g.day = p.day");
        for (const auto& row : rows) {
            sum.expected = row.get<long long>(0);
            sum.received = row.get<long long>(1);
        }
        return sum;
    });
}

std::vector<MissingMeter> CompletenessReader::missing(ConcentratorId concentrator, const ObisCode& profile,
                                                      UtcDay day, Instant due) {
    return connection_.run("listing meters with missing intervals", [&](soci::session& sql) {
        std::vector<MissingMeter> meters;
        auto q = question(profile, day, day, due);
        q.concentrator = concentrator.value;
        const auto rows = ask(sql, q,
                              std::string{per_meter} +
                                  "where coalesce(g.received, 0) < p.expected "
                                  "order by coalesce(g.received, 0) - p.expected, p.number");
        for (const auto& row : rows) meters.push_back(meter_of(row));
        return meters;
    });
}

MissingMeter CompletenessReader::of_meter(DeviceNumber number, const ObisCode& profile, UtcDay day,
                                          Instant due) {
    return connection_.run("counting a meter's intervals", [&](soci::session& sql) {
        MissingMeter found{.number = number};
        auto q = question(profile, day, day, due);
        q.number = number_of(number);
        const auto rows = ask(sql, q, per_meter);
        for (const auto& row : rows) found = meter_of(row);
        return found;
    });
}

}  // namespace wattmesh::headend::database
