-- Firmware of meters behind concentrators: who signs it, which images there are, which meters shall get them, how far each one is, and
-- what it runs. An image goes to a concentrator once and from there through the mesh (protocol/mesh/README.md).

create table firmware_vendor (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    name text not null,
    public_key bytea not null check (octet_length(public_key) = 64),  -- x || y on P-256
    added_us bigint not null,
    added_by text not null,
    unique (tenant, name),
    unique (tenant, public_key)
);
create table firmware_image (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    vendor bigint not null references firmware_vendor,  -- whose signature was right when it came
    digest bytea not null check (octet_length(digest) = 32),  -- SHA-256 of the file
    model text not null,                -- of the meters it is for, as they show it
    version text not null,
    size integer not null check (size between 1 and 737280),  -- octets of the file: what the mesh carries
    content bytea not null,             -- the vendor's file
    uploaded_us bigint not null,
    uploaded_by text not null,
    reason text not null,
    unique (tenant, digest)
);
create table firmware_order (
    number integer generated always as identity primary key,  -- what meters know the distribution by: a later one is higher
    job bigint not null unique references job,
    image bigint not null references firmware_image
);
create table firmware_meter (
    number integer not null references firmware_order,
    meter bigint not null references meter,
    state text not null default 'waiting' check (state in ('waiting', 'receiving', 'verified', 'failed', 'refused')),
    blocks integer not null default 0,
    missing integer not null default 0,
    trouble text not null default '',   -- why it failed or was refused, for people
    told_us bigint,
    told_by bigint references concentrator,
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (number, meter)
);
create index on firmware_meter (meter);
create table firmware_running (
    meter bigint primary key references meter,
    version text not null,              -- active firmware identifier, 1-0:0.2.0, as last read
    read_us bigint not null,
    tenant integer not null references tenant,
    area integer not null references area
);
create table firmware_supply (          -- the image that a concentrator was sent last
    concentrator bigint primary key references concentrator,
    digest bytea not null,
    state text not null check (state in ('initiated', 'sending', 'verified', 'failed')),
    blocks_done integer not null,
    blocks integer not null,
    reason text not null default '',
    changed_us bigint not null
);

-- Meters of orders that run, by the concentrator that has them now.
create view firmware_due as
select o.number, o.job, o.image, j.deadline_us, coalesce(l.concentrator, m.concentrator) as concentrator, m.number as meter,
       f.state in ('waiting', 'receiving') as open
from firmware_order o
join job j on j.id = o.job and j.state in ('queued', 'running')
join firmware_meter f on f.number = o.number
join meter m on m.id = f.meter
left join meter_lease l on l.meter = m.id;

-- What a meter said. What was verified stays so, whatever an older journal says; an item of the job that waits for it looks again.
create function firmware_told(told_number integer, told_meter bigint, concentrator bigint, new_state text, new_blocks integer,
                              new_missing integer, new_trouble text, at_us bigint)
returns void language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    update firmware_meter f set state = new_state, blocks = greatest(new_blocks, blocks), missing = new_missing, trouble = new_trouble,
           told_us = at_us, told_by = firmware_told.concentrator
    from meter m
    where m.number = told_meter and f.meter = m.id and f.number = told_number and f.state <> 'verified'
          and coalesce(f.told_us, 0) <= at_us;
    update job_item i set not_before_us = 0 from firmware_order o
    where o.number = told_number and i.job = o.job and i.subject = lpad(told_meter::text, 12, '0') and i.state = 'waiting'
          and new_state <> 'receiving';
end $$;
revoke all on function firmware_told from public;
grant execute on function firmware_told to wm_frontend;

select limit_to_areas(name) from unnest(array['firmware_meter', 'firmware_running']) name;
select limit_to_concentrators('firmware_supply');
grant select on firmware_vendor, firmware_image, firmware_order to wm_console, wm_monitor;
grant insert on firmware_vendor, firmware_image, firmware_order to wm_console;
grant insert on wattmesh_scope.firmware_meter to wm_console;
grant select on firmware_due, firmware_image to wm_frontend, wm_monitor;
grant select, insert, update on firmware_supply to wm_frontend;
grant select on firmware_supply, firmware_meter to wm_monitor;
grant select, insert, update on firmware_running to wm_monitor;
