#include "headend/database/validation_days.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

using validation::MeterClass;

/// Days without any energy right before `from`, at most eight.
int zero_days(soci::session& sql, MeterId meter, Instant from) {
    int days = 0;
    const soci::rowset<soci::row> rows = (sql.prepare << "select v1 from aggregate_day where meter = :meter "
                                                         "and bank = 1 and from_us < :from order by from_us "
                                                         "desc limit 8",
                                          use(meter), use(from));
    for (const auto& row : rows) {
        if (row.get_indicator(0) == soci::i_null || row.get<long long>(0) != 0) break;
        ++days;
    }
    return days;
}

std::size_t intervals_in(const LocalDay& day) {
    return static_cast<std::size_t>((day.to - day.from) / std::chrono::minutes{15});
}

/// Puts a row into the day or, when it is of the day before, into what went before.
void place(validation::MeterDay& day, Instant at, std::optional<std::int64_t> import_wh,
           std::optional<std::int64_t> reactive) {
    if (at <= day.from) {
        const bool same = import_wh && day.before_wh == import_wh;
        day.same_before = same ? day.same_before + 1 : import_wh ? 1 : 0;
        day.before_wh = import_wh;
        return;
    }
    const auto since = at - day.from;
    if (since % day.period != Duration{}) return;  // off the grid: the gap that it leaves tells
    const auto i = static_cast<std::size_t>(since / day.period) - 1;
    if (i >= day.import_wh.size()) return;
    day.import_wh[i] = import_wh;
    day.reactive_varh[i] = reactive;
}

constexpr const char* dark_spans =
    "select m.id, e.at_us, coalesce((select min(n.at_us) from event n where n.meter_number = e.meter_number "
    "and "
    "n.kind in (3, 11) and n.at_us > e.at_us), cast(:to as bigint)) from event e join meter m on m.number = "
    "e.meter_number where coalesce(m.concentrator, 0) = :concentrator and m.tenant = :tenant and e.kind = 10 "
    "and e.at_us < cast(:to as bigint) and e.at_us > cast(:before as bigint)";
/// What the clocks jumped over or showed twice, where they may have moved.
constexpr const char* clock_spans =
    "select k.meter, k.from_us, k.to_us from clock_correction k join meter m on m.id = k.meter where "
    "coalesce(m.concentrator, 0) = :concentrator and m.tenant = :tenant and k.at_us > cast(:before as "
    "bigint) "
    "and k.from_us < cast(:to as bigint) and k.result in ('sent', 'set', 'no_effect', 'not_verified') order "
    "by k.meter, "
    "k.at_us";

std::optional<std::int64_t> maybe(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<long long>(column);
}

}  // namespace

std::map<std::string, MeterClass> validation_classes(Connection& connection) {
    std::map<std::string, MeterClass> found{
        {"household", validation::household()}, {"business", {}}, {"large", validation::large_customer()}};
    connection.run("reading the limits of validation", [&](soci::session& sql) {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select class, name, value from validation_setting");
        for (const auto& row : rows)
            // A name of a newer program: this one has nothing that it could change.
            static_cast<void>(validation::set(found.at(row.get<std::string>(0)), row.get<std::string>(1),
                                              row.get<long long>(2)));
    });
    return found;
}

std::vector<ValidationDue> ValidationDays::due(int count_max) {
    return connection_.run("listing days to validate", [&](soci::session& sql) {
        std::vector<ValidationDue> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select day, concentrator, mark from validation_due order by day, "
                            "concentrator limit :most",
             use(count_max));
        for (const auto& row : rows)
            found.push_back({row.get<int>(0), row.get<long long>(1), row.get<long long>(2)});
        return found;
    });
}

std::vector<LocalDay> ValidationDays::local_days(const ValidationDue& due) {
    return connection_.run("finding the utility's days", [&](soci::session& sql) {
        std::vector<LocalDay> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select t.id, at_us(l.day at time zone t.time_zone), at_us((l.day + interval '1 "
                            "day') at time zone "
                            "t.time_zone) from (select distinct x.id, x.time_zone from meter m join tenant x "
                            "on x.id = m.tenant where "
                            "coalesce(m.concentrator, 0) = :concentrator) t cross join lateral (select "
                            "distinct date_trunc('day', "
                            "at_time(cast(:day as bigint) * 86400000000 + o) at time zone t.time_zone) as "
                            "day from (values (1::bigint), "
                            "(86400000000)) v(o)) l order by 1, 2",
             soci::use(due.concentrator, "concentrator"), soci::use(due.day, "day"));
        for (const auto& row : rows)
            found.push_back({row.get<TenantId>(0), row.get<Instant>(1), row.get<Instant>(2)});
        return found;
    });
}

std::vector<MeterToValidate> ValidationDays::load(const ValidationDue& due, const LocalDay& day) {
    const auto limits = validation_classes(connection_);
    return connection_.run("reading a day to validate", [&](soci::session& sql) {
        std::vector<MeterToValidate> found;
        std::map<std::int64_t, std::size_t> index;
        const soci::rowset<soci::row> meters =
            (sql.prepare << "select m.id, o.validation_class, (select s.v1 from interval_row s where s.meter "
                            "= m.id and s.bank = "
                            "2 and s.at_us = cast(:from as bigint)), (select s.v1 from interval_row s where "
                            "s.meter = m.id and "
                            "s.bank = 2 and s.at_us = cast(:to as bigint)) from meter m join meter_model o "
                            "on o.name = m.model "
                            "where coalesce(m.concentrator, 0) = :concentrator and m.tenant = :tenant and "
                            "m.installed_us <= "
                            "cast(:from as bigint) order by m.id",
             soci::use(day.from, "from"), soci::use(day.to, "to"),
             soci::use(due.concentrator, "concentrator"), soci::use(day.tenant, "tenant"));
        for (const auto& row : meters) {
            MeterToValidate one{row.get<MeterId>(0), limits.at(row.get<std::string>(1)), {}};
            one.day.from = day.from;
            one.day.import_wh.resize(intervals_in(day));
            one.day.reactive_varh.resize(intervals_in(day));
            one.day.register_from_wh = maybe(row, 2);
            one.day.register_to_wh = maybe(row, 3);
            index[one.meter.value] = found.size();
            found.push_back(std::move(one));
        }
        const Instant before = day.from - std::chrono::hours{24};
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select r.meter, r.at_us, r.v1, r.v3 from interval_row r join meter m on m.id = r.meter "
                    "where "
                    "coalesce(m.concentrator, 0) = :concentrator and m.tenant = :tenant and r.bank = 1 and "
                    "r.at_us > "
                    "cast(:before as bigint) and r.at_us <= cast(:to as bigint) order by r.meter, r.at_us",
             soci::use(due.concentrator, "concentrator"), soci::use(day.tenant, "tenant"),
             soci::use(before, "before"), soci::use(day.to, "to"));
        for (const auto& row : rows)
            if (const auto at = index.find(row.get<long long>(0)); at != index.end())
                place(found[at->second].day, row.get<Instant>(1), maybe(row, 2), maybe(row, 3));
        const auto spans = [&](const char* query,
                               std::vector<validation::Span> validation::MeterDay::* where) {
            const soci::rowset<soci::row> lines =
                (sql.prepare << query, soci::use(day.to, "to"), soci::use(due.concentrator, "concentrator"),
                 soci::use(day.tenant, "tenant"), soci::use(before, "before"));
            for (const auto& row : lines)
                if (const auto at = index.find(row.get<long long>(0)); at != index.end())
                    (found[at->second].day.*where).push_back({row.get<Instant>(1), row.get<Instant>(2)});
        };
        spans(dark_spans, &validation::MeterDay::dark);
        spans(clock_spans, &validation::MeterDay::clock_set);
        for (auto& one : found)
            if (one.day.before_wh == 0 && one.day.same_before >= 96)
                one.day.same_before = std::max(one.day.same_before, 96 * zero_days(sql, one.meter, day.from));
        return found;
    });
}

void ValidationDays::store(MeterId meter, const validation::MeterDay& day,
                           const std::vector<validation::Finding>& findings, Instant now) {
    connection_.run("storing what validation found", [&](soci::session& sql) {
        sql << "delete from validation_finding where meter = :meter and bank = 1 and day_us = :day",
            use(meter), use(day.from);
        for (const auto& finding : findings) {
            const std::string rule{to_string(finding.rule)}, verdict{to_string(finding.verdict)},
                quality{quality_code(finding.rule)};
            const Instant first = day.from + (finding.first + 1) * day.period,
                          last = day.from + (finding.last + 1) * day.period;
            sql << "insert into validation_finding select m.id, 1, :day, :rule, :first, :last, :verdict, "
                   ":quality, :value, "
                   ":believed, :now, m.tenant, m.area from meter m where m.id = :meter on conflict do "
                   "nothing",
                use(day.from), use(rule), use(first), use(last), use(verdict), use(quality),
                use(finding.value), use(finding.limit), use(now), use(meter);
        }
    });
}

bool ValidationDays::done(const ValidationDue& due) {
    return connection_.run("closing a validated day", [&](soci::session& sql) {
        soci::statement remove =
            (sql.prepare << "delete from validation_due where day = :day and concentrator = "
                            ":concentrator and mark = :mark",
             use(due.day), use(due.concentrator), use(due.mark));
        remove.execute(true);
        return remove.get_affected_rows() == 1;
    });
}

std::vector<FindingLine> ValidationDays::list(const std::string& rule, std::optional<DeviceNumber> meter,
                                              int count_max) {
    return connection_.run("listing what validation found", [&](soci::session& sql) {
        std::vector<FindingLine> found;
        const long long only = meter ? number_of(*meter) : -1;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.number, f.day_us, f.first_us, f.last_us, f.rule, f.verdict, f.quality, "
                            "f.value, f.believed "
                            "from validation_finding f join meter m on m.id = f.meter where (cast(:rule as "
                            "text) = '' or f.rule = "
                            ":rule) and (cast(:only as bigint) < 0 or m.number = cast(:only as bigint)) "
                            "order by f.day_us desc, "
                            "f.verdict, m.number, f.first_us limit :most",
             soci::use(rule, "rule"), soci::use(only, "only"), soci::use(count_max, "most"));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), row.get<Instant>(1), row.get<Instant>(2),
                             row.get<Instant>(3), row.get<std::string>(4), row.get<std::string>(5),
                             row.get<std::string>(6), row.get<long long>(7), row.get<long long>(8)});
        return found;
    });
}

}  // namespace wattmesh::headend::database
