-- Power cuts as the mesh tells them, and the way to a meter.

alter table event
    add column inferred boolean,   -- power_lost: nobody said so, it was concluded from silence
    add column members integer,    -- outage: meters and collectors that were on the air before
    add column reported integer,   -- outage: said so themselves, or a neighbour for them
    add column silent integer,     -- outage: inferred
    add column back integer,       -- outage_end
    add column missing integer,    -- outage_end: still dark
    add column route bigint[];     -- meter_joined: relays, concentrator side first; null: not told
create index event_outage on event (at_us desc) where kind = 12;
create index event_outage_end on event (concentrator, at_us) where kind = 13;
-- Where a meter was and how it was reached, and whether it had power: looked up by instant.
create index event_place on event (meter_number, at_us desc, sequence desc) where kind in (3, 4, 10, 11, 14);
