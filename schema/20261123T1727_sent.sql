-- Whether a command of an item may have reached its meter. Undoing, and the question who cut a meter off last, go by it and not by
-- how the item ended: a command whose end nobody saw may have opened the breaker.

alter table job_item add column sent boolean not null default false;
update job_item i set sent = true from job j
where j.id = i.job and j.kind = 'relay'
      and (i.state = 'done' and i.detail not like '% already' or i.state = 'failed' and i.detail in ('not_verified', 'no_effect', 'refused'));
create index job_item_switched on job_item (subject, finished_us desc) where sent or state = 'done';
drop index job_item_subject_idx;
