#include "headend/database/read_figures.h"

#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

/// The statement gives up to two label values and a number; it may use :now and :hour (an hour before).
struct Source {
    const char* name;
    const char* help;
    bool counter;
    std::array<const char*, 2> labels;
    const char* sql;
};
constexpr std::array sources{
    Source{
        "wattmesh_concentrators",
        "Concentrators that are not revoked",
        false,
        {"link", "state"},
        "select case link when 1 then 'online' else 'offline' end, case state when 0 then 'registered' else "
        "'enrolled' end, count(*) from concentrator where state < 2 and road = 0 group by 1, 2"},
    Source{"wattmesh_direct_devices",
           "Meters and buses that call in by themselves or are called",
           false,
           {"link", nullptr},
           "select case link when 1 then 'online' else 'offline' end, null, count(*) from concentrator where "
           "state < 2 and road = 1 group by 1"},
    Source{
        "wattmesh_meters",
        "Registered meters",
        false,
        {"role", nullptr},
        "select case role when 0 then 'customer' else 'summary' end, null, count(*) from meter group by 1"},
    Source{"wattmesh_rows_stored_total",
           "Interval rows stored",
           true,
           {nullptr, nullptr},
           "select null, null, coalesce(sum(rows_stored), 0) from journal_cursor"},
    Source{"wattmesh_rows_duplicate_total",
           "Interval rows that had been stored before",
           true,
           {nullptr, nullptr},
           "select null, null, coalesce(sum(rows_duplicate), 0) from journal_cursor"},
    Source{"wattmesh_entries_stored_total",
           "Journal entries stored",
           true,
           {nullptr, nullptr},
           "select null, null, coalesce(sum(entries_stored), 0) from journal_cursor"},
    Source{"wattmesh_entries_replayed_total",
           "Journal entries that came again",
           true,
           {nullptr, nullptr},
           "select null, null, coalesce(sum(entries_replayed), 0) from journal_cursor"},
    Source{"wattmesh_reads_last_hour",
           "Reads on demand that ended within the last hour",
           false,
           {"outcome", nullptr},
           "select outcome, null, count(*) from on_demand where requested_us > :hour and finished_us is not "
           "null group by 1"},
    Source{"wattmesh_read_seconds_last_hour",
           "Mean time of a read on demand that brought a value",
           false,
           {nullptr, nullptr},
           "select null, null, coalesce(avg(finished_us - requested_us) / 1000000.0, 0) from on_demand where "
           "requested_us > :hour and outcome = 'ok'"},
    Source{"wattmesh_events_last_hour",
           "Events that came within the last hour",
           false,
           {"kind", nullptr},
           "select kind::text, null, count(*) from event where received_us > :hour group by 1"},
    Source{"wattmesh_jobs",
           "Jobs that are not over",
           false,
           {"kind", "state"},
           "select kind, state, count(*) from job where state not in ('done', 'cancelled') group by 1, 2"},
    Source{"wattmesh_job_items_waiting",
           "Items of open jobs that wait",
           false,
           {nullptr, nullptr},
           "select null, null, coalesce(sum(total - done - failed), 0) from job where state not in ('done', "
           "'cancelled')"},
    Source{"wattmesh_aggregation_marks",
           "Days that wait to be added up",
           false,
           {nullptr, nullptr},
           "select null, null, count(marked_us) from dirty_day"},
    Source{
        "wattmesh_aggregation_lag_seconds",
        "Age of the oldest day that waits to be added up",
        false,
        {nullptr, nullptr},
        "select null, null, coalesce((cast(:now as bigint) - min(marked_us)) / 1000000.0, 0) from dirty_day"},
    Source{"wattmesh_audit_unsealed",
           "Audit records that are not chained yet",
           false,
           {nullptr, nullptr},
           "select null, null, count(*) from audit where number is null"},
    Source{"wattmesh_alarms",
           "Alarms that stand",
           false,
           {"state", "priority"},
           "select (array['unacked', 'acked', 'returned', 'latched', 'shelved', 'suppressed', "
           "'out_of_service'])[state], (array['high', 'medium', 'low'])[priority], count(*) from alarm where "
           "state <> 0 group by 1, 2"},
    Source{"wattmesh_alarms_raised_last_hour",
           "Alarms raised within the last hour",
           false,
           {nullptr, nullptr},
           "select null, null, count(*) from alarm_journal where what = 'raised' and at_us > :hour"},
    Source{"wattmesh_customers_without_power",
           "Customers behind transformers that are dark",
           false,
           {nullptr, nullptr},
           "select null, null, coalesce(sum(customers), 0) from outage where to_us is null"},
    Source{"wattmesh_rejected_last_hour",
           "Entries that could not be stored",
           false,
           {nullptr, nullptr},
           "select null, null, count(*) from rejected_entry where received_us > :hour"},
    Source{"wattmesh_conflicts_last_hour",
           "Second values for stored readings",
           false,
           {nullptr, nullptr},
           "select null, null, count(*) from reading_conflict where received_us > :hour"},
    Source{"wattmesh_database_bytes",
           "Size of the database",
           false,
           {nullptr, nullptr},
           "select null, null, pg_database_size(current_database())"},
    Source{
        "wattmesh_database_connections",
        "Connections to the database server",
        false,
        {"user", nullptr},
        "select usename, null, count(*) from pg_stat_activity where datname = current_database() and usename "
        "like 'wm\\_%' group by 1"},
    Source{"wattmesh_database_commits_total",
           "Transactions that were committed",
           true,
           {nullptr, nullptr},
           "select null, null, xact_commit from pg_stat_database where datname = current_database()"},
    Source{"wattmesh_database_deadlocks_total",
           "Deadlocks",
           true,
           {nullptr, nullptr},
           "select null, null, deadlocks from pg_stat_database where datname = current_database()"},
};

}  // namespace

std::vector<Figure> FigureReader::all(Instant now) {
    std::vector<Figure> figures;
    figures.reserve(sources.size());
    const Instant hour = now - std::chrono::hours{1};
    for (const auto& source : sources) {
        Figure figure{source.name, source.help, {}, source.counter};
        connection_.run("counting for the metrics", [&](soci::session& sql) {
            const std::string text = std::string{"select a::text, b::text, c::float8 from ("} + source.sql +
                                     ") q(a, b, c) where cast(:now as bigint) > 0 and cast(:hour as bigint) "
                                     "<> 0 order by 1, 2";
            const soci::rowset<soci::row> rows =
                (sql.prepare << text, soci::use(now, "now"), soci::use(hour, "hour"));
            for (const auto& row : rows) {
                Figure::Sample sample;
                for (std::size_t i = 0; i < source.labels.size(); ++i)
                    if (source.labels[i] != nullptr && row.get_indicator(i) == soci::i_ok)
                        sample.labels.emplace_back(source.labels[i], row.get<std::string>(i));
                sample.value = row.get<double>(2);
                figure.samples.push_back(std::move(sample));
            }
        });
        figures.push_back(std::move(figure));
    }
    return figures;
}

}  // namespace wattmesh::headend::database
