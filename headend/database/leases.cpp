#include "headend/database/leases.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr Duration looked_back = std::chrono::days{30};  ///< reading plans go no deeper

constexpr const char* lease_sql =
    "select c.number, l.term, l.join_counter, l.told_counter, l.claimed_us, l.stored_to_us from meter_lease "
    "l "
    "join meter m on m.id = l.meter join concentrator c on c.id = l.concentrator where m.number = :meter";

std::optional<frontend::Lease> read(soci::session& sql, const std::string& query, DeviceNumber meter) {
    const soci::rowset<soci::row> rows = (sql.prepare << query, use(meter));
    for (const auto& row : rows)
        return frontend::Lease{.holder = row.get<DeviceNumber>(0),
                               .term = static_cast<std::uint32_t>(row.get<long long>(1)),
                               .join_counter = static_cast<std::uint32_t>(row.get<long long>(2)),
                               .told_counter = static_cast<std::uint32_t>(row.get<long long>(3)),
                               .claimed = row.get<Instant>(4),
                               .stored_to = row.get<std::optional<Instant>>(5)};
    return std::nullopt;
}

}  // namespace

std::optional<frontend::Lease> Leases::find(DeviceNumber meter) {
    return connection_.run("finding a lease",
                           [&](soci::session& sql) { return read(sql, lease_sql, meter); });
}

frontend::Settled Leases::claim(DeviceNumber meter, ConcentratorId by, const frontend::Claim& claim) {
    auto lease = connection_.run("looking up who has a meter", [&](soci::session& sql) {
        sql << "insert into meter_lease (meter, concentrator) select m.id, coalesce(m.concentrator, :by) "
               "from meter m where m.number = :meter on conflict (meter) do nothing",
            use(by), use(meter);
        return read(sql, std::string{lease_sql} + " for update of l", meter);
    });
    if (!lease) return frontend::Settled::unchanged;
    const auto settled = frontend::settle(*lease, claim);
    if (settled == frontend::Settled::unchanged) return settled;
    if (settled == frontend::Settled::moved) lease->stored_to = stored_to(meter, claim.at);
    connection_.run("settling who has a meter", [&](soci::session& sql) {
        const long long term = lease->term, counter = lease->join_counter, told = lease->told_counter;
        sql << "update meter_lease l set concentrator = c.id, term = :term, join_counter = :counter, "
               "told_counter = :told, claimed_us = :claimed, stored_to_us = :stored from meter m, "
               "concentrator c where m.id = l.meter and m.number = :meter and c.number = :holder",
            use(term), use(counter), use(told), use(lease->claimed), use(lease->stored_to), use(meter),
            use(lease->holder);
    });
    return settled;
}

void Leases::visit(DeviceNumber meter, ConcentratorId at, Instant now) {
    connection_.run("noting that a meter asked elsewhere", [&](soci::session& sql) {
        const int most = visitors_max - 1;
        sql << "delete from meter_visit where concentrator = :at and meter in (select v.meter from "
               "meter_visit v where v.concentrator = :at and not exists (select 1 from meter_lease l where "
               "l.meter = v.meter and l.concentrator = v.concentrator) order by v.last_us desc offset :most)",
            soci::use(at, "at"), soci::use(most, "most");
        sql << "insert into meter_visit as old (meter, concentrator, first_us, last_us) select m.id, c.id, "
               ":now, :now from meter m join concentrator h on h.id = m.concentrator join concentrator c on "
               "c.id = :at where m.number = :meter and h.id <> c.id and h.road = 0 and c.road = 0 and "
               "m.tenant = c.tenant and m.area = c.area and (select count(*) from meter_visit v where "
               "v.concentrator = c.id and v.meter <> m.id) <= :most on conflict (meter, concentrator) do "
               "update set last_us = excluded.last_us",
            soci::use(now, "now"), soci::use(at, "at"), soci::use(meter, "meter"), soci::use(most, "most");
        sql << "insert into collector_visit (collector, concentrator, first_us) select k.id, c.id, :now from "
               "collector k join concentrator c on c.id = :at where k.number = :meter and k.concentrator <> "
               "c.id and c.road = 0 and k.tenant = c.tenant and k.area = c.area on conflict do nothing",
            soci::use(now, "now"), soci::use(at, "at"), soci::use(meter, "meter");
    });
}

/// The end of the unbroken row of intervals since installation or the depth of a reading plan; nothing when
/// its beginning is missing.
std::optional<Instant> Leases::stored_to(DeviceNumber meter, Instant now) {
    return connection_.run("looking how far a meter is stored", [&](soci::session& sql) {
        const Instant from = now - looked_back;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "with p as (select m.id, b.id as bank, b.period_s::bigint * 1000000 as us, "
                    "greatest(m.installed_us, cast(:from as bigint)) as from_us from meter m, bank b where "
                    "m.number = :meter and b.profile = :profile), r as (select i.at_us, lead(i.at_us) over "
                    "(order by i.at_us) as next, p.us, p.from_us from interval_row i, p where i.meter = "
                    "p.id and i.bank = p.bank and i.at_us >= p.from_us) select min(at_us) from r where "
                    "(next is null or next > at_us + us) and (select min(at_us) from r) <= from_us + us",
             soci::use(from, "from"), soci::use(meter, "meter"), soci::use(obis::load_profile, "profile"));
        for (const auto& row : rows) return row.get<std::optional<Instant>>(0);
        return std::optional<Instant>{};
    });
}

}  // namespace wattmesh::headend::database
