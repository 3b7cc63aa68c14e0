-- Files for billing: the intervals of a day, written to a directory that the partner fetches from.
create table file_channel (
    id integer generated always as identity primary key,
    contract integer not null references exchange_contract,
    name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    directory text not null,
    zone text not null,                   -- IANA name: whose midnights
    decimals smallint not null check (decimals in (0, 3)),  -- 0: Wh and varh, 3: kWh and kvarh
    meters_max integer not null check (meters_max between 1 and 10000),  -- in one file
    first_day date not null,
    after_s integer not null check (after_s >= 0),          -- a day's files are written so long after its end
    correct_days integer not null check (correct_days between 0 and 400),
    disabled boolean not null default false,
    unique (contract, name)
);
create table file_sent (
    id bigint generated always as identity primary key,
    channel integer not null references file_channel,
    day date not null,
    part integer not null,                -- 1, 2 ... of the day
    revision integer not null,            -- 0; corrections 1, 2 ...
    name text not null,
    lines integer not null,
    total text not null,                  -- sum of the values as in the trailer
    sha256 bytea not null,
    written_us bigint not null,
    published boolean not null default false,  -- renamed and marked as done
    acknowledged_us bigint,
    refused integer,                      -- lines, as the partner said
    unique (channel, day, part, revision),
    unique (channel, name)
);
create index file_unpublished on file_sent (channel) where not published;
create table file_line (
    file bigint not null references file_sent on delete cascade,
    line integer not null,                -- in the file, the header is 1
    meter bigint not null,
    register text not null,
    digest bigint not null,               -- of the line's text
    refused_code text,
    refused_text text,
    primary key (file, line)
);
create table file_due (day integer primary key, mark bigint not null);  -- UTC days whose aggregates were computed again
create function note_file_due() returns trigger language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    if old.bank = 1 and exists (select from file_channel where not disabled) then
        insert into file_due values (old.day, 1) on conflict (day) do update set mark = file_due.mark + 1;
    end if;
    return null;
end $$;
create trigger dirty_day_files after delete on dirty_day for each row execute function note_file_due();

grant select on file_channel, interval_row, validation_finding, network_node, meter_installation to wm_exchange;
grant select, insert, update on file_sent, file_line to wm_exchange;
grant select, delete on file_due to wm_exchange;
grant execute on function at_us to wm_exchange;

create view wattmesh_scope.file_channel as select * from wattmesh.file_channel
where contract in (select id from wattmesh_scope.exchange_contract);
create view wattmesh_scope.file_sent as select * from wattmesh.file_sent where channel in (select id from wattmesh_scope.file_channel);
create view wattmesh_scope.file_line as select * from wattmesh.file_line where file in (select id from wattmesh_scope.file_sent);
grant select on wattmesh_scope.file_channel, wattmesh_scope.file_sent, wattmesh_scope.file_line to wm_console;
