#include "headend/database/alarm_facts.h"

#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::chrono::hours stands_for{1}, mesh_depth{72};
constexpr std::chrono::minutes doubt_stands_for{15};

/// Each gives tenant, area, kind, object, since, text, value (numeric or null), members, and the ids of the
/// concentrator and the transformer that it hangs on, or null. It may use :now, :hour (what came after
/// stands), :quarter and :depth.
struct Source {
    const char* rule;
    const char* sql;
};
constexpr std::array<std::string_view, 3> place_kinds{"transformer", "feeder", "area"};
constexpr std::array sources{
    Source{"concentrator_offline",
           "select tenant, area, 'concentrator' as kind, lpad(number::text, 12, '0') as object, "
           "last_seen_us as since, 'Does not call in' || case when name = '' then '' else ': ' || name end "
           "as text, null::float8 as value, 1 as members, null::bigint as concentrator, (select "
           "s.transformer from "
           "concentrator_site s where s.concentrator = c.id and s.from_us <= :now and s.to_us > :now) from "
           "concentrator c where state = 1 and link = 0 and last_seen_us is not null and road = 0"},
    // As the mesh told it, unless it was concluded which transformers it is about.
    Source{
        "power_cut",
        "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), o.at_us, "
        "(o.reported + o.silent) || ' of ' || o.members || ' meters dark, ' || o.reported || ' said so', "
        "null, o.reported + o.silent, null, null from event o join concentrator c on c.id = o.concentrator "
        "where o.kind = 12 and o.at_us > :depth and not exists (select 1 from event e where e.kind = 13 "
        "and e.concentrator = o.concentrator and e.at_us >= o.at_us) and not exists (select 1 from event "
        "n where n.kind = 12 and n.concentrator = o.concentrator and n.at_us > o.at_us) and not exists "
        "(select 1 from outage u join transformer_meter t on t.transformer = u.transformer join meter m on "
        "m.id = t.meter where m.concentrator = c.id and u.from_us between o.at_us - 300000000 and o.at_us + "
        "300000000)"},
    Source{"power_cut",
           "select o.tenant, o.area, case when o.feeder is null then 'transformer' else 'feeder' end, "
           "n.number, min(o.from_us), sum(o.customers) || ' meters dark' || case when o.feeder is not null "
           "then ' under ' || count(*) || ' transformers' when bool_and(o.whole) then '' else ', a part of "
           "it' end || ', ' || sum(o.reported) || ' said so', null, sum(o.customers), null, null from outage "
           "o join network_node n on n.id = coalesce(o.feeder, o.transformer) where o.to_us is null "
           "group by o.tenant, o.area, o.feeder, n.id, n.number"},
    Source{"meter_lost",
           "select m.tenant, m.area, 'meter', lpad(m.number::text, 12, '0'), l.at_us, "
           "'Not reached over the mesh', null, 1, c.id, (select t.transformer from transformer_meter t where "
           "t.meter = m.id and t.from_us <= :now and t.to_us > :now limit 1) from (select distinct "
           "meter_number from event "
           "where kind = 4 and received_us > :depth) s join meter m on m.number = s.meter_number "
           "join concentrator c on c.id = m.concentrator cross join lateral (select kind, at_us from event e "
           "where e.meter_number = s.meter_number and e.kind in (3, 4, 10, 11, 14) order by at_us desc, "
           "sequence desc limit 1) l where l.kind = 4"},
    Source{"journal_gap",
           "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), min(e.received_us), "
           "sum(e.gap_last - e.gap_first + 1) || ' entries lost', null, 1, null, null from event e join "
           "concentrator c on c.id = e.concentrator where e.kind = 7 and e.received_us > :hour "
           "group by c.id"},
    Source{
        "join_forged",
        "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), min(e.received_us), "
        "count(*) || ' attempts under ' || count(distinct e.meter_number) || ' numbers, first ' || "
        "lpad(min(e.meter_number)::text, 12, '0'), null, 1, null, null from event e join concentrator c on "
        "c.id = e.concentrator where e.kind = 15 and e.received_us > :hour group by c.id"},
    Source{
        "meter_cloned",
        "select m.tenant, m.area, 'meter', lpad(m.number::text, 12, '0'), min(e.received_us), 'Two devices "
        "answer under this number', null, 1, c.id, null from event e join meter m on m.number = "
        "e.meter_number join concentrator c on c.id = e.concentrator where e.kind = 19 and e.received_us > "
        ":hour group by m.id, c.id"},
    Source{
        "relay_evicted",
        "select m.tenant, m.area, 'meter', lpad(m.number::text, 12, '0'), min(e.received_us), 'Dropped "
        "packets of others as a relay', null, 1, c.id, null from event e join meter m on m.number = "
        "e.meter_number join concentrator c on c.id = e.concentrator where e.kind = 18 and e.received_us > "
        ":hour group by m.id, c.id"},
    Source{
        "pan_clash",
        "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), min(e.received_us), "
        "'Same PAN as concentrator ' || lpad(min(e.parent)::text, 12, '0'), null, 1, null, null from event e "
        "join concentrator c on c.id = e.concentrator where e.kind = 17 and e.received_us > :hour group by "
        "c.id"},
    Source{
        "unknown_meter",
        "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), min(e.received_us), "
        "count(distinct e.meter_number) || ' unknown, first ' || lpad(min(e.meter_number)::text, 12, '0'), "
        "null, 1, null, null from event e join concentrator c on c.id = e.concentrator where e.kind = 6 and "
        "e.received_us > :hour and not exists (select 1 from meter m where m.number = e.meter_number) "
        "and not exists (select 1 from collector k where k.number = e.meter_number) group by c.id"},
    Source{"clock_doubtful",
           "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), min(e.received_us), "
           "'Writes with a clock that nobody confirmed', null, 1, null, null from event e join concentrator "
           "c on "
           "c.id = e.concentrator where e.clock_doubtful and e.received_us > :quarter group by c.id"},
    Source{"rejected_entries",
           "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), min(r.received_us), "
           "count(*) || ' entries: ' || min(r.reason), null, 1, null, null from rejected_entry r join "
           "concentrator "
           "c on c.id = r.concentrator where r.received_us > :hour group by c.id"},
    Source{"reading_conflicts",
           "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), min(k.received_us), "
           "count(*) || ' readings of ' || count(distinct k.meter) || ' meters', null, 1, null, null "
           "from reading_conflict k join meter m on m.id = k.meter join concentrator c on c.id = "
           "m.concentrator where k.received_us > :hour group by c.id"},
    Source{
        "certificate_expiring",
        "select c.tenant, c.area, 'concentrator', lpad(c.number::text, 12, '0'), x.expires_us - "
        "30 * 86400000000, 'Expires ' || to_char(at_time(x.expires_us) at time zone 'UTC', 'YYYY-MM-DD'), "
        "(:now - x.expires_us) / 86400000000.0, 1, null, null from concentrator c cross join lateral (select "
        "max(expires_us) as expires_us from concentrator_certificate k where k.concentrator = c.id and "
        "k.revoked_us is null) x where c.state = 1 and x.expires_us < :now + 32 * 86400000000"},
    Source{
        "relay_failed",
        "select j.tenant, null::integer, 'job', j.id::text, min(i.finished_us), j.title || ': ' || count(*) "
        "|| ' not done, first ' || min(i.subject), null, 1, null, null from job_item i join job j on j.id = "
        "i.job "
        "where j.kind = 'relay' and j.failed > 0 and i.state = 'failed' and i.finished_us > :hour "
        "and j.created_us > :depth group by j.id"},
    Source{
        "aggregates_behind",
        "select null::integer, null::integer, 'head-end', 'aggregates', min(marked_us), count(*) || ' days "
        "wait to be added up', (:now - min(marked_us)) / 1000000.0, 1, null, null from dirty_day having "
        "count(*) > 0"},
    Source{"audit_broken",
           "select null::integer, null::integer, 'head-end', 'audit log', min(at_us), min(detail), null, 1, "
           "null, null from audit where action = 'alarm' and subject = 'audit log' and at_us > :hour having "
           "count(*) > 0"},
    Source{
        "disconnects_capped",
        "select null::integer, null::integer, 'head-end', 'disconnects', min(at_us), min(detail), null, 1, "
        "null, null from audit where action = 'alarm' and subject <> 'audit log' and at_us > :hour having "
        "count(*) > 0"},
};

}  // namespace

std::vector<AlarmFact> AlarmFacts::all(Instant now) {
    std::vector<AlarmFact> found;
    const Instant hour = now - stands_for, quarter = now - doubt_stands_for, depth = now - mesh_depth;
    for (const auto& source : sources) {
        connection_.run("looking for alarms", [&](soci::session& sql) {
            // One form for all: PostgreSQL takes the parameters that a source does not use as well.
            const std::string text =
                std::string{
                    "select q.tenant::int, q.area::int, q.kind::text, q.object::text, q.since::bigint, "
                    "q.text::text, q.value::float8, q.members::int, c.number, n.number, f.number, a.name "
                    "from ("} +
                source.sql +
                ") q(tenant, area, kind, object, since, text, value, members, concentrator, transformer) "
                "left join concentrator c on c.id = q.concentrator::bigint left join network_node n on n.id "
                "= q.transformer::bigint left join network_link l on l.node = n.id and l.from_us <= "
                "cast(:now as bigint) and l.to_us > cast(:now as bigint) left join network_node f on f.id = "
                "l.parent left join area a on a.id = q.area::int where cast(:hour as bigint) <> 0 and "
                "cast(:quarter as bigint) <> 0 and cast(:depth as bigint) <> 0";
            const soci::rowset<soci::row> rows =
                (sql.prepare << text, soci::use(now, "now"), soci::use(hour, "hour"),
                 soci::use(quarter, "quarter"), soci::use(depth, "depth"));
            for (const auto& row : rows) {
                AlarmFact fact;
                fact.rule = source.rule;
                fact.tenant = row.get<std::optional<TenantId>>(0);
                fact.area = row.get<std::optional<AreaId>>(1);
                fact.object = {row.get<std::string>(2), row.get<std::string>(3)};
                fact.since = row.get<Instant>(4);
                fact.text = row.get<std::string>(5);
                if (row.get_indicator(6) == soci::i_ok) fact.value = row.get<double>(6);
                fact.members = row.get<int>(7);
                if (const auto place = row.get<std::optional<DeviceNumber>>(8))
                    fact.places.push_back({"concentrator", to_string(*place)});
                for (std::size_t i = 0; i < place_kinds.size(); ++i)
                    if (row.get_indicator(9 + i) == soci::i_ok)
                        fact.places.push_back({std::string{place_kinds[i]}, row.get<std::string>(9 + i)});
                found.push_back(std::move(fact));
            }
        });
    }
    return found;
}

}  // namespace wattmesh::headend::database
