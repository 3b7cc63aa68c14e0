-- Meters that speak Modbus: they hang on a bus behind a device of the road 1 (a DTU that calls in, or a gateway that we call). What they
-- count and show is read by the head-end itself, so that the rows below are made here and not in the meter.

alter table concentrator add column dial text check (length(dial) between 3 and 260);  -- host:port that we call; null: it calls in

alter table meter_model drop constraint meter_model_reading_keys_check;
alter table meter_model
    add constraint meter_model_reading_keys_check check (reading_keys in ('separate', 'shared', 'local_only', 'none')),
    add column modbus_map text check (length(modbus_map) between 1 and 32);  -- name of a register map (protocol/modbus/maps); null: speaks DLMS

create table bus_unit (  -- where a meter is on its bus (meter.concentrator is whom the bus hangs on)
    meter bigint primary key references meter,
    concentrator bigint not null references concentrator,
    unit smallint not null check (unit between 1 and 247),
    word_order text check (word_order in ('abcd', 'cdab', 'badc', 'dcba')),  -- where this one differs from its map
    base smallint check (base between 0 and 2),
    unique (concentrator, unit)
);
grant select on bus_unit to wm_frontend, wm_monitor, wm_console;

insert into bank (id, name, profile, period_s, channels, kind) values (3, 'polled registers', '1-0:99.2.0*255', 900, 8, 'snapshot');
insert into meter_model (name, manufacturer, reading_keys, modbus_map) values
    ('EM6400NG', 'SCH', 'none', 'em6400ng'), ('EM6400', 'SCH', 'none', 'em6400'), ('EM1200', 'SCH', 'none', 'em1200');
-- Bank 1 is made of the counter: what it rose by from one quarter hour's end to the next.
insert into channel_map (model, bank, channel, register, scaler, unit)
select model, 1, 1, '1-0:1.8.0*255', 0, 30 from (values ('EM6400NG'), ('EM6400'), ('EM1200')) as m(model);
insert into channel_map (model, bank, channel, register, scaler, unit)
select model, 3, channel, register, scaler, unit
from (values (1, '1-0:1.8.0*255', 0, 30), (2, '1-0:16.7.0*255', 0, 27),
             (3, '1-0:32.7.0*255', -1, 35), (4, '1-0:52.7.0*255', -1, 35), (5, '1-0:72.7.0*255', -1, 35),
             (6, '1-0:31.7.0*255', -2, 33), (7, '1-0:51.7.0*255', -2, 33), (8, '1-0:71.7.0*255', -2, 33))
     as c(channel, register, scaler, unit), (values ('EM6400NG'), ('EM1200')) as m(model);
insert into channel_map (model, bank, channel, register, scaler, unit)
values ('EM6400', 3, 1, '1-0:1.8.0*255', 0, 30), ('EM6400', 3, 2, '1-0:16.7.0*255', 0, 27),
       ('EM6400', 3, 3, '1-0:12.7.0*255', -1, 35), ('EM6400', 3, 4, '1-0:11.7.0*255', -2, 33);
