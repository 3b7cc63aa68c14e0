-- Clocks of meters: how far each one is off, what may be done about it, and what was done.

create table clock_rule (  -- by class of meter (meter_model.validation_class)
    tenant integer not null references tenant,
    class text not null check (class in ('household', 'business', 'large')),
    check_every_s integer not null check (check_every_s between 900 and 2592000),
    correct_from_s integer not null check (correct_from_s >= 10),   -- less than this is right
    correct_to_s integer not null,                                  -- more than this needs somebody: the clock is broken
    midnight_s integer not null check (midnight_s between 0 and 14400),  -- kept from midnight, the utility's and the meter's own
    edge_s integer not null check (edge_s between 0 and 300),            -- kept from the end of an interval
    offender_count integer not null check (offender_count between 1 and 100),  -- so often set
    offender_days integer not null check (offender_days between 1 and 400),    -- within so many days: listed
    automatic boolean not null,                                     -- corrected without being asked
    primary key (tenant, class),
    check (correct_from_s < correct_to_s and correct_to_s <= 900)   -- shift_time of the Clock class reaches 900 s
);
create function usual_clock_rules() returns trigger language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    insert into clock_rule select new.id, c, 86400, 60, 900, 900, 60, 3, 90, true from unnest(array['household', 'business', 'large']) c;
    return null;
end $$;
create trigger tenant_has_clock_rules after insert on tenant for each row execute function usual_clock_rules();
insert into clock_rule select t.id, c, 86400, 60, 900, 900, 60, 3, 90, true from tenant t, unnest(array['household', 'business', 'large']) c;

create table meter_clock (
    meter bigint primary key references meter,
    next_us bigint not null,            -- when it is asked again
    attempts smallint not null default 0,
    fault text not null default '',     -- why it did not tell the last time
    measured_us bigint,
    offset_ms bigint,                   -- what it shows less what is true
    uncertainty_ms bigint,              -- half the time that question and answer took
    since_us bigint,                    -- first measurement since it was last set: what drift is counted from
    since_offset_ms bigint,
    ordered_us bigint,                  -- when it was last to be set without being asked
    tenant integer not null references tenant,
    area integer not null references area,
    check ((measured_us is null) = (offset_ms is null) and (measured_us is null) = (since_us is null))
);
create index on meter_clock (next_us);
create index on meter_clock (offset_ms);
create table clock_correction (
    id bigint generated always as identity primary key,
    meter bigint not null references meter,
    at_us bigint not null,              -- when the command was about to be sent
    before_ms bigint not null,
    shift_s integer not null,
    from_us bigint not null,            -- what the clock jumped over or showed twice: intervals that it touches are marked
    to_us bigint not null,
    after_ms bigint,
    result text not null default 'sent' check (result in ('sent', 'set', 'not_sent', 'refused', 'no_effect', 'not_verified')),
    job bigint not null references job,
    ordered_by text not null,
    tenant integer not null references tenant,
    area integer not null references area,
    check (from_us <= to_us)
);
create index on clock_correction (meter, at_us);
create index on clock_correction (at_us);
select limit_to_areas(name) from unnest(array['meter_clock', 'clock_correction']) name;

grant select, insert, update on meter_clock, clock_correction to wm_monitor;
revoke all on function usual_clock_rules from public;
grant select on clock_rule to wm_monitor, wm_console;
grant update on clock_rule to wm_console;
