-- The network as it is wired, and who is supplied where: each tie holds for a time and never overlaps with another of its kind.

create table network_node (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    area integer not null references area,
    kind smallint not null check (kind between 1 and 4),  -- substation, feeder, transformer, usage point (database::NodeKind)
    number text not null check (number <> ''),            -- the utility's own
    name text not null,
    latitude_e7 integer check (latitude_e7 between -900000000 and 900000000),  -- WGS 84, degrees x 10^7
    longitude_e7 integer check (longitude_e7 between -1800000000 and 1800000000),
    unique (tenant, kind, number),
    unique (id, kind),
    check ((latitude_e7 is null) = (longitude_e7 is null))
);
-- A feeder hangs on a substation, a transformer on a feeder, a usage point on a transformer.
create table network_link (
    node bigint not null,
    kind smallint not null,
    parent bigint not null,
    parent_kind smallint not null generated always as (kind - 1) stored,
    from_us bigint not null,
    to_us bigint not null default 9223372036854775807,  -- exclusive
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (node, from_us),
    foreign key (node, kind) references network_node (id, kind),
    foreign key (parent, parent_kind) references network_node (id, kind),
    check (from_us < to_us),
    -- Ranges of one number stand for equality: plain GiST knows no bigint.
    exclude using gist (int8range(node, node, '[]') with &&, int8range(from_us, to_us) with &&)
);
create index on network_link (parent, node);
-- A customer's meter hangs at a usage point, a summary meter at its transformer. One meter at a place, one place for a meter.
create table meter_installation (
    meter bigint not null references meter,
    node bigint not null,
    kind smallint not null check (kind in (3, 4)),
    from_us bigint not null,
    to_us bigint not null default 9223372036854775807,
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (meter, from_us),
    foreign key (node, kind) references network_node (id, kind),
    check (from_us < to_us),
    exclude using gist (int8range(meter, meter, '[]') with &&, int8range(from_us, to_us) with &&),
    exclude using gist (int8range(node, node, '[]') with &&, int8range(from_us, to_us) with &&)
);
create index on meter_installation (node, from_us);
-- Where a concentrator stands. It reads meters of other transformers too: who hangs where is said by network_link, never by the mesh.
create table concentrator_site (
    concentrator bigint not null references concentrator,
    transformer bigint not null,
    kind smallint not null default 3 check (kind = 3),
    from_us bigint not null,
    to_us bigint not null default 9223372036854775807,
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (concentrator, from_us),
    foreign key (transformer, kind) references network_node (id, kind),
    check (from_us < to_us),
    exclude using gist (int8range(concentrator, concentrator, '[]') with &&, int8range(from_us, to_us) with &&),
    exclude using gist (int8range(transformer, transformer, '[]') with &&, int8range(from_us, to_us) with &&)
);
create table customer (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    area integer not null references area,
    number text not null check (number <> ''),
    name text not null check (name <> ''),
    address text not null default '',
    phone text not null default '',
    unique (tenant, number)
);
create table supply (  -- who is supplied at a usage point; a customer may have several
    usage_point bigint not null,
    kind smallint not null default 4 check (kind = 4),
    customer bigint not null references customer,
    from_us bigint not null,
    to_us bigint not null default 9223372036854775807,
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (usage_point, from_us),
    foreign key (usage_point, kind) references network_node (id, kind),
    check (from_us < to_us),
    exclude using gist (int8range(usage_point, usage_point, '[]') with &&, int8range(from_us, to_us) with &&)
);
create index on supply (customer);

-- Which meters measure what flows through a transformer, and since when: its customers' (role 0) and its own summary meter (role 1).
create view transformer_meter as
select l.parent as transformer, i.meter, 0::smallint as role, greatest(l.from_us, i.from_us) as from_us,
       least(l.to_us, i.to_us) as to_us, i.tenant, i.area
from network_link l join meter_installation i on i.node = l.node and i.from_us < l.to_us and l.from_us < i.to_us
where l.kind = 4
union all
select i.node, i.meter, 1::smallint, i.from_us, i.to_us, i.tenant, i.area from meter_installation i where i.kind = 3;

select limit_to_areas(name) from unnest(array['network_node', 'network_link', 'meter_installation', 'concentrator_site', 'customer',
                                              'supply', 'transformer_meter']) name;
grant insert, update (name, latitude_e7, longitude_e7) on wattmesh_scope.network_node to wm_console;
grant insert, update (name, address, phone) on wattmesh_scope.customer to wm_console;
grant insert, update (to_us) on wattmesh_scope.network_link, wattmesh_scope.meter_installation, wattmesh_scope.concentrator_site,
    wattmesh_scope.supply to wm_console;
grant insert on wattmesh_scope.register_reading to wm_console;
grant select on network_node, network_link, meter_installation, concentrator_site, transformer_meter to wm_monitor;
