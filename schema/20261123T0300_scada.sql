-- What control rooms see by IEC 60870-5-104: point tables, versioned. `headend migrate --admin` makes the role and sets its password.

do $$ begin
    if not exists (select from pg_roles where rolname = 'wm_exchange') then
        raise exception 'the role wm_exchange is missing: run headend migrate with --admin, and give database.password.wm_exchange in the configuration';
    end if;
end $$;

create table scada_link (  -- a partner's view: one table of points, whichever of its masters asks
    id integer generated always as identity primary key,
    tenant integer not null references tenant,
    areas integer[],                      -- null: the whole tenant; a point of another area stays invalid
    name text not null unique check (length(name) between 1 and 64),
    version integer not null default 0,   -- of the points in force; 0: none yet
    changed_us bigint not null,
    changed_by text not null
);
create table scada_point (
    link integer not null references scada_link,
    version integer not null,
    station integer not null check (station between 1 and 65534),
    address integer not null check (address between 1 and 16777215),
    type smallint not null check (type in (1, 3, 11, 13, 15, 45, 46)),
    device bigint not null,               -- number of a meter, or of a concentrator: its transformer
    quantity text not null,               -- headend/database/scada_points.h
    scale double precision not null,      -- shown = value / scale
    deadband double precision not null,   -- of what is shown; below 0: only interrogated
    interval_s integer not null check (interval_s >= 0),
    freshness_s integer not null check (freshness_s > 0),
    point_group smallint not null check (point_group between 0 and 16),
    writable boolean not null,
    primary key (link, version, station, address)
);
create index job_item_ended on job_item (subject, finished_us desc) where state = 'done';

grant usage on schema wattmesh to wm_exchange;
grant select on migration, tenant, area, concentrator, meter, bank, channel_map, meter_latest, register_reading, event, scada_link,
      scada_point, relay_stop, job, job_item to wm_exchange;
grant insert on job, job_item to wm_exchange;
grant execute on function audit_append to wm_exchange;
