-- What a manufacturer's shipment says of a meter beside its number.

alter table meter
    add column serial text check (length(serial) between 1 and 32),
    add column system_title bytea unique check (length(system_title) = 8),  -- null: follows from the number
    add column security_suite integer not null default 0 check (security_suite between 0 and 2);

alter table meter_key drop constraint meter_key_purpose_check;
alter table meter_key add constraint meter_key_purpose_check
    check (purpose in ('management_ek', 'management_ak', 'management_secret', 'reading_ek', 'reading_ak', 'mesh_join',
                       'lls_password', 'master'));

-- Raised when a meter gets other keys: what was received under the old ones says nothing of the new ones.
alter table key_counter add column generation integer not null default 0;
