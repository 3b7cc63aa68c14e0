-- What meters measured. Interval data are wide rows: one per meter, bank and instant, up to eight channels.

create table bank (  -- a capture set: profile and period
    id smallint primary key,
    name text not null unique,
    profile text not null unique,
    period_s integer not null check (period_s > 0),
    channels smallint not null check (channels between 1 and 8),
    kind text not null check (kind in ('interval', 'snapshot'))  -- interval: energy of the period, adds up; snapshot: register state
);
create table channel_map (  -- what a bank's channel means for a model, with validity in time
    model text not null references meter_model,
    bank smallint not null references bank,
    channel smallint not null check (channel between 1 and 8),
    valid_from_us bigint not null default 0,
    valid_to_us bigint not null default 9223372036854775807,
    register text not null,
    scaler smallint not null,
    unit smallint not null,  -- COSEM unit code (Blue Book ed. 14, 4.3.2): 30 Wh, 32 varh
    primary key (model, bank, channel, valid_from_us),
    check (valid_from_us < valid_to_us)
);

create table journal_cursor (
    id bigint generated always as identity unique,  -- rows name their source by it
    concentrator bigint not null references concentrator,
    journal bytea not null check (length(journal) = 16),
    sequence bigint not null default 0,
    epoch bigint not null default 0,
    first_us bigint not null,
    advanced_us bigint not null,
    entries_stored bigint not null default 0,
    entries_replayed bigint not null default 0,
    rows_stored bigint not null default 0,
    rows_duplicate bigint not null default 0,
    primary key (concentrator, journal)
);

-- No foreign keys here: the writer resolves meter and journal itself, and a check per row would halve its speed.
create table interval_row (
    meter bigint not null,
    at_us bigint not null,             -- end of the interval
    journal bigint not null,           -- journal_cursor.id it came from
    sequence bigint not null,          -- and the entry
    quality bigint not null,           -- eight octets, channel 1 in the lowest: 1 clock doubtful, 2 meter status set, 4 filled in later
    tenant integer not null,
    area integer not null,
    bank smallint not null,
    status smallint not null,          -- profile status as the meter gave it
    v1 bigint, v2 bigint, v3 bigint, v4 bigint, v5 bigint, v6 bigint, v7 bigint, v8 bigint,
    primary key (meter, bank, at_us)
) partition by range (at_us);

-- Makes the partition of one UTC day (days since 1970) unless it is there. CREATE and ATTACH apart, because CREATE ... PARTITION OF
-- would lock out every reader and writer of the table. The day's number is the only input, so the roles may call it safely.
create function make_interval_day(day integer) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    name text := 'interval_row_' || to_char(date '1970-01-01' + day, 'YYYYMMDD');
    from_us bigint := day::bigint * 86400000000;
begin
    perform pg_advisory_xact_lock(1464683603, day);
    -- A query, not to_regclass: that may answer from a cache that has not heard of the neighbour's table yet.
    if exists (select from pg_class where relname = name and relnamespace = 'wattmesh'::regnamespace) then return false; end if;
    execute format('create table %I (like interval_row including all, check (at_us >= %s and at_us < %s))', name, from_us,
                   from_us + 86400000000);
    execute format('alter table interval_row attach partition %I for values from (%s) to (%s)', name, from_us,
                   from_us + 86400000000);
    return true;
end $$;

create table reading_conflict (  -- the same reading with another value; the stored one stays
    meter bigint not null,
    bank smallint not null,
    at_us bigint not null,
    channel smallint not null,
    stored_value bigint not null,
    stored_journal bigint not null,
    stored_sequence bigint not null,
    value bigint not null,
    journal bigint not null,
    sequence bigint not null,
    tenant integer not null,
    area integer not null,
    received_us bigint not null,
    primary key (meter, bank, at_us, channel, journal, sequence)
);
create table rejected_entry (  -- what could not be stored, raw, with the reason
    meter_number bigint not null,  -- 0: the concentrator itself
    journal bigint not null,
    sequence bigint not null,
    part integer not null,         -- counts within one entry
    concentrator bigint not null,
    tenant integer not null,
    area integer not null,
    reason text not null,
    raw bytea not null,
    received_us bigint not null,
    primary key (meter_number, journal, sequence, part)
);
create table event (
    meter_number bigint not null,  -- 0: the concentrator itself; not every number that asks to join is a meter of ours
    journal bigint not null,
    sequence bigint not null,
    concentrator bigint not null,
    tenant integer not null,
    area integer not null,
    kind smallint not null,        -- dcu::EntryKind
    at_us bigint not null,
    clock_doubtful boolean not null,
    received_us bigint not null,
    fault smallint,                -- read_failed: dcu::ReadFault over [from_us, to_us]
    from_us bigint,
    to_us bigint,
    hops smallint,                 -- meter_joined
    parent bigint,
    rssi_dbm smallint,
    gap_first bigint,              -- gap: journal entries lost
    gap_last bigint,
    primary key (meter_number, journal, sequence)
);
create index on event (concentrator, at_us desc);
create index on event (meter_number, at_us desc);

create table register_reading (
    meter bigint not null references meter,
    register text not null,
    at_us bigint not null,
    source text not null,
    tenant integer not null,
    area integer not null,
    value bigint not null,
    scaler smallint not null,
    unit smallint not null,
    primary key (meter, register, at_us, source)
);

-- Aggregates never ride in the ingest transaction: it only marks, a worker recomputes.
create table dirty_day (
    bank smallint not null,
    day integer not null,          -- UTC day of at_us
    concentrator bigint not null,  -- the meters' own concentrator; 0: meters without one
    mark bigint not null,          -- raised by every ingest; the worker deletes only the mark it saw
    marked_us bigint not null,
    primary key (bank, day, concentrator)
);
create table aggregate_hour (
    meter bigint not null,
    bank smallint not null,
    from_us bigint not null,       -- start of the utility's local hour
    tenant integer not null,
    area integer not null,
    readings integer not null,
    doubtful integer not null,
    v1 bigint, v2 bigint, v3 bigint, v4 bigint, v5 bigint, v6 bigint, v7 bigint, v8 bigint,
    primary key (meter, bank, from_us)
);
create table aggregate_day (like aggregate_hour including all);
create table meter_latest (
    meter bigint not null,
    bank smallint not null,
    at_us bigint not null,
    tenant integer not null,
    area integer not null,
    quality bigint not null,
    v1 bigint, v2 bigint, v3 bigint, v4 bigint, v5 bigint, v6 bigint, v7 bigint, v8 bigint,
    primary key (meter, bank)
);
