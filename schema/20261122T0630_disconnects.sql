-- The key service counts what can open a meter's breaker. Every grant stands here, used or not; the sum over a sliding hour is capped
-- for the whole head-end, whichever process or person asks.

create table disconnect_grant (
    id bigint generated always as identity primary key,
    at_us bigint not null,
    meter bigint not null references meter,
    actor text not null,
    operations integer not null check (operations > 0)
);
create index on disconnect_grant (at_us);
-- Its row is the lock that makes counting and granting one act, and remembers when the alarm was raised.
create table disconnect_cap (
    only_row boolean primary key default true check (only_row),
    alarmed_us bigint
);
insert into disconnect_cap default values;

grant select, insert on disconnect_grant to wm_monitor;
grant select, update on disconnect_cap to wm_monitor;
