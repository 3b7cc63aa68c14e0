-- What random sales should have put into the books, worked out again from tenders, tariffs and debts alone, in a way that has nothing
-- to do with the head-end's: sale by sale in their order, each month's units, charges and debts carried along; and what accounts that the
-- server counts should have been charged, from their intervals and tariffs alone. Fills the temporary table expected; books_differ() lists the sums by tariff, tax, levy, vendor, debt and day that are not those of the ledger.
create temporary table expected (kind text, name text, vendor integer, version bigint, day date, amount bigint, tenths bigint);
create temporary table standing (account bigint primary key, month integer, used bigint, free_month integer, charged integer);
create temporary table owed (debt bigint primary key, account bigint, balance bigint, last_month integer);
create temporary table wrong (sale bigint, why text);

-- A half goes upwards.
create function pg_temp.nearest(parts numeric, whole numeric) returns bigint language sql as
    $$ select floor(parts / whole + 0.5)::bigint $$;

create function pg_temp.energy(tariff bigint, used bigint, units bigint) returns bigint language sql as $$
    select pg_temp.nearest(sum(greatest(0, least(coalesce(s.up_to_tenths, 1000000000000), used + units) - greatest(s.low, used))
                               * s.price_mills::numeric), 10000)
    from (select price_mills, up_to_tenths, lag(up_to_tenths, 1, 0::bigint) over (order by place) as low
          from tariff_step where version = tariff) s
$$;
create function pg_temp.levies(tariff bigint, units bigint, energy bigint) returns bigint language sql as $$
    select coalesce(sum(pg_temp.nearest(units::numeric * per_unit_mills, 10000) + pg_temp.nearest(energy::numeric * ppm, 1000000)), 0)::bigint
    from tariff_levy where version = tariff
$$;
create function pg_temp.cost(tariff bigint, used bigint, units bigint) returns bigint language sql as $$
    select e + l + (select coalesce(sum(pg_temp.nearest((case when on_levies then e + l else e end)::numeric * ppm, 1000000)), 0)
                    from tariff_tax where version = tariff)::bigint
    from (select e, pg_temp.levies(tariff, units, e) as l from (select pg_temp.energy(tariff, used, units) as e) x) y
$$;

create function pg_temp.recompute() returns void language plpgsql as $$
declare
    s record; t record; v record; d record; x record;
    st standing; m integer; remains bigint; part bigint; months integer; net bigint; used0 bigint; free0 bigint; e bigint; l bigint;
begin
    insert into owed select id, account, original, null from customer_debt;
    for s in select * from sale where kind = 'sale' and state = 'issued' order by id loop
        select * into t from tariff_version where id = s.tariff_version;
        select * into v from vendor where id = s.vendor;
        m := extract(year from s.day)::integer * 12 + extract(month from s.day)::integer - 1;
        select * into st from standing where account = s.account;
        if not found then
            st := row (s.account, 0, 0, 0, (select min(charged_before) from sale where account = s.account and kind = 'sale'));
        end if;
        if st.month <> m then st.month := m; st.used := 0; end if;
        remains := s.tender;
        part := v.fee_fixed; remains := remains - part;
        insert into expected values ('fee', v.name, v.id, t.id, s.day, part, 0);
        part := floor(remains::numeric * v.fee_ppm / 1000000); remains := remains - part;
        insert into expected values ('fee', v.name, v.id, t.id, s.day, part, 0);
        for x in select generate_series(1, 2) as turn loop
            if (x.turn = 1) = t.debts_before_charges then
                for d in select o.debt, o.balance, o.last_month, c.* from owed o join customer_debt c on c.id = o.debt
                         where o.account = s.account and o.balance > 0 and not c.held order by c.priority, c.id loop
                    part := case d.recovery
                        when 'full' then d.balance
                        when 'first_of_month' then case when d.last_month = m then 0 else least(d.instalment, d.balance) end
                        when 'instalment' then
                            least(greatest(d.instalment * greatest(0, m - d.first_month + 1) - (d.original - d.balance), 0), d.balance)
                        else least(least(greatest(floor(remains::numeric * d.ppm / 1000000)::bigint, least(d.floor, d.cap)), d.cap),
                                   least(d.balance, remains)) end;
                    remains := remains - part;
                    if part > 0 then
                        update owed set balance = balance - part, last_month = m where debt = d.debt;
                        insert into expected values ('debt', d.debt::text, v.id, t.id, s.day, part, 0);
                    end if;
                end loop;
            else
                months := least(greatest(m - st.charged, 0), t.charge_months_max);
                net := months * t.charge_per_month;
                remains := remains - net;
                insert into expected values ('charge', 'monthly', v.id, t.id, s.day, net, 0);
                for d in select * from tariff_tax where version = t.id and on_charges loop
                    part := pg_temp.nearest(net::numeric * d.ppm, 1000000);
                    remains := remains - part;
                    insert into expected values ('tax', d.name, v.id, t.id, s.day, part, 0);
                end loop;
            end if;
        end loop;
        if exists (select from prepayment where account = s.account) then  -- the rest is credit, and no units
            insert into expected values ('credit', 'credit', v.id, t.id, s.day, remains, 0);
            if remains <= 0 then insert into wrong values (s.id, 'nothing was left for credit'); end if;
            if s.tenths <> 0 or s.free_tenths <> 0 then insert into wrong values (s.id, 'units that the server counts'); end if;
            st.charged := greatest(st.charged, m);
            insert into standing select st.* on conflict (account) do update set charged = excluded.charged;
            continue;
        end if;
        select case when st.free_month < m then free_tenths else 0 end into free0 from customer_account where id = s.account;
        used0 := st.used + case when t.free_units_count then free0 else 0 end;
        if s.free_tenths <> free0 then insert into wrong values (s.id, 'free units ' || s.free_tenths || ', due are ' || free0); end if;
        if pg_temp.cost(t.id, used0, s.tenths) > remains then insert into wrong values (s.id, 'more units than were paid for'); end if;
        if pg_temp.cost(t.id, used0, s.tenths + 1) <= remains then insert into wrong values (s.id, 'fewer units than were paid for'); end if;
        e := pg_temp.energy(t.id, used0, s.tenths);
        l := pg_temp.levies(t.id, s.tenths, e);
        insert into expected values ('energy', t.name, v.id, t.id, s.day, e, s.tenths);
        insert into expected
        select 'levy', name, v.id, t.id, s.day,
               pg_temp.nearest(s.tenths::numeric * per_unit_mills, 10000) + pg_temp.nearest(e::numeric * ppm, 1000000), 0
        from tariff_levy where version = t.id;
        insert into expected
        select 'tax', name, v.id, t.id, s.day, pg_temp.nearest((case when on_levies then e + l else e end)::numeric * ppm, 1000000), 0
        from tariff_tax where version = t.id;
        insert into expected values ('rounding', 'rounding', v.id, t.id, s.day, remains - pg_temp.cost(t.id, used0, s.tenths), 0);
        st.used := used0 + s.tenths;
        if free0 > 0 then st.free_month := m; end if;
        st.charged := greatest(st.charged, m);
        insert into standing select st.* on conflict (account) do update
        set month = excluded.month, used = excluded.used, free_month = excluded.free_month, charged = excluded.charged;
    end loop;
end $$;

-- What so much use of a month costs by a tariff, in its parts.
create function pg_temp.month(priced bigint, free bigint, used bigint, out kind text, out name text, out amount bigint)
returns setof record language plpgsql as $$
declare
    given bigint := least(free, used); units bigint := used - least(free, used); e bigint; l bigint;
begin
    e := pg_temp.energy(priced, case when (select free_units_count from tariff_version where id = priced) then given else 0 end, units);
    l := pg_temp.levies(priced, units, e);
    return query
    select 'energy', v.name, e from tariff_version v where v.id = priced
    union all select 'levy', x.name, pg_temp.nearest(units::numeric * x.per_unit_mills, 10000) + pg_temp.nearest(e::numeric * x.ppm, 1000000)
    from tariff_levy x where x.version = priced
    union all select 'tax', x.name, pg_temp.nearest((case when x.on_levies then e + l else e end)::numeric * x.ppm, 1000000)
    from tariff_tax x where x.version = priced;
end $$;

-- Days of accounts that the server counts; every interval of theirs is valid.
create temporary table counted_day (account bigint, day date, version bigint, free bigint, before bigint, after bigint);
create function pg_temp.recompute_charges() returns void language plpgsql as $$
begin
    insert into counted_day
    select account, day, (select v.id from tariff_version v where v.tariff = u.tariff and v.valid_from_us <= at_us(u.day::timestamp at time zone zone)
                          order by v.valid_from_us desc limit 1),
           free_tenths, floor((sum(wh) over m - wh) / 100), floor(sum(wh) over m / 100)
    from (select e.account, a.tariff, a.free_tenths, t.time_zone as zone, (at_time(r.at_us - 1) at time zone t.time_zone)::date as day, sum(r.v1) as wh
          from prepayment_enrolment e join interval_row r on r.meter = e.meter and r.at_us > e.from_us
          join customer_account a on a.id = e.account join tenant t on t.id = a.tenant group by 1, 2, 3, 4, 5) u
    window m as (partition by account, extract(year from day), extract(month from day) order by day);
    insert into expected
    select p.kind, p.name, null, d.version, d.day, sum(p.amount),
           case when p.kind = 'energy' then d.after - least(d.free, d.after) - d.before + least(d.free, d.before) else 0 end
    from counted_day d cross join lateral (
        select kind, name, amount from pg_temp.month(d.version, d.free, d.after)
        union all select kind, name, -amount from pg_temp.month(d.version, d.free, d.before)) p
    group by d.account, d.day, d.version, d.free, d.before, d.after, p.kind, p.name;
    insert into expected select 'credit', 'credit', null, version, day, -amount, 0 from expected where vendor is null;
end $$;

create function pg_temp.books_differ() returns table (what text) language sql as $$
    with booked as (
        select l.kind, case when l.kind = 'debt' then l.debt::text when l.kind = 'fee' then v.name when l.kind = 'charge' then 'monthly'
                            else l.name end as name,
               s.vendor, s.tariff_version as version, s.day, l.amount, l.tenths
        from sale s join sale_line l on l.sale = s.id join vendor v on v.id = s.vendor
        where s.kind = 'sale' and s.state = 'issued'
        union all
        select l.kind, l.name, null, c.version, c.day, case when l.debit = p.ledger then l.amount else -l.amount end, 0
        from prepayment_charge c join prepayment p on p.account = c.account join prepayment_line l on l.charge = c.id
        union all
        select 'credit', 'credit', null, c.version, c.day, case when l.debit = p.ledger then -l.amount else l.amount end, 0
        from prepayment_charge c join prepayment p on p.account = c.account join prepayment_line l on l.charge = c.id
        union all  -- what was used, as it was when it was charged
        select 'energy', t.name, null, d.version, d.day, 0, d.after - least(d.free, d.after) - d.before + least(d.free, d.before)
        from (select account, day, version, first_value(free_tenths) over m as free, floor((sum(wh) over m - wh) / 100)::bigint as before,
                     floor(sum(wh) over m / 100)::bigint as after
              from prepayment_day window m as (partition by account, extract(year from day), extract(month from day) order by day)) d
        join tariff_version t on t.id = d.version),
    both_sides as (
        select kind, name, vendor, version, day, amount, tenths from booked
        union all select kind, name, vendor, version, day, -amount, -tenths from expected),
    sums as (
        select 'tariff ' || version || ' ' || kind as what, sum(amount) as amount, sum(tenths) as tenths from both_sides group by 1
        union all select kind || ' ' || name, sum(amount), sum(tenths) from both_sides group by 1
        union all select 'vendor ' || coalesce(vendor, 0) || ' ' || kind, sum(amount), sum(tenths) from both_sides group by 1
        union all select 'day ' || day || ' ' || kind, sum(amount), sum(tenths) from both_sides group by 1)
    select what || ': ' || amount || ' and ' || tenths || ' tenths too many in the books' from sums where amount <> 0 or tenths <> 0
    union all select 'sale ' || sale || ': ' || why from wrong
    union all select 'debt ' || d.id || ' has balance ' || d.balance || ', recomputed ' || o.balance
    from customer_debt d join owed o on o.debt = d.id where o.balance <> d.balance
$$;
