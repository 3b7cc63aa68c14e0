-- Collectors: mesh nodes with wired meters. They measure nothing, so they are no meters; all they have is a key to join the mesh.

create table collector (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    area integer not null references area,
    number bigint not null unique check (number between 0 and 999999999999),
    concentrator bigint not null references concentrator,
    mesh_join bytea not null,  -- sealed under the master key
    registered_us bigint not null
);
create index on collector (concentrator, number);
grant select on collector to wm_monitor;
grant select (id, tenant, area, number, concentrator, registered_us) on collector to wm_frontend, wm_console;

-- meter_joined of a wired meter: its place on the wire of `parent`, a collector. Null: on radio.
alter table event add column sub_address smallint check (sub_address between 1 and 64);
