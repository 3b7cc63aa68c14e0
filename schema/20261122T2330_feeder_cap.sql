-- Disconnections are capped per feeder too: a wrong list must not darken one street at once.

create view meter_feeder as
select i.meter, i.tenant, i.area, case i.kind when 3 then t.parent else f.parent end as feeder
from meter_installation i
join network_link t on t.node = i.node and t.to_us = 9223372036854775807
left join network_link f on f.node = t.parent and f.to_us = 9223372036854775807
where i.to_us = 9223372036854775807;
grant select on meter_feeder to wm_monitor;
select limit_to_areas('meter_feeder');
