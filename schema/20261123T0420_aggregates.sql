-- The worker's recomputation, written so that it reads the meters of one concentrator by their index, and of the rows only the hours that
-- the UTC day touches: it read every meter of the utility, and two whole local days, each time.
create or replace function recompute_day(of_bank smallint, utc_day integer, of_concentrator bigint) returns void
language plpgsql security invoker set search_path = wattmesh, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    day_from bigint := utc_day::bigint * 86400000000;
    day_to bigint := day_from + 86400000000;
    member record;
    zone text;
    hours_from bigint;
    hours_to bigint;
    days_from bigint;
    days_to bigint;
    meters bigint[];
begin
    for member in
        select m.tenant, array_agg(m.id order by m.id) as meters
        from (select tenant, id from meter where concentrator = of_concentrator
              union all select tenant, id from meter where concentrator is null and of_concentrator = 0) m group by m.tenant
    loop
        meters := member.meters;
        insert into meter_latest as old
        select r.meter, r.bank, r.at_us, r.tenant, r.area, r.quality, r.v1, r.v2, r.v3, r.v4, r.v5, r.v6, r.v7, r.v8
        from unnest(meters) m(id) cross join lateral
             (select * from interval_row r where r.meter = m.id and r.bank = of_bank and r.at_us >= day_from and r.at_us < day_to
              order by r.at_us desc limit 1) r
        on conflict (meter, bank) do update
        set at_us = excluded.at_us, quality = excluded.quality, v1 = excluded.v1, v2 = excluded.v2, v3 = excluded.v3, v4 = excluded.v4,
            v5 = excluded.v5, v6 = excluded.v6, v7 = excluded.v7, v8 = excluded.v8
        where excluded.at_us >= old.at_us;
        continue when (select kind from bank where id = of_bank) <> 'interval';

        -- A row belongs to the hour in which its interval ends, the full hour itself still to the one before.
        zone := (select time_zone from tenant where id = member.tenant);
        hours_from := at_us(date_trunc('hour', at_time(day_from - 1), zone));
        hours_to := at_us(date_trunc('hour', at_time(day_to - 2), zone)) + 3600000000;
        days_from := at_us(date_trunc('day', at_time(hours_from), zone));
        days_to := at_us(date_trunc('day', date_trunc('day', at_time(hours_to - 1), zone) + interval '36 hours', zone));
        -- Hours are counted from the first of them: no zone changes its offset within an hour, and every hour has 3600 s.
        insert into aggregate_hour as old
        select r.meter, of_bank, hours_from + (r.at_us - 1 - hours_from) / 3600000000 * 3600000000 as from_us, min(r.tenant), min(r.area),
               count(*), count(*) filter (where r.quality & 1 = 1),
               sum(r.v1), sum(r.v2), sum(r.v3), sum(r.v4), sum(r.v5), sum(r.v6), sum(r.v7), sum(r.v8)
        from interval_row r
        where r.meter = any (meters) and r.bank = of_bank and r.at_us > hours_from and r.at_us <= hours_to
        group by 1, 3 order by 1, 3
        on conflict (meter, bank, from_us) do update
        set readings = excluded.readings, doubtful = excluded.doubtful, v1 = excluded.v1, v2 = excluded.v2, v3 = excluded.v3,
            v4 = excluded.v4, v5 = excluded.v5, v6 = excluded.v6, v7 = excluded.v7, v8 = excluded.v8
        where (old.readings, old.doubtful, old.v1, old.v2, old.v3, old.v4, old.v5, old.v6, old.v7, old.v8) is distinct from
              (excluded.readings, excluded.doubtful, excluded.v1, excluded.v2, excluded.v3, excluded.v4, excluded.v5, excluded.v6,
               excluded.v7, excluded.v8);
        insert into aggregate_day as old
        select h.meter, of_bank, d.from_us, min(h.tenant), min(h.area), sum(h.readings), sum(h.doubtful),
               sum(h.v1), sum(h.v2), sum(h.v3), sum(h.v4), sum(h.v5), sum(h.v6), sum(h.v7), sum(h.v8)
        from (select at_us(day) as from_us, at_us(date_trunc('day', day + interval '36 hours', zone)) as to_us
              from (select distinct date_trunc('day', at_time(days_from + step * 43200000000), zone) as day
                    from generate_series(0, (days_to - days_from - 1) / 43200000000) step) start) d
        join aggregate_hour h on h.meter = any (meters) and h.bank = of_bank and h.from_us >= d.from_us and h.from_us < d.to_us
        group by 1, 3 order by 1, 3
        on conflict (meter, bank, from_us) do update
        set readings = excluded.readings, doubtful = excluded.doubtful, v1 = excluded.v1, v2 = excluded.v2, v3 = excluded.v3,
            v4 = excluded.v4, v5 = excluded.v5, v6 = excluded.v6, v7 = excluded.v7, v8 = excluded.v8
        where (old.readings, old.doubtful, old.v1, old.v2, old.v3, old.v4, old.v5, old.v6, old.v7, old.v8) is distinct from
              (excluded.readings, excluded.doubtful, excluded.v1, excluded.v2, excluded.v3, excluded.v4, excluded.v5, excluded.v6,
               excluded.v7, excluded.v8);
    end loop;
end $$;
