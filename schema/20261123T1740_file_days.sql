-- A day's files are whole when its last part is there: parts are stored one by one, and a crash may come between two.
alter table file_sent add column last boolean not null default false;  -- of its day
-- What there is was taken for whole.
update file_sent s set last = true
where revision = 0 and part = (select max(part) from file_sent o where o.channel = s.channel and o.day = s.day);
create index file_day_whole on file_sent (channel, day) where last;

create or replace view wattmesh_scope.file_sent as select * from wattmesh.file_sent where channel in (select id from wattmesh_scope.file_channel);
