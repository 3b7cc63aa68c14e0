-- What is old is forgotten in slices, oldest first.
create index on outbox (sealed_us) where sealed_us is not null;
create index on webhook_message (at_us);
