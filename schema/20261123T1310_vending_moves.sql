-- Free units claimed without a purchase, and units moved from a meter that was changed out. And a sale's two commits with what a profile
-- of them asked for: no join whose plan reads the whole of a table that was small when the session planned it, and each document taken
-- apart once.

alter table sale drop constraint sale_kind_check;
alter table sale add constraint sale_kind_check
    check (kind in ('sale', 'free', 'engineering', 'key_change', 'deposit', 'payment', 'claim', 'transfer'));
alter table sale add column from_meter bigint references prepaid_meter;  -- of a transfer: where its units were left
alter table sale add constraint sale_from_meter_check check ((from_meter is not null) = (kind = 'transfer'));
-- What is left in a meter moves once.
create unique index sale_moved on sale (from_meter) where from_meter is not null and state in ('intended', 'issued');

drop function vend_intend(sale, bigint, integer, jsonb, jsonb);
-- The intent of a sale: one commit, before the module is asked. Raises WM001 when the account moved on since it was read (price it
-- again), WM002 when the vendor's credit does not suffice, WM003 when an identifier was taken meanwhile. `lines` and `tokens` are JSON.
create function vend_intend(s sale, account_version bigint, account_month integer, lines text, tokens text) returns bigint
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    made bigint;
    lowest integer;
    highest integer;
    line record;
begin
    if s.account is not null then
        update customer_account a set
            version = a.version + 1,
            month = account_month,
            month_tenths = case when a.month = account_month then a.month_tenths else 0 end + s.counted_tenths,
            free_month = case when s.kind in ('sale', 'claim') and s.free_tenths > 0 then account_month else a.free_month end,
            charged_until = case when s.kind = 'sale' then greatest(a.charged_until, account_month) else a.charged_until end
        where a.id = s.account and a.version = account_version;
        if not found then raise exception 'the account moved on' using errcode = 'WM001'; end if;
    end if;
    select min(t.tid), max(t.tid) into lowest, highest from json_to_recordset(tokens::json) as t(tid integer);
    if lowest is not null then
        update prepaid_meter m set last_tid = highest where m.id = s.meter and coalesce(m.last_tid, -1) < lowest;
        if not found then raise exception 'the identifier was taken' using errcode = 'WM003'; end if;
    end if;
    insert into sale (tenant, kind, state, terminal, key, body_hash, operator, shift, vendor, account, meter, tariff_version, at_us, day,
                      tender, pay_type, tenths, free_tenths, counted_tenths, charged_before, reason, from_meter)
    values (s.tenant, s.kind, s.state, s.terminal, s.key, s.body_hash, s.operator,
            (select id from vend_shift where terminal = s.terminal and closed_us is null), s.vendor, s.account, s.meter,
            s.tariff_version, s.at_us, s.day, s.tender, s.pay_type, s.tenths, s.free_tenths, s.counted_tenths, s.charged_before, s.reason,
            s.from_meter)
    returning id into made;
    for line in
        insert into sale_line
        select made, l.place, l.kind, l.name, l.amount, l.tenths, l.price, l.base, l.ppm, l.debt, l.balance, l.debit, l.credit
        from json_to_recordset(lines::json) as l(place integer, kind text, name text, amount bigint, tenths bigint, price bigint,
                                                 base bigint, ppm integer, debt bigint, balance bigint, debit bigint, credit bigint)
        returning debt, amount
    loop
        if line.debt is not null and s.account is not null and s.kind in ('sale', 'payment') then
            update customer_debt set balance = balance - line.amount, last_month = account_month where id = line.debt;
        end if;
    end loop;
    if tokens <> '[]' then
        insert into vend_token
        select t.request, made, t.place, t.kind, s.meter, t.supply_group, t.key_revision, t.tariff_index, t.base_year, t.tid, t.content
        from json_to_recordset(tokens::json) as t(request text, place integer, kind text, supply_group integer, key_revision smallint,
                                                  tariff_index smallint, base_year smallint, tid integer, content text);
    end if;
    insert into vend_journal (at_us, sale, event, operator, record)
    values (s.at_us, made, 'intended', s.operator, s.kind || ' vendor ' || s.vendor || ' meter ' || coalesce(s.meter::text, '-') ||
            ' tender ' || s.tender || ' lines ' || lines || ' tokens ' || tokens || ' ' || s.reason);
    if s.tender > 0 then  -- last: a vendor's row is what his tills wait for
        update vendor v set credit = v.credit + case when s.kind = 'deposit' then s.tender else -s.tender end
        where v.id = s.vendor and (s.kind = 'deposit' or v.credit - s.tender >= v.credit_floor);
        if not found then raise exception 'the credit does not suffice' using errcode = 'WM002'; end if;
    end if;
    return made;
end $$;

drop function vend_complete(bigint, bigint, bytea, jsonb, jsonb, bigint);
-- The second commit, which also sends the tokens on their way where the meter takes them through the mesh. `parcel`: the sealed digits.
-- `made` and `parcel` are JSON. False when the sale was ended already: then the answer that is stored is the answer.
create function vend_complete(wanted bigint, done_us bigint, answer bytea, made text, parcel text, until_us bigint) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    who text;
    token record;
begin
    update sale set state = 'issued', response = answer, completed_us = done_us where id = wanted and state = 'intended'
    returning operator into who;
    if not found then return false; end if;
    for token in select * from json_to_recordset(made::json) as m(request text, sequence bigint, at bigint) loop
        update vend_token set module_sequence = token.sequence, issued_us = token.at where request = token.request;
    end loop;
    insert into vend_journal (at_us, sale, event, operator, record) values (done_us, wanted, 'issued', who, made);
    if parcel <> '[]' then
        insert into vend_delivery (sale, meter, created_us, next_us, deadline_us)
        select wanted, d.id, done_us, done_us, until_us
        from sale s join prepaid_meter m on m.id = s.meter join meter d on d.id = m.meter join meter_model k on k.name = d.model
        where s.id = wanted and k.cosem_model is not null;
        if found then
            insert into vend_delivery_token (sale, place, sealed)
            select wanted, p.place, p.sealed from json_to_recordset(parcel::json) as p(place integer, sealed bytea);
        end if;
    end if;
    return true;
end $$;

-- Takes a sale back as before; a claim gives the month's free units back too.
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
        free_month = case when s.kind in ('sale', 'claim') and s.free_tenths > 0 and a.free_month = s_month then a.free_month - 1 else a.free_month end,
        charged_until = case when s.kind = 'sale' then least(a.charged_until, s.charged_before) else a.charged_until end
    from (select extract(year from s.day)::integer * 12 + extract(month from s.day)::integer - 1 as s_month) m
    where a.id = s.account;
    insert into vend_journal (at_us, sale, event, operator, record) values (at, wanted, to_state, by_whom, why);
    update vendor v set credit = v.credit + s.tender where v.id = s.vendor and s.tender > 0;
    return true;
end $$;

revoke all on function vend_intend, vend_complete from public;
grant execute on function vend_intend, vend_complete to wm_vending;
