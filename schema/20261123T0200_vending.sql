-- Prepaid vending: tariffs, customers and their meters, vendors, sales, the ledger and the sealed journal. Keys of meters are not here:
-- the vending module derives them from what a meter's row says in public. Money is in the currency's smallest coin, units in tenths.

alter table user_grant drop constraint user_grant_role_check;
alter table user_grant add constraint user_grant_role_check
    check (role in ('viewer', 'operator', 'engineer', 'auditor', 'administrator', 'vendor', 'supervisor'));

create table tariff (
    id integer generated always as identity primary key,
    tenant integer not null references tenant,
    code text not null,
    unique (tenant, code)
);
-- A version is never changed: a receipt names the one it was priced by.
create table tariff_version (
    id bigint generated always as identity primary key,
    tariff integer not null references tariff,
    valid_from_us bigint not null,
    name text not null,
    charge_per_month bigint not null,
    charge_months_max integer not null,
    free_units_count boolean not null,
    debts_before_charges boolean not null,
    tender_min bigint not null,
    tender_max bigint not null,
    unique (tariff, valid_from_us)
);
create table tariff_step (
    version bigint not null references tariff_version,
    place integer not null,
    up_to_tenths bigint,
    price_mills bigint not null,
    primary key (version, place)
);
create table tariff_levy (
    version bigint not null references tariff_version,
    place integer not null,
    name text not null,
    per_unit_mills bigint not null,
    ppm integer not null,
    primary key (version, place)
);
create table tariff_tax (
    version bigint not null references tariff_version,
    place integer not null,
    name text not null,
    ppm integer not null,
    on_levies boolean not null,
    on_charges boolean not null,
    primary key (version, place)
);

create table ledger_account (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    kind text not null check (kind in ('vendor', 'bank', 'fee', 'charge', 'debt', 'energy', 'levy', 'tax', 'rounding')),
    name text not null,
    unique (tenant, kind, name)
);

create table vendor (
    id integer generated always as identity primary key,
    tenant integer not null references tenant,
    name text not null,
    account bigint not null unique references ledger_account,
    credit bigint not null default 0,        -- what the ledger says of the account, kept here to be debited atomically
    credit_floor bigint not null default 0,  -- below zero: may owe so much
    fee_fixed bigint not null default 0 check (fee_fixed >= 0),
    fee_ppm integer not null default 0 check (fee_ppm between 0 and 1000000),
    disabled boolean not null default false,
    unique (tenant, name)
) with (fillfactor = 50);
create table vend_terminal (
    id integer generated always as identity primary key,
    vendor integer not null references vendor,
    name text not null unique,
    disabled boolean not null default false
);
create table vend_operator (  -- whose tills a user may use; a supervisor may use all of the tenant
    user_account bigint primary key references user_account on delete cascade,
    vendor integer not null references vendor
);
create table vend_shift (
    id bigint generated always as identity primary key,
    terminal integer not null references vend_terminal,
    operator text not null,
    opened_us bigint not null,
    closed_us bigint,
    expected bigint,  -- takings by the sales of the shift
    counted bigint,   -- what was in the drawer, said before expected is shown
    check ((closed_us is null) = (counted is null) and (counted is null) = (expected is null))
);
create unique index on vend_shift (terminal) where closed_us is null;

create table customer_account (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    area integer not null references area,
    number text not null,
    name text not null,
    address text not null,
    tariff integer not null references tariff,
    free_tenths integer not null default 0 check (free_tenths >= 0),  -- free basic electricity, each month
    month integer not null,                 -- year * 12 + month - 1, of month_tenths
    month_tenths bigint not null default 0,  -- what the month's steps have used
    free_month integer not null default 0,   -- the last month whose free units were given
    charged_until integer not null,          -- the last month whose charge was collected
    version bigint not null default 0,       -- counts sales: what was priced on an older one is priced again
    unique (tenant, number)
) with (fillfactor = 70);
create table customer_debt (
    id bigint generated always as identity primary key,
    account bigint not null references customer_account,
    name text not null,
    recovery text not null check (recovery in ('percent', 'instalment', 'first_of_month', 'full')),
    original bigint not null check (original > 0),
    balance bigint not null check (balance between 0 and original),
    ppm integer not null default 0 check (ppm between 0 and 1000000),
    floor bigint not null default 0 check (floor >= 0),
    cap bigint not null default 1000000000000 check (cap >= 0),
    instalment bigint not null default 0 check (instalment >= 0),
    first_month integer not null default 0,
    last_month integer,
    priority integer not null default 0,
    held boolean not null default false
);
create index on customer_debt (account);
create table prepaid_meter (
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    pan text not null unique check (pan ~ '^[0-9]{18}$'),
    meter_number text not null unique,
    account bigint references customer_account,
    meter bigint unique references meter,  -- where it is one of the mesh
    supply_group integer not null,
    key_revision smallint not null check (key_revision between 1 and 9),
    tariff_index smallint not null check (tariff_index between 0 and 99),
    key_type smallint not null check (key_type between 0 and 3),
    algorithm smallint not null check (algorithm in (7, 11)),
    base_year smallint not null check (base_year in (1993, 2014, 2035)),
    last_tid integer,  -- under the present base date
    blocked_why text
) with (fillfactor = 70);
create index on prepaid_meter (account);

create table sale (  -- everything that moves money or makes tokens
    id bigint generated always as identity primary key,
    tenant integer not null references tenant,
    kind text not null check (kind in ('sale', 'free', 'engineering', 'key_change', 'deposit', 'payment')),
    state text not null check (state in ('intended', 'issued', 'refused', 'reversed')),
    terminal integer references vend_terminal,
    key text not null,          -- the client's Idempotency-Key
    body_hash bytea not null,   -- of what came with it
    operator text not null,
    shift bigint,
    vendor integer not null,
    account bigint references customer_account,
    meter bigint references prepaid_meter,
    tariff_version bigint,
    at_us bigint not null,
    day date not null,          -- the utility's
    tender bigint not null check (tender >= 0),
    pay_type text not null,
    tenths bigint not null,
    free_tenths bigint not null,
    counted_tenths bigint not null,  -- what it added to the month's steps
    charged_before integer not null,
    reason text not null default '',
    response bytea,             -- sealed: it holds the digits
    completed_us bigint,
    confirmed_us bigint,        -- the till said that the customer has it
    copies integer not null default 0,
    unique (terminal, key)
);
create index sale_open on sale (id) where state = 'intended';
create index on sale (meter, id desc);
create index on sale (shift) where shift is not null;

-- Receipt lines are ledger postings: each has its two sides, so that no set of them can fail to balance.
create table sale_line (
    sale bigint not null references sale,
    place integer not null,
    kind text not null,
    name text not null,
    amount bigint not null check (amount > 0),
    tenths bigint not null default 0,
    price_mills bigint not null default 0,
    base bigint not null default 0,
    ppm integer not null default 0,
    debt bigint,
    balance bigint,
    debit bigint not null,   -- of ledger_account; no foreign keys: each would lock an account's row in every sale
    credit bigint not null,
    primary key (sale, place),
    check (debit <> credit)
);
create table vend_token (
    request text primary key,  -- the module's name for it
    sale bigint not null references sale,
    place integer not null,
    kind text not null,  -- credit, free, management, key_change
    meter bigint not null,
    supply_group integer not null,
    key_revision smallint not null,
    tariff_index smallint not null,
    base_year smallint not null,
    tid integer,  -- none of a key change
    content text not null,
    module_sequence bigint,
    issued_us bigint,
    unique (meter, base_year, tid)
);
create index on vend_token (sale);

-- What the module did and the journal did not know: after a restore, or because somebody else used the module.
create table vend_foreign_call (
    module_sequence bigint primary key,
    at_us bigint not null,
    request text not null,
    meter_pan text not null,
    tid integer,
    tenths bigint not null,
    found_us bigint not null
);
create table vend_module_state (one boolean primary key default true check (one), sequence bigint not null default 0);
insert into vend_module_state default values;

create table vend_journal (
    id bigint generated always as identity primary key,
    at_us bigint not null,
    sale bigint,
    event text not null,
    operator text not null,
    record text not null,
    seal bigint
);
create index vend_journal_unsealed on vend_journal (id) where seal is null;
create table vend_seal (
    number bigint primary key,
    at_us bigint not null,
    records integer not null,
    previous_hash bytea not null,
    hash bytea not null
);

create function vend_journal_image(j vend_journal) returns text language sql immutable parallel safe
set search_path = wattmesh, pg_temp
return j.id || ' ' || j.at_us || ' ' || coalesce(j.sale::text, '-') || ' ' || audit_part(j.event) || audit_part(j.operator) ||
       audit_part(j.record);

-- Seals what is committed and not sealed yet, as one batch; one sealer at a time. The order of batches is the order of commits.
create function vend_seal(sealed_us bigint, most integer, out sealed integer, out head bigint, out head_hash bytea)
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    members bigint[];
    before bytea;
begin
    sealed := 0;
    if not pg_try_advisory_xact_lock(1464683605) then return; end if;
    select s.number, s.hash into head, head_hash from vend_seal s order by s.number desc limit 1;
    head := coalesce(head, 0);
    head_hash := coalesce(head_hash, sha256('wattmesh vending'));
    select array_agg(id) into members from (select id from vend_journal where seal is null order by id limit most) open;
    if members is null then return; end if;
    sealed := cardinality(members);
    head := head + 1;
    before := head_hash;
    select sha256(before || convert_to(head || ' ' || sealed || ' ' || string_agg(vend_journal_image(j), '' order by j.id), 'UTF8'))
    into head_hash from vend_journal j where j.id = any (members);
    update vend_journal set seal = head where id = any (members);
    insert into vend_seal values (head, sealed_us, sealed, before, head_hash);
end $$;

-- The first batch that does not fit: a record of it was altered, removed or added, or a batch before it is missing.
create function vend_first_broken() returns bigint language sql stable security definer set search_path = wattmesh, pg_temp as $$
    with content as (
        select seal as number, count(*) as records, string_agg(vend_journal_image(j), '' order by j.id) as image
        from vend_journal j where seal is not null group by seal),
    chain as (
        select s.number, s.records, s.previous_hash, s.hash, lag(s.hash, 1, sha256('wattmesh vending')) over w as before,
               row_number() over w as place
        from vend_seal s window w as (order by s.number))
    select min(coalesce(chain.number, content.number))
    from chain full join content on content.number = chain.number
    where chain.number is null or content.number is null or chain.place <> chain.number or chain.previous_hash <> chain.before
       or chain.records <> content.records
       or chain.hash <> sha256(chain.previous_hash || convert_to(chain.number || ' ' || chain.records || ' ' || content.image, 'UTF8'))
$$;

create function vend_journal_append(at_us bigint, sale bigint, event text, operator text, record text) returns void
language sql security definer set search_path = wattmesh, pg_temp as $$
    insert into vend_journal (at_us, sale, event, operator, record) values (at_us, sale, event, operator, record)
$$;

-- The intent of a sale: one commit, before the module is asked. Raises WM001 when the account moved on since it was read (price it
-- again), WM002 when the vendor's credit does not suffice, WM003 when an identifier was taken meanwhile.
create function vend_intend(s sale, account_version bigint, account_month integer, lines jsonb, tokens jsonb) returns bigint
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    made bigint;
begin
    if s.account is not null then
        update customer_account a set
            version = a.version + 1,
            month = account_month,
            month_tenths = case when a.month = account_month then a.month_tenths else 0 end + s.counted_tenths,
            free_month = case when s.kind = 'sale' and s.free_tenths > 0 then account_month else a.free_month end,
            charged_until = case when s.kind = 'sale' then greatest(a.charged_until, account_month) else a.charged_until end
        where a.id = s.account and a.version = account_version;
        if not found then raise exception 'the account moved on' using errcode = 'WM001'; end if;
    end if;
    if exists (select from jsonb_to_recordset(tokens) as t(tid integer) where t.tid is not null) then
        update prepaid_meter m set last_tid = (select max(t.tid) from jsonb_to_recordset(tokens) as t(tid integer))
        where m.id = s.meter and coalesce(m.last_tid, -1) < (select min(t.tid) from jsonb_to_recordset(tokens) as t(tid integer));
        if not found then raise exception 'the identifier was taken' using errcode = 'WM003'; end if;
    end if;
    insert into sale (tenant, kind, state, terminal, key, body_hash, operator, shift, vendor, account, meter, tariff_version, at_us, day,
                      tender, pay_type, tenths, free_tenths, counted_tenths, charged_before, reason)
    values (s.tenant, s.kind, s.state, s.terminal, s.key, s.body_hash, s.operator,
            (select id from vend_shift where terminal = s.terminal and closed_us is null), s.vendor, s.account, s.meter,
            s.tariff_version, s.at_us, s.day, s.tender, s.pay_type, s.tenths, s.free_tenths, s.counted_tenths, s.charged_before, s.reason)
    returning id into made;
    insert into sale_line
    select made, l.place, l.kind, l.name, l.amount, l.tenths, l.price, l.base, l.ppm, l.debt, l.balance, l.debit, l.credit
    from jsonb_to_recordset(lines) as l(place integer, kind text, name text, amount bigint, tenths bigint, price bigint, base bigint,
                                        ppm integer, debt bigint, balance bigint, debit bigint, credit bigint);
    if s.account is not null and s.kind in ('sale', 'payment') then
        update customer_debt d set balance = d.balance - l.amount, last_month = account_month
        from jsonb_to_recordset(lines) as l(amount bigint, debt bigint) where d.id = l.debt;
    end if;
    insert into vend_token
    select t.request, made, t.place, t.kind, s.meter, t.supply_group, t.key_revision, t.tariff_index, t.base_year, t.tid, t.content
    from jsonb_to_recordset(tokens) as t(request text, place integer, kind text, supply_group integer, key_revision smallint,
                                         tariff_index smallint, base_year smallint, tid integer, content text);
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

-- The second commit. False when the sale was ended already: then the answer that is stored is the answer.
create function vend_complete(wanted bigint, done_us bigint, answer bytea, made jsonb) returns boolean
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
    return true;
end $$;

-- Takes a sale back: contrary postings behind its own, credit, debts and the month's units as before.
create function vend_undo(wanted bigint, from_state text, to_state text, at bigint, by_whom text, why text, answer bytea) returns boolean
language plpgsql security definer set search_path = wattmesh, pg_temp as $$
declare
    s sale;
    lines integer;
begin
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

-- What does not agree in the books, a line each; none when all does.
create function vend_check() returns setof text language sql stable security definer set search_path = wattmesh, pg_temp as $$
    select 'vendor ' || v.name || ' has credit ' || v.credit || ', the ledger says ' || l.credit
    from vendor v, lateral (
        select coalesce(sum(case when credit = v.account then amount else -amount end), 0) as credit
        from sale_line where v.account in (debit, credit)) l
    where v.credit <> l.credit
    union all
    select 'sale ' || s.id || ' has lines of ' || l.amount || ' for a tender of ' || s.tender
    from sale s, lateral (select coalesce(sum(case when debit = v.account or s.kind = 'deposit' then amount else -amount end), 0)
                          as amount from sale_line x, vendor v where x.sale = s.id and v.id = s.vendor) l
    where l.amount <> case when s.state in ('refused', 'reversed') then 0 else s.tender end
    union all
    select 'debt ' || d.id || ' has balance ' || d.balance || ', the ledger says ' || d.original - l.paid
    from customer_debt d, lateral (
        select coalesce(sum(case when a.kind = 'debt' then l.amount else -l.amount end), 0) as paid
        from sale_line l join ledger_account a on a.id = l.credit
        where l.debt = d.id) l
    where d.balance <> d.original - l.paid
    union all
    select 'sale ' || s.id || ' is issued, but its token ' || t.request || ' is not'
    from sale s join vend_token t on t.sale = s.id where s.state in ('issued', 'reversed') and t.module_sequence is null
    union all
    select 'line ' || l.sale || '.' || l.place || ' names an account that is not there'
    from sale_line l where not exists (select from ledger_account where id = l.debit) or not exists (select from ledger_account where id = l.credit)
    union all
    select 'sale ' || s.id || ' is not in the journal' from sale s where not exists (select from vend_journal where sale = s.id)
$$;
create index on vend_journal (sale);
create index on sale_line (debt) where debt is not null;

-- Least privilege: wm_vending sells; books and tariffs are changed by functions above or by the owner (`headend vend`).
revoke all on all functions in schema wattmesh from public;
grant usage on schema wattmesh to wm_vending;
grant execute on function at_time, at_us, audit_append, audit_part, vend_intend, vend_complete, vend_undo, vend_journal_append, vend_seal,
    vend_first_broken, vend_check to wm_vending;
grant select on tenant, area, tariff, tariff_version, tariff_step, tariff_levy, tariff_tax, ledger_account, vendor, vend_terminal,
    vend_operator, vend_shift, customer_account, customer_debt, prepaid_meter, sale, sale_line, vend_token, vend_foreign_call,
    vend_module_state, vend_seal, vend_journal, user_account, user_grant, api_token, user_session, migration to wm_vending;
grant insert on ledger_account to wm_vending;
grant insert, update on vend_shift to wm_vending;
grant update (last_tid, supply_group, key_revision, tariff_index, base_year) on prepaid_meter to wm_vending;
grant update (confirmed_us, copies) on sale to wm_vending;
grant insert on vend_foreign_call to wm_vending;
grant update on vend_module_state to wm_vending;
grant update (failures, locked_until_us, last_login_us) on user_account to wm_vending;
grant update (last_used_us) on api_token to wm_vending;
grant insert, delete on user_session to wm_vending;
