-- A partner is told of the jobs that he ordered, not of those of others.
alter table outbox add column ordered_by text;  -- of the topic job: as in job.requested_by
create or replace function tell_job_item(job bigint, place integer) returns void language sql security definer
set search_path = wattmesh, pg_temp as $$
    insert into outbox (tenant, area, topic, type, subject, order_key, at_us, data, ordered_by)
    select j.tenant, (select m.area from meter m where m.number = case when i.subject ~ '^[0-9]{12}$' then i.subject::bigint end),
           'job', 'job.item_' || i.state, i.subject, j.id, i.finished_us,
           jsonb_strip_nulls(jsonb_build_object('job', j.id, 'kind', j.kind, 'title', j.title, 'place', i.place, 'state', i.state,
                                                'detail', i.detail, 'attempts', i.attempts)),
           j.requested_by
    from job j join job_item i on i.job = j.id
    where j.id = tell_job_item.job and i.place = tell_job_item.place and told_of(j.tenant, 'job')
          and j.requested_by like 'partner:%'
$$;
