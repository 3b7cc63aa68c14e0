-- Cutting off and connecting again: what no order may touch, the second person, and the one-press stop.

alter table meter add column protected_why text;  -- not null: never cut off; says why (life support, hospital)
select limit_to_areas('meter'), limit_to_areas('concentrator'), limit_to_concentrators('bus_unit');
grant update (protected_why) on wattmesh_scope.meter to wm_console;

alter table job drop constraint job_state_check;
alter table job
    add constraint job_state_check check (state in ('proposed', 'queued', 'running', 'paused', 'cancelled', 'done')),
    add column approved_by text;

create table relay_stop (  -- a row: nothing of this tenant is cut off or connected
    tenant integer primary key references tenant,
    stopped_us bigint not null,
    stopped_by text not null,
    reason text not null
);
grant select, insert, delete on relay_stop to wm_console;
grant select on relay_stop to wm_monitor;
