-- What the server charges accounts belongs into the reports of sales, taxes and free units, and a meter that it counts is no anomaly when
-- it uses what was paid in before.

grant select on prepayment_day, prepayment_charge, prepayment_line to wm_vending;

-- Meters with load that nobody sold, gave, moved units to, or counts.
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
      and not exists (select from prepayment_enrolment e where e.prepaid_meter = m.id and e.from_us < vend_idle_meters.to_us
                      and coalesce(e.to_us, vend_idle_meters.to_us) > vend_idle_meters.from_us)
$$;
