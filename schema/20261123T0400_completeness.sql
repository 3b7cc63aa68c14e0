-- Completeness, stored: what was due and what came, per concentrator, day, bank, area and model of the meters; and every meter that
-- misses something, with the reason. Written by the worker that recomputes aggregates, read by boards, reports and lists.

create table out_of_service (  -- nobody expects readings of such a meter; what is missing has that as its reason
    meter bigint not null references meter,
    from_us bigint not null,
    to_us bigint not null default 9223372036854775807,  -- exclusive
    tenant integer not null references tenant,
    area integer not null references area,
    why text not null,
    primary key (meter, from_us),
    check (from_us < to_us)
);

-- Reasons (database::MissingReason): 0 not read yet, 1 no route, 2 no answer, 3 association refused, 4 wrong key, 5 clock, 6 meter
-- fault, 7 outage, 8 out of service.
create table completeness_cell (
    concentrator bigint not null,
    bank smallint not null,
    day integer not null,            -- UTC day in which the interval ends; midnight ends the day before
    area integer not null,
    model text not null,
    tenant integer not null,
    due_us bigint not null,          -- as of then: intervals that end later are counted on neither side
    meters integer not null,         -- of which something was due
    meters_complete integer not null,
    expected integer not null,
    received integer not null,
    first_try integer not null,      -- of `received`: no failed read is known over them
    by_8h integer,                   -- received when the day had been over for so long; null: nobody counted in time
    by_24h integer,
    by_72h integer,
    missing integer[] not null,      -- by reason, reason 0 first
    primary key (concentrator, bank, day, area, model)
);
create index on completeness_cell (bank, day);
create table missing_day (
    meter bigint not null,
    bank smallint not null,
    day integer not null,
    reason smallint not null check (reason between 0 and 8),
    concentrator bigint not null,
    tenant integer not null,
    area integer not null,
    intervals integer not null,
    primary key (meter, bank, day, reason)
);
create index on missing_day (concentrator, bank, day);
create index on missing_day (bank, day);
create index event_failed on event (concentrator, at_us) where kind = 5;

-- Ranges of missing interval ends in (low, high], each with its reason. Sees what the caller sees: the search path is the caller's.
create function missing_ranges(of_bank smallint, of_concentrator bigint, low bigint, high bigint)
returns table (meter bigint, number bigint, tenant integer, area integer, from_us bigint, to_us bigint, intervals integer, reason smallint)
language sql stable as $$
with b as (select id, period_s * 1000000::bigint as us from bank where id = of_bank),
short as (
    select m.id, m.number, m.tenant, m.area, greatest(low, m.installed_us) / b.us + 1 as first, high / b.us as last, b.us
    from meter m, b where m.concentrator = of_concentrator
      and high / b.us - greatest(low, m.installed_us) / b.us >
          (select count(*) from interval_row r where r.meter = m.id and r.bank = of_bank and r.at_us > low and r.at_us <= high
             and r.at_us > m.installed_us and r.at_us % b.us = 0 and r.v1 is not null)),
-- What lies between two neighbours that are there is missing; the ends of the span count as neighbours.
present as (
    select s.id, r.at_us / s.us as slot from short s join interval_row r on r.meter = s.id and r.bank = of_bank and r.at_us > low
      and r.at_us <= high and r.at_us % s.us = 0 and r.v1 is not null and r.at_us / s.us >= s.first
    union all select id, first - 1 from short
    union all select id, last + 1 from short),
hole as (select id, slot + 1 as first, lead(slot) over (partition by id order by slot) - 1 as last from present),
island as (select s.id, s.number, s.tenant, s.area, s.us, h.first * s.us as first, h.last * s.us as last,
                  (h.last - h.first + 1)::integer as intervals
           from hole h join short s on s.id = h.id where h.last >= h.first)
select i.id, i.number, i.tenant, i.area, i.first, i.last, i.intervals, (case
        when c.state = 2 or exists (select from out_of_service o where o.meter = i.id and o.from_us <= i.last and o.to_us > i.first)
            then 8
        when failure.fault = 7 or power.kind = 10 then 7
        when failure.fault = 1 then 1
        when failure.fault = 2 then 2
        when failure.fault in (3, 6) then 4
        when failure.fault = 4 then 3
        when failure.fault = 5 then 6
        when rejected.clock or exists (select from interval_row r where r.meter = i.id and r.bank = of_bank and r.at_us % i.us <> 0
                                         and r.at_us > low and r.at_us <= high and r.at_us > i.first - i.us and r.at_us < i.last + i.us)
            then 5
        when not rejected.clock then 6
        when link.kind in (4, 14) or c.link = 0 or (c.state = 0 and c.road = 0) then 1
        else 0
    end)::smallint
from island i
join concentrator c on c.id = of_concentrator
left join lateral (select e.fault from event e where e.meter_number = i.number and e.kind = 5 and e.from_us <= i.last and
                   e.to_us >= i.first and e.at_us > i.first - 86400000000 order by e.at_us desc limit 1) failure on true
left join lateral (select e.kind from event e where e.meter_number = i.number and e.kind in (3, 10, 11) and e.at_us <= i.last
                   order by e.at_us desc, e.sequence desc limit 1) power on true
left join lateral (select e.kind from event e where e.meter_number = i.number and e.kind in (3, 4, 14)
                   order by e.at_us desc, e.sequence desc limit 1) link on true
left join lateral (select bool_or(x.reason like 'the instant is%') as clock from rejected_entry x where x.meter_number = i.number
                   and x.received_us > i.first and x.received_us < i.last + 86400000000) rejected on true
order by i.number, i.first
$$;

-- Counts one concentrator's day again, as of `due`. What is received counts as come at `came_us`. Running it twice changes nothing.
create function recompute_completeness(of_bank smallint, of_day integer, of_concentrator bigint, due bigint, came_us bigint) returns void
language plpgsql security invoker set search_path = wattmesh, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    low bigint := of_day::bigint * 86400000000;
    high bigint := least(low + 86400000000, greatest(due, low));
    closed bigint := low + 86400000000;
    hour bigint := 3600000000;
begin
    delete from missing_day where concentrator = of_concentrator and bank = of_bank and day = of_day;
    insert into missing_day (meter, bank, day, reason, concentrator, tenant, area, intervals)
    select g.meter, of_bank, of_day, g.reason, of_concentrator, min(g.tenant), min(g.area), sum(g.intervals)
    from missing_ranges(of_bank, of_concentrator, low, high) g group by g.meter, g.reason
    on conflict (meter, bank, day, reason) do update
    set concentrator = excluded.concentrator, tenant = excluded.tenant, area = excluded.area, intervals = excluded.intervals;

    with b as (select period_s * 1000000::bigint as us from bank where id = of_bank),
    plan as (select m.id, m.number, m.tenant, m.area, m.model, m.installed_us,
                    greatest(0, high / b.us - greatest(low, m.installed_us) / b.us) as expected
             from meter m, b where m.concentrator = of_concentrator),
    got as (select r.meter, count(*) as received from plan p join interval_row r on r.meter = p.id, b
            where r.bank = of_bank and r.at_us > low and r.at_us <= high and r.at_us > p.installed_us and r.at_us % b.us = 0
              and r.v1 is not null group by 1),
    again as (select r.meter, count(distinct r.at_us) as received
              from event e join plan p on p.number = e.meter_number
              join interval_row r on r.meter = p.id and r.bank = of_bank and r.at_us between e.from_us and e.to_us, b
              where e.concentrator = of_concentrator and e.kind = 5 and e.at_us > low and e.at_us < closed + 96 * hour
                and r.at_us > low and r.at_us <= high and r.at_us > p.installed_us and r.at_us % b.us = 0 and r.v1 is not null group by 1),
    absent as (select d.area, m.model, d.reason, sum(d.intervals) as intervals from missing_day d join meter m on m.id = d.meter
               where d.concentrator = of_concentrator and d.bank = of_bank and d.day = of_day group by 1, 2, 3),
    cell as (select p.area, p.model, min(p.tenant) as tenant, count(*) filter (where p.expected > 0) as meters,
                    count(*) filter (where p.expected > 0 and coalesce(g.received, 0) >= p.expected) as complete,
                    sum(p.expected) as expected, sum(coalesce(g.received, 0)) as received,
                    sum(coalesce(g.received, 0) - coalesce(a.received, 0)) as first_try
             from plan p left join got g on g.meter = p.id left join again a on a.meter = p.id group by 1, 2),
    gone as (delete from completeness_cell k where k.concentrator = of_concentrator and k.bank = of_bank and k.day = of_day
             and not exists (select from cell c where c.area = k.area and c.model = k.model))
    insert into completeness_cell as old
    select of_concentrator, of_bank, of_day, c.area, c.model, c.tenant, high, c.meters, c.complete, c.expected, c.received, c.first_try,
           case when came_us <= closed + 8 * hour then c.received end, case when came_us <= closed + 24 * hour then c.received end,
           case when came_us <= closed + 72 * hour then c.received end,
           (select array_agg(coalesce(x.intervals, 0)::integer order by r) from generate_series(0, 8) r
            left join absent x on x.reason = r and x.area = c.area and x.model = c.model)
    from cell c
    on conflict (concentrator, bank, day, area, model) do update
    set tenant = excluded.tenant, due_us = excluded.due_us, meters = excluded.meters, meters_complete = excluded.meters_complete,
        expected = excluded.expected, received = excluded.received, first_try = excluded.first_try,
        by_8h = coalesce(excluded.by_8h, old.by_8h), by_24h = coalesce(excluded.by_24h, old.by_24h),
        by_72h = coalesce(excluded.by_72h, old.by_72h), missing = excluded.missing;
end $$;

-- What was stored before this migration is counted by the worker; when it came is not known any more.
insert into dirty_day (bank, day, concentrator, mark, marked_us)
select b.id, d.day, c.id, 1, 0
from bank b, concentrator c, (select min(from_us) / 86400000000 as low, max(from_us) / 86400000000 + 1 as high from aggregate_day) a,
     generate_series(a.low::integer, a.high::integer) d(day)
where b.kind = 'interval' on conflict do nothing;

select limit_to_areas(name) from unnest(array['completeness_cell', 'missing_day', 'out_of_service']) name;
revoke all on function missing_ranges, recompute_completeness from public;
grant execute on function missing_ranges to wm_monitor, wm_console;
grant execute on function recompute_completeness to wm_monitor;
grant select on completeness_cell, missing_day, out_of_service to wm_monitor;
grant insert, update, delete on completeness_cell, missing_day to wm_monitor;
grant select, insert, update (to_us) on wattmesh_scope.out_of_service to wm_console;
