-- The look for jobs past their deadline, once a second, reads those that are open and not all that were ever ordered.

create index job_deadline on job (deadline_us) where state not in ('done', 'cancelled');
