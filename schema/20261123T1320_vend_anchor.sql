-- The journal's end of each day, signed: whoever has the signed line and the public key knows for ever what the journal was that day.
create table vend_anchor (
    day date primary key,  -- UTC; days without sales have none
    number bigint not null references vend_seal,
    hash bytea not null,
    at_us bigint not null,
    public_key bytea not null,
    signature bytea not null
);
grant select, insert on vend_anchor to wm_vending;
