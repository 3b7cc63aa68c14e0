-- Devices that call in without a concentrator of ours have a session, an owner epoch and journals like one: they are rows of
-- concentrator with another road. A meter that calls in by itself stands here under its own number, and is its own "concentrator".

alter table concentrator add column road smallint not null default 0 check (road between 0 and 1);  -- 0 our concentrator, 1 a meter that calls in
