-- Reports about sales. What meters used is not for the role that sells: it asks for those that used much and bought nothing.

create index on sale using brin (day);

create function vend_idle_meters(of_tenant integer, from_us bigint, to_us bigint, least_wh bigint)
returns table (meter_number text, used_wh bigint, bought date)
language sql stable security definer set search_path = wattmesh, pg_temp as $$
    select m.meter_number, u.used_wh, (select max(s.day) from sale s where s.meter = m.id and s.state = 'issued' and s.kind = 'sale')
    from prepaid_meter m, lateral (
        select sum(d.v1)::bigint as used_wh from aggregate_day d join bank b on b.id = d.bank
        where d.meter = m.meter and b.profile = '1-0:99.1.0*255' and d.from_us >= vend_idle_meters.from_us and d.from_us < vend_idle_meters.to_us) u
    where m.tenant = of_tenant and u.used_wh >= least_wh
      and not exists (select from sale s where s.meter = m.id and s.state = 'issued' and s.kind in ('sale', 'free')
                      and s.at_us >= vend_idle_meters.from_us and s.at_us < vend_idle_meters.to_us)
$$;
revoke all on function vend_idle_meters from public;
grant execute on function vend_idle_meters to wm_vending;
