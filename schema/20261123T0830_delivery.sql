-- Tokens on their way to the meter through the mesh.

alter table job add column priority smallint not null default 0;  -- greater ones first
create index on job_item (subject) where state = 'done';

-- One of each sale whose meter has a token gateway. Its tokens are entered one by one; then the balance is read back and the breaker
-- looked at. `next_us` is also the claim of the process that is at it.
create table vend_delivery (
    sale bigint primary key references sale,
    meter bigint not null references meter,
    state text not null default 'waiting'
        check (state in ('waiting', 'sending', 'taken', 'reconnecting', 'done', 'failed', 'cancelled')),
    sent boolean not null default false,  -- a token may have reached the meter: the sale cannot be taken back any more
    detail text not null default '',
    attempts integer not null default 0,
    created_us bigint not null,
    next_us bigint not null,
    deadline_us bigint not null,
    taken_us bigint,
    balance bigint,          -- as the meter said afterwards, in units of 10^balance_scale balance_unit
    balance_unit text,
    balance_scale smallint,
    relay text,
    relay_job bigint references job,
    orders integer not null default 0,  -- relay jobs so far
    finished_us bigint
);
create index vend_delivery_open on vend_delivery (next_us) where finished_us is null;
create index on vend_delivery (meter);
create table vend_delivery_token (
    sale bigint not null references vend_delivery,
    place integer not null,
    sealed bytea,  -- the digits, until the meter has them
    result text,   -- remote, keypad (was typed in), before (the meter had it, nobody knows from whom), or the refusal
    primary key (sale, place),
    check (sealed is not null or result is not null)
);

-- The second commit, which also sends the tokens on their way where the meter takes them through the mesh. `parcel`: the sealed digits.
-- False when the sale was ended already: then the answer that is stored is the answer.
drop function vend_complete(bigint, bigint, bytea, jsonb);
create function vend_complete(wanted bigint, done_us bigint, answer bytea, made jsonb, parcel jsonb, until_us bigint) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    who text;
begin
    update sale set state = 'issued', response = answer, completed_us = done_us where id = wanted and state = 'intended'
    returning operator into who;
    if not found then return false; end if;
    update vend_token t set module_sequence = m.sequence, issued_us = m.at
    from jsonb_to_recordset(made) as m(request text, sequence bigint, at bigint) where t.request = m.request;
    insert into vend_journal (at_us, sale, event, operator, record) values (done_us, wanted, 'issued', who, made::text);
    insert into vend_delivery (sale, meter, created_us, next_us, deadline_us)
    select wanted, d.id, done_us, done_us, until_us
    from sale s join prepaid_meter m on m.id = s.meter join meter d on d.id = m.meter join meter_model k on k.name = d.model
    where s.id = wanted and k.cosem_model is not null and jsonb_array_length(parcel) > 0;
    if found then
        insert into vend_delivery_token (sale, place, sealed)
        select wanted, p.place, p.sealed from jsonb_to_recordset(parcel) as p(place integer, sealed bytea);
    end if;
    return true;
end $$;

-- Takes a sale back as before, unless its tokens may be at the meter already: what was not sent yet is not sent any more.
create or replace function vend_undo(wanted bigint, from_state text, to_state text, at bigint, by_whom text, why text, answer bytea) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    s sale;
    lines integer;
begin
    if from_state = 'issued' then
        update vend_delivery set state = 'cancelled', finished_us = at where sale = wanted and state = 'waiting';
        if exists (select from vend_delivery where sale = wanted and sent) then return false; end if;
    end if;
    update sale set state = to_state, completed_us = coalesce(completed_us, at), response = coalesce(response, answer)
    where id = wanted and state = from_state and kind <> 'deposit' returning * into s;
    if not found then return false; end if;
    select count(*) into lines from sale_line where sale = wanted;
    insert into sale_line
    select sale, place + lines, kind, name, amount, -tenths, price_mills, base, ppm, debt, null, credit, debit
    from sale_line where sale = wanted;
    update customer_debt d set balance = d.balance + l.amount,
        last_month = case when d.last_month >= extract(year from s.day) * 12 + extract(month from s.day) - 1 then d.last_month - 1
                          else d.last_month end
    from sale_line l where l.sale = wanted and l.place < lines and d.id = l.debt;
    update customer_account a set
        version = a.version + 1,
        month_tenths = case when a.month = s_month then a.month_tenths - s.counted_tenths else a.month_tenths end,
        free_month = case when s.kind = 'sale' and s.free_tenths > 0 and a.free_month = s_month then a.free_month - 1 else a.free_month end,
        charged_until = case when s.kind = 'sale' then least(a.charged_until, s.charged_before) else a.charged_until end
    from (select extract(year from s.day)::integer * 12 + extract(month from s.day)::integer - 1 as s_month) m
    where a.id = s.account;
    insert into vend_journal (at_us, sale, event, operator, record) values (at, wanted, to_state, by_whom, why);
    update vendor v set credit = v.credit + s.tender where v.id = s.vendor and s.tender > 0;
    return true;
end $$;

grant execute on function vend_complete, vend_undo to wm_vending;
revoke all on function vend_complete, vend_undo from public;
grant select on vend_delivery, vend_delivery_token, meter_model to wm_vending;
grant select (id, tenant, number, model) on meter to wm_vending;
grant select, update on vend_delivery, vend_delivery_token to wm_monitor;
grant select (id, operator, confirmed_us) on sale to wm_monitor;
grant execute on function vend_journal_append to wm_monitor;
