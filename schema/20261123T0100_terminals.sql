-- Meters behind Q/GDW 376.1 terminals: like meters on a bus, with the measurement point as unit. Their model has neither keys nor a register map.

alter table bus_unit drop constraint bus_unit_unit_check, add constraint bus_unit_unit_check check (unit between 1 and 2040);
comment on column event.fault is 'read_failed: dcu::ReadFault; reported: the terminal''s own code (ERC)';

insert into bank (id, name, profile, period_s, channels, kind) values (4, 'power curve', '1-0:99.3.0*255', 900, 4, 'snapshot');
insert into meter_model (name, manufacturer, reading_keys) values ('DLT645-2007', 'SGC', 'none');
insert into channel_map (model, bank, channel, register, scaler, unit)
select 'DLT645-2007', bank, channel, register, scaler, unit
from (values (1, 1, '1-0:1.8.0*255', 0, 30), (2, 1, '1-0:1.8.0*255', 0, 30), (2, 2, '1-0:2.8.0*255', 0, 30),
             (3, 1, '1-0:1.8.0*255', 0, 30), (3, 2, '1-0:16.7.0*255', 0, 27),
             (3, 3, '1-0:32.7.0*255', -1, 35), (3, 4, '1-0:52.7.0*255', -1, 35), (3, 5, '1-0:72.7.0*255', -1, 35),
             (3, 6, '1-0:31.7.0*255', -2, 33), (3, 7, '1-0:51.7.0*255', -2, 33), (3, 8, '1-0:71.7.0*255', -2, 33),
             (4, 1, '1-0:16.7.0*255', 0, 27), (4, 2, '1-0:36.7.0*255', 0, 27), (4, 3, '1-0:56.7.0*255', 0, 27), (4, 4, '1-0:76.7.0*255', 0, 27))
     as c(bank, channel, register, scaler, unit);
