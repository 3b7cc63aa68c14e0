-- Who is there: tenants, areas, concentrators, meters, their keys and what the head-end wants them to be.
-- Rules of the whole schema: times are bigint microseconds since 1970 UTC (suffix _us) and always come from the program;
-- nothing here calls now(). Device numbers are the twelve digits as a bigint. Business rows carry tenant and area.

create table tenant (
    id integer primary key,
    name text not null unique,
    time_zone text not null  -- IANA name: an aggregate hour is the utility's local hour
);
create table area (
    id integer primary key,
    tenant integer not null references tenant,
    name text not null
);
insert into tenant values (1, 'Utility', 'Asia/Kolkata');
insert into area values (1, 1, 'Area 1');

create table concentrator (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    area integer not null references area,
    number bigint not null unique check (number between 0 and 999999999999),
    name text not null,
    state smallint not null default 0 check (state between 0 and 2),  -- registered, enrolled, revoked
    link smallint not null default 0 check (link between 0 and 1),    -- offline, online
    owner_epoch bigint not null default 0,                            -- raised by every log-in; only the newest may store
    registered_us bigint not null,
    last_seen_us bigint,
    revoked_us bigint
);
create table concentrator_certificate (
    concentrator bigint not null references concentrator,
    serial text not null,
    issued_us bigint not null,
    expires_us bigint not null,
    revoked_us bigint,
    primary key (concentrator, serial)
);
create table concentrator_key (  -- key-encryption key, sealed under the master key
    concentrator bigint primary key references concentrator,
    sealed bytea not null,
    stored_us bigint not null
);
create table enrolment (
    concentrator bigint not null references concentrator,
    code_hash bytea not null check (length(code_hash) = 32),
    issued_us bigint not null,
    expires_us bigint not null,
    used_us bigint,
    primary key (concentrator, code_hash)
);

create table meter_model (
    name text primary key,
    manufacturer text not null,
    reading_keys text not null check (reading_keys in ('separate', 'shared', 'local_only'))
);
create table meter (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    area integer not null references area,
    number bigint not null unique check (number between 0 and 999999999999),
    model text not null references meter_model,
    role smallint not null check (role between 0 and 1),  -- customer, summary (dcu::MeterRole)
    concentrator bigint references concentrator,
    installed_us bigint not null
);
create index on meter (concentrator, number);
create table meter_key (  -- sealed under the master key; purposes as in headend/database/keys.h
    meter bigint not null references meter,
    purpose text not null check (purpose in ('management_ek', 'management_ak', 'management_secret', 'reading_ek',
                                             'reading_ak', 'mesh_join', 'lls_password')),
    sealed bytea not null,
    stored_us bigint not null,
    primary key (meter, purpose)
);
-- Invocation counters of the head-end's own titles. `reserved` is durable before any value up to it is used.
create table key_counter (
    meter bigint not null references meter,
    purpose text not null,
    reserved bigint not null check (reserved between 0 and 4294967295),
    received bigint not null check (received between -1 and 4294967295),
    primary key (meter, purpose)
);
-- Which server wrote the counters: another one (restored backup, promoted copy) makes them jump before first use.
create table server_identity (
    only_row boolean primary key default true check (only_row),
    system_identifier bigint not null,
    timeline integer not null
);

create table desired_object (
    concentrator bigint not null references concentrator,
    object text not null,
    version bigint not null check (version between 0 and 4294967295),
    content bytea not null,
    changed_us bigint not null,
    confirmed_version bigint not null default 0,
    confirmed_us bigint,
    primary key (concentrator, object)
);
