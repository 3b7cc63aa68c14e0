-- Certificates of meters of security suites 1 and 2: checked when they came, or signed by our own sub-CA.

create table meter_certificate (
    id bigint generated always as identity primary key,
    meter bigint not null references meter,
    use text not null check (use in ('signature', 'agreement')),
    suite integer not null check (suite between 1 and 2),
    issuer text not null,
    serial text not null,
    not_before_us bigint not null,
    not_after_us bigint not null,
    der bytea not null,
    added_us bigint not null,
    unique (issuer, serial)
);
create index on meter_certificate (meter, use, suite, added_us);

-- Certificates hold nothing secret; the key service answers with them, the console shows them.
grant select on meter_certificate to wm_monitor, wm_console;
