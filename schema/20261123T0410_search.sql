-- What the pages look for: meters by digits anywhere in the number, daily energies by day.

-- pg_trgm is PostgreSQL's own (Debian: postgresql-15); `headend migrate` makes the extension as administrator, in the schema public.
create index meter_digits on meter using gin (lpad(number::text, 12, '0') public.gin_trgm_ops);
create index on aggregate_day (bank, from_us);
