-- How the head-end notices that its database is an older copy of itself, so that no invocation counter is used twice.

alter table server_identity
    add column database_oid bigint,  -- another one after a restore into a new database
    add column counter_file bigint,  -- pg_relation_filenode of key_counter: another one after a restore into the same database
    add column raised bigint not null default 0 check (raised between 0 and 4294967295);  -- no counter begins below this

-- One number for each block of counters that is reserved. Head-ends remember the newest outside the database (keys.counters): a
-- database that gives an older one has lost reservations.
create sequence counter_reservation as bigint maxvalue 4294967295;
grant usage, update on sequence counter_reservation to wm_monitor;
