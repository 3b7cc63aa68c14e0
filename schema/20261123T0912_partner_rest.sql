-- Partners over REST: what a contract allows, its programs (OAuth 2 client credentials), answers by idempotency key, the pull feed.

alter table exchange_contract
    add column allowed text[] not null default '{}'
        check (allowed <@ array['master', 'readings', 'events', 'read', 'disconnect', 'reconnect']),
    add column requests_per_minute integer not null default 600 check (requests_per_minute between 1 and 1000000);
create or replace view wattmesh_scope.exchange_contract as select * from wattmesh.exchange_contract
where tenant in (select id from wattmesh_scope.tenant);

create table partner_client (  -- a program of a partner
    id integer generated always as identity primary key,
    contract integer not null references exchange_contract,
    name text not null unique,            -- client_id
    secret_hash text not null,            -- security/password
    created_us bigint not null,
    created_by text not null,
    failures integer not null default 0,  -- wrong secrets in a row
    locked_until_us bigint,
    last_used_us bigint,
    revoked_us bigint
);
create index on partner_client (contract);
create table partner_token (
    token_hash bytea primary key check (length(token_hash) = 32),
    client integer not null references partner_client on delete cascade,
    issued_us bigint not null,
    expires_us bigint not null
);
create index on partner_token (client, expires_us);
create table partner_request (  -- what was ordered, and the answer: the same key brings it again, octet for octet
    contract integer not null references exchange_contract on delete cascade,
    key text not null check (length(key) between 1 and 64),
    digest bytea not null check (length(digest) = 32),  -- SHA-256 of method, address and body
    status smallint,                      -- null: not committed yet, seen by nobody
    location text,
    body text,
    at_us bigint not null,
    primary key (contract, key)
);
create index on partner_request (at_us);
create table partner_feed (  -- who pulls the outbox holds what he has not confirmed by asking for what comes after it
    contract integer primary key references exchange_contract on delete cascade,
    position bigint not null,
    moved_us bigint not null               -- when the position last rose
);
alter table outbox_head add column dropped bigint not null default 0;  -- everything up to here was forgotten

grant select on partner_client to wm_exchange;
grant update (failures, locked_until_us, last_used_us) on partner_client to wm_exchange;
grant select, insert, delete on partner_token to wm_exchange;
grant select, insert, update, delete on partner_request to wm_exchange;
grant select, insert, update on partner_feed to wm_exchange;
grant update (dropped) on outbox_head to wm_exchange;

-- All that a partner may change of a job that is there, so that who speaks to partners needs no right to write into jobs.
create function cancel_job(which bigint, at_us bigint) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    update job set state = 'cancelled', finished_us = at_us
     where id = which and state in ('proposed', 'queued', 'running', 'paused');
    if not found then return false; end if;
    update job_item set state = 'cancelled' where job = which and state = 'waiting';
    return true;
end $$;
revoke execute on function cancel_job from public;
grant execute on function cancel_job to wm_monitor, wm_console, wm_exchange;

-- What a partner asks for is read through the same limited views as what a person looks at.
grant usage on schema wattmesh_scope to wm_exchange;
grant execute on function wattmesh_scope.areas to wm_exchange;
grant select on wattmesh_scope.area, wattmesh_scope.tenant, wattmesh_scope.concentrator, wattmesh_scope.meter,
      wattmesh_scope.interval_row, wattmesh_scope.register_reading, wattmesh_scope.validation_finding, wattmesh_scope.event,
      wattmesh_scope.network_node, wattmesh_scope.network_link, wattmesh_scope.meter_installation
   to wm_exchange;
grant select on meter_model to wm_exchange;
