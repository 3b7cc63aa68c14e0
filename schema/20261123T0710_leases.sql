-- Meters that several concentrators can reach: who has them (headend/frontend/lease.h), and who may take them in. meter.concentrator stays
-- what it was, the transformer's: energy balances and completeness go by it, roads to the meter by the lease.

create table meter_lease (  -- no row: the meter's own concentrator has it, and nobody has said anything yet
    meter bigint primary key references meter,
    concentrator bigint not null references concentrator,
    term bigint not null default 0,          -- counts moves
    join_counter bigint not null default 0,  -- the meter's own count of its joins, highest that was claimed with
    told_counter bigint not null default 0,  -- what the lists of the others say
    claimed_us bigint not null default 0,
    stored_to_us bigint                      -- when it moved, every interval up to here was stored
);
create table meter_visit (  -- it asked to join there, or was found on a wire there
    meter bigint not null references meter,
    concentrator bigint not null references concentrator,
    first_us bigint not null,
    last_us bigint not null,
    primary key (meter, concentrator)
);
create table collector_visit (  -- likewise; nothing is read there, so that nobody has to be the only one to have it
    collector bigint not null references collector,
    concentrator bigint not null references concentrator,
    first_us bigint not null,
    primary key (collector, concentrator)
);
create index on meter_lease (concentrator);
create index on meter_visit (concentrator);
grant select, insert, update on meter_lease to wm_frontend;
grant select, insert, update, delete on meter_visit to wm_frontend;
grant select, insert on collector_visit to wm_frontend;
grant select on meter_lease, meter_visit, collector_visit to wm_monitor;
select limit_to_concentrators(name) from unnest(array['meter_lease', 'meter_visit', 'collector_visit']) name;

alter table event add column join_counter bigint;  -- meter_joined: the meter's own count; null: over a wire, or not told
select limit_to_areas('event');

-- A concentrator that a meter has left notices late: what it says of its loss counts only while nobody else has the meter.
create or replace view meter_link as
select distinct on (e.meter_number) e.meter_number, e.concentrator, e.kind = 3 as joined, e.at_us, e.hops, e.parent, e.rssi_dbm
from event e
left join meter m on m.number = e.meter_number
left join meter_lease l on l.meter = m.id
where e.kind in (3, 4) and e.meter_number <> 0 and (e.kind = 3 or l.concentrator is null or e.concentrator = l.concentrator)
order by e.meter_number, e.at_us desc, e.sequence desc;
