-- Who works here and what they did.

create table user_account (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    login text not null unique,
    name text not null,
    role text not null check (role in ('operator', 'engineer', 'administrator')),
    password_hash text not null,
    disabled boolean not null default false,
    failures integer not null default 0,
    locked_until_us bigint,
    created_us bigint not null,
    last_login_us bigint
);
create table user_session (
    token_hash bytea primary key check (length(token_hash) = 32),
    user_account bigint not null references user_account,
    created_us bigint not null,
    expires_us bigint not null
);
create index on user_session (expires_us);

create table on_demand (
    id bigint generated always as identity primary key,
    meter bigint not null references meter,
    tenant integer not null,
    area integer not null,
    object text not null,
    attribute smallint not null,
    requested_by text not null,
    requested_us bigint not null,
    finished_us bigint,
    outcome text not null,
    value text not null
);
create index on on_demand (requested_us desc);

create table audit (
    number bigint primary key,
    at_us bigint not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text not null,
    previous_hash bytea not null,
    hash bytea not null
);
-- Lengths before the texts, so that no two records share an image.
create function audit_hash(number bigint, at_us bigint, actor text, action text, subject text, detail text, previous bytea)
returns bytea language sql immutable set search_path = wattmesh, pg_temp as $$
    select sha256(previous || convert_to(number || ' ' || at_us || ' ' || length(actor) || ':' || actor || length(action) || ':' ||
                  action || length(subject) || ':' || subject || length(detail) || ':' || detail, 'UTF8'))
$$;
create function audit_append(at_us bigint, actor text, action text, subject text, detail text) returns bigint
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    last audit;
    number bigint;
    previous bytea;
begin
    perform pg_advisory_xact_lock(1464683604);
    select * into last from audit a order by a.number desc limit 1;
    number := coalesce(last.number, 0) + 1;
    previous := coalesce(last.hash, sha256('wattmesh audit'));
    insert into audit values (number, at_us, actor, action, subject, detail, previous,
                              audit_hash(number, at_us, actor, action, subject, detail, previous));
    return number;
end $$;
create function audit_first_broken() returns bigint language sql stable security definer set search_path = wattmesh, pg_temp as $$
    select min(number) from (
        select a.*, lag(hash, 1, sha256('wattmesh audit')) over w as before, row_number() over w as place
        from audit a window w as (order by number)) chain
    where place <> number or previous_hash <> before
       or hash <> audit_hash(number, at_us, actor, action, subject, detail, previous_hash)
$$;
