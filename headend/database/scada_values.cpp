#include "headend/database/bindings.h"
#include "headend/database/scada_points.h"

namespace wattmesh::headend::database {
namespace {

/// The points of a link with the meter that they are about: of a concentrator's number its summary meter.
constexpr const char* wanted_sql =
    "with wanted as materialized (select p.station, p.address, p.quantity, p.device, m.id as meter, m.model, "
    "coalesce(c.link = 0, false) as offline from scada_point p join scada_link k on k.id = p.link "
    "left join concentrator d on d.number = p.device "
    "join lateral (select * from meter x where x.number = p.device or (x.concentrator = d.id and x.role = 1) "
    "order by x.number = p.device desc, x.number limit 1) m on m.tenant = k.tenant "
    "and (k.areas is null or m.area = any(k.areas)) left join concentrator c on c.id = m.concentrator "
    "where p.link = :link and p.version = :version and p.quantity = any(cast(:quantities as text[]))) ";

bool doubtful(const soci::row& row, std::size_t column) { return (row.get<long long>(column) & 1) != 0; }

}  // namespace

void ScadaPoints::add_power(const ScadaLink& link, std::vector<ScadaValue>& out) {
    connection_.run("reading power for SCADA", [&](soci::session& sql) {
        const std::string quantities = "{power}";
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{wanted_sql} +
                        "select w.station, w.address, (l.v1 - coalesce(l.v2, 0)) * 3600.0::float8 * "
                        "(10::float8 ^ c.scaler) / b.period_s, l.at_us, l.quality & 255, w.offline::int "
                        "from wanted w join bank b on b.profile = '1-0:99.1.0*255' join meter_latest l on "
                        "l.meter = w.meter and l.bank = b.id join channel_map c on c.model = w.model and "
                        "c.bank = b.id and c.channel = 1 and l.at_us >= c.valid_from_us and l.at_us < "
                        "c.valid_to_us where l.v1 is not null",
             use(link.id), use(link.version), use(quantities));
        for (const auto& row : rows)
            out.push_back({row.get<int>(0), row.get<int>(1), row.get<double>(2), row.get<Instant>(3),
                           doubtful(row, 4), row.get<int>(5) != 0});
    });
}

/// The newest of what a register was read as: by itself, or in a snapshot.
void ScadaPoints::add_energy(const ScadaLink& link, std::vector<ScadaValue>& out) {
    connection_.run("reading energy for SCADA", [&](soci::session& sql) {
        const std::string quantities = "{import_energy,export_energy}";
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{wanted_sql} +
                        "select distinct on (w.station, w.address) w.station, w.address, x.value::float8 * "
                        "(10::float8 ^ x.scaler), x.at_us, x.quality, w.offline::int from wanted w "
                        "cross join lateral (select case w.quantity when 'import_energy' then "
                        "'1-0:1.8.0*255' "
                        "else '1-0:2.8.0*255' end as name) g "
                        "cross join lateral ((select r.at_us, r.value, r.scaler, 0::bigint as quality from "
                        "register_reading r where r.meter = w.meter and r.register = g.name order by r.at_us "
                        "desc "
                        "limit 1) union all select l.at_us, (array[l.v1, l.v2, l.v3, l.v4, l.v5, l.v6, l.v7, "
                        "l.v8])[c.channel], c.scaler, (l.quality >> (8 * (c.channel - 1))) & 255 from bank b "
                        "join "
                        "meter_latest l on l.meter = w.meter and l.bank = b.id join channel_map c on c.model "
                        "= "
                        "w.model and c.bank = b.id and c.register = g.name and l.at_us >= c.valid_from_us "
                        "and "
                        "l.at_us < c.valid_to_us where b.kind = 'snapshot') x where x.value is not null "
                        "order by w.station, w.address, x.at_us desc",
             use(link.id), use(link.version), use(quantities));
        for (const auto& row : rows)
            out.push_back({row.get<int>(0), row.get<int>(1), row.get<double>(2), row.get<Instant>(3),
                           doubtful(row, 4), row.get<int>(5) != 0});
    });
}

/// Counts and states of transformers are what the head-end knows now; a power cut has the time of its newest
/// event.
void ScadaPoints::add_transformers(const ScadaLink& link, Instant now, std::vector<ScadaValue>& out) {
    connection_.run("reading transformers for SCADA", [&](soci::session& sql) {
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select p.station, p.address, case p.quantity when 'online' then c.link "
                    "when 'supply' then coalesce(o.kind = 13, true)::int when 'customers' then n.customers "
                    "else "
                    "n.dark end::float8, case p.quantity when 'supply' then o.at_us when 'dark' then "
                    "n.dark_us "
                    "end, (c.link = 0 and p.quantity <> 'online')::int from scada_point p "
                    "join scada_link k on k.id = p.link join concentrator c on c.number = p.device and "
                    "c.tenant = "
                    "k.tenant and (k.areas is null or c.area = any(k.areas)) "
                    "left join lateral (select e.kind, e.at_us from event e where p.quantity = 'supply' and "
                    "e.concentrator = c.id and e.kind in (12, 13) and e.meter_number = 0 order by e.at_us "
                    "desc, "
                    "e.kind desc limit 1) o on true "
                    "left join lateral (select count(*)::int as customers, count(*) filter (where e.kind = "
                    "10)::int as dark, max(e.at_us) filter (where e.kind in (10, 11)) as dark_us from meter "
                    "m left "
                    "join lateral (select s.kind, s.at_us from event s where p.quantity = 'dark' and "
                    "s.meter_number = m.number and s.kind in (3, 4, 10, 11, 14) order by s.at_us desc, "
                    "s.sequence "
                    "desc limit 1) e on true where m.concentrator = c.id and m.role = 0 and p.quantity in "
                    "('customers', 'dark')) n on true where p.link = :link and p.version = :version and "
                    "p.quantity in ('online', 'supply', 'customers', 'dark')",
             use(link.id), use(link.version));
        for (const auto& row : rows)
            out.push_back({row.get<int>(0), row.get<int>(1), row.get<double>(2),
                           row.get<std::optional<Instant>>(3).value_or(now), false, row.get<int>(4) != 0});
    });
}

void ScadaPoints::add_relays(const ScadaLink& link, std::vector<ScadaValue>& out) {
    connection_.run("reading breakers for SCADA", [&](soci::session& sql) {
        const std::string quantities = "{relay}";
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{wanted_sql} +
                        "select w.station, w.address, (i.detail not like 'disconnected%')::int + 1, "
                        "i.finished_us, w.offline::int from wanted w join lateral (select i.detail, "
                        "i.finished_us from job_item i join job j on j.id = i.job where i.subject = "
                        "lpad(w.device::text, 12, '0') and i.state = 'done' and j.kind = 'relay' order by "
                        "i.finished_us desc limit 1) i on true",
             use(link.id), use(link.version), use(quantities));
        for (const auto& row : rows)
            out.push_back({row.get<int>(0), row.get<int>(1), static_cast<double>(row.get<int>(2)),
                           row.get<Instant>(3), false, row.get<int>(4) != 0});
    });
}

std::vector<ScadaValue> ScadaPoints::values(const ScadaLink& link, Instant now) {
    std::vector<ScadaValue> found;
    add_power(link, found);
    add_energy(link, found);
    add_transformers(link, now, found);
    add_relays(link, found);
    return found;
}

}  // namespace wattmesh::headend::database
