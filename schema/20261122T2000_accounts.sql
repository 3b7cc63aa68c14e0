-- Who may do what where, tokens for programs, and an audit log that is sealed behind its writers.

-- A role holds in one area or, without one, in the whole tenant. What a role may do is the program's (headend/database/users.h).
create table user_grant (
    user_account bigint not null references user_account on delete cascade,
    role text not null check (role in ('viewer', 'operator', 'engineer', 'auditor', 'administrator')),
    area integer references area,
    unique nulls not distinct (user_account, role, area)
);
insert into user_grant select id, role, null from user_account;
alter table user_account drop column role;

create table api_token (  -- for programs; sent as "Authorization: Bearer", stored as SHA-256
    id bigint generated always as identity primary key,
    user_account bigint not null references user_account,
    name text not null,
    token_hash bytea not null unique check (length(token_hash) = 32),
    look_only boolean not null,
    created_us bigint not null,
    expires_us bigint not null,
    last_used_us bigint,
    revoked_us bigint
);
create index on api_token (user_account);

-- Writers of the log only insert: a lock held to the end of the audited act would line up every act of the utility behind each other.
-- A sealer numbers what is committed, in the order in which it finds it, and chains it. Rows of form 1 were hashed before this migration.
alter table audit drop constraint audit_pkey;
alter table audit
    alter column number drop not null,
    alter column previous_hash drop not null,
    alter column hash drop not null,
    add column id bigint generated always as identity primary key,
    add column form smallint not null default 1,
    add column tenant integer references tenant,  -- null: of the whole head-end
    add column reason text not null default '',
    add column before text,
    add column after text,
    add constraint audit_number_key unique (number),
    add constraint audit_sealed check ((number is null) = (hash is null) and (number is null) = (previous_hash is null));
alter table audit alter column form set default 2;
create index audit_unsealed on audit (id) where number is null;
create index on audit (at_us desc);

-- A text with its length before it, so that no two records share an image; nothing is told from an empty text.
create function audit_part(part text) returns text language sql immutable parallel safe
return coalesce(length(part) || ':' || part, '-');
create function audit_record_hash(record audit, as_number bigint, previous bytea) returns bytea
language sql immutable set search_path = wattmesh, pg_temp as $$
    select case record.form
        when 1 then audit_hash(as_number, record.at_us, record.actor, record.action, record.subject, record.detail, previous)
        else sha256(previous || convert_to(as_number || ' ' || record.at_us || ' ' || coalesce(record.tenant::text, '-') || ' ' ||
                    audit_part(record.actor) || audit_part(record.action) || audit_part(record.subject) || audit_part(record.detail) ||
                    audit_part(record.reason) || audit_part(record.before) || audit_part(record.after), 'UTF8'))
    end
$$;

drop function audit_append;
create function audit_append(at_us bigint, tenant integer, actor text, action text, subject text, detail text, reason text,
                             before text, after text) returns bigint
language sql security definer set search_path = wattmesh, pg_temp as $$
    insert into audit (at_us, tenant, actor, action, subject, detail, reason, before, after)
    values (at_us, tenant, actor, action, subject, detail, reason, before, after) returning id
$$;

-- Seals up to `most` committed records and gives the chain's head after it; one sealer at a time, another one finds nothing to do.
create function audit_seal(most integer, out sealed integer, out head bigint, out head_hash bytea)
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    record audit;
begin
    sealed := 0;
    if pg_try_advisory_xact_lock(1464683604) then
        select a.number, a.hash into head, head_hash from audit a where a.number is not null order by a.number desc limit 1;
        head := coalesce(head, 0);
        head_hash := coalesce(head_hash, sha256('wattmesh audit'));
        for record in select * from audit a where a.number is null order by a.id limit most loop
            head := head + 1;
            update audit a set number = head, previous_hash = head_hash, hash = audit_record_hash(record, head, head_hash)
            where a.id = record.id returning a.hash into head_hash;
            sealed := sealed + 1;
        end loop;
    end if;
end $$;

drop function audit_first_broken;
-- The first sealed record that does not fit: altered, or a number before it is missing.
create function audit_first_broken() returns bigint language sql stable security definer set search_path = wattmesh, pg_temp as $$
    select min(number) from (
        select a as record, a.number, a.previous_hash, a.hash, lag(a.hash, 1, sha256('wattmesh audit')) over w as before,
               row_number() over w as place
        from audit a where a.number is not null window w as (order by a.number)) chain
    where place <> number or previous_hash <> before or hash <> audit_record_hash(record, number, previous_hash)
$$;

-- What a person may see. The console's connection finds these views before the tables: whatever a page asks is limited to the areas
-- set for the request, and to none when nothing was set, so that a query that forgets the limit shows too little and never too much.
create function wattmesh_scope.areas() returns integer[] language sql stable parallel safe security definer
set search_path = wattmesh, pg_temp as $$
    select coalesce(array_agg(id), '{}') from area
    where case current_setting('wattmesh.tenant', true)
              when '*' then true
              else tenant = nullif(current_setting('wattmesh.tenant', true), '')::integer
          end
      and case current_setting('wattmesh.areas', true)
              when '*' then true
              else id = any (nullif(current_setting('wattmesh.areas', true), '')::integer[])
          end
$$;
-- For migrations: makes the limited view of a table with an area, or makes it anew after columns were added to the table.
create function limit_to_areas(name text) returns void language plpgsql set search_path = wattmesh, pg_temp as $$
begin
    execute format('create or replace view wattmesh_scope.%I as select * from wattmesh.%I '
                   'where area = any ((select wattmesh_scope.areas())::integer[])', name, name);
    execute format('revoke select on wattmesh.%I from wm_console', name);
    execute format('grant select on wattmesh_scope.%I to wm_console', name);
end $$;
-- The same for a table that belongs to a concentrator.
create function limit_to_concentrators(name text) returns void language plpgsql set search_path = wattmesh, pg_temp as $$
begin
    execute format('create or replace view wattmesh_scope.%I as select * from wattmesh.%I '
                   'where concentrator in (select id from wattmesh_scope.concentrator)', name, name);
    execute format('revoke select on wattmesh.%I from wm_console', name);
    execute format('grant select on wattmesh_scope.%I to wm_console', name);
end $$;
select limit_to_areas(name) from unnest(array['concentrator', 'meter', 'interval_row', 'reading_conflict', 'rejected_entry', 'event',
                                              'register_reading', 'aggregate_hour', 'aggregate_day', 'meter_latest', 'on_demand',
                                              'interval_reading', 'completeness_day']) name;
select limit_to_concentrators(name) from unnest(array['concentrator_certificate', 'desired_object', 'journal_cursor', 'meter_link']) name;
create view wattmesh_scope.collector as select id, tenant, area, number, concentrator, registered_us from wattmesh.collector
where area = any ((select wattmesh_scope.areas())::integer[]);
create view wattmesh_scope.area as select * from wattmesh.area where id = any ((select wattmesh_scope.areas())::integer[]);
create view wattmesh_scope.tenant as select * from wattmesh.tenant where id in (select tenant from wattmesh_scope.area);
revoke select (id, tenant, area, number, concentrator, registered_us) on collector from wm_console;
revoke select on area, tenant, dirty_day from wm_console;
grant select on wattmesh_scope.collector, wattmesh_scope.area, wattmesh_scope.tenant to wm_console;
grant usage on schema wattmesh_scope to wm_console;
revoke all on all functions in schema wattmesh_scope from public;
grant execute on function wattmesh_scope.areas to wm_console;

revoke all on function audit_append, audit_seal, audit_first_broken, audit_part, audit_record_hash, limit_to_areas,
    limit_to_concentrators from public;
grant execute on function audit_append to wm_frontend, wm_monitor, wm_console;
grant execute on function audit_part, audit_record_hash, audit_first_broken to wm_monitor, wm_console;
grant execute on function audit_seal to wm_monitor;
grant select (number, hash) on audit to wm_monitor;
grant insert on user_account to wm_console;
grant select, insert, update, delete on user_grant to wm_console;
grant select, insert, update on api_token to wm_console;
