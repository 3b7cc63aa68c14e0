-- Partners: what a contract lets them see, the outbox, and webhooks.

create table exchange_contract (
    id integer generated always as identity primary key,
    tenant integer not null references tenant,
    name text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    areas integer[],                      -- null: the whole tenant, and what belongs to no area
    topics text[] not null check (topics <@ array['event', 'readings', 'outage', 'alarm', 'job']),
    disabled boolean not null default false,
    changed_us bigint not null,
    changed_by text not null
);
create table event_type (  -- names for partners, and codes of IEC 61968-9 (EndDeviceEventType)
    kind smallint primary key,            -- dcu::EntryKind
    name text not null unique,
    code text
);
insert into event_type values
    (3, 'joined', '3.23.5.42'),
    (4, 'lost', '3.23.5.68'),
    (5, 'read_failed', '3.1.0.79'),
    (6, 'unknown', '3.12.5.38'),
    (7, 'journal_gap', '10.17.44.177'),
    (8, 'started', null),
    (10, 'power_lost', '3.26.0.85'),
    (11, 'power_back', '3.26.0.216'),
    (12, 'power_cut', '10.26.0.85'),
    (13, 'power_cut_over', '10.26.0.216'),
    (14, 'deleted', '3.23.5.212'),
    (15, 'join_forged', '3.12.32.85'),
    (16, 'reported', null),
    (17, 'pan_clash', null),
    (18, 'evicted', '3.12.68.23'),
    (19, 'cloned', '3.12.5.257');
create table exchange_alias (  -- a partner's own word for a code of ours
    contract integer not null references exchange_contract on delete cascade,
    name text not null,                   -- of event_type
    code text not null,
    primary key (contract, name)
);

-- What partners are told of. A row is written in the transaction in which the thing happened; the sealer then gives committed rows
-- their places, so that who follows places misses nothing however long a transaction took.
create table outbox (
    id bigint generated always as identity primary key,  -- the message's name for ever
    tenant integer not null,
    area integer,
    topic text not null,
    type text not null,                   -- meter.power_lost
    subject text not null,                -- what it is about: a meter's number
    order_key bigint not null,            -- messages with one key reach a partner in order
    at_us bigint not null,
    data jsonb not null,
    position bigint unique,
    sealed_us bigint
);
create index outbox_unsealed on outbox (id) where position is null;
create table outbox_head (one boolean primary key default true check (one), position bigint not null default 0);
insert into outbox_head default values;

create function outbox_seal(now_us bigint, most integer) returns integer
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    head bigint;
    sealed integer := 0;
begin
    if pg_try_advisory_xact_lock(1464683605) then
        select position into head from outbox_head;
        with next as (select id, row_number() over (order by id) as place
                      from (select id from outbox where position is null order by id limit most) waiting)
        update outbox o set position = head + next.place, sealed_us = now_us from next where o.id = next.id;
        get diagnostics sealed = row_count;
        update outbox_head set position = head + sealed where sealed > 0;
    end if;
    return sealed;
end $$;

create function iso_time(us bigint) returns text language sql immutable parallel safe
return to_char(to_timestamp(us / 1000000.0) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
create function device_text(number bigint) returns text language sql immutable parallel safe return lpad(number::text, 12, '0');

-- Nothing is written when no contract wants it.
create function told_of(tenant integer, topic text) returns boolean language sql stable security definer
set search_path = wattmesh, pg_temp as $$
    select exists (select from exchange_contract c where c.tenant = told_of.tenant and not c.disabled and told_of.topic = any (c.topics))
$$;
create function tell(tenant integer, area integer, topic text, type text, subject text, order_key bigint, at_us bigint, data jsonb)
returns void language sql security definer set search_path = wattmesh, pg_temp as $$
    insert into outbox (tenant, area, topic, type, subject, order_key, at_us, data)
    select tenant, area, topic, type, subject, order_key, at_us, jsonb_strip_nulls(data) where told_of(tenant, topic)
$$;
create function tell_event(told event) returns void language sql security definer set search_path = wattmesh, pg_temp as $$
    insert into outbox (tenant, area, topic, type, subject, order_key, at_us, data)
    select told.tenant, told.area, 'event', case told.meter_number when 0 then 'concentrator.' else 'meter.' end || t.name,
           device_text(case told.meter_number when 0 then c.number else told.meter_number end),
           case told.meter_number when 0 then c.number else told.meter_number end, told.at_us,
           jsonb_strip_nulls(jsonb_build_object(
               'concentrator', device_text(c.number), 'name', t.name, 'code', t.code, 'received', iso_time(told.received_us),
               'clock_doubtful', nullif(told.clock_doubtful, false), 'fault', told.fault, 'from', iso_time(told.from_us),
               'to', iso_time(told.to_us), 'hops', told.hops, 'parent', device_text(told.parent), 'rssi_dbm', told.rssi_dbm,
               'inferred', told.inferred, 'members', told.members, 'reported', told.reported, 'silent', told.silent,
               'back', told.back, 'missing', told.missing))
    from event_type t, concentrator c
    where told_of(told.tenant, 'event') and t.kind = told.kind and c.id = told.concentrator
$$;

create function tell_outage(told outage, what text) returns void language sql security definer
set search_path = wattmesh, pg_temp as $$
    select tell(told.tenant, told.area, 'outage', 'outage.' || what, t.number, told.transformer, coalesce(told.to_us, told.from_us),
                jsonb_build_object('transformer', t.number, 'name', t.name, 'feeder', f.number, 'from', iso_time(told.from_us),
                                   'to', iso_time(told.to_us), 'whole', told.whole, 'customers', told.customers,
                                   'reported', told.reported, 'silent', told.silent))
    from network_node t left join network_node f on f.id = told.feeder where t.id = told.transformer
$$;
create function tell_alarm(note bigint) returns void language sql security definer set search_path = wattmesh, pg_temp as $$
    select tell(a.tenant, a.area, 'alarm', 'alarm.' || replace(told.what, ' ', '_'), a.kind || ' ' || a.object, a.id, told.at_us,
                jsonb_build_object('alarm', a.id, 'rule', a.rule, 'kind', a.kind, 'object', a.object, 'priority', a.priority,
                                   'text', a.text, 'who', told.who, 'note', nullif(told.text, '')))
    from alarm_journal told join alarm a on a.id = told.alarm where told.id = note
$$;
create function tell_job_item(job bigint, place integer) returns void language sql security definer
set search_path = wattmesh, pg_temp as $$
    select tell(j.tenant, (select m.area from meter m where m.number = case when i.subject ~ '^[0-9]{12}$' then i.subject::bigint end), 'job', 'job.item_' || i.state, i.subject,
                j.id, i.finished_us,
                jsonb_build_object('job', j.id, 'kind', j.kind, 'title', j.title, 'place', i.place, 'state', i.state, 'detail', i.detail,
                                   'attempts', i.attempts))
    from job j join job_item i on i.job = j.id where j.id = tell_job_item.job and i.place = tell_job_item.place
$$;
-- Rows of [from_us[i], to_us[i]] came for meter[i] and bank[i]; the values are asked for.
create function tell_readings(meter bigint[], bank smallint[], from_us bigint[], to_us bigint[], rows integer[]) returns void
language sql security definer set search_path = wattmesh, pg_temp as $$
    insert into outbox (tenant, area, topic, type, subject, order_key, at_us, data)
    select m.tenant, m.area, 'readings', 'readings.stored', device_text(m.number), m.number, s.to_us,
           jsonb_build_object('profile', b.profile, 'period_s', b.period_s, 'from', iso_time(s.from_us), 'to', iso_time(s.to_us),
                              'rows', s.rows)
    from unnest(tell_readings.meter, tell_readings.bank, tell_readings.from_us, tell_readings.to_us, tell_readings.rows)
         s(meter, bank, from_us, to_us, rows)
    join meter m on m.id = s.meter join bank b on b.id = s.bank
    where exists (select from exchange_contract c where not c.disabled and 'readings' = any (c.topics) and c.tenant = m.tenant)
$$;

create table webhook (
    id integer generated always as identity primary key,
    contract integer not null references exchange_contract,
    name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    url text not null,
    secret bytea not null,                -- wrapped under the master key
    topics text[] not null,
    batch integer not null check (batch between 1 and 500),  -- messages in one request
    created_us bigint not null,
    disabled_why text,
    unique (contract, name)
);
create table webhook_lane (  -- order_key chooses the lane; a lane sends one request at a time
    webhook integer not null references webhook on delete cascade,
    lane smallint not null check (lane between 0 and 3),
    position bigint not null,             -- all up to here are delivered or dead
    attempts integer not null default 0,  -- of the request that waits
    next_us bigint not null default 0,
    failing_since_us bigint,
    last_status integer,
    last_error text,
    owner text,                           -- the process that sends, until then
    owner_until_us bigint,
    primary key (webhook, lane)
);
create table webhook_message (  -- what was sent, as it was sent
    webhook integer not null references webhook on delete cascade,
    position bigint not null,
    message bigint not null,              -- outbox.id
    state smallint not null check (state in (0, 1)),  -- delivered, dead
    attempts integer not null,
    status integer not null,              -- of the last answer; 0: none came
    at_us bigint not null,
    body text not null,
    again boolean not null default false, -- somebody wants it sent once more
    primary key (webhook, position)
);
create index webhook_message_dead on webhook_message (webhook, position) where state = 1;
create index webhook_message_again on webhook_message (webhook, position) where again;

revoke all on function outbox_seal, iso_time, device_text, told_of, tell, tell_event, tell_outage, tell_alarm, tell_job_item,
    tell_readings from public;
grant execute on function tell_event, tell_readings to wm_frontend;
grant execute on function tell_outage, tell_alarm, tell_job_item to wm_monitor;
grant execute on function tell_alarm, tell_job_item to wm_console;  -- reports are its jobs
grant execute on function outbox_seal to wm_exchange;
grant select on exchange_contract, event_type, exchange_alias, outbox_head to wm_exchange;
grant select, delete on outbox to wm_exchange;
grant select, update on webhook, webhook_lane to wm_exchange;
grant select, insert, update, delete on webhook_message to wm_exchange;

-- What the console shows of partners; never a webhook's secret.
create view wattmesh_scope.exchange_contract as select * from wattmesh.exchange_contract
where tenant in (select id from wattmesh_scope.tenant);
create view wattmesh_scope.webhook as select id, contract, name, url, topics, batch, created_us, disabled_why from wattmesh.webhook
where contract in (select id from wattmesh_scope.exchange_contract);
create view wattmesh_scope.webhook_lane as select * from wattmesh.webhook_lane where webhook in (select id from wattmesh_scope.webhook);
create view wattmesh_scope.webhook_message as select * from wattmesh.webhook_message
where webhook in (select id from wattmesh_scope.webhook);
grant select on wattmesh_scope.exchange_contract, wattmesh_scope.webhook, wattmesh_scope.webhook_lane, wattmesh_scope.webhook_message,
    outbox_head to wm_console;
grant update (again) on wattmesh_scope.webhook_message to wm_console;
