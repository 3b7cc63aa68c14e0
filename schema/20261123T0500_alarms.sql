-- Alarms (ISA-18.2): one row for each rule and object that ever had one; states and rules are headend/monitor/alarm_core.h.

create table alarm (
    id bigint generated always as identity primary key,
    tenant integer references tenant,   -- null: of the whole head-end
    area integer references area,       -- null: of a whole tenant, or of the whole head-end
    rule text not null,                 -- a word of headend/monitor/alarm_rules.cpp
    kind text not null,                 -- of the object: concentrator, meter, transformer, feeder, job, head-end
    object text not null,               -- its number or name
    priority smallint not null check (priority between 1 and 3),  -- high, medium, low
    state smallint not null check (state between 0 and 7),        -- database::AlarmState
    active boolean not null,
    acked boolean not null,
    text text not null,
    members integer not null,           -- objects that this alarm stands for
    hides integer not null,             -- alarms that are not raised because of it
    count integer not null,             -- how often it was raised since it was normal
    raised_us bigint not null,          -- since it was normal
    last_us bigint not null,            -- newest time it was raised
    gone_us bigint,                     -- since when the condition is not seen, while the off-delay runs
    returned_us bigint,
    burst_us bigint not null,           -- chatter: raised burst times since then
    burst smallint not null,
    chattering boolean not null,
    first_up boolean not null,          -- the first of those that came together
    suppressed_by text,
    shelved_until_us bigint,
    aside_by text,                      -- who shelved it or took it out of service, and why
    aside_reason text,
    out_of_service boolean not null,
    acked_by text,
    acked_us bigint,
    assigned_to text,
    unique nulls not distinct (tenant, rule, kind, object)
);
create index alarm_standing on alarm (priority, raised_us) where state <> 0;
create table alarm_journal (  -- appended to, never changed: no role may
    id bigint generated always as identity primary key,
    alarm bigint not null references alarm,
    at_us bigint not null,
    what text not null check (what in ('raised', 'returned', 'grew', 'chattered', 'suppressed', 'unsuppressed', 'acknowledged', 'commented',
                                       'shelved', 'unshelved', 'taken out of service', 'put in service', 'assigned', 'reset')),
    who text not null,
    text text not null
);
create index on alarm_journal (alarm, id);
create index alarm_journal_raised on alarm_journal (at_us) where what = 'raised';
-- What alarms are made of, found by when it came.
create index event_alarming on event (received_us) where kind in (4, 6, 7, 10, 15) or clock_doubtful;
create index on reading_conflict (received_us);
create index on rejected_entry (received_us);

-- An alarm of no area is for those who see the whole tenant.
create view wattmesh_scope.alarm as select * from wattmesh.alarm
where area = any ((select wattmesh_scope.areas())::integer[])
   or area is null and current_setting('wattmesh.areas', true) = '*'
      and (tenant is null or current_setting('wattmesh.tenant', true) in ('*', tenant::text));
create view wattmesh_scope.alarm_journal as select * from wattmesh.alarm_journal
where alarm in (select id from wattmesh_scope.alarm);
grant select, update on wattmesh_scope.alarm to wm_console;
grant select, insert on wattmesh_scope.alarm_journal to wm_console;
grant select, insert, update on alarm to wm_monitor;
grant select, insert on alarm_journal to wm_monitor;
grant select (at_us, action, subject, detail) on audit to wm_monitor;
