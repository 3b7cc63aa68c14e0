#include "headend/database/clocks.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::int64_t ms = 1'000, ms_per_s = 1'000;  // ms: microseconds
constexpr const char* rule_columns =
    "r.class, r.check_every_s, r.correct_from_s, r.correct_to_s, r.midnight_s, r.edge_s, r.offender_count, "
    "r.offender_days, r.automatic::int";

ClockRule rule_of(const soci::row& row) {
    return {.meter_class = row.get<std::string>(0),
            .check_every_s = row.get<int>(1),
            .correct_from_s = row.get<int>(2),
            .correct_to_s = row.get<int>(3),
            .midnight_s = row.get<int>(4),
            .edge_s = row.get<int>(5),
            .offender_count = row.get<int>(6),
            .offender_days = row.get<int>(7),
            .automatic = row.get<int>(8) != 0};
}

std::optional<std::int64_t> maybe_number(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<long long>(column);
}

ClockLine line_of(const soci::row& row) {
    ClockLine line{.meter = row.get<DeviceNumber>(0),
                   .meter_class = row.get<std::string>(1),
                   .fault = row.get<std::string>(2),
                   .measured = row.get<std::optional<Instant>>(3),
                   .offset_ms = maybe_number(row, 4),
                   .uncertainty_ms = maybe_number(row, 5),
                   .drift_ppm = {},
                   .corrections = row.get<int>(7),
                   .corrected = row.get<std::optional<Instant>>(8)};
    if (row.get_indicator(6) == soci::i_ok) line.drift_ppm = row.get<double>(6);
    return line;
}

/// Drift is told from an hour on: before, question and answer take too large a part of it.
/// `clocks`: rows of meter_clock, chosen first: corrections are counted for these only.
std::string lines_of(const std::string& clocks) {
    return "select m.number, o.validation_class, c.fault, c.measured_us, c.offset_ms, c.uncertainty_ms, case "
           "when "
           "c.measured_us - c.since_us >= 3600000000 then (c.offset_ms - c.since_offset_ms) * 1e9::float8 / "
           "(c.measured_us - c.since_us) end, coalesce(k.corrections, 0)::int, k.corrected_us from " +
           clocks + " c join meter m on m.id = c.meter join meter_model o on o.name = m.model ";
}
const std::string corrections_of =
    "left join lateral (select count(*) as corrections, max(x.at_us) as corrected_us from clock_correction x "
    "where x.meter = c.meter and x.result <> 'not_sent'";

}  // namespace

int Clocks::take_up(Instant now, int count_max) {
    return connection_.run("taking up clocks", [&](soci::session& sql) {
        soci::statement insert =
            (sql.prepare
                 << "insert into meter_clock (meter, next_us, tenant, area) select m.id, cast(:now as "
                    "bigint) + (m.number * 7919 % r.check_every_s) * 1000000, m.tenant, m.area from "
                    "meter m join meter_model o on o.name = m.model join clock_rule r on r.tenant = "
                    "m.tenant and r.class = o.validation_class where o.reading_keys <> 'none' and not exists "
                    "(select from "
                    "meter_clock c where c.meter = m.id) limit :most on conflict do nothing",
             soci::use(now, "now"), soci::use(count_max, "most"));
        insert.execute(true);
        return static_cast<int>(insert.get_affected_rows());
    });
}

std::vector<DeviceNumber> Clocks::claim(Instant now, int count_max) {
    return connection_.run("claiming clocks to measure", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "with due as (select c.meter from meter_clock c join meter m on m.id = c.meter left join "
                    "meter_lease l on l.meter = m.id join concentrator h on h.id = coalesce(l.concentrator, "
                    "m.concentrator) and h.link = 1 where c.next_us <= cast(:now as bigint) order by "
                    "c.next_us limit :most for update of c skip locked), taken as (update meter_clock c set "
                    "attempts = least(c.attempts + 1, 100), next_us = cast(:now as bigint) + "
                    "least(r.check_every_s, 900 * (1 << least(c.attempts, 10))) * 1000000::bigint from due, "
                    "meter m, meter_model o, clock_rule r where c.meter = due.meter and m.id = c.meter and "
                    "o.name = m.model and r.tenant = m.tenant and r.class = o.validation_class returning "
                    "m.number) select number "
                    "from taken order by 1",
             soci::use(now, "now"), soci::use(count_max, "most"));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

void Clocks::measured(DeviceNumber meter, const ClockReading& reading) {
    connection_.run("storing how far a clock is off", [&](soci::session& sql) {
        const std::int64_t offset = reading.offset.count() / ms,
                           uncertainty = reading.uncertainty.count() / ms;
        sql << "insert into meter_clock as old (meter, next_us, measured_us, offset_ms, uncertainty_ms, "
               "since_us, since_offset_ms, tenant, area) select m.id, cast(:at as bigint) + r.check_every_s "
               "* "
               "1000000::bigint, :at, :offset, :uncertainty, :at, :offset, m.tenant, m.area from meter m "
               "join meter_model o on o.name = m.model join clock_rule r on r.tenant = m.tenant and r.class "
               "= o.validation_class "
               "where m.number = :meter on conflict (meter) do update set next_us = excluded.next_us, "
               "attempts = 0, fault = '', measured_us = excluded.measured_us, offset_ms = "
               "excluded.offset_ms, uncertainty_ms = excluded.uncertainty_ms, since_us = coalesce("
               "old.since_us, excluded.since_us), since_offset_ms = coalesce(old.since_offset_ms, "
               "excluded.since_offset_ms)",
            soci::use(reading.at, "at"), soci::use(offset, "offset"), soci::use(uncertainty, "uncertainty"),
            soci::use(meter, "meter");
    });
}

void Clocks::missed(DeviceNumber meter, const std::string& fault) {
    connection_.run("noting why a clock did not tell", [&](soci::session& sql) {
        sql << "update meter_clock c set fault = :fault from meter m where m.id = c.meter and m.number = "
               ":meter",
            use(fault), use(meter);
    });
}

std::optional<ClockTask> Clocks::task(DeviceNumber meter, Instant now) {
    return connection_.run(
        "looking up how a clock is set", [&](soci::session& sql) -> std::optional<ClockTask> {
            const std::string query =
                std::string{"select "} + rule_columns +
                ", (select b.period_s from bank b where b.profile = '1-0:99.1.0*255'), at_us(d.day at time "
                "zone "
                "t.time_zone), at_us((d.day + interval '1 day') at time zone t.time_zone), at_us((d.day + "
                "interval '2 days') at time zone t.time_zone) from meter m join meter_model o on o.name = "
                "m.model join clock_rule r on r.tenant = m.tenant and r.class = o.validation_class join "
                "tenant t on t.id = m.tenant "
                "cross join lateral (select date_trunc('day', at_time(cast(:now as bigint)) at time zone "
                "t.time_zone) as "
                "day) d "
                "where m.number = :meter and o.reading_keys <> 'none'";
            const soci::rowset<soci::row> rows =
                (sql.prepare << query, soci::use(now, "now"), soci::use(meter, "meter"));
            for (const auto& row : rows)
                return ClockTask{rule_of(row),
                                 std::chrono::seconds{row.get<int>(9)},
                                 {row.get<Instant>(10), row.get<Instant>(11), row.get<Instant>(12)}};
            return std::nullopt;
        });
}

ClockCorrectionId Clocks::begin(const ClockCorrection& correction) {
    return connection_.run("noting that a clock is about to be set", [&](soci::session& sql) {
        ClockCorrectionId id;
        const std::int64_t before = correction.before.count() / ms;
        sql << "insert into clock_correction (meter, at_us, before_ms, shift_s, from_us, to_us, job, "
               "ordered_by, tenant, area) select m.id, :at, :before, :shift, :from, :to, :job, :by, "
               "m.tenant, m.area from meter m where m.number = :meter returning id",
            use(correction.at), use(before), use(correction.shift_s), use(correction.from),
            use(correction.to), use(correction.job), use(correction.ordered_by), use(correction.meter),
            soci::into(id);
        return id;
    });
}

std::optional<std::pair<ClockCorrectionId, Duration>> Clocks::unended(JobId job, DeviceNumber meter) {
    using Unended = std::pair<ClockCorrectionId, Duration>;
    return connection_.run(
        "looking for an announced correction", [&](soci::session& sql) -> std::optional<Unended> {
            ClockCorrectionId id;
            std::int64_t before = 0;
            sql << "select k.id, k.before_ms from clock_correction k join meter m on m.id = k.meter where "
                   "m.number = :meter and k.job = :job and k.result = 'sent' order by k.at_us desc limit 1",
                use(meter), use(job), soci::into(id), soci::into(before);
            if (!sql.got_data()) return std::nullopt;
            return Unended{id, Duration{before * ms}};
        });
}

void Clocks::end(ClockCorrectionId id, const std::string& result, std::optional<Duration> after) {
    connection_.run("noting how a clock was set", [&](soci::session& sql) {
        const std::int64_t after_ms = after.value_or(Duration{}).count() / ms;
        soci::indicator known = after ? soci::i_ok : soci::i_null;
        sql << "update clock_correction set result = :result, after_ms = :after where id = :id", use(result),
            soci::use(after_ms, known), use(id);
        // Drift is counted anew: whether the clock moved or not, nobody knows it better than the next answer.
        sql << "update meter_clock c set since_us = measured_us, since_offset_ms = offset_ms from "
               "clock_correction k where k.id = :id and c.meter = k.meter and k.result <> 'not_sent'",
            use(id);
    });
}

std::vector<std::pair<TenantId, DeviceNumber>> Clocks::to_correct(Instant now, int count_max) {
    return connection_.run("looking for clocks to set", [&](soci::session& sql) {
        std::vector<std::pair<TenantId, DeviceNumber>> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "with off as (select c.meter from meter_clock c join meter m on m.id = c.meter join "
                    "meter_model o on o.name = m.model join clock_rule r on r.tenant = m.tenant and r.class "
                    "= o.validation_class "
                    "where r.automatic and abs(c.offset_ms) between r.correct_from_s * 1000 and "
                    "r.correct_to_s * 1000 and (c.ordered_us is null or c.ordered_us <= cast(:now as bigint) "
                    "- 86400000000) and not exists (select from clock_correction k where k.meter = c.meter "
                    "and k.at_us >= c.measured_us) and not exists (select from job_item i join job j on j.id "
                    "= i.job where i.subject = lpad(m.number::text, 12, '0') and i.state = 'waiting' and "
                    "j.kind = 'clock') and not exists (select from job_item i join job j on j.id = i.job "
                    "where i.subject = lpad(m.number::text, 12, '0') and i.state = 'working' and j.kind = "
                    "'clock') order by c.measured_us limit :most for update of c skip locked), taken as "
                    "(update meter_clock c set ordered_us = cast(:now as bigint) from off, "
                    "meter m where c.meter = off.meter and m.id = c.meter returning m.tenant, m.number) "
                    "select tenant, number from taken order by 1, 2",
             soci::use(now, "now"), soci::use(count_max, "most"));
        for (const auto& row : rows) found.emplace_back(row.get<TenantId>(0), row.get<DeviceNumber>(1));
        return found;
    });
}

std::vector<ClockRule> Clocks::rules(TenantId tenant) {
    return connection_.run("reading the rules of clocks", [&](soci::session& sql) {
        std::vector<ClockRule> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{"select "} + rule_columns +
                                " from clock_rule r where r.tenant = :tenant order by 1",
             use(tenant));
        for (const auto& row : rows) found.push_back(rule_of(row));
        return found;
    });
}

bool Clocks::put(TenantId tenant, const ClockRule& rule) {
    return connection_.run("changing a rule of clocks", [&](soci::session& sql) {
        const int automatic = rule.automatic ? 1 : 0;
        soci::statement update =
            (sql.prepare << "update clock_rule set check_every_s = :every, correct_from_s = :from, "
                            "correct_to_s = :to, midnight_s = :midnight, edge_s = :edge, offender_count = "
                            ":count, offender_days = :days, automatic = (cast(:automatic as integer) = 1) "
                            "where class = :class and tenant = :tenant",
             use(rule.check_every_s), use(rule.correct_from_s), use(rule.correct_to_s), use(rule.midnight_s),
             use(rule.edge_s), use(rule.offender_count), use(rule.offender_days), use(automatic),
             use(rule.meter_class), use(tenant));
        update.execute(true);
        return update.get_affected_rows() == 1;
    });
}

ClockTotals Clocks::totals() {
    return connection_.run("counting clocks", [&](soci::session& sql) {
        ClockTotals totals;
        sql << "select count(*)::int from meter m join meter_model o on o.name = m.model where "
               "o.reading_keys <> 'none'",
            soci::into(totals.meters);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select e.from_s, e.to_s, count(c.meter)::int from (values (null, -900), (-900, "
                            "-300), (-300, -60), (-60, -10), (-10, 10), (10, 60), (60, 300), (300, 900), "
                            "(900, null)) e(from_s, to_s) left join meter_clock c on (e.from_s is null or "
                            "c.offset_ms >= e.from_s * 1000) and (e.to_s is null or c.offset_ms < e.to_s * "
                            "1000) and c.offset_ms is not null group by 1, 2 order by coalesce(e.from_s, "
                            "-1000000)");
        for (const auto& row : rows) {
            ClockBucket bucket{{}, {}, row.get<int>(2)};
            if (row.get_indicator(0) == soci::i_ok) bucket.from_s = row.get<int>(0);
            if (row.get_indicator(1) == soci::i_ok) bucket.to_s = row.get<int>(1);
            totals.measured += bucket.meters;
            totals.buckets.push_back(bucket);
        }
        return totals;
    });
}

std::vector<ClockLine> Clocks::list(std::optional<int> from_s, std::optional<int> to_s, int count_max) {
    return connection_.run("listing clocks", [&](soci::session& sql) {
        constexpr std::int64_t open = std::int64_t{1} << 50;
        const std::int64_t from = from_s ? *from_s * ms_per_s : -open, to = to_s ? *to_s * ms_per_s : open;
        std::vector<ClockLine> found;
        const std::string query =
            lines_of(
                "(select c.* from meter_clock c join meter m on m.id = c.meter where c.offset_ms >= "
                "cast(:from as bigint) and c.offset_ms < cast(:to as bigint) order by abs(c.offset_ms) "
                "desc, m.number limit :most)") +
            corrections_of + ") k on true order by abs(c.offset_ms) desc, m.number";
        const soci::rowset<soci::row> rows = (sql.prepare << query, use(from), use(to), use(count_max));
        for (const auto& row : rows) found.push_back(line_of(row));
        return found;
    });
}

std::vector<ClockLine> Clocks::offenders(Instant now, int count_max) {
    return connection_.run("listing clocks that are set again and again", [&](soci::session& sql) {
        std::vector<ClockLine> found;
        const std::string query =
            lines_of(
                "(select c.* from meter_clock c where abs(c.offset_ms) > (select min(correct_to_s) * 1000 "
                "from clock_rule) or c.meter in (select x.meter from clock_correction x where x.at_us > "
                "cast(:now as bigint) - (select max(offender_days) from clock_rule) * 86400000000))") +
            "join clock_rule r on r.tenant = m.tenant and r.class = o.validation_class " + corrections_of +
            " and x.at_us > cast(:now as bigint) - r.offender_days * 86400000000) k on true where "
            "k.corrections >= r.offender_count or abs(c.offset_ms) > r.correct_to_s * 1000 order by "
            "k.corrections desc, abs(c.offset_ms) desc, m.number limit :most";
        const soci::rowset<soci::row> rows =
            (sql.prepare << query, soci::use(now, "now"), soci::use(count_max, "most"));
        for (const auto& row : rows) found.push_back(line_of(row));
        return found;
    });
}

std::vector<ClockCorrection> Clocks::corrections(std::optional<DeviceNumber> meter, int count_max) {
    return connection_.run("listing corrections of clocks", [&](soci::session& sql) {
        std::vector<ClockCorrection> found;
        const long long only = meter ? number_of(*meter) : -1;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.number, k.at_us, k.before_ms, k.shift_s, k.from_us, k.to_us, "
                            "k.after_ms, k.result, k.job, k.ordered_by from clock_correction k join meter m "
                            "on m.id = k.meter where cast(:only as bigint) < 0 or m.number = cast(:only as "
                            "bigint) order by k.at_us desc, k.id desc limit :most",
             soci::use(only, "only"), soci::use(count_max, "most"));
        for (const auto& row : rows) {
            const auto after = maybe_number(row, 6);
            found.push_back({.meter = row.get<DeviceNumber>(0),
                             .at = row.get<Instant>(1),
                             .before = Duration{row.get<long long>(2) * ms},
                             .shift_s = row.get<int>(3),
                             .from = row.get<Instant>(4),
                             .to = row.get<Instant>(5),
                             .after = after ? std::optional{Duration{*after * ms}} : std::nullopt,
                             .result = row.get<std::string>(7),
                             .job = row.get<JobId>(8),
                             .ordered_by = row.get<std::string>(9)});
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
