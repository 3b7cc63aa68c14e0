-- What a partner ordered is withdrawn whatever interface it came by, for a whole list at once.
drop function withdraw_orders(integer, text, text, bigint);
create index job_item_open on job_item (subject) where state = 'waiting';
-- Disconnections that the contract ordered for these devices, if nobody has begun them.
-- The devices of those that are withdrawn.
create function withdraw_orders(of_contract integer, of_devices text[], at_us bigint) returns setof text
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    return query
    with gone as (
        update job_item i set state = 'cancelled', finished_us = at_us from job j, exchange_contract c
        where i.subject = any (of_devices) and i.state = 'waiting' and j.id = i.job and c.id = of_contract
              and j.requested_by = 'partner:' || c.name and j.kind = 'relay' and j.parameters::jsonb ->> 'verb' = 'disconnect'
              and j.state in ('proposed', 'queued', 'running', 'paused')
        returning i.job, i.subject),
    fewer as (
        update job j set failed = failed + g.items,
                         state = case when done + failed + g.items = total then 'done' else state end,
                         finished_us = case when done + failed + g.items = total then at_us else finished_us end
        from (select job, count(*) as items from gone group by job) g where j.id = g.job)
    select distinct subject from gone;
end $$;
revoke execute on function withdraw_orders from public;
grant execute on function withdraw_orders to wm_exchange;
