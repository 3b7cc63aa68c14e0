-- Mends of prepaid vending.

-- A key change is delivered when the meter cannot read the old key any more: the monitor has to know that it is one.
grant select (kind) on sale to wm_monitor;

alter table sale add column paid_back_shift bigint;  -- of a reversal: the shift out of whose drawer the money came
alter table sale add column tried_us bigint;  -- when upkeep failed to end it: others come first then
grant update (tried_us) on sale to wm_vending;

create index sale_key_changing on sale (meter) where kind = 'key_change' and state = 'intended';

-- The intent of a sale: one commit, before the module is asked. Raises WM001 when the account moved on since it was read (price it
-- again), WM002 when the vendor's credit does not suffice, WM003 when an identifier was taken meanwhile, or the meter has another key
-- than the tokens are for, or is about to get one. `lines` and `tokens` are JSON.
create or replace function vend_intend(s sale, account_version bigint, account_month integer, lines text, tokens text) returns bigint
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    made bigint;
    lowest integer;
    highest integer;
    another_key boolean;
    the_shift bigint;
    line record;
    holds prepaid_meter;
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
    if tokens <> '[]' then
        select * into holds from prepaid_meter where id = s.meter for no key update;
        select min(t.tid), max(t.tid), bool_or((t.supply_group, t.key_revision, t.tariff_index, t.base_year) is distinct from
                                               (holds.supply_group, holds.key_revision, holds.tariff_index, holds.base_year))
        into lowest, highest, another_key
        from json_to_recordset(tokens::json) as t(tid integer, supply_group integer, key_revision smallint, tariff_index smallint,
                                                  base_year smallint);
        if another_key or exists (select from sale where meter = s.meter and kind = 'key_change' and state = 'intended') then
            raise exception 'the key of the meter is changed' using errcode = 'WM003';
        end if;
        if lowest is not null then
            update prepaid_meter m set last_tid = highest where m.id = s.meter and coalesce(m.last_tid, -1) < lowest;
            if not found then raise exception 'the identifier was taken' using errcode = 'WM003'; end if;
        end if;
    end if;
    -- Whoever closes the shift meanwhile waits for this sale, or this sale is of no shift.
    select id into the_shift from vend_shift where terminal = s.terminal and closed_us is null for share;
    insert into sale (tenant, kind, state, terminal, key, body_hash, operator, shift, vendor, account, meter, tariff_version, at_us, day,
                      tender, pay_type, tenths, free_tenths, counted_tenths, charged_before, reason, from_meter)
    values (s.tenant, s.kind, s.state, s.terminal, s.key, s.body_hash, s.operator,
            the_shift, s.vendor, s.account, s.meter,
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

-- What a vendor paid in counts once for its reference; deposits of before have none.
create unique index sale_deposit_reference on sale (vendor, key) where kind = 'deposit' and key <> 'deposit';

-- A debt has a name: the same file of books, taken twice, owes once.
update customer_debt d set name = name || ' (' || id || ')'
where exists (select from customer_debt before where before.account = d.account and before.name = d.name and before.id < d.id);
create unique index customer_debt_named on customer_debt (account, name);
drop index customer_debt_account_idx;

-- Takes a sale back as before. What other sales of the same or later months collected stays collected: only the charges of this one are
-- due again, and a debt's last month is that of the last sale that is left. A key change is not taken back, for the meter may hold the
-- key, nor is an engineering token.
create or replace function vend_undo(wanted bigint, from_state text, to_state text, at bigint, by_whom text, why text, answer bytea) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    s sale;
    the_shift bigint;
    lines integer;
begin
    if from_state = 'issued' then
        if exists (select from sale where id = wanted and kind in ('key_change', 'engineering')) then return false; end if;
        update vend_delivery set state = 'cancelled', finished_us = at where sale = wanted and state = 'waiting';
        if exists (select from vend_delivery where sale = wanted and sent) then return false; end if;
    end if;
    if from_state = 'issued' then  -- whoever closes the shift meanwhile waits
        select v.id into the_shift from sale t join vend_shift v on v.terminal = t.terminal and v.closed_us is null where t.id = wanted
        for share of v;
    end if;
    update sale set state = to_state, completed_us = coalesce(completed_us, at), response = coalesce(response, answer),
                    paid_back_shift = the_shift
    where id = wanted and state = from_state and kind <> 'deposit' returning * into s;
    if not found then return false; end if;
    select count(*) into lines from sale_line where sale = wanted;
    insert into sale_line
    select sale, place + lines, kind, name, amount, -tenths, price_mills, base, ppm, debt, null, credit, debit
    from sale_line where sale = wanted;
    update customer_debt d set balance = d.balance + l.amount,
        last_month = (select max(extract(year from o.day) * 12 + extract(month from o.day) - 1)
                      from sale_line x join sale o on o.id = x.sale
                      where x.debt = d.id and o.state in ('intended', 'issued'))
    from sale_line l where l.sale = wanted and l.place < lines and d.id = l.debt;
    update customer_account a set
        version = a.version + 1,
        month_tenths = case when a.month = s_month then a.month_tenths - s.counted_tenths else a.month_tenths end,
        free_month = case when s.kind in ('sale', 'claim') and s.free_tenths > 0 and a.free_month = s_month then a.free_month - 1 else a.free_month end,
        charged_until = a.charged_until - case when s.kind = 'sale' then
            least(greatest(s_month - s.charged_before, 0), coalesce((select charge_months_max from tariff_version where id = s.tariff_version), 0))
            else 0 end
    from (select extract(year from s.day)::integer * 12 + extract(month from s.day)::integer - 1 as s_month) m
    where a.id = s.account;
    insert into vend_journal (at_us, sale, event, operator, record) values (at, wanted, to_state, by_whom, why);
    update vendor v set credit = v.credit + s.tender where v.id = s.vendor and s.tender > 0;
    return true;
end $$;
create index on sale (paid_back_shift) where paid_back_shift is not null;

-- What does not agree in the books, a line each; none when all does. Each table is read once, however many vendors and debts there are.
create or replace function vend_check() returns setof text language sql stable security definer set search_path = wattmesh, pg_temp as $$
    with side as (
        select account, sum(amount) as amount
        from (select credit as account, amount from sale_line union all select debit, -amount from sale_line) x group by account),
    paid as (
        select x.sale, sum(case when x.debit = v.account or s.kind = 'deposit' then x.amount else -x.amount end) as amount
        from sale_line x join sale s on s.id = x.sale join vendor v on v.id = s.vendor group by x.sale),
    owed as (
        select l.debt, sum(case when a.kind = 'debt' then l.amount else -l.amount end) as paid
        from sale_line l join ledger_account a on a.id = l.credit where l.debt is not null group by l.debt)
    select 'vendor ' || v.name || ' has credit ' || v.credit || ', the ledger says ' || coalesce(l.amount, 0)
    from vendor v left join side l on l.account = v.account
    where v.credit <> coalesce(l.amount, 0)
    union all
    select 'sale ' || s.id || ' has lines of ' || coalesce(l.amount, 0) || ' for a tender of ' || s.tender
    from sale s left join paid l on l.sale = s.id
    where coalesce(l.amount, 0) <> case when s.state in ('refused', 'reversed') then 0 else s.tender end
    union all
    select 'debt ' || d.id || ' has balance ' || d.balance || ', the ledger says ' || d.original - coalesce(l.paid, 0)
    from customer_debt d left join owed l on l.debt = d.id
    where d.balance <> d.original - coalesce(l.paid, 0)
    union all
    select 'sale ' || s.id || ' is issued, but its token ' || t.request || ' is not'
    from sale s join vend_token t on t.sale = s.id where s.state in ('issued', 'reversed') and t.module_sequence is null
    union all
    select 'line ' || l.sale || '.' || l.place || ' names an account that is not there'
    from sale_line l where not exists (select from ledger_account where id = l.debit) or not exists (select from ledger_account where id = l.credit)
    union all
    select 'sale ' || s.id || ' is not in the journal' from sale s where not exists (select from vend_journal where sale = s.id)
$$;

-- Meters with load that nobody sold, gave, or moved units to.
create or replace function vend_idle_meters(of_tenant integer, from_us bigint, to_us bigint, least_wh bigint)
returns table (meter_number text, used_wh bigint, bought date)
language sql stable security definer set search_path = wattmesh, pg_temp as $$
    select m.meter_number, u.used_wh, (select max(s.day) from sale s where s.meter = m.id and s.state = 'issued' and s.kind = 'sale')
    from prepaid_meter m, lateral (
        select sum(d.v1)::bigint as used_wh from aggregate_day d join bank b on b.id = d.bank
        where d.meter = m.meter and b.profile = '1-0:99.1.0*255' and d.from_us >= vend_idle_meters.from_us and d.from_us < vend_idle_meters.to_us) u
    where m.tenant = of_tenant and u.used_wh >= least_wh
      and not exists (select from sale s where s.meter = m.id and s.state = 'issued' and s.kind in ('sale', 'free', 'claim', 'transfer')
                      and s.at_us >= vend_idle_meters.from_us and s.at_us < vend_idle_meters.to_us)
$$;
create index on sale using brin (at_us);
