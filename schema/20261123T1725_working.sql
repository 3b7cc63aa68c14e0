-- An item that somebody has in hand is no longer one that waits: neither cancelling nor a deadline takes it away from him, and what he
-- did is stored whatever became of the job meanwhile.

alter table job_item drop constraint job_item_state_check;
alter table job_item
    add column owner text,               -- the process that has it in hand, or had it last; null: that one let go of it
    add column until_us bigint,          -- of working: then its process counts as dead, unless it still holds the job
    add constraint job_item_state_check check (state in ('waiting', 'working', 'done', 'failed', 'cancelled'));
create index job_item_working on job_item (job) where state = 'working';
update job_item i set state = 'working', until_us = 0 from job j
where j.id = i.job and i.state = 'waiting' and i.detail = 'switching';

create or replace function withdraw_orders(of_contract integer, of_device text, of_command text, at_us bigint) returns integer
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    jobs bigint[];
begin
    with gone as (
        update job_item i set state = 'cancelled', finished_us = at_us from cim_line l, cim_message m
        where m.contract = of_contract and m.id = l.message and l.device = of_device and l.command = of_command and i.job = l.job
              and i.place = l.place and i.state = 'waiting'
        returning i.job)
    select coalesce(array_agg(job), '{}') into jobs from gone;
    update job j set failed = failed + g.items,
                     state = case when done + failed + g.items = total then 'done' else state end,
                     finished_us = case when done + failed + g.items = total then at_us else finished_us end
    from (select job, count(*) as items from unnest(jobs) job group by job) g where j.id = g.job;
    return cardinality(jobs);
end $$;
