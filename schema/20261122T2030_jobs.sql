-- Long work: what people and the head-end itself ordered, item by item, and the files it made.

create table job (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    areas text not null,                 -- where the one who asked has the right: '*' or a list, as wattmesh_scope.areas reads it
    kind text not null,
    title text not null,
    parameters text not null,            -- JSON, the kind's own
    requested_by text not null,
    reason text not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'paused', 'cancelled', 'done')),
    total integer not null default 0,
    done integer not null default 0,     -- items that ended well
    failed integer not null default 0,
    created_us bigint not null,
    started_us bigint,
    finished_us bigint,
    deadline_us bigint not null,         -- what is not done then has failed: no job hangs
    owner text,                          -- the process at work, until the instant; then anybody's
    owner_until_us bigint,
    check (done + failed <= total)
);
create index on job (tenant, id desc);
create index job_open on job (id) where state in ('queued', 'running');
create table job_item (
    job bigint not null references job,
    place integer not null,
    subject text not null,               -- what it is about: a meter's number
    state text not null default 'waiting' check (state in ('waiting', 'done', 'failed', 'cancelled')),
    detail text not null default '',     -- the value, or why it failed
    attempts smallint not null default 0,
    not_before_us bigint not null default 0,
    finished_us bigint,
    primary key (job, place)
);
create index job_item_waiting on job_item (job, not_before_us, place) where state = 'waiting';
create table job_file (
    job bigint primary key references job,
    name text not null,
    media_type text not null,
    content bytea not null
);

grant select, insert, update on job, job_item to wm_monitor, wm_console;
grant select, insert on job_file to wm_monitor, wm_console;
