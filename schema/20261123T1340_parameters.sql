-- What meters should be set to, and what they said they are set to.

create table parameter_template (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    name text not null,
    kind text not null check (kind in ('tariff_calendar', 'special_days', 'limits', 'push')),
    content text not null,              -- JSON, as headend/monitor/parameter_sets.h reads it
    version integer not null default 1, -- counts changes of the content
    changed_us bigint not null,
    changed_by text not null,
    unique (tenant, name)
);
create table meter_parameter (
    meter bigint not null references meter,
    kind text not null check (kind in ('tariff_calendar', 'special_days', 'limits', 'push')),
    template bigint not null references parameter_template,  -- what is desired
    desired_us bigint not null,
    desired_by text not null,
    version integer,                    -- of the template, that the meter was last compared with
    state text not null default 'unknown' check (state in ('unknown', 'same', 'differs')),
    members text not null default '[]', -- JSON: each attribute, as desired and as the meter said
    trouble text not null default '',   -- why the last attempt failed
    checked_us bigint,
    written_us bigint,
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (meter, kind)
);
create index on meter_parameter (template);
create index on meter_parameter (kind, state);
select limit_to_areas('meter_parameter');
grant select on parameter_template to wm_monitor, wm_console;
grant insert, update on parameter_template to wm_console;
grant select, update on meter_parameter to wm_monitor;
grant insert, update on wattmesh_scope.meter_parameter to wm_console;
