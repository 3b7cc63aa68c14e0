-- What rules found doubtful in raw readings, which stay as they are.

alter table meter_model add column validation_class text not null default 'household'
    check (validation_class in ('household', 'business', 'large'));
update meter_model set validation_class = 'large' where reading_keys = 'none';  -- behind a bus: industry
create table validation_setting (  -- a limit that a utility changed; the rest is the program's (headend/validation/rules.h)
    class text not null check (class in ('household', 'business', 'large')),
    name text not null,
    value bigint not null,
    primary key (class, name)
);
create table validation_finding (
    meter bigint not null references meter,
    bank smallint not null references bank,
    day_us bigint not null,   -- start of the utility's day
    rule text not null,
    first_us bigint not null, -- ends of the first and last interval it is about
    last_us bigint not null,
    verdict text not null check (verdict in ('warn', 'fail')),
    quality text not null,    -- IEC 61968-9 code that the readings carry
    value bigint not null,
    believed bigint not null, -- what would have been believed
    found_us bigint not null,
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (meter, bank, day_us, rule, first_us)
);
create index on validation_finding (day_us desc, verdict);
select limit_to_areas('validation_finding');

-- A day whose aggregates were recomputed is validated, anew if need be. The mark is that of dirty_day.
create table validation_due (
    day integer not null,          -- UTC day
    concentrator bigint not null,
    mark bigint not null,
    primary key (day, concentrator)
);
create function note_validation_due() returns trigger language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    if old.bank = 1 then
        insert into validation_due values (old.day, old.concentrator, old.mark)
        on conflict (day, concentrator) do update set mark = greatest(validation_due.mark, excluded.mark);
    end if;
    return null;
end $$;
create trigger dirty_day_done after delete on dirty_day for each row execute function note_validation_due();

grant select, delete on validation_due to wm_monitor;
grant select on validation_setting to wm_monitor, wm_console;
grant select, insert, delete on validation_finding to wm_monitor;
