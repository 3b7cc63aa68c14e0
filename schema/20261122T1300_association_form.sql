-- How the association of a meter's management client is proved and protected (protocol/dlms/association_form.h):
-- what a shipment says of it.

alter table meter
    add column authentication text not null default 'gmac'
        check (authentication in ('md5', 'sha1', 'gmac', 'sha256', 'ecdsa')),
    add column framing text not null default 'glo'
        check (framing in ('glo', 'general-glo', 'identified-key', 'wrapped-key', 'one-pass-dh', 'static-dh')),
    add column signing boolean not null default false,
    add constraint meter_association_suite
        check (security_suite > 0 or
               (authentication <> 'ecdsa' and not signing and framing not in ('one-pass-dh', 'static-dh')));
