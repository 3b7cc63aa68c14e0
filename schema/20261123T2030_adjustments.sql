-- What a supervisor orders beside the counter: a debt that is written off, and the balance of an account that the server no longer counts
-- paid out. Each is a sale without till and vendor, whose lines are ledger postings as those of all sales, so that journal, check, reports
-- and taking back know it. Above a limit another person agrees first. And a vendor's withdrawal, which is a deposit the other way round.

alter table sale drop constraint sale_kind_check;
alter table sale add constraint sale_kind_check
    check (kind in ('sale', 'free', 'engineering', 'key_change', 'deposit', 'payment', 'claim', 'transfer', 'withdrawal', 'write_off', 'pay_out'));
alter table sale alter column vendor drop not null;
alter table sale add constraint sale_vendor_check check ((vendor is null) = (kind in ('write_off', 'pay_out')));
create unique index sale_withdrawal_reference on sale (vendor, key) where kind = 'withdrawal';
alter table ledger_account drop constraint ledger_account_kind_check;
alter table ledger_account add constraint ledger_account_kind_check
    check (kind in ('vendor', 'bank', 'fee', 'charge', 'debt', 'energy', 'levy', 'tax', 'rounding', 'customer', 'loss'));

create table vend_adjustment (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    kind text not null check (kind in ('write_off', 'pay_out')),
    state text not null default 'waiting' check (state in ('waiting', 'posted', 'refused')),
    account bigint not null references customer_account,
    debt bigint references customer_debt,
    amount bigint not null check (amount > 0),
    reference text not null,               -- of a pay-out: the bank's
    reason text not null,
    key text not null,                     -- the client's: the same order is taken once
    ordered_by text not null,
    ordered_us bigint not null,
    decided_by text,
    decided_us bigint,
    decided_why text not null default '',
    sale bigint unique references sale,
    unique (tenant, key),
    check ((kind = 'write_off') = (debt is not null)),
    check ((state = 'waiting') = (decided_us is null) and (state = 'waiting') = (decided_by is null)),
    check ((state = 'posted') = (sale is not null))
);
create unique index vend_adjustment_waiting on vend_adjustment (account, coalesce(debt, 0)) where state = 'waiting';
create unique index vend_adjustment_reference on vend_adjustment (tenant, reference) where kind = 'pay_out' and state <> 'refused';

-- Why it cannot be posted now, as a word; empty when it can. An account is paid out when it is not counted any more and what it used until
-- then is charged: the newest valid interval is that of its end, or the end is so long ago that nothing is charged any more.
create function vend_adjustment_objection(of_account bigint, of_debt bigint, wanted bigint, now_us bigint) returns text
language sql stable security definer set search_path = wattmesh, pg_temp as $$
    select case
        when of_debt is not null then
            case when exists (select from customer_debt where id = of_debt and account = of_account and balance >= wanted) then '' else 'too_much' end
        when not exists (select from prepayment where account = of_account) then 'never_counted'
        when exists (select from prepayment_enrolment where account = of_account and to_us is null) then 'still_counted'
        when exists (select from prepayment p, lateral (select max(to_us) as ended from prepayment_enrolment e where e.account = p.account) e
                     where p.account = of_account and coalesce(p.actual_to_us, 0) < e.ended and now_us < e.ended + 63 * 86400000000) then 'not_read'
        when not exists (select from prepayment where account = of_account and balance > 0) then 'nothing_left'
        when not exists (select from prepayment where account = of_account and balance = wanted) then 'balance_moved'
        else '' end
$$;

-- Posts what waits. A word as above, or 'decided', when it cannot.
create function vend_adjustment_post(wanted bigint, by_whom text, at bigint, why text) returns text
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    a vend_adjustment;
    d customer_debt;
    objection text;
    made bigint;
    ledger bigint;
    part bigint;
    rest bigint;
    lines integer := 0;
begin
    select * into a from vend_adjustment where id = wanted and state = 'waiting' for update;
    if not found then return 'decided'; end if;
    -- In the order of vend_intend. A sale that was priced before is priced again.
    update customer_account set version = version + 1 where id = a.account;
    perform from prepayment where account = a.account for update;
    objection := vend_adjustment_objection(a.account, a.debt, a.amount, at);
    if objection <> '' then return objection; end if;
    insert into ledger_account (tenant, kind, name)
    values (a.tenant, 'loss', 'debts written off'), (a.tenant, 'bank', 'pay-outs'), (a.tenant, 'debt', 'arrears') on conflict do nothing;
    insert into sale (tenant, kind, state, key, body_hash, operator, account, at_us, day, tender, pay_type, tenths, free_tenths,
                      counted_tenths, charged_before, reason, completed_us)
    select a.tenant, a.kind, 'issued', 'adjustment ' || a.id, '', a.ordered_by, a.account, at, (at_time(at) at time zone t.time_zone)::date, 0,
           case a.kind when 'pay_out' then 'bank' else 'none' end, 0, 0, 0, 0, a.reason, at
    from tenant t where t.id = a.tenant returning id into made;
    rest := a.amount;
    select p.ledger into ledger from prepayment p where p.account = a.account and a.kind = 'pay_out';
    if a.kind = 'write_off' then select id into ledger from ledger_account where tenant = a.tenant and kind = 'loss' and name = 'debts written off'; end if;
    for d in select * from customer_debt where account = a.account and balance > 0 and (id = a.debt or a.kind = 'pay_out' and not held)
             order by priority, id for update loop
        part := least(d.balance, rest);
        exit when part = 0;
        insert into sale_line (sale, place, kind, name, amount, debt, balance, debit, credit)
        select made, lines, 'debt', d.name, part, d.id, d.balance - part, ledger, l.id
        from ledger_account l where l.tenant = a.tenant and l.kind = 'debt' and l.name = 'arrears';
        update customer_debt set balance = balance - part where id = d.id;
        rest := rest - part;
        lines := lines + 1;
    end loop;
    if rest > 0 then
        insert into sale_line (sale, place, kind, name, amount, balance, debit, credit)
        select made, lines, 'credit', 'paid out', rest, 0, ledger, l.id
        from ledger_account l where l.tenant = a.tenant and l.kind = 'bank' and l.name = 'pay-outs';
    end if;
    update vend_adjustment set state = 'posted', decided_by = by_whom, decided_us = at, decided_why = why, sale = made where id = wanted;
    insert into vend_journal (at_us, sale, event, operator, record)
    values (at, made, 'posted', by_whom, a.kind || ' ' || a.amount || ' account ' || a.account || ' debt ' || coalesce(a.debt::text, '-') ||
            ' reference ' || a.reference || ' ordered by ' || a.ordered_by || ' ' || a.reason);
    return '';
end $$;

create function vend_adjustment_refuse(wanted bigint, by_whom text, at bigint, why text) returns boolean
language sql security definer set search_path = wattmesh, pg_temp as $$
    with refused as (
        update vend_adjustment set state = 'refused', decided_by = by_whom, decided_us = at, decided_why = why
        where id = wanted and state = 'waiting' returning id)
    select exists (select from refused)
$$;

-- A debt that is paid out of an account's balance takes from it, too.
drop trigger prepayment_credited on sale_line;
create trigger prepayment_credited after insert on sale_line for each row when (new.kind in ('credit', 'debt'))
    execute function prepayment_credited();

-- What does not agree in the books, as before; debts may be paid out of an account, and adjustments are of what they say.
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
    union all
    select 'account ' || a.number || ' has a balance of ' || p.balance || ', the ledger says ' || coalesce(l.balance, 0)
    from prepayment p join customer_account a on a.id = p.account left join (
        select x.ledger, sum(x.amount) as balance
        from (select credit as ledger, amount from sale_line where kind in ('credit', 'debt')
              union all select debit, -amount from sale_line where kind in ('credit', 'debt')
              union all select credit, amount from prepayment_line
              union all select debit, -amount from prepayment_line) x group by 1) l on l.ledger = p.ledger
    where p.balance <> coalesce(l.balance, 0)
    union all
    select 'day ' || d.day || ' of account ' || a.number || ' says ' || d.amount || ', the ledger says ' || l.amount
    from prepayment_day d join prepayment p using (account) join customer_account a on a.id = p.account, lateral (
        select coalesce(sum(case when x.debit = p.ledger then x.amount else -x.amount end), 0) as amount
        from prepayment_charge c join prepayment_line x on x.charge = c.id where c.account = d.account and c.day = d.day) l
    where d.amount <> l.amount
    union all
    select 'line ' || l.charge || '.' || l.place || ' of a charge names an account that is not there'
    from prepayment_line l
    where not exists (select from ledger_account where id = l.debit) or not exists (select from ledger_account where id = l.credit)
    union all
    select 'adjustment ' || a.id || ' is of ' || a.amount || ', its lines are of ' || coalesce(l.amount, 0)
    from vend_adjustment a join sale s on s.id = a.sale, lateral (select sum(amount) as amount from sale_line where sale = a.sale) l
    where coalesce(l.amount, 0) <> a.amount * case when s.state = 'reversed' then 2 else 1 end
$$;

revoke all on function vend_adjustment_objection, vend_adjustment_post, vend_adjustment_refuse from public;
grant execute on function vend_adjustment_objection, vend_adjustment_post, vend_adjustment_refuse to wm_vending;
grant select, insert on vend_adjustment to wm_vending;
