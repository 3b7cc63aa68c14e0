-- Prepayment counted by the server: an account's balance is what was paid in less what valid actual intervals cost. What a local day was
-- charged follows from the intervals that are valid now, and from nothing else: each look posts the difference to what was posted before.

alter table ledger_account drop constraint ledger_account_kind_check;
alter table ledger_account add constraint ledger_account_kind_check
    check (kind in ('vendor', 'bank', 'fee', 'charge', 'debt', 'energy', 'levy', 'tax', 'rounding', 'customer'));

create table prepayment_rule (
    tenant integer primary key references tenant,
    first_notice_below bigint not null default 2000,   -- in the smallest coin
    second_notice_below bigint not null default 500,
    cut_below bigint not null default 0,
    reconnect_from bigint not null default 1,
    second_notice_after_s integer not null default 86400 check (second_notice_after_s >= 60),  -- the first one
    cut_after_s integer not null default 86400 check (cut_after_s >= 60),                      -- the second one
    late_s integer not null default 86400 check (late_s between 900 and 86400),  -- the newest valid interval is not older
    charge_every_s integer not null default 3600 check (charge_every_s between 10 and 86400),
    check (cut_below <= second_notice_below and second_notice_below <= first_notice_below and reconnect_from > cut_below)
);
-- When supply may be cut: the utility's local time; an area that has rows of its own goes by these alone. Never on a day before one that
-- has no hours or is a holiday, so that nobody is without light over a weekend.
create table prepayment_hours (
    tenant integer not null references tenant,
    area integer references area,
    weekday smallint not null check (weekday between 1 and 7),  -- Monday is 1
    from_minute integer not null check (from_minute >= 0),
    to_minute integer not null check (to_minute <= 1440),
    check (from_minute < to_minute)
);
create unique index on prepayment_hours (tenant, coalesce(area, 0), weekday, from_minute);
create table prepayment_holiday (
    tenant integer not null references tenant,
    area integer references area,   -- null: everywhere
    day date not null,
    name text not null
);
create unique index on prepayment_holiday (tenant, coalesce(area, 0), day);
create function usual_prepayment_rules() returns trigger language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    insert into prepayment_rule (tenant) values (new.id);
    insert into prepayment_hours select new.id, null, d, 540, 840 from generate_series(1, 5) d;
    return null;
end $$;
create trigger tenant_has_prepayment_rules after insert on tenant for each row execute function usual_prepayment_rules();
insert into prepayment_rule (tenant) select id from tenant;
insert into prepayment_hours select t.id, null, d, 540, 840 from tenant t, generate_series(1, 5) d;

create table prepayment (
    account bigint primary key references customer_account,
    tenant integer not null references tenant,
    area integer not null references area,
    ledger bigint not null unique references ledger_account,
    balance bigint not null default 0,      -- what the ledger says, kept here for those who decide
    actual_to_us bigint,                    -- end of the newest valid interval that was charged
    swept_day date,                         -- the last local day on which all of two months was looked at
    held_why text,                          -- not null: is not cut
    disputed_why text,                      -- likewise
    supply text not null default 'on' check (supply in ('on', 'cutting', 'off', 'reconnecting')),
    job bigint references job,              -- of cutting and reconnecting
    supply_us bigint,                       -- since when
    said text not null default '',          -- why nothing was done at the last look
    charge_us bigint not null,              -- when it is charged next
    decide_us bigint not null               -- when it is looked at next
) with (fillfactor = 70);
create index on prepayment (charge_us);
create index on prepayment (decide_us);
create table prepayment_enrolment (
    id bigint generated always as identity primary key,
    account bigint not null references prepayment,
    prepaid_meter bigint not null references prepaid_meter,  -- what tills know it by
    meter bigint not null references meter,
    from_us bigint not null,                -- ends of intervals after this are charged
    to_us bigint,
    enrolled_by text not null,
    enrolled_why text not null,
    left_by text,
    left_why text,
    check (to_us is null or to_us >= from_us),
    check ((to_us is null) = (left_by is null))
);
create unique index on prepayment_enrolment (account) where to_us is null;
create unique index on prepayment_enrolment (meter) where to_us is null;
create unique index on prepayment_enrolment (prepaid_meter) where to_us is null;
create index on prepayment_enrolment (account, from_us);

-- What is believed instead of a reading, beside it; the highest version counts. What is estimated is no ground for a charge or a cut.
create table interval_version (
    meter bigint not null references meter,
    bank smallint not null references bank,
    channel smallint not null check (channel between 1 and 8),
    at_us bigint not null,
    version integer not null check (version > 0),
    value bigint not null check (value >= 0),
    estimated boolean not null,
    made_us bigint not null,
    made_by text not null,
    reason text not null,
    tenant integer not null references tenant,
    area integer not null references area,
    primary key (meter, bank, channel, at_us, version)
);

create table prepayment_day (
    account bigint not null references prepayment,
    day date not null,                      -- the utility's
    version bigint not null,                -- of the tariff
    free_tenths integer not null,           -- of its month
    wh bigint not null,                     -- of valid actual intervals
    intervals integer not null,             -- of which so many
    doubtful integer not null,              -- there, and not valid
    amount bigint not null,                 -- what is posted for the day
    primary key (account, day)
);
-- One for each time that a day's charge changed. Lines are ledger postings, as those of sales.
create table prepayment_charge (
    id bigint generated always as identity primary key,
    account bigint not null references prepayment,
    day date not null,
    at_us bigint not null,
    version bigint not null,
    wh_before bigint not null,
    wh bigint not null
);
create index on prepayment_charge (account, day);
create table prepayment_line (
    charge bigint not null references prepayment_charge,
    place integer not null,
    kind text not null check (kind in ('energy', 'levy', 'tax')),
    name text not null,
    amount bigint not null check (amount > 0),
    debit bigint not null,
    credit bigint not null,
    primary key (charge, place),
    check (debit <> credit)
);

-- Two of each time that a balance runs low.
create table prepayment_notice (
    id bigint generated always as identity primary key,
    account bigint not null references prepayment,
    meter bigint not null,
    number smallint not null check (number in (1, 2)),
    at_us bigint not null,
    balance bigint not null,
    words text not null,
    channel text not null,                  -- outbox: a partner's contract has the topic event; none: only this row
    over_us bigint                          -- the balance rose again: another one begins anew
);
create unique index on prepayment_notice (account, number) where over_us is null;

-- Money that a sale puts into an account, or that is taken back with it.
create function prepayment_credited() returns trigger language plpgsql security definer set search_path = wattmesh, pg_temp as $$
begin
    update prepayment p set balance = p.balance + case when p.ledger = new.credit then new.amount else -new.amount end, decide_us = 0
    where p.ledger in (new.debit, new.credit);
    return null;
end $$;
create trigger prepayment_credited after insert on sale_line for each row when (new.kind = 'credit')
    execute function prepayment_credited();
create index on sale_line (sale) where kind = 'credit';

create function prepayment_notify(of_account bigint, of_meter bigint, notice integer, now_us bigint, told text) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    p prepayment;
    device bigint;
begin
    select * into p from prepayment where account = of_account;
    select number into device from meter where id = of_meter;
    insert into prepayment_notice (account, meter, number, at_us, balance, words, channel)
    values (of_account, of_meter, notice, now_us, p.balance, told, case when told_of(p.tenant, 'event') then 'outbox' else 'none' end)
    on conflict do nothing;
    if not found then return false; end if;
    perform tell(p.tenant, p.area, 'event', 'meter.prepayment_notice', device_text(device), device, now_us,
                 jsonb_build_object('meter', device_text(device), 'at', iso_time(now_us), 'notice', notice, 'balance', p.balance,
                                    'words', told));
    return true;
end $$;

-- Intervals of an account, whichever meter they are of, with what counts of each.
create function prepayment_intervals(of_account bigint, low bigint, high bigint, greatest_wh bigint)
returns table (at_us bigint, wh bigint, actual boolean)
language sql stable security definer set search_path = wattmesh, pg_temp as $$
    select r.at_us, coalesce(v.value, r.v1),
           case when v.value is not null then not v.estimated
                else r.v1 is not null and r.v1 between 0 and greatest_wh and r.quality & 1 = 0 and r.status & 7 = 0
                     and not exists (select from validation_finding f
                                     where f.meter = r.meter and f.bank = 1 and f.verdict = 'fail' and f.rule <> 'gap'
                                       and r.at_us between f.first_us and f.last_us) end
    from prepayment_enrolment e
    join interval_row r on r.meter = e.meter and r.bank = 1 and r.at_us > greatest(low, e.from_us)
                       and r.at_us <= least(high, coalesce(e.to_us, high))
    left join lateral (select x.value, x.estimated from interval_version x
                       where x.meter = r.meter and x.bank = 1 and x.channel = 1 and x.at_us = r.at_us
                       order by x.version desc limit 1) v on true
    where e.account = of_account
$$;

-- What does not agree in the books, with accounts that the server counts.
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
        from (select credit as ledger, amount from sale_line where kind = 'credit'
              union all select debit, -amount from sale_line where kind = 'credit'
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
$$;

revoke all on function usual_prepayment_rules, prepayment_credited, prepayment_notify, prepayment_intervals from public;
select limit_to_areas(name) from unnest(array['prepayment', 'interval_version', 'customer_account']) name;
create view wattmesh_scope.prepayment_enrolment as select * from wattmesh.prepayment_enrolment
where account in (select account from wattmesh_scope.prepayment);
create view wattmesh_scope.prepayment_day as select * from wattmesh.prepayment_day
where account in (select account from wattmesh_scope.prepayment);
create view wattmesh_scope.prepayment_charge as select * from wattmesh.prepayment_charge
where account in (select account from wattmesh_scope.prepayment);
create view wattmesh_scope.prepayment_notice as select * from wattmesh.prepayment_notice
where account in (select account from wattmesh_scope.prepayment);
create view wattmesh_scope.prepaid_meter as select * from wattmesh.prepaid_meter
where account in (select id from wattmesh_scope.customer_account);

create view wattmesh_scope.prepayment_hours as select * from wattmesh.prepayment_hours
where tenant in (select tenant from wattmesh_scope.area) and (area is null or area in (select id from wattmesh_scope.area));
create view wattmesh_scope.prepayment_holiday as select * from wattmesh.prepayment_holiday
where tenant in (select tenant from wattmesh_scope.area) and (area is null or area in (select id from wattmesh_scope.area));

grant select on prepayment_rule, tariff_version to wm_monitor, wm_console;
grant select on prepayment_hours, prepayment_holiday to wm_monitor;
grant select, insert, delete on wattmesh_scope.prepayment_hours, wattmesh_scope.prepayment_holiday to wm_console;
grant update on prepayment_rule to wm_console;
grant select on wattmesh_scope.prepayment_enrolment, wattmesh_scope.prepayment_day, wattmesh_scope.prepayment_charge,
    wattmesh_scope.prepayment_notice, wattmesh_scope.prepaid_meter to wm_console;
grant insert, update on wattmesh_scope.prepayment, wattmesh_scope.prepayment_enrolment to wm_console;
grant insert on wattmesh_scope.interval_version to wm_console;
grant select, insert on ledger_account to wm_console, wm_monitor;
grant select, update on prepayment to wm_monitor;
grant select, insert, update on prepayment_day to wm_monitor;
grant select, insert on prepayment_charge, prepayment_line to wm_monitor;
grant select, update on prepayment_notice to wm_monitor;
grant select on prepayment_enrolment, customer_account, prepaid_meter, tariff, tariff_step, tariff_levy, tariff_tax to wm_monitor;
grant execute on function prepayment_intervals to wm_monitor;
grant execute on function prepayment_notify to wm_monitor;
grant select on prepayment, prepayment_enrolment, prepayment_notice to wm_vending;
