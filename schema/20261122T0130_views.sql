-- What people and workers read: plain rows, completeness, aggregates.

create function at_time(at_us bigint) returns timestamptz language sql immutable parallel safe
return timestamptz 'epoch' + at_us * interval '1 microsecond';
create function at_us(at timestamptz) returns bigint language sql immutable parallel safe
return (extract(epoch from at) * 1000000)::bigint;

-- One plain row per reading. Filter on at_us rather than time: it picks the partitions.
create view interval_reading as
select m.number as meter, map.register, at_time(r.at_us) as time, c.value, c.quality, map.scaler, map.unit, r.at_us, r.bank,
       c.channel, r.tenant, r.area
from interval_row r
join meter m on m.id = r.meter
cross join lateral (values (1, r.v1), (2, r.v2), (3, r.v3), (4, r.v4), (5, r.v5), (6, r.v6), (7, r.v7), (8, r.v8)) as v(channel, value)
cross join lateral (select v.channel, v.value, (r.quality >> (8 * (v.channel - 1))) & 255 as quality) as c
join channel_map map on map.model = m.model and map.bank = r.bank and map.channel = c.channel
                    and r.at_us >= map.valid_from_us and r.at_us < map.valid_to_us
where c.value is not null;

-- Per meter and local day, for every day of which the tenant has any reading; from aggregates, so it lags by the worker.
create view completeness_day as
select m.tenant, m.area, m.concentrator, m.id as meter, m.number, d.bank, d.from_us, d.to_us,
       greatest(0, (d.to_us - greatest(d.from_us, m.installed_us)) / (b.period_s * 1000000::bigint)) as expected,
       coalesce(a.readings, 0) as stored, coalesce(a.doubtful, 0) as doubtful
from (select x.tenant, x.bank, x.from_us,
             at_us(date_trunc('day', at_time(x.from_us) + interval '36 hours', t.time_zone)) as to_us
      from (select distinct tenant, bank, from_us from aggregate_day) x join tenant t on t.id = x.tenant) d
join bank b on b.id = d.bank
join meter m on m.tenant = d.tenant
left join aggregate_day a on a.meter = m.id and a.bank = d.bank and a.from_us = d.from_us;

-- Newest joined or lost of every meter.
create view meter_link as
select distinct on (meter_number) meter_number, concentrator, kind = 3 as joined, at_us, hops, parent, rssi_dbm
from event where kind in (3, 4) and meter_number <> 0
order by meter_number, at_us desc, sequence desc;

-- Hours, days and last values of one concentrator's meters, for every local hour and day that a UTC day touches. Reads the rows again
-- and overwrites: running it twice changes nothing. Concentrator 0 stands for meters without one.
create function recompute_day(of_bank smallint, utc_day integer, of_concentrator bigint) returns void
language plpgsql security invoker set search_path = wattmesh, pg_temp as $$
declare
    day_from bigint := utc_day::bigint * 86400000000;
    day_to bigint := day_from + 86400000000;
    zone record;
    low bigint;
    high bigint;
begin
    insert into meter_latest as old
    select distinct on (r.meter) r.meter, r.bank, r.at_us, r.tenant, r.area, r.quality, r.v1, r.v2, r.v3, r.v4, r.v5, r.v6, r.v7, r.v8
    from interval_row r join meter m on m.id = r.meter
    where coalesce(m.concentrator, 0) = of_concentrator and r.bank = of_bank and r.at_us >= day_from and r.at_us < day_to
    order by r.meter, r.at_us desc
    on conflict (meter, bank) do update
    set at_us = excluded.at_us, quality = excluded.quality, v1 = excluded.v1, v2 = excluded.v2, v3 = excluded.v3, v4 = excluded.v4,
        v5 = excluded.v5, v6 = excluded.v6, v7 = excluded.v7, v8 = excluded.v8
    where excluded.at_us >= old.at_us;

    if (select kind from bank where id = of_bank) <> 'interval' then return; end if;
    for zone in select distinct t.id, t.time_zone from meter m join tenant t on t.id = m.tenant
                where coalesce(m.concentrator, 0) = of_concentrator
    loop
        -- A row belongs to the hour in which its interval ends, the full hour itself still to the one before.
        low := at_us(date_trunc('day', at_time(day_from - 1), zone.time_zone));
        high := at_us(date_trunc('day', date_trunc('day', at_time(day_to - 2), zone.time_zone) + interval '36 hours', zone.time_zone));
        insert into aggregate_hour as old
        select r.meter, of_bank, at_us(date_trunc('hour', at_time(r.at_us - 1), zone.time_zone)) as from_us, min(r.tenant), min(r.area),
               count(*), count(*) filter (where r.quality & 1 = 1),
               sum(r.v1), sum(r.v2), sum(r.v3), sum(r.v4), sum(r.v5), sum(r.v6), sum(r.v7), sum(r.v8)
        from interval_row r join meter m on m.id = r.meter
        where coalesce(m.concentrator, 0) = of_concentrator and m.tenant = zone.id and r.bank = of_bank and r.at_us > low
          and r.at_us <= high
        group by 1, 3 order by 1, 3
        on conflict (meter, bank, from_us) do update
        set readings = excluded.readings, doubtful = excluded.doubtful, v1 = excluded.v1, v2 = excluded.v2, v3 = excluded.v3,
            v4 = excluded.v4, v5 = excluded.v5, v6 = excluded.v6, v7 = excluded.v7, v8 = excluded.v8
        where (old.readings, old.doubtful, old.v1, old.v2, old.v3, old.v4, old.v5, old.v6, old.v7, old.v8) is distinct from
              (excluded.readings, excluded.doubtful, excluded.v1, excluded.v2, excluded.v3, excluded.v4, excluded.v5, excluded.v6,
               excluded.v7, excluded.v8);
        insert into aggregate_day as old
        select h.meter, of_bank, at_us(date_trunc('day', at_time(h.from_us), zone.time_zone)) as from_us, min(h.tenant), min(h.area),
               sum(h.readings), sum(h.doubtful),
               sum(h.v1), sum(h.v2), sum(h.v3), sum(h.v4), sum(h.v5), sum(h.v6), sum(h.v7), sum(h.v8)
        from aggregate_hour h join meter m on m.id = h.meter
        where coalesce(m.concentrator, 0) = of_concentrator and m.tenant = zone.id and h.bank = of_bank and h.from_us >= low
          and h.from_us < high
        group by 1, 3 order by 1, 3
        on conflict (meter, bank, from_us) do update
        set readings = excluded.readings, doubtful = excluded.doubtful, v1 = excluded.v1, v2 = excluded.v2, v3 = excluded.v3,
            v4 = excluded.v4, v5 = excluded.v5, v6 = excluded.v6, v7 = excluded.v7, v8 = excluded.v8
        where (old.readings, old.doubtful, old.v1, old.v2, old.v3, old.v4, old.v5, old.v6, old.v7, old.v8) is distinct from
              (excluded.readings, excluded.doubtful, excluded.v1, excluded.v2, excluded.v3, excluded.v4, excluded.v5, excluded.v6,
               excluded.v7, excluded.v8);
    end loop;
end $$;
