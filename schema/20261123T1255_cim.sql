-- IEC 61968-9 with partners: each one's dialect, what came and how it was answered, and replies that follow later.

create table cim_dialect (
    contract integer primary key references exchange_contract on delete cascade,
    stamp text not null check (stamp in ('end', 'start')),        -- of an interval: which of its instants names it
    multiplier smallint not null check (multiplier in (0, 3)),    -- of energies, power of ten: Wh or kWh
    zone text not null,                                           -- IANA name, for instants that we write
    reply_to text[] not null                                      -- addresses that replies may be sent to
);
create table cim_control (  -- what may be ordered; codes of IEC 61968-9
    name text primary key,
    code text not null unique,            -- EndDeviceControlType
    done text not null,                   -- EndDeviceEventType when it was done, and when it was not
    failed text not null
);
insert into cim_control values
    ('disconnect', '3.31.0.23', '3.31.0.68', '3.31.0.84'),
    ('connect', '3.31.0.18', '3.31.0.42', '3.31.0.67'),
    ('hold', '3.31.0.8', '3.31.0.10', '3.31.0.85'),
    ('read', '3.21.87.30', '3.21.87.58', '3.21.87.85'),
    ('ping', '3.1.0.30', '3.1.0.58', '3.1.0.79');
create table cim_alias (  -- a partner's own word for a code of ours
    contract integer not null references exchange_contract on delete cascade,
    kind text not null check (kind in ('reading', 'control', 'event')),
    name text not null,                   -- ReadingType with multiplier 0, cim_control.name, or EndDeviceEventType
    code text not null,
    primary key (contract, kind, name),
    unique (contract, kind, code)
);

create table cim_message (
    id bigint generated always as identity primary key,
    contract integer not null references exchange_contract on delete cascade,
    message_id text not null check (length(message_id) between 1 and 128),
    correlation text not null,
    client text not null,
    digest bytea not null check (length(digest) = 32),  -- SHA-256 of the request
    request text not null,
    received_us bigint not null,
    answer text,                          -- as it was sent; null: not committed yet, seen by nobody
    reply_to text,                        -- null: the answer said everything
    place text not null default '',       -- how far the reply was written
    closed boolean not null default false,  -- its last piece was written
    next_us bigint not null default 0,    -- looked at again, or in somebody's hand until then
    unique (contract, message_id)
);
create index on cim_message (received_us);
create index cim_message_open on cim_message (next_us) where reply_to is not null and not closed;
create table cim_line (  -- what a message ordered, device by device
    message bigint not null references cim_message on delete cascade,
    line integer not null,
    name text not null,                   -- the partner's, of the control
    device text not null,                 -- as the partner wrote it
    command text not null,
    job bigint references job,
    place integer,
    code text,                            -- what became of it at once: a reply code of IEC 61968-9
    reason text,
    primary key (message, line),
    check ((job is null) = (place is null)),
    check ((job is null) <> (code is null))
);
create index on cim_line (job, place);
create table cim_reply (  -- as it is sent
    message bigint not null references cim_message on delete cascade,
    piece integer not null,
    message_id text not null,
    body text not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
    attempts integer not null default 0,
    next_us bigint not null,
    failing_since_us bigint,
    status integer not null default 0,    -- of the last answer; 0: none came
    error text not null default '',
    primary key (message, piece)
);
create index cim_reply_waiting on cim_reply (next_us) where state = 'waiting';

alter table webhook add column form text not null default 'cloudevents' check (form in ('cloudevents', 'cim')),
    add check (form = 'cloudevents' or (batch = 1 and topics <@ array['event', 'readings']));
create or replace view wattmesh_scope.webhook as
    select id, contract, name, url, topics, batch, created_us, disabled_why, form from wattmesh.webhook
    where contract in (select id from wattmesh_scope.exchange_contract);

grant select on cim_dialect, cim_control, cim_alias to wm_exchange;
grant select, insert, update, delete on cim_message, cim_line, cim_reply to wm_exchange;

-- A partner takes back what one of its messages ordered with a command for a device, if nobody has begun it: an item that was begun says
-- so in its detail. How many.
create function withdraw_orders(of_contract integer, of_device text, of_command text, at_us bigint) returns integer
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    jobs bigint[];
begin
    with gone as (
        update job_item i set state = 'cancelled', finished_us = at_us from cim_line l, cim_message m
        where m.contract = of_contract and m.id = l.message and l.device = of_device and l.command = of_command and i.job = l.job
              and i.place = l.place and i.state = 'waiting' and i.detail <> 'switching'
        returning i.job)
    select coalesce(array_agg(job), '{}') into jobs from gone;
    update job j set failed = failed + g.items,
                     state = case when done + failed + g.items = total then 'done' else state end,
                     finished_us = case when done + failed + g.items = total then at_us else finished_us end
    from (select job, count(*) as items from unnest(jobs) job group by job) g where j.id = g.job;
    return cardinality(jobs);
end $$;
revoke execute on function withdraw_orders from public;
grant execute on function withdraw_orders to wm_exchange;
