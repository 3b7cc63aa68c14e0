-- Replacing meters' keys: what an administrator ordered, and the new key beside the current one until the meter has proved it.

alter table meter_key drop constraint meter_key_purpose_check;
alter table meter_key add constraint meter_key_purpose_check
    check (purpose in ('management_ek', 'management_ak', 'management_secret', 'reading_ek', 'reading_ak', 'mesh_join',
                       'lls_password', 'master', 'management_broadcast'));

create table meter_key_pending (  -- sealed under the master key, as for its place in meter_key
    meter bigint not null references meter,
    purpose text not null check (purpose in ('management_ek', 'management_ak', 'management_broadcast', 'master')),
    sealed bytea not null,
    stored_us bigint not null,
    primary key (meter, purpose)
);

create table key_rotation (
    id bigint generated always as identity primary key,
    meter bigint not null references meter,
    kinds text not null,  -- what is left to do, with commas
    actor text not null,
    reason text not null check (length(reason) between 1 and 200),
    asked_us bigint not null,
    attempts integer not null default 0,
    next_us bigint not null,  -- not tried before
    finished_us bigint,
    trouble text not null default '',  -- why the last attempt stopped; empty when it came to its end
    report text not null default ''  -- a line for each kind that ended; check values, never keys
);
create unique index on key_rotation (meter) where finished_us is null;  -- one at a time

-- No role writes meter_key: a key in force changes only to the one that lay beside it.
create function promote_key(of_meter bigint, of_purpose text, now_us bigint) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    pending bytea;
begin
    delete from meter_key_pending where meter = of_meter and purpose = of_purpose returning sealed into pending;
    if pending is null then return false; end if;
    insert into meter_key (meter, purpose, sealed, stored_us) values (of_meter, of_purpose, pending, now_us)
    on conflict (meter, purpose) do update set sealed = excluded.sealed, stored_us = excluded.stored_us;
    return true;
end $$;
revoke all on function promote_key from public;
grant execute on function promote_key to wm_monitor;
grant select, insert, update, delete on meter_key_pending to wm_monitor;
grant select, update (kinds, attempts, next_us, finished_us, trouble, report) on key_rotation to wm_monitor;
