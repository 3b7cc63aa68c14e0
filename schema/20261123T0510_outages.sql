-- Power cuts as they were concluded from last gasps, silence and the network as it is wired (headend/monitor/outage_inference.h).

create table outage (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    area integer not null references area,
    transformer bigint not null references network_node,
    feeder bigint references network_node,  -- set when the cause lies above the transformer
    from_us bigint not null,
    to_us bigint,                           -- null: not over
    whole boolean not null,                 -- the transformer itself; else a branch behind it
    customers integer not null,             -- without power
    reported integer not null,
    silent integer not null,
    unique (transformer, from_us),
    check (to_us >= from_us)
);
create index on outage (from_us desc);
create index outage_open on outage (transformer) where to_us is null;
create index event_power on event (at_us) where kind in (10, 11);
create index event_started on event (received_us) where kind = 8;

select limit_to_areas('outage');
grant select, insert, update, delete on outage to wm_monitor;
