-- What the console's pages ask of the tables.

-- Somebody who may look and not act.
alter table user_account drop constraint user_account_role_check;
alter table user_account add constraint user_account_role_check
    check (role in ('viewer', 'operator', 'engineer', 'administrator'));
-- The live feed looks every second for what came in since its last look.
create index on event (received_us);
